"""Remembered groups stand in the order of their newest notices, whatever has changed since."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from app.database import Database
from app.database.short_reads import ShortSession
from app.models import User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.inbox import acts, tallies, totals
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.tallies import (
    LIST_WEIGHT,
    InboxVersion,
    ListTally,
    SortedGroups,
    TalliedLists,
    Tally,
    reading_groups,
    tally_groups,
)
from app.notifications.inbox.totals import count_totals
from app.notifications.notify import notify
from tests.statements import Statement, statements_heard

NO_GROUPS = ListTally(SortedGroups(), InboxVersion(0, 0, 0))


def _sorted(groups: Mapping[str, Tally]) -> SortedGroups:
    return SortedGroups([(key, *tally) for key, tally in groups.items()])


@pytest.mark.parametrize("seed", range(3))
def test_a_page_is_cut_from_the_groups_as_they_are_now(seed: int) -> None:
    chance = Random(seed)
    groups = {f"group {n}": Tally(position=n, notices=2, unread=1) for n in range(10)}
    inbox = ListTally(_sorted(groups), InboxVersion(10, 0, 0))

    for position in range(11, 60):
        key = f"group {chance.randrange(14)}"
        changed = {key: chance.choice([None, Tally(position, notices=3, unread=0)])}
        inbox = inbox.with_groups(changed, InboxVersion(position, 0, position))
        groups = {key: tally for key, tally in (groups | changed).items() if tally}

        left_out = chance.sample(sorted(groups), k=min(2, len(groups)))
        newest = sorted(groups.keys() - left_out, key=lambda one: -groups[one].position)
        assert inbox.count == len(groups)
        for first in range(len(groups) + 2):
            page = inbox.slice(first, 3, left_out)
            assert list(page.items()) == [(one, groups[one]) for one in newest[first : first + 3]]


def test_what_was_changed_before_stays_as_it_was() -> None:
    before = ListTally(_sorted({"old": Tally(1, 1, 1)}), InboxVersion(1, 0, 0))

    after = before.with_groups({"old": None, "new": Tally(2, 1, 1)}, InboxVersion(2, 0, 2))

    assert (before.count, list(before.slice(0, 9))) == (1, ["old"])
    assert (after.count, list(after.slice(0, 9))) == (1, ["new"])


def test_a_list_is_the_same_however_the_values_of_its_filter_are_given() -> None:
    lists = TalliedLists()
    lists.keep(7, Filter({"type": ("a", "b")}), NO_GROUPS)

    assert lists.get(7, Filter({"type": ("b", "a", "b")})) is NO_GROUPS


def test_lists_without_groups_are_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "GROUPS_KEPT", 3 * LIST_WEIGHT)
    lists = TalliedLists()

    for user_id in range(5):
        lists.keep(user_id, Filter(), NO_GROUPS)
        lists.get(0, Filter())  # looked at again and again

    assert [one for one in range(5) if lists.get(one, Filter())] == [0, 3, 4]


def groups_all(one: Statement) -> bool:
    """Whether it may group any number of rows."""
    return "GROUP BY" in one.text and "LIMIT" not in one.text


def counts_all(one: Statement) -> bool:
    """Whether it counts an inbox since position 0."""
    return "AS outside" in one.text and one.values[1] == 0


UNREAD = Filter({"status": ("unread",)})


@pytest.mark.sqlite
async def test_nothing_that_counts_many_holds_up_others_whatever_came_before(
    db: Database,
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tallies, "MOST_ARRIVED", 2)
    monkeypatch.setattr(totals, "MOST_COUNTED_AT_ONCE", -1)

    async def look(wanted: Filter) -> int:
        async with reading_groups(db, wanted) as session:
            assert isinstance(session, ShortSession)
            version = (await count_totals(session, bob.id, wanted)).version
            return (await tally_groups(session, bob.id, wanted, version)).count

    async def invite(times: int) -> None:
        facts: dict[str, Any] = {"role": "editor", "inviter": "alice", "team_name": "Squad"}
        async with db.act() as session:
            for _invitation in range(times):
                await notify(session, INVITATION_RECEIVED, actor=alice, affected=bob, **facts)

    with statements_heard() as heard:
        seen = [await look(Filter())]
        await invite(4)
        seen += [await look(Filter()), await look(Filter(up_to_position=0)), await look(UNREAD)]
        async with db.act() as session:
            _count, token = await acts.read_all(session, bob.id)
        seen += [await look(UNREAD)]
        async with db.act() as session:
            await acts.undo(session, bob.id, token)
        seen += [await look(UNREAD)]

    assert seen == [0, 4, 0, 4, 0, 4]
    for kind in (groups_all, counts_all):
        assert {one.is_in_main_thread for one in heard if kind(one)} == {False}
