"""Bulk actions in JSON: mark as read or unread, delete, undo."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from app.api.problems import problems
from app.api.shapes import Id, Message, RequestBody, ResponseBody, Text, like
from app.database import Database
from app.language import _, ngettext
from app.models import User
from app.notifications.api.selection import Selection
from app.notifications.inbox import feed
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


@post("/api/notifications/read-all", status_code=200)
async def read_all(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[UpTo],
) -> Message:
    """Mark all notifications as read."""
    async with db.act() as session:
        newest = await feed.newest_id(session, user.id)
        await feed.read_all(session, user.id, min(data.up_to or newest, newest))
    return Message(_("All notifications marked as read"))


@post("/api/notifications/bulk-mark-read", status_code=200)
async def bulk_mark_read(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[Selection],
) -> Counted:
    """Mark many notifications as read.

    Notifications that are already read, or not yours, are not counted.
    """
    count = await _mark_many(db, user, data, read=True)
    message = ngettext("{n} notification marked as read", "{n} notifications marked as read", count)
    return Counted(message.format(n=count), count)


@post("/api/notifications/bulk-mark-unread", status_code=200)
async def bulk_mark_unread(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[Selection],
) -> Counted:
    """Mark many notifications as unread.

    Notifications that are already unread, or not yours, are not counted.
    """
    count = await _mark_many(db, user, data, read=False)
    message = ngettext(
        "{n} notification marked as unread", "{n} notifications marked as unread", count
    )
    return Counted(message.format(n=count), count)


async def _mark_many(db: Database, user: User, which: Selection, *, read: bool) -> int:
    which.require_whole()
    async with db.act() as session:
        if which.filter is UNSET:
            return await feed.mark(session, user.id, which.notification_ids or [], read=read)
        wanted = which.filter.filters(zone_of(user))
        up_to = min(which.up_to or 0, await feed.newest_id(session, user.id))
        return await feed.mark_matching(session, user.id, wanted, up_to, read=read)


@post("/api/notifications/bulk-delete", status_code=200)
async def bulk_delete(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[Selection],
) -> Deleted:
    """Delete many notifications.

    Notifications that are not yours are not counted.
    """
    data.require_whole()
    async with db.act() as session:
        if data.filter is UNSET:
            count, undo = await feed.delete(session, user.id, data.notification_ids or [])
        else:
            wanted = data.filter.filters(zone_of(user))
            up_to = data.up_to or 0
            count, undo = await feed.delete_matching(session, user.id, wanted, up_to)
    message = ngettext("{n} notification deleted", "{n} notifications deleted", count)
    return Deleted(message.format(n=count), count, undo or None)


@post("/api/notifications/undo", status_code=200, responses=problems(404))
async def undo(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[Undo]
) -> Counted:
    """Restore what a deletion removed, within ten minutes."""
    async with db.act() as session:
        count = await feed.undo(session, user.id, data.undo)
    message = ngettext("{n} notification restored", "{n} notifications restored", count)
    return Counted(message.format(n=count), count)


routes = [read_all, bulk_mark_read, bulk_mark_unread, bulk_delete, undo]
