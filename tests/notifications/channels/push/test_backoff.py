"""For how long a push service is left in peace, and for how long that is remembered."""

from datetime import timedelta

import pytest

from app import clock
from app.notifications.channels.base import SENT, DeliveryFailure, Failed
from app.notifications.channels.push.backoff import Backoff
from app.notifications.channels.push.responses import WELL, Result
from tests.notifications.conftest import Hands

ACCEPTED = Result(SENT, WELL)
UNAVAILABLE = DeliveryFailure("unavailable", "push.example", 503)
BUSY = Result(Failed(UNAVAILABLE), is_service=True)
HOUR = timedelta(hours=1)


def asking_for(hours: int) -> Result:
    return Result(Failed(UNAVAILABLE, retry_after=hours * HOUR), is_service=True)


@pytest.fixture
def backoff(hands: Hands) -> Backoff:
    hands.set("2026-11-26 12:00")
    return Backoff()


def test_a_working_service_leaves_no_record(backoff: Backoff) -> None:
    backoff.note("phone", ACCEPTED)

    assert backoff.forget()


def test_the_rest_of_a_device_is_remembered_until_it_is_over(
    backoff: Backoff, hands: Hands
) -> None:
    backoff.note("phone", asking_for(hours=2))
    backoff.note("laptop", ACCEPTED)

    assert not backoff.forget()
    assert backoff.rests_until("phone") == clock.now() + 2 * HOUR
    assert backoff.rests_until("laptop") is None
    hands.move(2 * HOUR)
    assert backoff.forget()
    assert backoff.rests_until("phone") is None


def test_the_rest_of_a_service_is_remembered_even_if_a_late_reply_succeeds(
    backoff: Backoff, hands: Hands
) -> None:
    for number in range(5):
        backoff.note(f"device {number}", BUSY)
    backoff.note("laptop", ACCEPTED)

    assert backoff.rests_until("laptop") is not None
    assert not backoff.forget()
    hands.move(timedelta(minutes=1))
    assert backoff.forget()


def test_one_rest_after_another_is_longer_and_at_most_a_quarter_of_an_hour(
    backoff: Backoff, hands: Hands
) -> None:
    rests = []
    for _ in range(8):
        for number in range(5):
            backoff.note(f"device {number}", BUSY)
        until = backoff.rests_until("laptop")
        assert until is not None
        rests.append((until - clock.now()) / timedelta(seconds=1))
        hands.set(until)

    assert all(0 <= rest - least <= least / 5 for rest, least in zip(rests, LEAST, strict=True))


LEAST = (30, 60, 120, 240, 480, 900, 900, 900)


def test_failures_are_remembered_for_a_day(backoff: Backoff, hands: Hands) -> None:
    backoff.note("phone", BUSY)

    hands.move(23 * HOUR)
    assert not backoff.forget()
    hands.move(2 * HOUR)
    assert backoff.forget()


def test_a_pause_that_began_while_the_clock_was_ahead_is_over(
    backoff: Backoff, hands: Hands
) -> None:
    now = clock.now()
    hands.move(timedelta(days=40))
    for device in "abcde":
        backoff.note(device, asking_for(1))
    hands.set(now)

    assert backoff.rests_until("a") is None
    assert backoff.rests_until("another") is None
