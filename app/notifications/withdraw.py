"""Withdraws the notices a user may no longer see: permanently, from list, count and stream.

The verb that ends the access withdraws first and notifies last, so that the notice about the ended
access stays. The users' open pages are refreshed, since they may show what is no longer accessible.
There is one change row per user and 1,000 notices; pending deliveries are skipped.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.models import (
    Change,
    Delivery,
    Event,
    Invitation,
    Notification,
    Project,
    Superseded,
    User,
)
from app.models.notification import FOR_GOOD
from app.models.team import has_expired
from app.notifications.delivery.decision import WITHDRAWN, Skip
from app.notifications.delivery.settling import skip_pending
from app.notifications.events.catalogue import types_open_while
from app.notifications.inbox.acts import IDS_PER_CHANGE
from app.topics import USER, touch_all
from app.visibility import project_viewers

Users = Select[Any]  # of their ids
FEW = 20


async def withdraw_team(session: AsyncSession, team_id: int, users: Users) -> None:
    """Withdraw every notice about the team from these users."""
    await _end_access(session, select(Event.id).where(Event.team_id == team_id), users)


async def withdraw_project(session: AsyncSession, project_id: int, users: Users) -> None:
    """Withdraw every notice about the project from those of `users` who can no longer see it."""
    viewers = project_viewers([project_id]).subquery()
    user_id = users.subquery().c[0]
    excluded = select(user_id).where(user_id.not_in(select(viewers.c.user_id)))
    await _end_access(session, select(Event.id).where(Event.project_id == project_id), excluded)


async def withdraw_from_owner(session: AsyncSession, project: Project) -> None:
    """Withdraw every notice about a project from the owner, who is about to delete it."""
    owner = select(User.id).where(User.id == project.owner_id)
    await _end_access(session, select(Event.id).where(Event.project_id == project.id), owner)


async def _end_access(session: AsyncSession, events: Select[int], users: Users) -> None:
    await session.flush()
    touch_all(session, USER, await session.scalars(users))
    await _withdraw(session, events, users)


async def withdraw_invitation(session: AsyncSession, invitation_id: int) -> None:
    """Withdraw the notice that offers to accept this invitation, which is no longer open."""
    await _withdraw_invitations(session, Event.invitation_id == invitation_id)


async def withdraw_expired_invitations(session: AsyncSession) -> None:
    """Withdraw the notices that offer to accept expired invitations."""
    expired = select(Invitation.id).where(has_expired())
    await _withdraw_invitations(session, Event.invitation_id.in_(expired))


async def _withdraw_invitations(session: AsyncSession, which: ColumnElement[bool]) -> None:
    events = select(Event.id).where(which, Event.type.in_(types_open_while("invitation")))
    users = select(Notification.user_id).where(Notification.event_id.in_(events))
    await _withdraw(session, events, users)


async def _withdraw(session: AsyncSession, events: Select[int], users: Users) -> None:
    """Includes deleted notifications: an undo must not restore them."""
    await session.flush()
    now = clock.now()
    theirs = await _belongs_to(session, users)
    rows = (
        update(Notification)
        .where(
            Notification.event_id.in_(events),
            theirs,
            Notification.changed_in.is_distinct_from(FOR_GOOD),
        )
        .values(deleted_at=now, changed_in=FOR_GOOD)
        .returning(Notification.user_id, Notification.id)
        .execution_options(synchronize_session=False)
    )
    withdrawn: dict[int, list[int]] = {}
    for user_id, notification_id in await session.execute(rows):
        withdrawn.setdefault(user_id, []).append(notification_id)
    if withdrawn:
        touch_all(session, USER, withdrawn)
        await session.execute(insert(Change), list(_changes(withdrawn, now)))
        await _skip_deliveries(session, [one for ids in withdrawn.values() for one in ids])
    await _forget_history(session, events, theirs)


async def _forget_history(
    session: AsyncSession, events: Select[int], theirs: ColumnElement[bool]
) -> None:
    """Delete these events from the histories of the users' notifications."""
    former = delete(Superseded).where(
        Superseded.event_id.in_(events),
        exists().where(Notification.id == Superseded.notification_id, theirs),
    )
    await session.execute(former.execution_options(synchronize_session=False))


def _changes(withdrawn: Mapping[int, list[int]], now: datetime) -> Iterator[dict[str, Any]]:
    for user_id, ids in withdrawn.items():
        for some in _in_parts(ids):
            yield {"kind": "withdrawn", "user_id": user_id, "ids": some, "created_at": now}


def _in_parts(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + IDS_PER_CHANGE] for start in range(0, len(ids), IDS_PER_CHANGE)]


async def _belongs_to(session: AsyncSession, users: Users) -> ColumnElement[bool]:
    """Matches the notifications of these users.

    For a few users SQLite looks up each event in the index of user and event; for many, `+ 0` makes
    it read the rows of each event instead, since users times events would take minutes.
    """
    count = await session.scalar(select(func.count()).select_from(users.subquery())) or 0
    user_id = Notification.user_id if count <= FEW else Notification.user_id + 0
    return user_id.in_(users)


async def _skip_deliveries(session: AsyncSession, ids: list[int]) -> None:
    for some in _in_parts(ids):
        await skip_pending(session, Delivery.notification_id.in_(some), Skip(WITHDRAWN))
