"""Many notices at once, for programs: read, unread, deleted, brought back."""

from litestar.di import NamedDependency
from msgspec import UNSET, UnsetType

from app import api
from app.api.shapes import Answer, Id, Message, Sent, Text, like
from app.database import Database
from app.language import _, ngettext
from app.models import User
from app.notifications.api.selection import Selection
from app.notifications.inbox import feed
from app.notifications.inbox.json_shapes import Deleted
from app.rendering import zone_of


class UpTo(Sent):
    """`up_to`: the highest id that was seen; what arrived since then stays unread."""

    up_to: Id | UnsetType = UNSET

    example = like(up_to=123)


class Counted(Answer):
    message: str
    count: int

    example = like(message="3 notifications marked as read", count=3)


class Undo(Sent):
    undo: Text

    example = like(undo="WzEsNDJd.aRx")


@api.post("/api/notifications/read-all")
async def read_all(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[UpTo],
) -> Message:
    """Mark all notifications as read."""
    async with db.act() as session:
        newest = await feed.newest_id(session, user.id)
        await feed.read_all(session, user.id, min(sent.up_to or newest, newest))
    return Message(_("All notifications marked as read"))


@api.post("/api/notifications/bulk-mark-read")
async def bulk_mark_read(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[Selection],
) -> Counted:
    """Mark many notifications as read.

    Those that are not yours, or are read already, are not counted.
    """
    count = await _mark_many(db, user, sent, read=True)
    message = ngettext("{n} notification marked as read", "{n} notifications marked as read", count)
    return Counted(message.format(n=count), count)


@api.post("/api/notifications/bulk-mark-unread")
async def bulk_mark_unread(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[Selection],
) -> Counted:
    """Mark many notifications as unread.

    Those that are not yours, or are unread already, are not counted.
    """
    count = await _mark_many(db, user, sent, read=False)
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


@api.post("/api/notifications/bulk-delete")
async def bulk_delete(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[Selection],
) -> Deleted:
    """Delete many notifications.

    Those that are not yours are not counted.
    """
    sent.require_whole()
    async with db.act() as session:
        if sent.filter is UNSET:
            count, undo = await feed.delete(session, user.id, sent.notification_ids or [])
        else:
            wanted = sent.filter.filters(zone_of(user))
            up_to = sent.up_to or 0
            count, undo = await feed.delete_matching(session, user.id, wanted, up_to)
    message = ngettext("{n} notification deleted", "{n} notifications deleted", count)
    return Deleted(message.format(n=count), count, undo or None)


@api.post("/api/notifications/undo", problems={404})
async def undo(
    db: NamedDependency[Database], user: NamedDependency[User], sent: NamedDependency[Undo]
) -> Counted:
    """Bring back what a deletion took, within ten minutes."""
    async with db.act() as session:
        count = await feed.undo(session, user.id, sent.undo)
    message = ngettext("{n} notification restored", "{n} notifications restored", count)
    return Counted(message.format(n=count), count)


routes = [read_all, bulk_mark_read, bulk_mark_unread, bulk_delete, undo]
