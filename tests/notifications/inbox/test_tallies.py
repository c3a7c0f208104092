"""Remembered groups stand in the order of their newest notices, whatever has changed since."""

from random import Random

import pytest

from app.notifications.inbox import tallies
from app.notifications.inbox.tallies import ListTally, State, Tally


@pytest.mark.parametrize("most_unsorted", [0, 3, 500])
def test_a_page_is_cut_from_the_groups_as_they_are_now(
    monkeypatch: pytest.MonkeyPatch, most_unsorted: int
) -> None:
    monkeypatch.setattr(tallies, "MOST_UNSORTED", most_unsorted)
    chance = Random(most_unsorted)
    groups = {f"group {n}": Tally(position=n, notices=2, unread=1) for n in range(10)}
    inbox = ListTally.of(groups, State(10, 0, 0))

    for position in range(11, 60):
        key = f"group {chance.randrange(14)}"
        changed = {key: chance.choice([None, Tally(position, notices=3, unread=0)])}
        inbox = inbox.with_groups(changed, State(position, 0, position))
        groups = {key: tally for key, tally in (groups | changed).items() if tally}

        left_out = chance.sample(sorted(groups), k=min(2, len(groups)))
        newest = sorted(groups.keys() - left_out, key=lambda one: -groups[one].position)
        assert inbox.count == len(groups)
        assert inbox.size == sum(tally.notices for tally in groups.values())
        for first in range(len(groups) + 2):
            page = inbox.slice(first, 3, left_out)
            assert list(page.items()) == [(one, groups[one]) for one in newest[first : first + 3]]


def test_what_was_changed_before_stays_as_it_was() -> None:
    before = ListTally.of({"old": Tally(1, 1, 1)}, State(1, 0, 0))

    after = before.with_groups({"old": None, "new": Tally(2, 1, 1)}, State(2, 0, 2))

    assert (before.count, list(before.slice(0, 9))) == (1, ["old"])
    assert (after.count, list(after.slice(0, 9))) == (1, ["new"])
