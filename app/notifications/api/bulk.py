"""Bulk actions in JSON, and undoing them."""

from typing import Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from app.api.problems import problems
from app.api.shapes import RequestBody, ResponseBody, Text, like
from app.database import Database
from app.errors import Invalid
from app.language import _
from app.models import User
from app.notifications.api.selection import SelectionObject, UpTo
from app.notifications.api.snooze import Period, Until, end_of
from app.notifications.inbox import bulk_actions
from app.notifications.inbox.json_shapes import Undoable, UndoableCount
from app.rendering import zone_of


class Counted(ResponseBody):
    message: str
    count: int

    example = like(message="3 notifications restored", count=3)


class BulkAction(SelectionObject, kw_only=True):
    """An action on a selection; `for` or `until` belongs to `snooze`. Without a `view`, a filter or a
    group selects in the inbox; for `undone` and `unsnooze`, among what is done or snoozed.
    """

    action: Literal[bulk_actions.BULK_ACTIONS]  # type: ignore[valid-type]
    period: Period | UnsetType = msgspec.field(name="for", default=UNSET)
    until: Until | UnsetType = UNSET

    example = like(action="done", notification_ids=[123, 456, 789])
    constraints = SelectionObject.constraints

    @property
    def default_view(self) -> str:
        return bulk_actions.VIEW_OF_ACTION.get(self.action, super().default_view)

    def require_no_end(self) -> None:
        """Raises Invalid if it says how long to snooze."""
        given = {"for": self.period, "until": self.until}
        if wrong := [name for name, value in given.items() if value is not UNSET]:
            raise Invalid(dict.fromkeys(wrong, _("Only snoozing takes a time.")))


class Undo(RequestBody):
    undo: Text

    example = like(undo="WzEsNDJd.aRx")


@post(status_code=200)
async def read_all(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[UpTo],
) -> Undoable:
    """Mark all notifications as read."""
    async with db.act() as session:
        end = await data.position(session, user.id)
        done = await bulk_actions.read_all(session, user.id, end)
    return Undoable(_("All notifications marked as read"), done.undo or None)


@post(status_code=200)
async def bulk_mark_read(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> UndoableCount:
    """Mark many notifications as read.

    Notifications that are already read, or not yours, are not counted.
    """
    return await _perform(db, user, "read", data)


@post(status_code=200)
async def bulk_mark_unread(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> UndoableCount:
    """Mark many notifications as unread.

    Notifications that are already unread, or not yours, are not counted.
    """
    return await _perform(db, user, "unread", data)


@post(status_code=200)
async def bulk_delete(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[SelectionObject],
) -> UndoableCount:
    """Delete many notifications.

    Notifications that are not yours are not counted.
    """
    return await _perform(db, user, "delete", data)


@post(status_code=200)
async def bulk(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[BulkAction]
) -> UndoableCount:
    """Mark, do, save, snooze or delete many notifications.

    Those that are so already, or not yours, are not counted.
    """
    if data.action != bulk_actions.SNOOZE:
        data.require_no_end()
        return await _perform(db, user, data.action, data)
    until = end_of(data, zone_of(user))
    async with db.act() as session:
        selection = await data.selection(session, user)
        done = await bulk_actions.snooze(session, user.id, selection, until)
    return UndoableCount(done.message, done.count, done.undo or None)


async def _perform(db: Database, user: User, action: str, data: SelectionObject) -> UndoableCount:
    async with db.act() as session:
        selection = await data.selection(session, user)
        done = await bulk_actions.perform(session, user.id, selection, action)
    return UndoableCount(done.message, done.count, done.undo or None)


@post(status_code=200, responses=problems(404))
async def undo(
    db: NamedDependency[Database], user: NamedDependency[User], data: JSONBody[Undo]
) -> Counted:
    """Undo what was marked or deleted, within ten minutes.

    It stays as it is where you have changed it again since.
    """
    async with db.act() as session:
        done = await bulk_actions.undo(session, user.id, data.undo)
    return Counted(done.message, done.count)
