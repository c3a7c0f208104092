"""Decided again when it is about to leave: why a mail is not sent after all."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Row, Select, case, false, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.models import (
    Delivery,
    Event,
    Membership,
    Mute,
    Notification,
    Preference,
    Project,
    Share,
    Team,
    User,
)
from app.notifications.channels.base import Channel, Wait
from app.notifications.channels.email.channel import Email
from app.notifications.delivery.decision import SEND, Decision, Skip, decide_all
from app.notifications.delivery.explanations import explain_reason
from app.notifications.events.catalogue import (
    ACCOUNT_TOKEN_CREATED,
    ANNOUNCEMENT,
    COMPILATION_COMPLETED,
    COMPILATION_FAILED,
    CUSTOM,
    INVITATION_RECEIVED,
    MEMBER_ADDED,
    PROJECT_SHARED,
    TYPES,
)
from app.notifications.events.event_type import EMAIL, IN_APP, EventType
from app.notifications.inbox import acts
from app.notifications.inbox.bulk_actions import perform, snooze, undo
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import return_due
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.notifications.preferences.digest import schedule_next
from app.settings import Settings
from app.teams.membership import remove_member
from tests.bell import newest_notices
from tests.factories import make_team
from tests.mailing import change_deliveries, deliver_mail, deliveries, kept, make_due, share, write
from tests.notifications._scripted import Scripted
from tests.notifications.conftest import Hands
from tests.switching import set_switch

Meanwhile = Callable[[Database, User, Team], Awaitable[None]]
LATER = datetime(2040, 1, 1, tzinfo=UTC)
SECOND, INSTANT = timedelta(seconds=1), timedelta(microseconds=1)


async def decided(db: Database, channel: Channel | None = None) -> list[Decision]:
    """On each delivery there is, the oldest first."""
    async with db.read() as session:
        pairs = await decide_all(session, channel or Scripted(), true())
    return [one for _row, one in sorted(pairs, key=lambda pair: pair[0].delivery_id)]


async def decisions_by_address(db: Database, channel: Channel | None = None) -> dict[str, Decision]:
    rows, decisions = await deliveries(db), await decided(db, channel)
    return {row.address: one for row, one in zip(rows, decisions, strict=True)}


async def tell(db: Database, event_type: EventType, **of: Any) -> None:
    async with db.act() as session:
        await notify(session, event_type, **of)


async def want_mail(db: Database, user: User, event_type: EventType) -> None:
    async with db.act() as session:
        await set_switch(session, user, event_type.name, EMAIL, wanted=True)


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def nothing(_db: Database, _person: User, _team: Team) -> None:
    """It is as it was."""


async def reads(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await acts.read_all(session, user.id)


async def reads_and_thinks_again(db: Database, user: User, team: Team) -> None:
    await reads(db, user, team)
    async with db.act() as session:
        [newest] = await newest_notices(session, user.id, 1)
        await acts.mark(session, user.id, Selection([newest.id]), read=False)


async def deletes(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        [newest] = await newest_notices(session, user.id, 1)
        await acts.delete(session, user.id, Selection([newest.id]))


async def does(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await acts.carry_out(session, user.id, acts.doing(), Selection(filter=Filter()))


async def snoozes_and_is_told_again(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await acts.carry_out(session, user.id, acts.snoozing(LATER), Selection(filter=Filter()))
        await acts.carry_out(
            session, user.id, acts.returning(), Selection(filter=Filter({"view": ("snoozed",)}))
        )


async def is_removed(db: Database, user: User, team: Team) -> None:
    async with db.act() as session:
        owner = await session.get_one(User, 1)
        await remove_member(session, owner, team.id, user.id)


async def switches_it_off(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await set_switch(session, user, PROJECT_SHARED.name, EMAIL, wanted=False)


async def mutes_the_team(db: Database, user: User, team: Team) -> None:
    async with db.write() as session:
        session.add(Mute(user_id=user.id, team_id=team.id))


async def loses_confirmation(db: Database, user: User, _team: Team) -> None:
    await _change(db, user, email_confirmed_at=None)


async def has_a_dead_address(db: Database, user: User, _team: Team) -> None:
    await _change(db, user, email_gone_at=clock.now())


async def is_suspended(db: Database, user: User, _team: Team) -> None:
    await _change(db, user, suspended_at=clock.now())


async def _change(db: Database, user: User, **values: object) -> None:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(**values))


WHY_NOT: dict[Meanwhile, str | None] = {
    nothing: None,
    reads: "read",
    reads_and_thinks_again: None,
    deletes: "deleted",
    does: "done",
    snoozes_and_is_told_again: None,
    is_removed: "withdrawn",
    switches_it_off: "unwanted",
    mutes_the_team: "muted",
    loses_confirmation: "unconfirmed",
    has_a_dead_address: "gone",
    is_suspended: "suspended",
}


@pytest.mark.parametrize(
    ("meanwhile", "reason"), WHY_NOT.items(), ids=lambda it: getattr(it, "__name__", str(it))
)
async def test_changes_before_sending_decide_the_outcome(
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    squad: Team,
    meanwhile: Meanwhile,
    reason: str | None,
) -> None:
    await share(db, alice, squad)
    await meanwhile(db, bob, squad)
    await make_due(db)

    await deliver_mail(db, settings)

    [row] = await deliveries(db)
    assert (row.state, row.reason) == ("skipped" if reason else "sent", reason)
    assert len(kept(settings)) == (0 if reason else 1)
    assert reason is None or explain_reason(reason, Email.words) != reason


async def test_mail_about_a_snoozed_notification_waits_until_the_snooze_ends(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-02 09:00")
    back = clock.now() + timedelta(hours=1)
    await share(db, alice, squad)
    async with db.act() as session:
        await snooze(session, bob.id, Selection(filter=Filter()), back)
    [waiting] = await deliveries(db)
    assert (waiting.state, waiting.reason, waiting.due_at) == ("pending", "snoozed", back)

    await make_due(db)
    await deliver_mail(db, settings)
    [waiting] = await deliveries(db)
    assert (waiting.state, waiting.due_at, kept(settings)) == ("pending", back, [])

    hands.set(back)
    await return_due(db)
    await deliver_mail(db, settings)
    [sent] = await deliveries(db)
    assert (sent.state, len(kept(settings))) == ("sent", 1)


@pytest.mark.parametrize("how", ["unsnoozed", "undone"])
async def test_mail_is_sent_when_a_snooze_ends_early(
    db: Database, settings: Settings, alice: User, bob: User, squad: Team, hands: Hands, how: str
) -> None:
    hands.set("2026-11-02 09:00")
    await share(db, alice, squad)
    async with db.act() as session:
        everything = Selection(filter=Filter())
        snoozed = await snooze(session, bob.id, everything, clock.now() + timedelta(hours=1))

    hands.move(timedelta(minutes=9))
    async with db.act() as session:
        if how == "undone":
            await undo(session, bob.id, snoozed.undo)
        else:
            there = Selection(filter=Filter({"view": ("snoozed",)}))
            await perform(session, bob.id, there, "unsnooze")
    await deliver_mail(db, settings)

    [sent] = await deliveries(db)
    assert (sent.state, sent.reason, len(kept(settings))) == ("sent", None, 1)


async def test_a_notification_snoozed_past_a_digest_waits_for_the_next_one(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-02 09:00")
    async with db.act() as session:
        await switches.change(session, bob, {"digest": {"enabled": True, "hour": 8}})
    await share(db, alice, squad)

    async with db.act() as session:
        back = clock.now() + timedelta(hours=30)
        await snooze(session, bob.id, Selection(filter=Filter()), back)

    [waiting] = await deliveries(db)
    assert waiting.due_at == datetime(2026, 11, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("is_in_another_team", [False, True])
async def test_a_project_is_muted_with_the_only_team_through_which_the_user_sees_it(
    db: Database,
    settings: Settings,
    alice: User,
    bob: User,
    squad: Team,
    is_in_another_team: bool,
) -> None:
    project = Project(name="Reel", owner_id=alice.id)
    other = await make_team(db, alice, "Others", viewers=[bob] if is_in_another_team else [])
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add_all(Share(project_id=project.id, team_id=team.id) for team in (squad, other))
    async with db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=project, duration=1, size=1)
    await mutes_the_team(db, bob, squad)
    await mutes_the_team(db, alice, squad)
    await make_due(db)

    await deliver_mail(db, settings)

    reasons = {row.address: row.reason for row in await deliveries(db)}
    assert reasons == {alice.email: None, bob.email: None if is_in_another_team else "muted"}


@pytest.mark.parametrize("meanwhile", [reads, deletes])
async def test_account_events_are_mailed_at_once_even_if_read(
    db: Database, settings: Settings, bob: User, squad: Team, meanwhile: Meanwhile
) -> None:
    about_account = [one for one in TYPES.values() if one.is_immediate]
    async with db.act() as session:
        await switches.change(session, bob, {"digest": {"enabled": True}})
        for event_type in about_account:
            await set_switch(session, bob, event_type.name, IN_APP, wanted=True)
            await notify(session, event_type, affected=bob, **event_type.example)
    await meanwhile(db, bob, squad)

    await deliver_mail(db, settings)

    sent = [(one.state, one.bundling) for one in await deliveries(db)]
    assert sent == [("sent", "alone")] * len(about_account)


async def mute(db: Database, user: User, **of: int) -> None:
    async with db.write() as session:
        session.add(Mute(user_id=user.id, **of))


async def make_project(db: Database, owner: User, *teams: Team) -> Project:
    project = Project(name="Reel", owner_id=owner.id)
    async with db.write() as session:
        session.add(project)
        await session.flush()
        session.add_all(Share(project_id=project.id, team_id=team.id) for team in teams)
    return project


async def test_affected_users_are_notified_despite_a_muted_team(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    async with db.write() as session:
        session.add(Membership(team_id=squad.id, user_id=carol.id, role="viewer"))
    await tell(db, MEMBER_ADDED, actor=alice, affected=carol, team=squad, role="viewer")
    for user in (bob, carol):
        await mute(db, user, team_id=squad.id)

    assert await decisions_by_address(db) == {bob.email: Skip("muted"), carol.email: SEND}


@pytest.mark.parametrize("priority", ["high", "normal"])
async def test_the_priority_that_a_sender_chose_does_not_defeat_a_mute(
    db: Database, alice: User, bob: User, squad: Team, priority: str
) -> None:
    await want_mail(db, bob, CUSTOM)
    await tell(db, CUSTOM, actor=alice, team=squad, title="Done", priority=priority)

    await mute(db, bob, team_id=squad.id)

    assert await decided(db) == [Skip("muted")]


async def test_an_urgent_type_comes_though_its_project_is_muted(db: Database, bob: User) -> None:
    project = await make_project(db, bob)
    await tell(db, COMPILATION_FAILED, project=project, error="No clips.")

    await mute(db, bob, project_id=project.id)

    assert await decided(db) == [SEND]


async def test_an_invitation_is_not_sent_for_a_suspended_inviter(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    """Notifications of their other acts are still sent."""
    facts = {"role": "editor", "inviter": "alice"}
    await tell(db, INVITATION_RECEIVED, actor=alice, affected=bob, team=squad, **facts)
    await share(db, alice, squad)
    await _change(db, carol, suspended_at=clock.now())
    assert await decided(db) == [SEND, SEND]

    await _change(db, alice, suspended_at=clock.now())

    assert await decided(db) == [Skip("inviter_suspended"), SEND]


async def test_a_suspended_user_gets_no_transactional_message_either(
    db: Database, bob: User
) -> None:
    await write(db, bob.email, user_id=bob.id)
    await write(db, "stranger@example.com")

    await _change(db, bob, suspended_at=clock.now())

    assert await decided(db) == [Skip("suspended"), SEND]


async def test_without_a_mute_nothing_is_muted(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    """Not what concerns no team and no project, not a project of one's own that is not shared, and
    not what a team was told of a project that it no longer sees.
    """
    own, unshared = await make_project(db, bob), await make_project(db, alice)
    await want_mail(db, bob, ANNOUNCEMENT)
    await tell(db, ANNOUNCEMENT, title="The server rests on Sunday", priority="normal")
    await tell(db, COMPILATION_COMPLETED, project=own)
    await tell(db, PROJECT_SHARED, actor=alice, team=squad, project=unshared)

    assert await decided(db) == [SEND, SEND, SEND]


async def test_a_project_is_muted_with_its_team_regardless_of_other_projects(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    other = await make_team(db, alice, "Others", viewers=[bob])
    project = await make_project(db, alice, squad)
    await make_project(db, bob, other)
    await tell(db, COMPILATION_COMPLETED, project=project)

    await mute(db, bob, team_id=squad.id)

    assert await decisions_by_address(db) == {alice.email: SEND, bob.email: Skip("muted")}


@dataclass(eq=False)
class Joining(Scripted):
    """A channel that needs facts of what the rules also look at."""

    def with_facts(self, rows: Select[Any]) -> Select[Any]:
        for model in (Project, Share, Membership):
            rows = rows.outerjoin(model, false())
        return rows.add_columns(Project.name)


async def test_columns_read_for_a_channel_do_not_affect_mutes(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    unshared = await make_project(db, alice)
    await tell(db, COMPILATION_COMPLETED, project=await make_project(db, bob, squad))
    await tell(db, COMPILATION_COMPLETED, project=unshared)
    await mute(db, alice, team_id=squad.id)

    decisions = await decided(db, Joining())
    told = [(row.address, one) for row, one in zip(await deliveries(db), decisions, strict=True)]
    assert sorted(told[:2], key=str) == [(alice.email, Skip("muted")), (bob.email, SEND)]
    assert told[2:] == [(alice.email, SEND)]


async def test_the_first_rule_that_objects_gives_the_reason(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await share(db, alice, squad)
    expired = Fleeting(lasts={PROJECT_SHARED.name: 0 * SECOND})
    given: list[str] = []
    for meanwhile in (
        nothing, loses_confirmation, mutes_the_team, switches_it_off, is_suspended, reads, deletes,
        is_removed,
    ):  # fmt: skip
        await meanwhile(db, bob, squad)
        [decision] = await decided(db, expired)
        assert isinstance(decision, Skip)
        given.append(decision.reason)

    assert given == [
        "expired", "unconfirmed", "muted", "unwanted", "suspended", "read", "deleted", "withdrawn",
    ]  # fmt: skip


async def test_deliveries_of_a_newer_version_wait_for_its_worker(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    """During an upgrade the pages may be ahead of the worker, which knows no such type."""
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    await share(db, alice, squad)
    async with db.write() as session:
        event = (await session.scalars(select(Event).order_by(Event.id).limit(1))).one()
        event.type = "of_the_future"
        row = Preference(user_id=bob.id, type=event.type, channel=EMAIL, wanted=True)
        session.add(row)
    waits = Wait(clock.now() + timedelta(minutes=1), "unknown_type")

    assert await decided(db, Tactful()) == [waits, SEND]
    assert explain_reason("unknown_type", {}) == "It is waiting for a newer version of the server."

    await reads(db, bob, squad)

    assert await decided(db) == [Skip("read"), Skip("read")]


@dataclass(eq=False)
class Fleeting(Scripted):
    """Events of the types in `lasts` are worth sending for so long; "" are transactional messages."""

    lasts: Mapping[str, timedelta] = field(default_factory=dict)

    def time_to_live(self, event_type: EventType | None) -> timedelta | None:
        return self.lasts.get(event_type.name if event_type else "")

    def address_problem(self) -> ColumnElement[Any]:
        is_unconfirmed = User.id.is_not(None) & User.email_confirmed_at.is_(None)
        return case((is_unconfirmed, "unconfirmed"))


@pytest.mark.parametrize(
    ("passed", "decision"),
    [
        (4 * SECOND, SEND),
        (4 * SECOND + INSTANT, Skip("expired", state="dead")),
        (5 * SECOND, Skip("expired", state="dead")),
    ],
)
async def test_expired_deliveries_are_given_up(
    db: Database,
    alice: User,
    squad: Team,
    hands: Hands,
    passed: timedelta,
    decision: Decision,
) -> None:
    """A second before its time is over."""
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)

    hands.move(passed)

    assert await decided(db, Fleeting(lasts={PROJECT_SHARED.name: 5 * SECOND})) == [decision]
    assert await decided(db, Fleeting(lasts={"": 5 * SECOND, CUSTOM.name: 5 * SECOND})) == [SEND]


async def test_the_time_of_a_delivery_may_begin_later_than_the_delivery(
    db: Database, alice: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    await change_deliveries(db, queued_at=clock.now() + 5 * SECOND)
    fleeting = Fleeting(lasts={PROJECT_SHARED.name: 5 * SECOND})

    hands.move(9 * SECOND)
    assert await decided(db, fleeting) == [SEND]

    hands.move(INSTANT)
    assert await decided(db, fleeting) == [Skip("expired", state="dead")]


async def share_and_snooze(db: Database, alice: User, bob: User, squad: Team) -> datetime:
    """Snoozed for a week; returns when it is back."""
    back = clock.now() + timedelta(days=7)
    await share(db, alice, squad)
    async with db.act() as session:
        await snooze(session, bob.id, Selection(filter=Filter()), back)
    return back


async def test_nothing_expires_while_it_is_snoozed(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    back = await share_and_snooze(db, alice, bob, squad)

    hands.set(back - SECOND)

    fleeting = Fleeting(lasts={PROJECT_SHARED.name: 5 * SECOND})
    assert await decided(db, fleeting) == [Wait(back, "snoozed", begins_anew=True)]


async def test_nothing_expires_that_a_previous_version_postponed(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    back = await share_and_snooze(db, alice, bob, squad)
    await change_deliveries(db, queued_at=None)

    hands.set(back)
    await return_due(db)

    fleeting = Fleeting(lasts={PROJECT_SHARED.name: 5 * SECOND})
    assert await decided(db, fleeting) == [SEND]


@pytest.mark.parametrize(
    ("now", "hour"), [("2026-11-04 07:00", "2026-11-04 08:00"), ("2026-11-04 09:00", None)]
)
async def test_a_returned_notification_goes_into_the_next_digest_or_at_once_if_it_missed_its_own(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands, now: str, hour: str | None
) -> None:
    hands.set("2026-11-02 09:00")
    async with db.act() as session:
        await switches.change(session, bob, {"digest": {"enabled": True, "hour": 8}})
    await share(db, alice, squad)
    async with db.act() as session:
        back = clock.now() + timedelta(hours=30)
        await snooze(session, bob.id, Selection(filter=Filter()), back)

    hands.set(now)
    await schedule_next(db)
    await return_due(db)

    [waiting] = await deliveries(db)
    assert waiting.due_at == datetime.fromisoformat(hour or now).replace(tzinfo=UTC)


async def test_a_transactional_message_has_a_time_of_its_own(db: Database, hands: Hands) -> None:
    hands.set("2026-11-23 10:00")
    await write(db)
    await change_deliveries(db, created_at=clock.now())

    hands.move(5 * SECOND)

    expired = Skip("expired", state="dead")
    assert await decided(db, Fleeting(lasts={"": 5 * SECOND})) == [expired]
    assert await decided(db, Fleeting(lasts={PROJECT_SHARED.name: 5 * SECOND})) == [SEND]


@dataclass(eq=False)
class Tactful(Scripted):
    """An ordinary event waits 10 seconds for a page that is looked at; that counts for 30."""

    delay: timedelta = 10 * SECOND
    quiet_while_visible: timedelta | None = 30 * SECOND


# When a page last reported that it is being looked at, in seconds after the event, and when the
# delivery is decided on.
LOOKING = [
    (None, 10, SEND),
    (-20, 10, SEND),
    (-20 + 1e-6, 10, Wait),
    (10, 15, Wait),
    (10 + 1e-6, 15, Skip("visible")),
    (14, 44 - 1e-6, Skip("visible")),
    (14, 44, SEND),
]


async def look(db: Database, user: User, seconds: float | None) -> None:
    """A page of the user reports so many seconds from now that it is being looked at."""
    if seconds is not None:
        until = clock.now() + timedelta(seconds=seconds) + 30 * SECOND
        await _change(db, user, visible_until=until)


@pytest.mark.parametrize(("reported", "passed", "expected"), LOOKING)
async def test_a_visible_page_after_the_due_time_makes_a_delivery_superfluous(
    db: Database,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
    reported: float | None,
    passed: float,
    expected: Any,
) -> None:
    """Until one reports after it came due, or has not for long enough, the delivery waits."""
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    await look(db, bob, reported)
    seen_until = clock.now() + timedelta(seconds=reported or 0) + 30 * SECOND

    hands.move(timedelta(seconds=passed))

    waits = Wait(seen_until, "perhaps_visible")
    assert await decided(db, Tactful()) == [waits if expected is Wait else expected]


@pytest.mark.parametrize(
    "channel",
    [Scripted(), Tactful(delay=0 * SECOND), Tactful(quiet_while_visible=None)],
    ids=["plain", "without delay", "not quiet"],
)
async def test_only_a_channel_that_waits_for_pages_spares_its_users(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands, channel: Scripted
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    await look(db, bob, 12)

    assert await decided(db, channel) == [SEND]


async def test_urgent_deliveries_are_sent_despite_a_visible_page(
    db: Database, bob: User, alice: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await want_mail(db, bob, CUSTOM)
    await tell(db, COMPILATION_FAILED, project=await make_project(db, bob), error="No clips.")
    for priority in ("high", "normal"):
        await tell(db, CUSTOM, actor=alice, team=squad, title="Done", priority=priority)
    await write(db, bob.email, user_id=bob.id)
    await look(db, bob, 12)

    assert await decided(db, Tactful()) == [SEND, SEND, Skip("visible"), SEND]


async def test_account_events_are_sent_despite_a_visible_page(
    db: Database, bob: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    async with db.act() as session:
        await set_switch(session, bob, ACCOUNT_TOKEN_CREATED.name, IN_APP, wanted=True)
    await tell(db, ACCOUNT_TOKEN_CREATED, affected=bob, name="Backup script")
    await look(db, bob, 12)

    assert await decided(db, Tactful()) == [SEND]


async def test_a_visible_page_skips_nothing_for_users_with_the_app_off_or_pushes_always(
    db: Database, alice: User, bob: User, carol: User, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    squad = await make_team(db, alice, viewers=[bob, carol])
    await share(db, alice, squad)
    async with db.write() as session:
        hidden = update(Notification).where(Notification.user_id == carol.id)
        await session.execute(hidden.values(hidden=True))
    for user in (bob, carol):
        await look(db, user, 12)
    assert await decided(db, Tactful()) == [Skip("visible"), SEND]

    await _change(db, bob, pushes_always=True)

    assert await decided(db, Tactful()) == [SEND, SEND]


@dataclass(eq=False)
class Particular(Scripted):
    """It finds the messages to `obsolete` no longer of use, and notes which it was asked about."""

    obsolete: str = ""
    asked: list[str] = field(default_factory=list)

    async def find_obsolete(
        self, session: AsyncSession, transactional: Sequence[Row[Any]]
    ) -> Mapping[int, str]:
        self.asked += [row.address for row in transactional]
        ids = select(Delivery.id).where(Delivery.address == self.obsolete)
        return dict.fromkeys(await session.scalars(ids), "answered")


async def test_a_transactional_message_is_skipped_when_its_channel_finds_it_of_no_use(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await share(db, alice, squad)
    await write(db, "one@example.com", "two@example.com")
    channel = Particular(obsolete="two@example.com")

    assert await decided(db, channel) == [SEND, SEND, Skip("answered")]
    assert sorted(channel.asked) == ["one@example.com", "two@example.com"]


async def test_a_channel_without_transactional_messages_is_asked_of_none(
    db: Database, alice: User, squad: Team
) -> None:
    class Unasked(Scripted):
        async def find_obsolete(self, *_given: object) -> Mapping[int, str]:
            raise AssertionError("There is nothing to find.")

    await share(db, alice, squad)

    assert await decided(db, Unasked()) == [SEND]


async def test_a_transactional_message_is_neither_unwanted_nor_muted(
    db: Database, bob: User, squad: Team
) -> None:
    await mute(db, bob, team_id=squad.id)
    await switches_it_off(db, bob, squad)
    await write(db, bob.email, user_id=bob.id)

    assert await decided(db) == [SEND]


async def test_a_channel_reads_what_it_needs_to_send(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await share(db, alice, squad)
    hands.set("2026-11-23 10:05")
    await write(db, "one@example.com")
    await change_deliveries(db, Delivery.transactional.is_(None), bundle_id=7)
    async with db.read() as session:
        decided = await decide_all(session, Scripted(), true())
        (notice, _send), (message, _send) = sorted(decided, key=lambda each: each[0].delivery_id)
        row = await session.get_one(Notification, notice.notification_id)
        event = await session.get_one(Event, row.event_id)

    first, second = await deliveries(db)
    assert (notice.delivery_id, message.delivery_id) == (first.id, second.id)
    assert (notice.user_id, message.user_id) == (bob.id, None)
    assert (notice.address, message.address) == (bob.email, "one@example.com")
    assert (notice.bundling, message.bundling) == ("bundle", "alone")
    assert (notice.transactional, message.transactional) == (None, "address_changed")
    assert (notice.facts, message.facts) == (None, second.context)
    assert (notice.queued_at, message.queued_at) == (first.created_at, second.created_at)
    assert (notice.type, message.type) == ("project_shared", None)
    assert (notice.context, message.context) == (event.context, None)
    assert (notice.bundle_id, message.bundle_id) == (7, None)
    assert message.notification_id is None
