"""A person's devices as people read of them: which one it is, and whether pushes arrive there."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.language import _
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push import device_tests, devices
from app.notifications.channels.push.responses import GONE_CODES
from app.notifications.channels.push.vapid_keys import vapid_keys_of

MOBILE = ("Android", "iPhone", "iPad")
# A test that is older tells nothing of how things are now.
TEST_IS_NEWS = timedelta(minutes=10)

_code = re.compile(r"(\d{3}) from ")  # as push_answers.py words an error


@dataclass(frozen=True)
class Device:
    """`health` is "", "busy", "done" or "problem", and `words` say more. One that its test found
    lost has no `id` any more.
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
        return any(one in self.name for one in MOBILE)

    @property
    def is_waiting(self) -> bool:
        """A test is on its way: worth asking again soon."""
        return self.health == "busy"


async def read_list(session: AsyncSession, user: User) -> list[Device]:
    vapid_key = vapid_keys_of(session).public
    tests = await device_tests.last(session, user)
    theirs = await devices.devices_of(session, user)
    left = await device_tests.left_behind(session, user, clock.now() - TEST_IS_NEWS)
    return [
        *(_as_device(one, tests.get(one.id), vapid_key) for one in theirs),
        *_lost(left, theirs),
    ]


def _lost(left: Iterable[Delivery], theirs: Sequence[PushSubscription]) -> list[Device]:
    """Those that their tests have ended. What has come back has its name again."""
    names = {one.name for one in theirs}
    ended = [test for test in left if _code_of(test.error) in GONE_CODES]
    tests = {test.address.rpartition(" #")[0]: test for test in ended}
    return [_as_lost(name, test) for name, test in tests.items() if name not in names]


def _as_lost(name: str, test: Delivery) -> Device:
    return Device(
        id=None,
        session_id=None,
        name=name,
        created_at=test.created_at,
        last_used_at=None,
        health="problem",
        words=_of_lost_test(test),
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
        return _of_test(test)
    if found.vapid_key != vapid_key:
        return "problem", _("The server has a new key. Open ClippyFront there once.")
    if found.failing_since:
        told = _("Its push service refuses what we send{code}.")
        return "problem", f"{_with_code(told, found.error)} {_what_to_do()}"
    return "", ""


def _of_test(test: Delivery) -> tuple[str, str]:
    """The true result, as far as a push service tells one."""
    if test.state == "sent":
        return "done", _("The test was taken by its push service and should be on its screen.")
    if test.state == "pending" and not test.error:
        return "busy", _("A test is on its way.")
    return "problem", _of_failed_test(test)


def _of_failed_test(test: Delivery) -> str:
    if test.state == "pending":
        told = _("Its push service could not take the test yet{code}. We try for ten minutes.")
    elif test.state == "dead":
        told = _("Its push service has not taken the test{code}. Please try again later.")
    elif _code_of(test.error):
        told = _("Its push service refused the test{code}.") + " " + _what_to_do()
    else:
        told = _("The test could not be sent. Disable and enable push there, and try again.")
    return _with_code(told, test.error)


def _of_lost_test(test: Delivery) -> str:
    told = _("The test found that this browser has given push up{code}.")
    return f"{_with_code(told, test.error)} {_('Open ClippyFront there once, and it is back.')}"


def _what_to_do() -> str:
    return _(
        "Disable and enable push there. If that does not help, whoever runs this server "
        "can look into it."
    )


def _with_code(sentence: str, error: str | None) -> str:
    """With the code of the push service's answer in parentheses, where there was one."""
    code = _code_of(error)
    return sentence.format(code=f" ({code})" if code else "")


def _code_of(error: str | None) -> int:
    """0 where it is no answer."""
    found = _code.match(error or "")
    return int(found[1]) if found else 0
