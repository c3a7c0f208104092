"""Acting on one notification in JSON: mark, do, save, snooze and delete it."""

from collections.abc import Awaitable, Callable
from functools import partial

from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.language import _
from app.models import User
from app.notifications.api.snooze import Snooze, end_of
from app.notifications.inbox import bulk_actions, feed
from app.notifications.inbox.bulk_actions import Done
from app.notifications.inbox.json_shapes import Undoable, UndoableCount
from app.notifications.inbox.selection import Selection
from app.rendering import zone_of

ActOnSelection = Callable[[AsyncSession, int, Selection], Awaitable[Done]]


@post(status_code=200)
async def read(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Undoable:
    """Mark a notification as read."""
    done = await _perform(db, user, notification_id, "read")
    return Undoable(_("Notification marked as read"), done.undo or None)


@post(status_code=200)
async def unread(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Undoable:
    """Mark a notification as unread."""
    done = await _perform(db, user, notification_id, "unread")
    return Undoable(_("Notification marked as unread"), done.undo or None)


@delete(status_code=200)
async def destroy(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Delete a notification."""
    done = await _perform(db, user, notification_id, "delete")
    return UndoableCount(_("Notification deleted"), done.count, done.undo or None)


@post(status_code=200)
async def done(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Mark a notification as done: it is read, and leaves the inbox."""
    return _counted(await _perform(db, user, notification_id, "done"))


@post(status_code=200)
async def undone(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Move a notification that is done back to the inbox."""
    return _counted(await _perform(db, user, notification_id, "undone"))


@post(status_code=200)
async def save(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Save a notification: it is never removed by retention, wherever it is."""
    return _counted(await _perform(db, user, notification_id, "save"))


@post(status_code=200)
async def unsave(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Stop saving a notification."""
    return _counted(await _perform(db, user, notification_id, "unsave"))


@post(status_code=200)
async def snooze(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
    data: JSONBody[Snooze],
) -> UndoableCount:
    """Snooze a notification: it leaves the inbox and comes back unread, on top."""
    act = partial(bulk_actions.snooze, until=end_of(data, zone_of(user)))
    return _counted(await _act_on_one(db, user, notification_id, act))


@post(status_code=200)
async def unsnooze(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> UndoableCount:
    """Bring a snoozed notification back now: unread, on top of the inbox."""
    return _counted(await _perform(db, user, notification_id, "unsnooze"))


async def _perform(db: Database, user: User, notification_id: int, action: str) -> Done:
    return await _act_on_one(
        db, user, notification_id, partial(bulk_actions.perform, action=action)
    )


async def _act_on_one(db: Database, user: User, notification_id: int, act: ActOnSelection) -> Done:
    """Raises NotFound."""
    async with db.act() as session:
        await feed.find(session, user.id, notification_id)
        return await act(session, user.id, Selection([notification_id]))


def _counted(done: Done) -> UndoableCount:
    return UndoableCount(done.message, done.count, done.undo or None)
