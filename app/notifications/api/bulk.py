"""Bulk actions in JSON: mark as read or unread, delete, undo."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from app.api.problems import problems
from app.api.shapes import Id, Message, RequestBody, ResponseBody, Text, like
from app.database import Database
from app.language import _
from app.models import User
from app.notifications.api.selection import SelectionObject
from app.notifications.inbox import bulk_actions, feed
from app.notifications.inbox.bulk_actions import Done
from app.notifications.inbox.json_shapes import Deleted
from app.rendering import zone_of


class UpTo(RequestBody):
    """`up_to` is the highest id that the client has seen; later notifications stay unread."""

    up_to: Id | UnsetType = UNSET

    example = like(up_to=123)


class Counted(ResponseBody):
    message: str
    count: int

    example = like(message="3 notifications marked as read", count=3)


class Undo(RequestBody):
    undo: Text

    example = like(undo="WzEsNDJd.aRx")


@post(status_code=200)
async def read_all(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[UpTo],
) -> Message:
    """Mark all notifications as read."""
    async with db.act() as session:
        await feed.read_all(session, user.id, data.up_to or None)
    return Message(_("All notifications marked as read"))


@post(status_code=200)
async def bulk_mark_read(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> Counted:
    """Mark many notifications as read.

    Notifications that are already read, or not yours, are not counted.
    """
    done = await _perform(db, user, "read", data)
    return Counted(done.message, done.count)


@post(status_code=200)
async def bulk_mark_unread(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> Counted:
    """Mark many notifications as unread.

    Notifications that are already unread, or not yours, are not counted.
    """
    done = await _perform(db, user, "unread", data)
    return Counted(done.message, done.count)


@post(status_code=200)
async def bulk_delete(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> Deleted:
    """Delete many notifications.

    Notifications that are not yours are not counted.
    """
    done = await _perform(db, user, "delete", data)
    return Deleted(done.message, done.count, done.undo or None)


async def _perform(db: Database, user: User, action: str, data: SelectionObject) -> Done:
    selection = data.selection(zone_of(user))
    async with db.act() as session:
        return await bulk_actions.perform(session, user.id, action, selection)


@post(status_code=200, responses=problems(404))
async def undo(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[Undo]
) -> Counted:
    """Undo a deletion, within ten minutes."""
    async with db.act() as session:
        done = await bulk_actions.undo(session, user.id, data.undo)
    return Counted(done.message, done.count)
