"""Remembered totals must equal a fresh count after any change to the rows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from unittest.mock import Mock

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.errors import NotFound
from app.installation import install
from app.models import Notification, Team, User
from app.notifications.delivery.retention import clean_up, purge_deleted
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.events.event_type import IN_APP
from app.notifications.inbox import acts, feed, totals
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import Totals, count_totals, reading
from app.notifications.withdraw import withdraw_team
from app.settings import Settings
from tests.bell import newest_notices, position_within
from tests.notifications.conftest import Hands
from tests.notifications.inbox.conftest import Tell
from tests.switching import set_switch

EVERYTHING, UNREAD = Filter(), Filter({"status": ("unread",)})
READ = Filter({"status": ("read",)})
SAVED, ALL = Filter({"view": ("saved",)}), Filter({"view": ("all",)})
Act = Callable[[], Awaitable[None]]


@pytest.fixture
async def other_process(settings: Settings, db: Database) -> AsyncIterator[Database]:
    """The same database in another process, which has not seen the acts."""
    other = install(settings).db
    yield other
    await other.close()


class Bob:
    """What may happen to bob's notifications, each chosen by `chance`."""

    def __init__(
        self, db: Database, user: User, squad: Team, tell: Tell, hands: Hands, chance: Random
    ) -> None:
        self.db, self.user, self.squad, self.tell = db, user, squad, tell
        self.hands, self.chance = hands, chance
        self.undo_token = ""

    def acts(self) -> list[Act]:
        return [
            self.is_told,
            self.switches_the_app,
            self.marks,
            self.deletes,
            self.reads_all,
            self.undoes,
            self.loses_the_team,
            self.waits,
            self.is_cleaned_up,
            self.fails,
        ]

    async def is_told(self) -> None:
        await self.tell(self.chance.randint(1, 4))

    async def switches_the_app(self) -> None:
        async with self.db.act() as session:
            wanted = self.chance.random() < 0.5
            await set_switch(session, self.user, TEAM_UPDATED.name, IN_APP, wanted=wanted)

    async def marks(self) -> None:
        chosen = Selection(await self._some())
        async with self.db.act() as session:
            read = self.chance.random() < 0.6
            _, self.undo_token = await acts.mark(session, self.user.id, chosen, read=read)

    async def deletes(self) -> None:
        chosen = Selection(await self._some())
        async with self.db.act() as session:
            _, self.undo_token = await acts.delete(session, self.user.id, chosen)

    async def reads_all(self) -> None:
        async with self.db.act() as session:
            _, self.undo_token = await acts.read_all(session, self.user.id)

    async def undoes(self) -> None:
        async with self.db.act() as session:
            with suppress(NotFound):
                await acts.undo(session, self.user.id, self.undo_token)

    async def loses_the_team(self) -> None:
        async with self.db.act() as session:
            bob = select(User.id).where(User.id == self.user.id)
            await withdraw_team(session, self.squad.id, bob)

    async def waits(self) -> None:
        self.hands.move(timedelta(days=self.chance.choice([0, 1, 4])))

    async def is_cleaned_up(self) -> None:
        await clean_up(self.db, self.chance.choice([1, 30]))
        await purge_deleted(self.db)

    async def fails(self) -> None:
        """Counted within the act, whose position the next act gets."""
        chosen = Selection(await self._some())
        with suppress(ZeroDivisionError):
            async with self.db.act() as session:
                await acts.delete(session, self.user.id, chosen)
                await count_totals(session, self.user.id, EVERYTHING)
                raise ZeroDivisionError

    async def _some(self) -> list[int]:
        async with self.db.read() as session:
            mine = select(Notification.id).where(Notification.user_id == self.user.id)
            ids = list(await session.scalars(mine))
        return self.chance.sample(ids, min(len(ids), self.chance.randint(1, 3)))


async def counted(db: Database, user: User, wanted: Filter) -> Totals:
    """The totals by counting every row."""
    rows = select(Notification.id).where(Notification.user_id == user.id)
    async with db.read() as session:
        all_of_them, matching, unread = [
            (await session.scalars(rows.where(*which))).all()
            for which in ([feed.in_inbox], wanted.clauses(), [feed.unread])
        ]
        position = await position_within(session, user)
    return Totals(len(all_of_them), len(matching), len(unread), position)


async def remembered(db: Database, user: User, wanted: Filter) -> Totals:
    async with db.read() as session:
        return await count_totals(session, user.id, wanted)


@pytest.mark.parametrize("seed", range(6))
async def test_they_are_what_counting_says_after_any_acts_in_any_process(
    db: Database,
    other_process: Database,
    bob: User,
    squad: Team,
    tell_bob: Tell,
    hands: Hands,
    seed: int,
) -> None:
    chance = Random(seed)
    hands.set("2026-11-01 00:00")
    scene = Bob(db, bob, squad, tell_bob, hands, chance)

    for number in range(30):
        act = chance.choice(scene.acts())
        await act()
        end = chance.choice([None, None, number])
        wanted = chance.choice([Filter(up_to_position=end), UNREAD, READ, SAVED])
        process = chance.choice([db, db, other_process])

        assert await remembered(process, bob, wanted) == await counted(db, bob, wanted), (
            number,
            act.__name__,
        )


async def test_totals_leave_out_rows_removed_by_retention(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set("2026-11-01 00:00")
    await tell_bob(3)
    async with db.act() as session:
        await acts.read_all(session, bob.id)
    before = await remembered(db, bob, EVERYTHING)

    hands.move(timedelta(days=31))
    await clean_up(db, 30)

    assert (before.total, (await remembered(db, bob, EVERYTHING)).total) == (3, 0)


async def remove_as_an_older_worker(db: Database, table: str) -> None:
    """Its retention, beside newer processes: it removes a batch and counts nothing."""
    statement = f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} LIMIT 500)"
    async with db.write() as session:
        await session.execute(text(statement))


async def test_totals_leave_out_rows_removed_by_an_older_worker(
    db: Database, other_process: Database, bob: User, tell_bob: Tell
) -> None:
    await tell_bob(3)
    before = await remembered(other_process, bob, EVERYTHING)

    await remove_as_an_older_worker(db, "notification")

    after = await remembered(other_process, bob, EVERYTHING)
    assert (before.total, after.total) == (3, 0)


async def test_a_change_that_an_older_worker_forgot_does_not_bring_old_totals_back(
    db: Database, other_process: Database, bob: User, tell_bob: Tell
) -> None:
    await tell_bob(3)
    before = await remembered(other_process, bob, EVERYTHING)
    async with db.act() as session:
        await acts.read_all(session, bob.id)

    await remove_as_an_older_worker(db, "change")

    after = await remembered(other_process, bob, EVERYTHING)
    assert (before.unread_count, after.unread_count) == (3, 0)


async def test_a_change_that_retention_forgot_does_not_bring_old_totals_back(
    db: Database, other_process: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    """The other process counted before the change, and looks again when the change is pruned."""
    hands.set("2026-11-01 00:00")
    ids = await tell_bob(3)
    before = await remembered(other_process, bob, EVERYTHING)
    async with db.act() as session:
        await acts.mark(session, bob.id, Selection(ids[:1]), read=True)

    hands.move(timedelta(days=8))
    await clean_up(db, 30)

    after = await remembered(other_process, bob, EVERYTHING)
    assert (before.unread_count, after.unread_count) == (3, 2)


async def test_an_inbox_is_counted_once_and_then_only_what_arrives(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    """A row that leaves the inbox without a trace shows that the others were not counted again."""
    ids = await tell_bob(3)
    await remembered(db, bob, EVERYTHING)
    async with db.write() as session:
        (await session.get_one(Notification, ids[0])).deleted_at = clock.now()

    await tell_bob(2)

    assert (await remembered(db, bob, EVERYTHING)).total == 5


@pytest.mark.parametrize(
    ("wanted", "first", "is_short"),
    [
        (EVERYTHING, 0, True),
        (UNREAD, 0, True),
        (SAVED, 0, True),
        (READ, 0, False),
        (ALL, 0, False),
        (EVERYTHING, 50_000, False),
    ],
)
async def test_counting_or_skipping_many_rows_holds_up_nobody(
    db: Database, monkeypatch: pytest.MonkeyPatch, wanted: Filter, first: int, is_short: bool
) -> None:
    short = Mock(wraps=db.short_read)
    monkeypatch.setattr(db, "short_read", short)

    async with reading(db, wanted, first) as session:
        await count_totals(session, 1, wanted)

    assert short.called == is_short


async def test_an_older_view_of_the_database_counts_nothing_twice(
    db: Database, bob: User, tell_bob: Tell
) -> None:
    async def count(session: AsyncSession) -> int:
        return (await count_totals(session, bob.id, Filter())).total

    await tell_bob(3)
    async with db.read() as session:
        await session.execute(select(User.id))  # fixes its view
        await tell_bob(1)
        async with db.read() as other:
            now = await count(other)
        earlier = await count(session)
    async with db.read() as session:
        later = await count(session)

    assert (earlier, now, later) == (3, 4, 4)


@pytest.mark.parametrize("at_once", [0, 2, 1_000])
@pytest.mark.parametrize("view", ["saved", "done", "snoozed"])
async def test_a_view_is_counted_up_to_where_its_page_ends_few_or_many(
    db: Database,
    bob: User,
    tell_bob: Tell,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    view: str,
) -> None:
    monkeypatch.setattr(totals, "MOST_COUNTED_AT_ONCE", at_once)
    snoozing = acts.snoozing(clock.now() + timedelta(1))
    act = {"saved": acts.saving(), "done": acts.doing(), "snoozed": snoozing}[view]
    ids = await tell_bob(5)
    async with db.act() as session:
        await acts.carry_out(session, bob.id, act, Selection(ids[1:]))
        middle = (await session.get_one(Notification, ids[2])).position

    for end, expected in ((None, 4), (middle, 2), (0, 0)):
        wanted = Filter({"view": (view,)}, up_to_position=end)
        async with reading(db, wanted, 0) as session:
            assert (await count_totals(session, bob.id, wanted)).filtered_count == expected


async def test_a_returned_notification_is_counted_once_after_its_change_is_pruned(
    db: Database, bob: User, tell_bob: Tell, hands: Hands
) -> None:
    hands.set("2026-11-01 00:00")
    ids = await tell_bob(2)
    async with db.act() as session:
        chosen = Selection(ids[:1])
        await acts.carry_out(session, bob.id, acts.snoozing(clock.now() + timedelta(1)), chosen)
        await acts.carry_out(session, bob.id, acts.returning(), chosen)

    hands.move(timedelta(days=8))
    await clean_up(db, 30)

    totals = await remembered(db, bob, EVERYTHING)
    async with db.read() as session:
        [newest, _other] = await newest_notices(session, bob.id)
    assert totals.position >= newest.position
    assert (await remembered(db, bob, EVERYTHING)).total == 2
