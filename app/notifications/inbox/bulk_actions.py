"""The actions on a selection and their messages, shared by the pages and the JSON API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.language import ngettext
from app.notifications.inbox import acts
from app.notifications.inbox.acts import Act
from app.notifications.inbox.postponing import postpone, resume
from app.notifications.inbox.selection import Selection

ACTS: dict[str, Callable[[], Act]] = {
    "read": acts.reading,
    "unread": acts.unreading,
    "done": acts.doing,
    "undone": acts.reopening,
    "save": acts.saving,
    "unsave": acts.unsaving,
    "unsnooze": acts.returning,
    "delete": acts.deleting,
}
SNOOZE, UNSNOOZE = "snooze", "unsnooze"
BULK_ACTIONS = (*ACTS, SNOOZE)
# In the inbox, the default view of a selection, these two would change nothing.
VIEW_OF_ACTION = {"undone": "done", UNSNOOZE: "snoozed"}


@dataclass(frozen=True)
class Done:
    """`undo` is a token for `undo`, good for ten minutes; "" if there is nothing to undo."""

    count: int
    message: str
    undo: str = ""


async def perform(session: AsyncSession, user_id: int, selection: Selection, action: str) -> Done:
    """Carry out one of BULK_ACTIONS, except SNOOZE."""
    count, undo = await acts.carry_out(session, user_id, ACTS[action](), selection)
    if action == UNSNOOZE:
        await resume(session, user_id)
    return Done(count, _message(action, count), undo)


async def snooze(
    session: AsyncSession, user_id: int, selection: Selection, until: datetime
) -> Done:
    """Snooze the selection until this time; its mail and push wait as well."""
    await postpone(session, user_id, selection.clause, until)
    count, undo = await acts.carry_out(session, user_id, acts.snoozing(until), selection)
    return Done(count, _message(SNOOZE, count), undo)


async def read_all(session: AsyncSession, user_id: int, up_to_position: int | None) -> Done:
    """Mark the inbox as read, up to this position if it is given."""
    count, undo = await acts.read_all(session, user_id, up_to_position)
    return Done(count, _message("read", count), undo)


async def undo(session: AsyncSession, user_id: int, token: str) -> Done:
    """Undo the action that returned this token. Raises NotFound."""
    count = await acts.undo(session, user_id, token)
    await resume(session, user_id)
    return Done(count, _message("undo", count))


def _message(action: str, n: int) -> str:
    sentences = {
        "read": ngettext("{n} notification marked as read", "{n} notifications marked as read", n),
        "unread": ngettext(
            "{n} notification marked as unread", "{n} notifications marked as unread", n
        ),
        "done": ngettext("{n} notification done", "{n} notifications done", n),
        "undone": ngettext(
            "{n} notification moved to the inbox", "{n} notifications moved to the inbox", n
        ),
        "save": ngettext("{n} notification saved", "{n} notifications saved", n),
        "unsave": ngettext(
            "{n} notification no longer saved", "{n} notifications no longer saved", n
        ),
        SNOOZE: ngettext("{n} notification snoozed", "{n} notifications snoozed", n),
        "unsnooze": ngettext(
            "{n} notification back in the inbox", "{n} notifications back in the inbox", n
        ),
        "delete": ngettext("{n} notification deleted", "{n} notifications deleted", n),
        "undo": ngettext("{n} notification restored", "{n} notifications restored", n),
    }
    return sentences[action].format(n=n)
