"""How patient to be with a push service, and for how long to remember that."""

from datetime import timedelta

import pytest

from app.notifications.channels.base import SENT, Outcome
from app.notifications.channels.push.responses import WELL, Answer, Patience
from tests.notifications.conftest import Hands

TAKEN = Answer(SENT, WELL)
BUSY = Answer(Outcome("pending", error="503"), is_service=True)
NONE = timedelta(0)


def asking_for(hours: int) -> Answer:
    return Answer(Outcome("pending", retry_after=timedelta(hours=hours)), is_service=True)


@pytest.fixture
def patience(hands: Hands) -> Patience:
    hands.set("2026-11-26 12:00")
    return Patience()


def test_of_a_service_that_works_there_is_nothing_to_remember(patience: Patience) -> None:
    patience.note("phone", TAKEN)

    assert patience.forget()


def test_the_rest_of_a_device_is_remembered_until_it_is_over(
    patience: Patience, hands: Hands
) -> None:
    patience.note("phone", asking_for(hours=2))
    patience.note("laptop", TAKEN)

    assert not patience.forget()
    assert patience.wait("phone") == timedelta(hours=2)
    assert patience.wait("laptop") == NONE
    hands.move(timedelta(hours=2))
    assert patience.forget()
    assert patience.wait("phone") == NONE


def test_the_rest_of_a_service_is_remembered_also_if_an_answer_comes_late(
    patience: Patience, hands: Hands
) -> None:
    for number in range(5):
        patience.note(f"device {number}", BUSY)
    patience.note("laptop", TAKEN)

    assert patience.wait("laptop") > NONE
    assert not patience.forget()
    hands.move(timedelta(minutes=1))
    assert patience.forget()


def test_failures_are_remembered_for_a_day(patience: Patience, hands: Hands) -> None:
    patience.note("phone", BUSY)

    hands.move(timedelta(hours=23))
    assert not patience.forget()
    hands.move(timedelta(hours=2))
    assert patience.forget()
