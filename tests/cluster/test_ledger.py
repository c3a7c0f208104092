"""The ledger notices what is lost, doubled, out of order or invented."""

import pytest

from tests.cluster._ledger import Act, Ledger
from tests.cluster._listening import Frame, Listener

FIRST, SECOND = (Act(team=1, writer=0, number=n, is_mailed=True) for n in (1, 2))
UNANSWERED = Act(team=1, writer=1, number=1, is_mailed=False)


@pytest.fixture
def ledger() -> Ledger:
    known = {act.title: act for act in (FIRST, SECOND)}
    return Ledger(known, doubtful={UNANSWERED.title: UNANSWERED})


def test_messages_once_and_in_order_have_no_fault(ledger: Ledger) -> None:
    assert ledger.faults_of_list(1, ["act 0-1", "act 1-1", "act 0-2"]) == []


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (["act 0-1"], "lost: act 0-2"),
        (["act 0-1", "act 0-2", "act 0-2"], "told 2 times: act 0-2"),
        (["act 0-1", "act 0-2", "act 1-1", "act 1-1"], "told 2 times: act 1-1"),
        (["act 0-2", "act 0-1"], "writer 0: 1 after 2"),
        (["act 0-1", "act 0-2", "act 7-7"], "never done: act 7-7"),
    ],
)
def test_each_fault_of_a_list_is_named(ledger: Ledger, told: list[str], fault: str) -> None:
    assert fault in ledger.faults_of_list(1, told)


def test_a_message_may_come_again_but_only_as_the_same(ledger: Ledger) -> None:
    again = [("act 0-1", "<1@host>"), ("act 0-1", "<1@host>"), ("act 0-2", "<2@host>")]

    assert ledger.faults_of_messages(1, again, most_doubles=1) == []
    assert ledger.faults_of_messages(1, again, most_doubles=0) == ["2 times: act 0-1"]
    assert ledger.faults_of_messages(1, [*again, ("act 0-2", "<3@host>")], most_doubles=1) == [
        "two ids: act 0-2"
    ]
    assert ledger.faults_of_messages(1, again[:2], most_doubles=1) == ["lost: act 0-2"]


def test_a_listener_notices_a_position_that_comes_twice_and_a_loss_that_is_admitted() -> None:
    listener = Listener(1, 1, "a token", [])
    notice = b'{"message": "act 0-1", "context": {}}'
    for id in (7, 8, 8):
        listener.take(Frame("notification", id, notice))
    listener.take(Frame("resync", 9, b"{}"))

    assert listener.faults() == ["position 8 after 8", "resync"]
    assert listener.last_id == 9
