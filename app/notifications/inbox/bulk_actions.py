"""The bulk actions on a selection and their messages, shared by the pages and the JSON API."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.language import ngettext
from app.notifications.inbox import feed
from app.notifications.inbox.selection import Selection

BULK_ACTIONS = ("read", "unread", "delete")


@dataclass(frozen=True)
class Done:
    """`undo` is a token for `undo`, good for ten minutes; "" if there is nothing to undo."""

    count: int
    message: str
    undo: str = ""


async def perform(session: AsyncSession, user_id: int, action: str, selection: Selection) -> Done:
    """Carry out one of BULK_ACTIONS."""
    undo = ""
    if action == "delete":
        count, undo = await feed.delete(session, user_id, selection)
    else:
        count = await feed.mark(session, user_id, selection, read=action == "read")
    return Done(count, _message(action, count), undo)


async def undo(session: AsyncSession, user_id: int, token: str) -> Done:
    """Undo the deletion that returned this token. Raises NotFound."""
    count = await feed.undo(session, user_id, token)
    return Done(count, _message("undo", count))


def _message(action: str, n: int) -> str:
    sentences = {
        "read": ngettext("{n} notification marked as read", "{n} notifications marked as read", n),
        "unread": ngettext(
            "{n} notification marked as unread", "{n} notifications marked as unread", n
        ),
        "delete": ngettext("{n} notification deleted", "{n} notifications deleted", n),
        "undo": ngettext("{n} notification restored", "{n} notifications restored", n),
    }
    return sentences[action].format(n=n)
