"""Refreshes notices whose actions, or whose subject's state, have changed, on open pages.

The verb that changes the subject of a notice, such as an invitation, calls these functions.
"""

from collections import defaultdict

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Event, Notification
from app.notifications.events.catalogue import types_open_while
from app.notifications.events.positions import record_change
from app.notifications.inbox.feed import kept

REFRESHED = "refreshed"


async def refresh_invitation(session: AsyncSession, invitation_id: int) -> None:
    """Show the notices that offer to answer this invitation as it stands now."""
    offering = Event.type.in_(types_open_while("invitation"))
    await _refresh(session, select(Event.id).where(Event.invitation_id == invitation_id, offering))


async def refresh_failure(session: AsyncSession, project_id: int) -> None:
    """Show the notice of the project's latest failure without its Retry; earlier ones have none."""
    offering = Event.type.in_(types_open_while("compilation"))
    failures = select(Event.id).where(Event.project_id == project_id, offering)
    await _refresh(session, failures.order_by(Event.id.desc()).limit(1))


async def _refresh(session: AsyncSession, events: Select[int]) -> None:
    await session.flush()
    rows = select(Notification.user_id, Notification.id).where(
        Notification.event_id.in_(events), kept, ~Notification.hidden
    )
    ids: defaultdict[int, list[int]] = defaultdict(list)
    for user_id, notification_id in await session.execute(rows):
        ids[user_id].append(notification_id)
    for user_id, some in ids.items():
        await record_change(session, REFRESHED, user_id, ids=some)
