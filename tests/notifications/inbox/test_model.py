"""The inbox beside a model of it in plain Python: whatever happens, both say the same.

Hypothesis makes up lives of two inboxes and shortens those in which app and model differ.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app import clock
from app.database import Database
from app.errors import NotFound
from app.installation import Installation, install
from app.models import Change, Notification, Team, User
from app.notifications.delivery.retention import clean_up, purge_deleted
from app.notifications.events.catalogue import ACCOUNT_PASSWORD_CHANGED, CUSTOM, TEAM_UPDATED
from app.notifications.events.event_type import HIGH
from app.notifications.events.notices import Notice
from app.notifications.inbox import bulk_actions, feed
from app.notifications.inbox.filters import UTC, Filter, parse_filter
from app.notifications.inbox.groups import read_group_page
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import return_due
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import count_totals, count_views, reading
from app.notifications.inbox.urgent import MOST_URGENT, read_urgent, read_urgent_groups
from app.notifications.inbox.views import TABS, VIEWS
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.notifications.withdraw import withdraw_team
from app.settings import load
from tests.factories import SECRET_KEY, make_account, make_team
from tests.notifications.conftest import Hands
from tests.setups import Servers

LIVES, STEPS = 12, 20
MOST = 1000
UNDO_FOR = timedelta(minutes=10)
PRIORITIES = {TEAM_UPDATED.name: "low", ACCOUNT_PASSWORD_CHANGED.name: "high"}


# --- The model ---


@dataclass(frozen=True)
class State:
    folder: str = "inbox"
    is_saved: bool = False
    snoozed_until: datetime | None = None
    read_at: datetime | None = None

    @property
    def is_unread(self) -> bool:
        return self.read_at is None


@dataclass
class Row:
    """One notification of one user. `changed_in` is the token of its last change, `earlier` what that
    change found.
    """

    id: int
    user_id: int
    position: int
    type: str
    group_key: str
    actor_id: int | None
    team_id: int | None
    priority: str
    made_at: datetime
    state: State = State()
    deleted_at: datetime | None = None
    is_withdrawn: bool = False
    changed_in: str = ""
    earlier: State = State()
    stored_key: str = ""

    def group(self, ungrouped: Collection[str]) -> None:
        """Its reader sees the notifications of these types one by one."""
        self.stored_key = self.stored_key or self.group_key
        own = f"{self.type}:apart:{self.id}"
        self.group_key = own if self.type in ungrouped else self.stored_key

    def change(self, state: State, token: str = "") -> None:
        self.earlier, self.state, self.changed_in = self.state, state, token


def concerns(action: str, state: State, until: datetime | None) -> bool:
    return {
        "read": state.is_unread,
        "unread": not state.is_unread,
        "done": state.folder != "done",
        "undone": state.folder == "done",
        "save": not state.is_saved,
        "unsave": state.is_saved,
        "snooze": state.folder != "snoozed" or state.snoozed_until != until,
        "unsnooze": state.folder == "snoozed",
        "delete": True,
    }[action]


def after(action: str, state: State, until: datetime | None) -> State:
    now = clock.now()
    changes: dict[str, dict[str, Any]] = {
        "read": {"read_at": now},
        "unread": {"read_at": None},
        "done": {"folder": "done", "snoozed_until": None, "read_at": state.read_at or now},
        "undone": {"folder": "inbox"},
        "save": {"is_saved": True},
        "unsave": {"is_saved": False},
        "snooze": {"folder": "snoozed", "snoozed_until": until},
        "unsnooze": {"folder": "inbox", "snoozed_until": None, "read_at": None},
        "delete": {},
    }
    return replace(state, **changes[action])


@dataclass(frozen=True)
class Wanted:
    """A filter, as the query string has it."""

    fields: dict[str, Any] = field(default_factory=dict)
    end: int | None = None

    def filter(self) -> Filter:
        parsed = parse_filter({name: [value] for name, value in self.fields.items()}, UTC)
        return replace(parsed, up_to_position=self.end)

    def matches(self, row: Row) -> bool:
        if self.end is not None and row.position > self.end:
            return False
        return is_in_view(row, self.fields.get("view", "inbox")) and all(
            self._meets(row, name, value) for name, value in self.fields.items()
        )

    @staticmethod
    def _meets(row: Row, name: str, value: Any) -> bool:
        midnight = clock.now().replace(hour=0, minute=0)
        meets: dict[str, bool] = {
            "view": True,
            "status": row.state.is_unread is (value == "unread"),
            "type": row.type == value,
            "group_key": row.group_key == value,
            "actor": row.actor_id == value,
            "team": row.team_id == value,
            "priority": row.priority == value,
            "date_range": row.made_at >= midnight - timedelta(days=7 if value == "week" else 0),
        }
        return meets[name]


def is_in_view(row: Row, view: str) -> bool:
    if row.deleted_at:
        return False
    return view == "all" or (row.state.is_saved if view == "saved" else row.state.folder == view)


def newest_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.position, row.id), reverse=True)


def grouped(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """What a list of groups shows of these rows, which are newest first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group_key, []).append(row)
    found = []
    for key, some in groups.items():
        actors = {row.actor_id for row in some if row.actor_id}
        unread = sum(row.state.is_unread for row in some)
        found.append((some[0].position, key, some[0].id, len(some), unread, actors))
    found.sort(key=lambda one: one[:2], reverse=True)
    return [
        (newest, key, *counts, actors, len(actors)) for _, key, newest, *counts, actors in found
    ]


def shown(notice: Notice) -> tuple[Any, ...]:
    group = notice.group
    assert group
    actors = {actor.id for actor in group.actors}
    return notice.id, group.key, group.count, group.unread_count, actors, group.actor_count


def state_of(notice: Notice) -> tuple[Any, ...]:
    is_snoozed = notice.snoozed_until is not None
    folder = "done" if notice.is_done else "snoozed" if is_snoozed else "inbox"
    state = State(folder, notice.is_saved, notice.snoozed_until, notice.read_at)
    return notice.id, notice.position, notice.group_key, state


def state_of_row(row: Row) -> tuple[Any, ...]:
    return row.id, row.position, row.group_key, row.state


# --- The application ---


@dataclass(frozen=True)
class World:
    db: Database
    other_process: Database
    users: tuple[User, User]
    senders: tuple[User, User]
    teams: tuple[Team, Team]


async def make_world(here: Installation, there: Installation) -> World:
    alice, dave, bob, carol = [
        await make_account(here.db, name) for name in ("alice", "dave", "bob", "carol")
    ]
    teams = [
        await make_team(here.db, alice, name, editors=[bob, carol]) for name in ("North", "South")
    ]
    return World(here.db, there.db, (bob, carol), (alice, dave), (teams[0], teams[1]))


@dataclass
class Client:
    """What the stream's changes tell a client that makes them up to its own (CONTRACT §3, §6)."""

    position: int = 0
    states: dict[int, tuple[str, bool, bool]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    def hear(self, kind: str, ids: Iterable[int]) -> None:
        for id in ids:
            folder, is_saved, is_unread = self.states.get(id, ("inbox", False, True))
            self.states[id] = {
                "read": (folder, is_saved, False),
                "unread": (folder, is_saved, True),
                "done": ("done", is_saved, False),
                "undone": ("inbox", is_saved, is_unread),
                "saved": (folder, True, is_unread),
                "unsaved": (folder, False, is_unread),
                "snoozed": ("snoozed", is_saved, is_unread),
                "returned": ("inbox", is_saved, True),
            }.get(kind, (folder, is_saved, is_unread))
        if kind in ("deleted", "withdrawn"):
            self.deleted.update(ids)
        if kind == "restored":
            self.deleted.difference_update(ids)


# --- Both side by side ---

users = teams = senders = st.integers(0, 1)
keys = st.sampled_from("ab")
indexes = st.integers(0, 25)
actions = st.sampled_from(
    ["read", "unread", "done", "done", "undone", "save", "unsave", "snooze", "unsnooze", "delete"]
)
views = st.sampled_from(list(VIEWS))
hours = st.sampled_from([1, 5, 30, 24 * 8])
minutes = st.sampled_from([1, 9, 11, 60, 6 * 60, 24 * 60, 8 * 24 * 60])
ends = st.none() | st.integers(0, 120)
filters = st.fixed_dictionaries(
    {"view": views},
    optional={
        "status": st.sampled_from(["unread", "read"]),
        "type": st.sampled_from([CUSTOM.name, TEAM_UPDATED.name]),
        "actor": senders,
        "team": teams,
        "priority": st.sampled_from(["low", "normal", "high"]),
        "date_range": st.sampled_from(["today", "week"]),
        "group_key": indexes,
    },
)


class TwoInboxes(RuleBasedStateMachine):
    """Bob and carol hear of the same. Numbers name users, teams and notifications by their order."""

    def __init__(self, servers: Servers, folder: Path, hands: Hands) -> None:
        super().__init__()
        self.hands, self.stack = hands, ExitStack()
        hands.set("2026-11-02 09:00")
        self.runner = self.stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        folder = folder / token_hex(8)
        folder.mkdir()
        environ = self.stack.enter_context(servers.installation(folder))
        installed = load({**environ, "SECRET_KEY": SECRET_KEY, "RATE_LIMITS": "0"})
        self.here, self.there = install(installed), install(installed)
        self.world: World = self.run(make_world(self.here, self.there))
        self.db = self.world.db
        self.rows: list[Row] = []
        self.tokens: list[tuple[str, int, datetime]] = []
        self.clients = {user.id: Client() for user in self.world.users}
        self.ungrouped: dict[int, list[str]] = {user.id: [] for user in self.world.users}

    def teardown(self) -> None:
        for one in (self.here, self.there):
            for channel in one.channels.values():
                self.run(channel.close())
            self.run(one.db.close())
        self.stack.close()

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    # What happens

    @rule(sender=senders, team=teams, key=keys, priority=st.sampled_from(["high", "normal"]))
    def a_program_tells_a_team_something(
        self, sender: int, team: int, key: str, priority: str
    ) -> None:
        facts = {"title": "Done", "group_key": key, "priority": priority}
        actor, about = self.world.senders[sender], self.world.teams[team]
        self.tell(CUSTOM, actor=actor, team=about, **facts)

    @rule(sender=senders, team=teams)
    def a_team_is_renamed(self, sender: int, team: int) -> None:
        actor, about = self.world.senders[sender], self.world.teams[team]
        self.tell(TEAM_UPDATED, actor=actor, team=about, old_name="A", new_name="B")

    @rule(user=users)
    def a_user_hears_of_their_own_account(self, user: int) -> None:
        self.tell(ACCOUNT_PASSWORD_CHANGED, affected=self.world.users[user])

    def tell(self, event_type: Any, **facts: Any) -> None:
        actor, team = facts.get("actor"), facts.get("team")

        async def told() -> list[Any]:
            async with self.db.act() as session:
                event = await notify(session, event_type, **facts)
                told = select(Notification.id, Notification.user_id, Notification.event_id)
                rows = await session.execute(told.where(Notification.event_id == event.id))
                return list(rows)

        known = {user.id for user in self.world.users}
        for id, user_id, event_id in sorted(self.run(told())):
            if user_id in known:
                subject = f"team:{team.id}" if team else f"notice:{event_id}"
                key = f"{event_type.name}:{subject}"
                if event_type is CUSTOM:
                    key += f":{facts['group_key']}"
                priority = facts.get("priority") or PRIORITIES[event_type.name]
                row = Row(
                    id,
                    user_id,
                    event_id,
                    event_type.name,
                    key,
                    actor and actor.id,
                    team and team.id,
                    priority,
                    clock.now(),
                )
                row.group(self.ungrouped[user_id])
                self.rows.append(row)

    @rule(time=minutes)
    def time_passes(self, time: int) -> None:
        self.hands.move(timedelta(minutes=time))

    @rule(time=minutes)
    def what_is_due_comes_back(self, time: int) -> None:
        self.hands.move(timedelta(minutes=time))
        due = [
            row
            for row in self.rows
            if row.state.snoozed_until and row.state.snoozed_until <= clock.now()
            if not row.deleted_at
        ]

        assert self.run(return_due(self.db)) == len(due)

        for row in due:
            row.change(after("unsnooze", row.state, None))
        self.move_to_the_top(due)

    def move_to_the_top(self, rows: Sequence[Row]) -> None:
        """The model takes over the new positions, which it cannot know."""
        highest = max((row.position for row in self.rows), default=0)
        for row in rows:
            row.position = self.run(self.position_of(row.id))
            assert row.position > highest

    async def position_of(self, notification_id: int) -> int:
        async with self.db.read() as session:
            notification: Notification = await session.get_one(Notification, notification_id)
        return notification.position

    @rule(user=users, team=teams)
    def a_user_loses_a_team(self, user: int, team: int) -> None:
        user_id, team_id = self.world.users[user].id, self.world.teams[team].id

        async def lose() -> None:
            async with self.db.act() as session:
                await withdraw_team(session, team_id, select(User.id).where(User.id == user_id))

        self.run(lose())
        for row in self.rows:
            if row.user_id == user_id and row.team_id == team_id and not row.is_withdrawn:
                row.is_withdrawn, row.deleted_at = True, clock.now()

    @rule(days=st.sampled_from([1, 30]))
    def retention_removes_what_is_old(self, days: int) -> None:
        self.run(clean_up(self.db, days))
        limit = clock.now() - timedelta(days=days)
        self.rows = [
            row
            for row in self.rows
            if row.deleted_at
            or row.state.read_at is None
            or row.state.read_at >= limit
            or row.state.is_saved
            or row.state.folder == "snoozed"
        ]
        self.forget_deleted()

    @rule()
    def deleted_ones_are_purged(self) -> None:
        self.run(purge_deleted(self.db))
        self.forget_deleted()

    def forget_deleted(self) -> None:
        limit = clock.now() - UNDO_FOR
        self.rows = [row for row in self.rows if not row.deleted_at or row.deleted_at >= limit]

    # What users do

    @rule(user=users, action=actions, some=st.lists(indexes, max_size=4), hours=hours)
    def a_user_acts_on_some(self, user: int, action: str, some: list[int], hours: int) -> None:
        """Acts on these ids, including those of others and removed ones."""
        ids = [self.rows[one].id if one < len(self.rows) else 10_000 + one for one in some]
        self.act(user, action, Selection(ids), lambda row: row.id in ids, hours)

    @rule(user=users, action=actions, fields=filters, end=ends, hours=hours)
    def a_user_acts_on_all_that_match(
        self, user: int, action: str, fields: dict[str, Any], end: int | None, hours: int
    ) -> None:
        wanted = self.wanted(fields, end)
        self.act(user, action, Selection(filter=wanted.filter()), wanted.matches, hours)

    @precondition(lambda self: self.rows)
    @rule(user=users, action=actions, one=indexes, last=indexes, hours=hours)
    def a_user_acts_on_a_group(
        self, user: int, action: str, one: int, last: int, hours: int
    ) -> None:
        """Up to the notification that is the last they have seen."""
        owner = self.world.users[user]
        mine = [row for row in self.rows if row.user_id == owner.id]
        row = self.rows[one % len(self.rows)]
        seen = mine[last % len(mine)] if mine else row
        end: int = self.run(self.made_at(owner, seen.id))
        wanted = Wanted({"group_key": row.group_key}, end)
        self.act(user, action, Selection(filter=wanted.filter()), wanted.matches, hours)

    async def made_at(self, user: User, notification_id: int) -> int:
        async with self.db.read() as session:
            return await feed.made_at(session, user.id, notification_id)

    @rule(user=users, end=ends)
    def a_user_reads_all(self, user: int, end: int | None) -> None:
        self.act(
            user, "read", Selection(filter=Filter(up_to_position=end)), Wanted({}, end).matches
        )

    @rule(user=users, fields=filters)
    def a_user_fails_to_delete_all_that_match(self, user: int, fields: dict[str, Any]) -> None:
        """They are counted within the act, whose position the next act gets."""
        wanted = self.wanted(fields, None).filter()

        async def fail() -> None:
            with suppress(ZeroDivisionError):
                async with self.db.act() as session:
                    user_id = self.world.users[user].id
                    chosen = Selection(filter=wanted)
                    await bulk_actions.perform(session, user_id, chosen, "delete")
                    await count_totals(session, user_id, Filter())
                    raise ZeroDivisionError

        self.run(fail())

    def act(
        self,
        user: int,
        action: str,
        selection: Selection,
        selects: Callable[[Row], bool],
        hours: int = 0,
    ) -> None:
        until = clock.now() + timedelta(hours=hours) if action == "snooze" else None
        owner = self.world.users[user]
        changed = [
            row
            for row in self.rows
            if row.user_id == owner.id and not row.deleted_at and selects(row)
            if concerns(action, row.state, until)
        ]

        async def acted() -> bulk_actions.Done:
            async with self.db.act() as session:
                if until:
                    return await bulk_actions.snooze(session, owner.id, selection, until)
                return await bulk_actions.perform(session, owner.id, selection, action)

        done = self.run(acted())

        assert (done.count, bool(done.undo)) == (len(changed), bool(changed))
        for row in changed:
            row.change(after(action, row.state, until), done.undo)
            if action == "delete":
                row.deleted_at = clock.now()
        if action == "unsnooze":
            self.move_to_the_top(changed)
        if changed:
            self.tokens.append((done.undo, owner.id, clock.now()))

    @precondition(lambda self: self.tokens)
    @rule(user=users, back=indexes)
    def a_user_undoes(self, user: int, back: int) -> None:
        """One of the last acts; perhaps one of the other user."""
        token, user_id, acted_at = self.tokens[-1 - back % min(len(self.tokens), 3)]
        owner = self.world.users[user]
        restored = [
            row
            for row in self.rows
            if owner.id == user_id and acted_at > clock.now() - UNDO_FOR
            if row.changed_in == token and not row.is_withdrawn
        ]

        async def undone() -> int:
            with suppress(NotFound):
                async with self.db.act() as session:
                    return (await bulk_actions.undo(session, owner.id, token)).count
            return 0

        assert self.run(undone()) == len(restored)
        for row in restored:
            row.change(row.earlier)
            row.deleted_at = None

    @rule(user=users, types=st.lists(st.sampled_from([CUSTOM.name, TEAM_UPDATED.name])))
    def a_user_chooses_what_forms_no_groups(self, user: int, types: list[str]) -> None:
        owner = self.world.users[user]

        async def choose() -> None:
            async with self.db.act() as session:
                await switches.change(session, owner, {"ungrouped_types": types})

        self.run(choose())
        self.ungrouped[owner.id] = types
        for row in self.rows:
            if row.user_id == owner.id:
                row.group(types)

    # What users see

    def wanted(self, fields: dict[str, Any], end: int | None) -> Wanted:
        """With real ids in place of the numbers, and without what does not exist."""
        real = dict(fields)
        for name, some in (("actor", self.world.senders), ("team", self.world.teams)):
            if name in real:
                real[name] = some[real[name]].id
        if "group_key" in real:
            at = real["group_key"]
            real["group_key"] = self.rows[at].group_key if at < len(self.rows) else "none"
        return Wanted(real, end)

    def of(self, user: User, wanted: Wanted) -> list[Row]:
        return newest_first(
            row for row in self.rows if row.user_id == user.id and wanted.matches(row)
        )

    @rule(user=users, fields=filters, end=ends, first=st.integers(0, 3), elsewhere=st.booleans())
    def a_user_filters(
        self, user: int, fields: dict[str, Any], end: int | None, first: int, elsewhere: bool
    ) -> None:
        """Perhaps in a process that has seen nothing of what happened since it last looked."""
        db = self.world.other_process if elsewhere else self.db
        owner = self.world.users[user]
        for wanted in (
            self.wanted(fields, end),
            Wanted({}, end),
            Wanted({"status": "unread"}, end),
        ):
            self.run(self.compare(db, owner, wanted))
            self.run(self.compare_groups(db, owner, wanted, first, 2))
        self.run(self.compare_with_urgent_groups_first(db, owner, end, first, 2))

    @invariant()
    def each_list_is_as_the_model_says(self) -> None:
        """Groups of one view at a time: to look takes longer than to act."""
        view = list(VIEWS)[len(self.rows) % len(VIEWS)]
        for user in self.world.users:
            self.run(self.compare_views(user))
            self.run(self.compare(self.db, user, Wanted()))
            self.run(self.compare_groups(self.db, user, Wanted({"view": view})))

    async def compare_views(self, user: User) -> None:
        async with self.db.read() as session:
            for view in VIEWS:
                wanted = Wanted({"view": view})
                notices = await feed.read_slice(session, user.id, wanted.filter(), 0, MOST, MOST)
                assert [state_of(notice) for notice in notices] == [
                    state_of_row(row) for row in self.of(user, wanted)
                ]

    async def compare(self, db: Database, user: User, wanted: Wanted) -> None:
        """Totals, the list and the list of groups."""
        rows, inbox = self.of(user, wanted), self.of(user, Wanted())
        unread = sum(row.state.is_unread for row in inbox)
        async with reading(db, wanted.filter(), 0) as session:
            totals = await count_totals(session, user.id, wanted.filter())
            matching = totals.filtered_count
            notices = await feed.read_slice(session, user.id, wanted.filter(), 0, MOST, matching)
            urgent = await read_urgent(session, user.id, wanted.end)
        assert [notice.id for notice in notices] == [row.id for row in rows]
        assert [notice.id for notice in urgent] == self.urgent_of(user, wanted.end)
        counts = totals.total, totals.filtered_count, totals.unread_count
        assert counts == (len(inbox), len(rows), unread)
        await self.compare_groups(db, user, wanted)

    def urgent_of(self, user: User, end: int | None) -> list[int]:
        rows = self.of(user, Wanted({"status": "unread", "priority": HIGH}, end))
        return [row.id for row in rows][:MOST_URGENT]

    async def compare_groups(
        self, db: Database, user: User, wanted: Wanted, first: int = 0, most: int = MOST
    ) -> None:
        groups = grouped(self.of(user, wanted))
        async with reading_groups(db, wanted.filter()) as session:
            totals = await count_totals(session, user.id, Filter())
            page = await read_group_page(session, user.id, wanted.filter(), first, most, totals)
        assert [shown(notice) for notice in page.notices] == groups[first : first + most]
        assert page.count == len(groups)

    async def compare_with_urgent_groups_first(
        self, db: Database, user: User, end: int | None, first: int, most: int
    ) -> None:
        wanted = Wanted({}, end)
        groups = {key: (one, key, *rest) for one, key, *rest in grouped(self.of(user, wanted))}
        urgent = grouped(self.of(user, Wanted({"status": "unread", "priority": HIGH}, end)))
        async with reading_groups(db, wanted.filter()) as session:
            totals = await count_totals(session, user.id, Filter())
            keys = await read_urgent_groups(session, user.id, end)
            page = await read_group_page(
                session, user.id, wanted.filter(), first, most, totals, keys
            )
        assert keys == [key for _one, key, *_rest in urgent][:MOST_URGENT]
        below = [group for key, group in groups.items() if key not in keys]
        assert [shown(one) for one in page.on_top] == [groups[key] for key in keys if first == 0]
        assert [shown(one) for one in page.notices] == below[first : first + most]
        assert page.count == len(below)

    @invariant()
    def each_number_is_that_of_the_model(self) -> None:
        for user in self.world.users:
            in_views = {view: self.of(user, Wanted({"view": view})) for view in TABS}
            assert self.run(count_views(self.db, user.id)) == {
                view: (len(rows), sum(row.state.is_unread for row in rows))
                for view, rows in in_views.items()
            }
            unread = sum(row.state.is_unread for row in in_views["inbox"])
            assert self.run(feed.count_unread(self.db, user.id)) == unread

    @invariant()
    def the_position_of_a_list_is_that_of_its_newest_or_later(self) -> None:
        for user in self.world.users:
            newest = max(
                (row.position for row in self.of(user, Wanted({"view": "all"}))), default=0
            )
            assert self.run(feed.position_of(self.db, user.id)) >= newest

    @invariant()
    def a_client_that_hears_each_change_knows_the_same(self) -> None:
        for user in self.world.users:
            client = self.clients[user.id]
            for change in self.run(self.changes_since(user, client.position)):
                client.position = change.id
                client.hear(change.kind, self.ids_of(user, change, client))
            mine = [row for row in self.rows if row.user_id == user.id]
            told = {row.id: row for row in mine if not row.deleted_at}
            assert {id: client.states.get(id, ("inbox", False, True)) for id in told} == {
                row.id: (row.state.folder, row.state.is_saved, row.state.is_unread)
                for row in told.values()
            }
            assert {row.id for row in mine if row.deleted_at} == client.deleted & {
                row.id for row in mine
            }

    async def changes_since(self, user: User, position: int) -> Sequence[Change]:
        async with self.db.read() as session:
            mine = select(Change).where(Change.user_id == user.id, Change.id > position)
            changes: Sequence[Change] = (await session.scalars(mine.order_by(Change.id))).all()
        return changes

    def ids_of(self, user: User, change: Change, client: Client) -> list[int]:
        """For the whole inbox: those that the client has there."""
        if change.ids is not None:
            return change.ids
        assert change.up_to_position is not None
        return [
            row.id
            for row in self.rows
            if row.user_id == user.id and row.position <= change.up_to_position
            if client.states.get(row.id, ("inbox",))[0] == "inbox" and row.id not in client.deleted
        ]


# To shorten a life that failed takes minutes.
@pytest.mark.timeout(600)
def test_whatever_happens_inboxes_are_as_the_model_says(
    servers: Servers, tmp_path: Path, hands: Hands
) -> None:
    run_state_machine_as_test(
        lambda: TwoInboxes(servers, tmp_path, hands),  # type: ignore[arg-type]
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            report_multiple_bugs=False,
        ),
    )
