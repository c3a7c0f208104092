"""The device list of the preferences page: a user's devices and their push health."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.language import _
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.device_addresses import name_in
from app.notifications.channels.push.vapid_keys import vapid_keys_of

MOBILE = ("Android", "iPhone", "iPad")
# Older tests are not shown: they no longer reflect the state of the device.
TEST_IS_NEWS = timedelta(minutes=10)


@dataclass(frozen=True)
class Device:
    """`health` is "", "busy", "done" or "problem"; `words` explains it to the user. `id` is None
    for a device that a test found unsubscribed.
    """

    id: int | None
    session_id: int | None
    name: str
    created_at: datetime
    last_used_at: datetime | None
    health: str
    words: str

    @property
    def is_mobile(self) -> bool:
        return any(system in self.name for system in MOBILE)

    @property
    def is_waiting(self) -> bool:
        """Whether a test is in progress, so that the page should reload the list soon."""
        return self.health == "busy"


async def read_list(session: AsyncSession, user: User) -> list[Device]:
    vapid_key = vapid_keys_of(session).public
    tests = await device_tests.last(session, user)
    current = await devices.devices_of(session, user)
    lost = await device_tests.of_lost_devices(session, user, clock.now() - TEST_IS_NEWS)
    return [
        *(_as_device(device, tests.get(device.id), vapid_key) for device in current),
        *_lost_devices(lost, current),
    ]


def _lost_devices(tests: Iterable[Delivery], current: Sequence[PushSubscription]) -> list[Device]:
    """Devices that a test found unsubscribed, except those that have since subscribed again.

    A renewed device gets its former name, so names are compared.
    """
    names = {device.name for device in current}
    lost = {name_in(test.address): test for test in tests}
    return [_lost_device(name, test) for name, test in lost.items() if name not in names]


def _lost_device(name: str, test: Delivery) -> Device:
    return Device(
        id=None,
        session_id=None,
        name=name,
        created_at=test.created_at,
        last_used_at=None,
        health="problem",
        words=_lost_test_sentence(test),
    )


def _as_device(found: PushSubscription, test: Delivery | None, vapid_key: str) -> Device:
    health, words = _health(found, test, vapid_key)
    return Device(
        id=found.id,
        session_id=found.session_id,
        name=found.name,
        created_at=found.created_at,
        last_used_at=found.last_used_at,
        health=health,
        words=words,
    )


def _health(found: PushSubscription, test: Delivery | None, vapid_key: str) -> tuple[str, str]:
    if test and clock.now() - test.created_at < TEST_IS_NEWS:
        return _test_health(test)
    if found.vapid_key != vapid_key:
        return "problem", _("The server has a new key. Open ClippyFront there once.")
    if found.failing_since:
        problem = _("Its push service refuses our pushes{code}.")
        return "problem", f"{_with_code(problem, found.refused_status)} {_remedy()}"
    return "", ""


def _test_health(test: Delivery) -> tuple[str, str]:
    """The outcome that the push service reported: it cannot confirm display on the screen."""
    if test.state == "sent":
        sentence = _("The test was accepted by its push service and should appear on its screen.")
        return "done", sentence
    if test.state == "pending" and not test.failure:
        return "busy", _("A test is on its way.")
    return "problem", _failed_test_sentence(test)


def _failed_test_sentence(test: Delivery) -> str:
    if test.state == "pending":
        problem = _("Its push service could not accept the test yet{code}. We try for ten minutes.")
    elif test.state == "dead":
        problem = _("Its push service did not accept the test{code}. Please try again later.")
    elif test.status_code:
        problem = _("Its push service refused the test{code}.") + " " + _remedy()
    else:
        problem = _(
            "The test could not be sent. Disable push there, enable it again, and repeat the test."
        )
    return _with_code(problem, test.status_code)


def _lost_test_sentence(test: Delivery) -> str:
    problem = _("The test found that this browser has unsubscribed from push{code}.")
    remedy = _("Open ClippyFront there once to subscribe it again.")
    return f"{_with_code(problem, test.status_code)} {remedy}"


def _remedy() -> str:
    return _(
        "Disable push there and enable it again. If that does not help, ask the administrator of "
        "this server to look into it."
    )


def _with_code(sentence: str, status_code: int | None) -> str:
    """Inserts the status of the push service's response in parentheses, if there is one."""
    return sentence.format(code=f" ({status_code})" if status_code else "")
