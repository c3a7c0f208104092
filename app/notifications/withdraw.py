"""Withdrawing what somebody may no longer see: gone from list, count and stream, for good.

Done by the verb that ends the access, before it tells people, so that the notice saying so stays.
One change row per person (and 1,000 notices); pending deliveries are skipped with the reason.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import (
    Change,
    Delivery,
    Event,
    Invitation,
    Membership,
    Notification,
    Project,
    Share,
    User,
)
from app.models.notification import FOR_GOOD
from app.notifications.delivery.decision import WITHDRAWN, Skip
from app.notifications.delivery.settling import skip_pending
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.inbox.feed import IDS_PER_CHANGE

People = Select[Any]
FEW = 20


async def withdraw_team(session: AsyncSession, team_id: int, people: People) -> None:
    """Everything about the team from `people` (a SELECT of account ids)."""
    await _withdraw(session, select(Event.id).where(Event.team_id == team_id), people)


async def withdraw_project(session: AsyncSession, project_id: int, people: People) -> None:
    """Everything about the project from those of `people` who can no longer see it."""
    owner = select(Project.owner_id).where(Project.id == project_id)
    members = (
        select(Membership.user_id)
        .join(Share, Share.team_id == Membership.team_id)
        .where(Share.project_id == project_id)
    )
    chosen = people.subquery()
    blind = select(chosen.c[0]).where(chosen.c[0].not_in(owner), chosen.c[0].not_in(members))
    await _withdraw(session, select(Event.id).where(Event.project_id == project_id), blind)


async def withdraw_from_owner(session: AsyncSession, project: Project) -> None:
    """Everything about a project from its owner, who is about to delete it."""
    owner = select(User.id).where(User.id == project.owner_id)
    await _withdraw(session, select(Event.id).where(Event.project_id == project.id), owner)


async def withdraw_invitation(session: AsyncSession, invitation_id: int) -> None:
    """The notice of an invitation that can no longer be accepted."""
    await _withdraw_invitations(session, Event.invitation_id == invitation_id)


async def withdraw_expired_invitations(session: AsyncSession) -> None:
    """The notices of invitations that nobody answered in time."""
    expired = select(Invitation.id).where(
        Invitation.status == "pending", Invitation.expires_at <= clock.now()
    )
    await _withdraw_invitations(session, Event.invitation_id.in_(expired))


async def _withdraw_invitations(session: AsyncSession, which: ColumnElement[bool]) -> None:
    about = select(Event.id).where(which, Event.type == INVITATION_RECEIVED.name)
    people = select(Notification.user_id).where(Notification.event_id.in_(about))
    await _withdraw(session, about, people)


async def _withdraw(session: AsyncSession, events: Select[int], people: People) -> None:
    """Also what was deleted already: an undo must not bring it back."""
    await session.flush()
    now = clock.now()
    rows = (
        update(Notification)
        .where(
            Notification.event_id.in_(events),
            await _among(session, people),
            Notification.deleted_in.is_distinct_from(FOR_GOOD),
        )
        .values(deleted_at=now, deleted_in=FOR_GOOD)
        .returning(Notification.user_id, Notification.id)
        .execution_options(synchronize_session=False)
    )
    taken: dict[int, list[int]] = {}
    for user_id, notification_id in await session.execute(rows):
        taken.setdefault(user_id, []).append(notification_id)
    changes = [
        {
            "kind": "withdrawn",
            "user_id": user_id,
            "ids": ids[start : start + IDS_PER_CHANGE],
            "created_at": now,
        }
        for user_id, ids in taken.items()
        for start in range(0, len(ids), IDS_PER_CHANGE)
    ]
    if changes:
        await session.execute(insert(Change), changes)
        await _skip_deliveries(session, [one for ids in taken.values() for one in ids])


async def _among(session: AsyncSession, people: People) -> ColumnElement[bool]:
    """That the notice belongs to one of them.

    Of a few people each event is looked up in the index; of many, the events' own rows are read
    instead (`+ 0` keeps SQLite from the index): people times events would take it minutes.
    """
    count = await session.scalar(select(func.count()).select_from(people.subquery())) or 0
    user_id = Notification.user_id if count <= FEW else Notification.user_id + 0
    return user_id.in_(people)


async def _skip_deliveries(session: AsyncSession, ids: list[int]) -> None:
    for start in range(0, len(ids), IDS_PER_CHANGE):
        which = Delivery.notification_id.in_(ids[start : start + IDS_PER_CHANGE])
        await skip_pending(session, which, Skip(WITHDRAWN))
