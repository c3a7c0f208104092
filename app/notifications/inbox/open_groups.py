"""The groups that are open in a browser: every refresh of the list must include their parts."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Notification
from app.notifications.events.grouping import in_groups, key_for_reader
from app.notifications.events.notices import Notice, as_notices, notices_of
from app.notifications.inbox.feed import NEWEST_FIRST
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.open_rows import RemovedRow, ids_in_field, read_open_rows

# The rest of a group is on its own page.
MOST_PARTS = 100
# Of all open groups together: each refresh renders them, which holds up other requests.
MOST_PARTS_IN_ALL = 500

Rows = Sequence[Notice | RemovedRow]


@dataclass(frozen=True)
class OpenGroups:
    """`ids` are notifications of the open groups, one of each; `removed` are deleted parts that keep
    their places there, with Undo.
    """

    ids: Sequence[int] = ()
    removed: Sequence[int] = ()


def open_groups_in(fields: Mapping[str, str]) -> OpenGroups:
    """The open groups that a request names in `open` and `removed`."""
    return OpenGroups(ids_in_field(fields, "open"), ids_in_field(fields, "removed"))


async def read_parts(
    session: AsyncSession, user_id: int, wanted: Filter, key: str, most: int = MOST_PARTS
) -> list[Notice]:
    """The newest notifications of the group with this key that match the filter, at most `most`."""
    of_group = Notification.user_id == user_id, in_groups([key])
    ids = select(Notification.id).where(*of_group, *wanted.clauses())
    newest = ids.order_by(*NEWEST_FIRST).limit(most).subquery()
    rows = notices_of(user_id).where(Notification.id.in_(select(newest.c.id)))
    return as_notices((await session.execute(rows.order_by(*NEWEST_FIRST))).all())


async def show_parts(
    session: AsyncSession, user_id: int, wanted: Filter, rows: Rows, opened: OpenGroups
) -> Rows:
    """The rows of a list of groups, those of the open groups with their parts. A group closes if there
    would be more than MOST_PARTS_IN_ALL parts with its own.
    """
    if not opened.ids:
        return rows
    positions = await _read_positions(session, user_id, [*opened.ids, *opened.removed])
    keys = {positions[one].group_key for one in opened.ids if one in positions}
    removed = await _read_removed(session, user_id, opened.removed)
    shown: list[Notice | RemovedRow] = []
    room = MOST_PARTS_IN_ALL
    for row in rows:
        if isinstance(row, Notice) and row.group and row.group.key in keys:
            gone = [one for one in removed if positions[one.id].group_key == row.group.key]
            has_room = min(row.group.count, MOST_PARTS) <= room
            if has_room and (row.group.count > 1 or gone):
                notices = await read_parts(session, user_id, wanted, row.group.key)
                room -= len(notices)
                parts = _in_order(notices, gone, positions)
                row = replace(row, group=dataclasses.replace(row.group, parts=parts))
        shown.append(row)
    return shown


async def _read_positions(
    session: AsyncSession, user_id: int, ids: Sequence[int]
) -> dict[int, Row[int, int, str]]:
    """The position and the group of each."""
    columns = select(Notification.id, Notification.position, key_for_reader().label("group_key"))
    mine = columns.where(Notification.user_id == user_id, Notification.id.in_(ids))
    return {row.id: row for row in await session.execute(mine)}


async def _read_removed(
    session: AsyncSession, user_id: int, ids: Sequence[int]
) -> list[RemovedRow]:
    """The removed rows with these ids that can be restored."""
    rows = await read_open_rows(session, user_id, ids) if ids else []
    return [row for row in rows if isinstance(row, RemovedRow) and row.undo]


def _in_order(
    notices: Sequence[Notice],
    removed: Sequence[RemovedRow],
    positions: Mapping[int, Row[int, int, str]],
) -> Rows:
    """Newest first."""

    def sort_key(row: Notice | RemovedRow) -> tuple[int, int]:
        return row.position if isinstance(row, Notice) else positions[row.id].position, row.id

    return sorted([*notices, *removed], key=sort_key, reverse=True)
