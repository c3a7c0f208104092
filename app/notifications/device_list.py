"""A person's devices as people read of them: which one it is, and whether pushes arrive there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.language import _
from app.models import Account, Delivery, PushSubscription
from app.notifications import devices
from app.notifications.channels import browser_push

MOBILE = ("Android", "iPhone", "iPad")
# A test that is older tells nothing of how things are now.
TEST_IS_NEWS = timedelta(minutes=10)


@dataclass(frozen=True)
class Device:
    """`health` is "", "busy", "done" or "problem", and `words` say more."""

    id: int
    session_id: int | None
    name: str
    created_at: datetime
    last_used_at: datetime | None
    health: str
    words: str

    @property
    def is_mobile(self) -> bool:
        return self.name.endswith(MOBILE)

    @property
    def is_waiting(self) -> bool:
        """A test is on its way: worth asking again soon."""
        return self.health == "busy"


async def read_list(session: AsyncSession, person: Account) -> list[Device]:
    tests = await devices.last_tests(session, person)
    theirs = await devices.devices_of(session, person)
    return [_as_device(one, tests.get(one.id)) for one in theirs]


def _as_device(found: PushSubscription, test: Delivery | None) -> Device:
    health, words = _health(found, test)
    return Device(
        id=found.id,
        session_id=found.session_id,
        name=found.name,
        created_at=found.created_at,
        last_used_at=found.last_used_at,
        health=health,
        words=words,
    )


def _health(found: PushSubscription, test: Delivery | None) -> tuple[str, str]:
    if test and clock.now() - test.created_at < TEST_IS_NEWS:
        return _of_test(test)
    if found.vapid_key != browser_push.public_key:
        return "problem", _("The server has a new key. Open ClippyFront there once.")
    if found.failing_since:
        told = _("Its push service refuses what we send ({error}). Disable and enable push there.")
        return "problem", told.format(error=found.error or "")
    return "", ""


def _of_test(test: Delivery) -> tuple[str, str]:
    """The true result, as far as a push service tells one."""
    if test.state == "sent":
        return "done", _("The test was taken by its push service and should be on its screen.")
    if test.state == "pending" and not test.error:
        return "busy", _("A test is on its way.")
    told = _("The test did not arrive ({error}).")
    return "problem", told.format(error=test.error or test.reason or test.state)
