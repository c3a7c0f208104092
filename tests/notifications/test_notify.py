from sqlalchemy import func, select
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Delivery, Mute, Notification, Preference, Team, User
from app.notifications.events.catalogue import (
    MEMBER_ADDED,
    MEMBER_REMOVED,
    PROJECT_SHARED,
    TEAM_CREATED,
    TEAM_UPDATED,
)
from app.notifications.inbox import feed
from app.notifications.notify import notify
from tests.bell import newest_notices
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_team


async def texts(session: AsyncSession, user: User) -> list[str]:
    return [notice.text for notice in await newest_notices(session, user.id)]


async def test_the_affected_user_and_the_members_get_different_sentences(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")

    async with db.read() as session:
        assert await texts(session, bob) == ["You were added to team 'Video Squad' as editor"]
        assert await texts(session, carol) == ["bob joined the team as editor"]


async def test_the_actor_is_not_notified(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="editor")

    async with db.read() as session:
        assert await feed.unread_count(session, alice.id) == 0


async def test_an_accepting_invitee_is_both_actor_and_affected_and_is_notified(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=bob, affected=bob, team=team, role="editor")

    async with db.read() as session:
        assert await texts(session, bob) == ["You were added to team 'Video Squad' as editor"]
        assert await texts(session, alice) == ["bob joined the team as editor"]


async def test_a_removed_member_is_still_notified(db: Database, alice: User, bob: User) -> None:
    team = await make_team(db, alice)

    async with db.act() as session:
        await notify(session, MEMBER_REMOVED, actor=alice, affected=bob, team=team)

    async with db.read() as session:
        assert await texts(session, bob) == ["You were removed from team 'Video Squad'"]
        notice = (await newest_notices(session, bob.id))[0]
        assert notice.actions == []


async def test_an_outsider_is_not_notified(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob])

    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=alice, team=team, old_name="A", new_name="B")

    async with db.read() as session:
        assert await texts(session, carol) == []
        assert await texts(session, bob) == ["Team 'A' is now called 'B'"]


async def test_creating_a_team_notifies_nobody_else(
    db: Database, alice: User, video_squad: Team
) -> None:
    async with db.act() as session:
        await notify(session, TEAM_CREATED, actor=alice, team=video_squad)

    async with db.read() as session:
        assert (await session.execute(select(func.count()).select_from(Notification))).scalar() == 0


async def test_a_muted_team_is_silent_except_about_oneself(
    db: Database, alice: User, bob: User, carol: User
) -> None:
    team = await make_team(db, alice, editors=[bob, carol])
    async with db.write() as session:
        session.add(Mute(user_id=bob.id, team_id=team.id))

    async with db.act() as session:
        await notify(session, MEMBER_ADDED, actor=alice, affected=carol, team=team, role="editor")
        await notify(session, MEMBER_ADDED, actor=alice, affected=bob, team=team, role="viewer")

    async with db.read() as session:
        assert await texts(session, bob) == ["You were added to team 'Video Squad' as viewer"]


async def test_with_the_app_off_the_row_is_hidden_and_the_mail_still_goes(
    db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    async with db.write() as session:
        session.add(
            Preference(user_id=bob.id, type=PROJECT_SHARED.name, channel="in_app", wanted=False)
        )

    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project_name="Reel")

    async with db.read() as session:
        assert await texts(session, bob) == []
        addresses = (await session.scalars(select(Delivery.address))).all()
        assert addresses == ["bob@example.com"]


async def test_ten_thousand_are_notified_in_seven_statements(db: Database, alice: User) -> None:
    team = await make_team(db, alice)
    await add_members(db, team.id, await add_people(db, 10_000))
    statements: list[str] = []
    listen(db.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=alice, team=team, project_name="Reel")

    beginnings = ("BEGIN", "SELECT pg_advisory_xact_lock")  # of an act on SQLite, on PostgreSQL
    assert len([one for one in statements if not one.startswith(beginnings)]) == 7
    async with db.read() as session:
        notified = select(func.count()).select_from(Notification)
        assert await session.scalar(notified) == 10_000
