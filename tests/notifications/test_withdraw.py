"""Withdrawing: whose notices of what are taken back, and what remains of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, Select, delete, select

from app import clock
from app.database import Database
from app.errors import NotFound
from app.models import (
    Change,
    Delivery,
    Invitation,
    Notification,
    Project,
    Share,
    Team,
    User,
)
from app.models.notification import FOR_GOOD
from app.notifications.events.catalogue import (
    COMPILATION_COMPLETED,
    INVITATION_DECLINED,
    INVITATION_RECEIVED,
    TEAM_UPDATED,
)
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.withdraw import (
    FEW,
    withdraw_expired_invitations,
    withdraw_from_owner,
    withdraw_invitation,
    withdraw_project,
    withdraw_team,
)
from tests.bell import bell_of
from tests.benchmarks._world import add_members, add_people
from tests.factories import make_team
from tests.mailing import change_deliveries, repeat, share
from tests.notifications.conftest import Hands
from tests.teams.conftest import share as shared_project

RENAMED = "Team 'Old' is now called 'New'"
COMPLETE = "Compilation of 'Highlight Reel' is complete"
INVITED = "alice invited you to join team 'Video Squad' as editor"


@pytest.fixture
async def squad(db: Database, alice: User, bob: User, carol: User) -> Team:
    return await make_team(db, alice, editors=[bob], viewers=[carol])


def only(*users: User) -> Select[int]:
    return select(User.id).where(User.id.in_([user.id for user in users]))


async def rename(db: Database, team: Team, actor: User) -> None:
    async with db.act() as session:
        facts: dict[str, Any] = {"old_name": "Old", "new_name": "New"}
        await notify(session, TEAM_UPDATED, actor=actor, team=team, **facts)


async def complete(db: Database, project: Project) -> None:
    async with db.act() as session:
        await notify(session, COMPILATION_COMPLETED, project=project)


async def invite(db: Database, inviter: User, team: Team, user: User, **values: Any) -> int:
    """The id of an invitation that the user has a notice of."""
    expires_at = clock.now() + timedelta(days=7)
    invitation = Invitation(
        team_id=team.id, inviter_id=inviter.id, email=user.email, email_key=user.email_key,
        role="editor", **{"expires_at": expires_at} | values,
    )  # fmt: skip
    async with db.act() as session:
        session.add(invitation)
        await notify(
            session, INVITATION_RECEIVED, actor=inviter, affected=user, team=team,
            invitation=invitation, role="editor", inviter=inviter.username,
        )  # fmt: skip
    return invitation.id


async def rows_of(db: Database, user: User) -> Sequence[Notification]:
    mine = select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    async with db.read() as session:
        return (await session.scalars(mine)).all()


async def withdrawals(db: Database) -> Sequence[Row[int | None, list[int] | None, datetime]]:
    """What the streams are to show."""
    rows = select(Change.user_id, Change.ids, Change.created_at).where(Change.kind == "withdrawn")
    async with db.read() as session:
        return (await session.execute(rows.order_by(Change.id))).all()


async def mail_to(db: Database, user: User) -> list[tuple[str, str | None]]:
    """State and reason, the oldest first."""
    mine = select(Delivery.state, Delivery.reason).where(Delivery.user_id == user.id)
    async with db.read() as session:
        rows = await session.execute(mine.order_by(Delivery.id))
        return [(state, reason) for state, reason in rows]


async def test_every_notice_about_a_team_is_withdrawn_from_these_users_alone(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    other = await make_team(db, alice, "Editors", viewers=[bob])
    for team in (squad, other):
        await share(db, alice, team)
        await rename(db, team, alice)

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))

    shared = "Project 'Highlight Reel' was shared with team"
    assert await bell_of(db, bob) == [RENAMED, f"{shared} 'Editors'"]
    assert await bell_of(db, carol) == [RENAMED, f"{shared} 'Video Squad'"]


async def test_a_withdrawn_notice_is_deleted_for_good_in_one_change_for_each_user(
    db: Database, alice: User, bob: User, carol: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    for _ in range(2):
        await rename(db, squad, alice)
    hands.set("2026-11-23 11:00")

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob, carol))

    now = clock.now()
    for user in (bob, carol):
        assert [(row.deleted_at, row.changed_in) for row in await rows_of(db, user)] == [
            (now, FOR_GOOD),
            (now, FOR_GOOD),
        ]
    assert sorted(tuple(row) for row in await withdrawals(db)) == [
        (user.id, [row.id for row in await rows_of(db, user)], now) for user in (bob, carol)
    ]


async def test_pending_mail_is_skipped_and_sent_mail_stays_sent(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    await share(db, alice, squad, "Sent")
    await change_deliveries(db, state="sent")
    await share(db, alice, squad, "Pending")

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))

    assert await mail_to(db, bob) == [("sent", None), ("skipped", "withdrawn")]
    assert await mail_to(db, carol) == [("sent", None), ("pending", None)]


async def test_withdrawing_twice_changes_nothing(
    db: Database, alice: User, bob: User, squad: Team, hands: Hands
) -> None:
    hands.set("2026-11-23 10:00")
    await rename(db, squad, alice)
    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))
    first, changes = clock.now(), await withdrawals(db)
    hands.set("2026-11-23 11:00")

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))

    assert [row.deleted_at for row in await rows_of(db, bob)] == [first]
    assert await withdrawals(db) == changes


async def test_a_deleted_notice_is_withdrawn_too_and_no_undo_restores_it(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    await rename(db, squad, alice)
    [row] = await rows_of(db, bob)
    async with db.act() as session:
        _count, token = await acts.delete(session, bob.id, Selection([row.id]))

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))

    async with db.act() as session:
        with pytest.raises(NotFound):
            await acts.undo(session, bob.id, token)
    assert [(row.user_id, row.ids) for row in await withdrawals(db)] == [(bob.id, [row.id])]


async def test_a_project_is_withdrawn_from_users_who_can_no_longer_see_it(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    """Alice owns it, bob sees it through another team."""
    others = await make_team(db, alice, "Editors", viewers=[bob])
    project = await shared_project(db, alice, "Highlight Reel", squad)
    elsewhere = await shared_project(db, alice, "Best Clips 2025", others, squad)
    for one in (project, elsewhere):
        await complete(db, one)
    await rename(db, squad, alice)
    async with db.act() as session:
        session.add(Share(project_id=project.id, team_id=others.id))
        await session.execute(
            delete(Share).where(Share.project_id == project.id, Share.team_id == squad.id)
        )
        await withdraw_project(session, project.id, only(alice, bob, carol))

    other = "Compilation of 'Best Clips 2025' is complete"
    assert await bell_of(db, alice) == [other, COMPLETE]
    assert await bell_of(db, bob) == [RENAMED, other, COMPLETE]
    assert await bell_of(db, carol) == [RENAMED, other]


async def test_a_project_is_withdrawn_from_none_but_the_users_in_question(
    db: Database, alice: User, bob: User, carol: User, squad: Team
) -> None:
    """And not from its owner, who sees it without a team."""
    project = await shared_project(db, alice, "Highlight Reel", squad)
    await complete(db, project)
    async with db.act() as session:
        await session.execute(delete(Share).where(Share.project_id == project.id))
        await withdraw_project(session, project.id, only(alice, bob))

    assert await bell_of(db, alice) == [COMPLETE]
    assert await bell_of(db, bob) == []
    assert await bell_of(db, carol) == [COMPLETE]


async def test_a_project_that_is_about_to_be_deleted_is_withdrawn_from_its_owner(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    project = await shared_project(db, alice, "Highlight Reel", squad)
    kept = await shared_project(db, alice, "Best Clips 2025", squad)
    for one in (project, kept):
        await complete(db, one)

    async with db.act() as session:
        await withdraw_from_owner(session, project)

    other = "Compilation of 'Best Clips 2025' is complete"
    assert await bell_of(db, alice) == [other]
    assert await bell_of(db, bob) == [other, COMPLETE]


async def test_only_the_notice_that_offers_to_accept_an_invitation_is_withdrawn_with_it(
    db: Database, alice: User, bob: User, carol: User, video_squad: Team
) -> None:
    """The inviter still reads how it was answered."""
    to_bob = await invite(db, alice, video_squad, bob)
    await invite(db, alice, video_squad, carol)
    async with db.act() as session:
        invitation = await session.get_one(Invitation, to_bob)
        await notify(
            session, INVITATION_DECLINED, actor=bob, affected=bob, team=video_squad,
            invitation=invitation,
        )  # fmt: skip
        await withdraw_invitation(session, to_bob)

    assert await bell_of(db, bob) == []
    assert await bell_of(db, carol) == [INVITED]
    assert await bell_of(db, alice) == ["bob declined the invitation to team 'Video Squad'"]
    assert await mail_to(db, bob) == [("skipped", "withdrawn")]


@pytest.mark.parametrize(
    ("status", "lasts", "bell"),
    [
        ("pending", timedelta(0), []),
        ("pending", timedelta(seconds=1), [INVITED]),
        ("accepted", timedelta(0), [INVITED]),
    ],
)
async def test_an_open_invitation_is_withdrawn_at_the_moment_it_expires(
    db: Database,
    alice: User,
    bob: User,
    video_squad: Team,
    hands: Hands,
    status: str,
    lasts: timedelta,
    bell: list[str],
) -> None:
    hands.set("2026-11-23 10:00")
    await invite(db, alice, video_squad, bob, status=status, expires_at=clock.now() + lasts)

    async with db.act() as session:
        await withdraw_expired_invitations(session)

    assert await bell_of(db, bob) == bell


@pytest.mark.parametrize("members", [FEW, FEW + 1])
async def test_few_and_many_users_lose_the_same(
    db: Database, alice: User, bob: User, squad: Team, members: int
) -> None:
    people = await add_people(db, members)
    await add_members(db, squad.id, people)
    await rename(db, squad, alice)

    async with db.act() as session:
        await withdraw_team(session, squad.id, select(User.id).where(User.id.in_(people)))

    assert [row.user_id for row in await withdrawals(db)] == people
    assert await bell_of(db, bob) == [RENAMED]


async def test_thousands_of_notices_are_withdrawn_in_changes_of_a_thousand_ids(
    db: Database, alice: User, bob: User, squad: Team
) -> None:
    """With their mail: more than one statement should name."""
    await share(db, alice, squad)
    await repeat(db, bob, 2000)

    async with db.act() as session:
        await withdraw_team(session, squad.id, only(bob))

    changes = [row.ids for row in await withdrawals(db)]
    assert [len(change) for change in changes] == [1000, 1000, 1]
    assert [one for change in changes for one in change] == [
        row.id for row in await rows_of(db, bob)
    ]
    assert await mail_to(db, bob) == [("skipped", "withdrawn")] * 2001
