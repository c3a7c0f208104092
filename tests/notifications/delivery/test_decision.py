"""Decided again when it is about to leave: why a mail is not sent after all."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.models import Mute, Project, Share, Team, User
from app.notifications.channels.email.channel import Email
from app.notifications.delivery.explanations import explain_reason
from app.notifications.events.catalogue import (
    COMPILATION_COMPLETED,
    EMAIL,
    IN_APP,
    PROJECT_SHARED,
    TYPES,
)
from app.notifications.inbox import feed
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.preferences import switches
from app.settings import Settings
from app.teams.membership import remove_member
from tests.factories import make_team
from tests.mailing import deliver_mail, deliveries, kept, make_due, share

Meanwhile = Callable[[Database, User, Team], Awaitable[None]]


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def nothing(_db: Database, _person: User, _team: Team) -> None:
    """It is as it was."""


async def reads(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await feed.read_all(session, user.id, await feed.newest_id(session, user.id))


async def reads_and_thinks_again(db: Database, user: User, team: Team) -> None:
    await reads(db, user, team)
    async with db.act() as session:
        newest = await feed.newest_id(session, user.id)
        await feed.mark(session, user.id, Selection([newest]), read=False)


async def deletes(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        newest = await feed.newest_id(session, user.id)
        await feed.delete(session, user.id, Selection([newest]))


async def is_removed(db: Database, user: User, team: Team) -> None:
    async with db.act() as session:
        owner = await session.get_one(User, 1)
        await remove_member(session, owner, team.id, user.id)


async def switches_it_off(db: Database, user: User, _team: Team) -> None:
    async with db.act() as session:
        await switches.set_switch(session, user, PROJECT_SHARED.name, EMAIL, wanted=False)


async def mutes_the_team(db: Database, user: User, team: Team) -> None:
    async with db.write() as session:
        session.add(Mute(user_id=user.id, team_id=team.id))


async def loses_confirmation(db: Database, user: User, _team: Team) -> None:
    await _change(db, user, email_confirmed_at=None)


async def has_a_dead_address(db: Database, user: User, _team: Team) -> None:
    await _change(db, user, email_gone_at=clock.now())


async def _change(db: Database, user: User, **values: object) -> None:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(**values))


WHY_NOT: dict[Meanwhile, str | None] = {
    nothing: None,
    reads: "read",
    reads_and_thinks_again: None,
    deletes: "deleted",
    is_removed: "withdrawn",
    switches_it_off: "unwanted",
    mutes_the_team: "muted",
    loses_confirmation: "unconfirmed",
    has_a_dead_address: "gone",
}


@pytest.mark.parametrize(
    ("meanwhile", "reason"), WHY_NOT.items(), ids=lambda it: getattr(it, "__name__", str(it))
)
async def test_what_happens_meanwhile_decides(
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


@pytest.mark.parametrize("is_in_another_team", [False, True])
async def test_news_of_a_project_are_muted_with_the_only_team_that_lets_one_see_it(
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
async def test_what_happens_to_the_account_is_mailed_at_once_whatever_was_read(
    db: Database, settings: Settings, bob: User, squad: Team, meanwhile: Meanwhile
) -> None:
    about_account = [one for one in TYPES.values() if one.is_immediate]
    async with db.act() as session:
        await switches.change(session, bob, {"digest": {"enabled": True}})
        for event_type in about_account:
            await switches.set_switch(session, bob, event_type.name, IN_APP, wanted=True)
            await notify(session, event_type, affected=bob, **event_type.example)
    await meanwhile(db, bob, squad)

    await deliver_mail(db, settings)

    sent = [(one.state, one.bundling) for one in await deliveries(db)]
    assert sent == [("sent", "alone")] * len(about_account)
