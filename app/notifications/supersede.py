"""Updates notifications in place: a newer event with the same `collapse_key` replaces the older
one.

A recipient who has a notification with the key gets no new one: theirs now shows the newer event
and moves to the top. Its earlier states stay in its history. Other recipients get a new
notification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import UpdateBase

from app import clock
from app.models import Change, Delivery, Event, Notification, Superseded
from app.models.delivery import is_pending
from app.models.notification import FOR_GOOD, IN_INBOX, SNOOZED, UPDATED
from app.notifications.events.event_type import EventType
from app.notifications.events.grouping import group_key_of, subject_of

AT_ONCE = 1_000


@dataclass(frozen=True)
class Collapsing:
    """`key` is what the sender chose. `quiet`: a notification that was read, done, snoozed or deleted
    stays so.
    """

    key: str
    quiet: bool = False

    def key_of(self, event: Event, event_type: EventType) -> str:
        """Such as "team:5:deploy". Keys are separate for each team or project and, without either,
        for each sender.
        """
        owner = subject_of(event, event_type) or f"user:{event.actor_id}"
        return f"{owner}:{self.key}"


async def forget_withdrawn(session: AsyncSession, key: str) -> None:
    """Take the key from withdrawn notifications: a recipient who has access again gets a new one."""
    withdrawn = Notification.collapse_key == key, Notification.changed_in == FOR_GOOD
    await _run(session, update(Notification).where(*withdrawn).values(collapse_key=None))


def without_older(recipients: Select[Any], key: str) -> Select[Any]:
    """The recipients who have no notification with this key."""
    user_id = recipients.selected_columns[0]
    older = exists().where(Notification.collapse_key == key, Notification.user_id == user_id)
    return recipients.where(~older)


async def supersede(
    session: AsyncSession,
    event: Event,
    event_type: EventType,
    key: str,
    recipients: Select[Any],
    *,
    quiet: bool,
) -> None:
    """Make the recipients' notifications with this key show `event`.

    Pending deliveries will show it as well. Unless `quiet`, past deliveries are deleted, so that it
    can be delivered again.
    """
    recipient = recipients.subquery("recipient").c
    older = select(Notification.id, Notification.user_id, recipient.hidden).where(
        Notification.collapse_key == key,
        Notification.user_id == recipient.user_id,
        Notification.event_id != event.id,
    )
    rows = (await session.execute(older)).all()
    group_key = group_key_of(event.id, event, event_type)
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        ids = [row.id for row in some]
        await _keep_history(session, ids)
        await _show(session, event, group_key, ids, quiet=quiet)
        wanted_in_app = [row.id for row in some if not row.hidden]
        await _run(session, _these(wanted_in_app).values(hidden=False))
        await _record_updates(session, ids)
        if not quiet:
            await _forget_deliveries(session, ids)


async def _keep_history(session: AsyncSession, ids: Sequence[int]) -> None:
    shown = select(Notification.id, Notification.event_id, Notification.group_key)
    columns = ["notification_id", "event_id", "group_key"]
    rows = shown.where(Notification.id.in_(ids))
    await session.execute(insert(Superseded).from_select(columns, rows))


async def _show(
    session: AsyncSession, event: Event, group_key: str, ids: Sequence[int], *, quiet: bool
) -> None:
    values = {"event_id": event.id, "group_key": group_key, "updated_at": clock.now()}
    anew = {
        "read_at": None,
        "folder": IN_INBOX,
        "snoozed_until": None,
        "deleted_at": None,
        "changed_in": None,
    }
    await _run(session, _these(ids).values(values | ({} if quiet else anew)))


async def _record_updates(session: AsyncSession, ids: Sequence[int]) -> None:
    """Record a change for each user and give its position to the notification."""
    visible = Notification.deleted_at.is_(None), ~Notification.hidden
    shown = select(Notification.user_id, Notification.id).where(Notification.id.in_(ids), *visible)
    now = clock.now()
    changes = [
        {"kind": UPDATED, "user_id": row.user_id, "ids": [row.id], "created_at": now}
        for row in await session.execute(shown.order_by(Notification.user_id))
    ]
    if changes:
        await session.execute(insert(Change), changes)
        last = select(func.max(Change.id)).where(Change.user_id == Notification.user_id)
        moved = _these(ids).where(*visible).values(position=last.scalar_subquery())
        await _run(session, moved)


async def _forget_deliveries(session: AsyncSession, ids: Sequence[int]) -> None:
    """Deletes deliveries, except those that wait for their first attempt: they read the event when
    they are due. Those that wait for the end of a snooze are deleted too, because it has ended now.
    """
    is_outdated = or_(
        ~is_pending,
        Delivery.claimed_by.is_not(None),
        Delivery.attempts > 0,
        Delivery.reason == SNOOZED,
    )
    outdated = and_(Delivery.notification_id.in_(ids), is_outdated)
    await _run(session, delete(Delivery).where(outdated))


def _these(ids: Sequence[int]) -> Any:
    return update(Notification).where(Notification.id.in_(ids))


async def _run(session: AsyncSession, statement: UpdateBase) -> None:
    await session.execute(statement.execution_options(synchronize_session=False))
