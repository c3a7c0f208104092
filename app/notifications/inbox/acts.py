"""The acts of a user on notifications: read, do, save, snooze, delete, and undo each of them.

Every statement is limited to the user's own rows, so those of others are simply not found.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.language import _
from app.models import Change, Notification, User
from app.models.notification import DONE, IN_INBOX, SNOOZED
from app.notifications.events.positions import record_change
from app.notifications.inbox.feed import kept, unread
from app.notifications.inbox.filters import BEYOND_ALL_POSITIONS
from app.notifications.inbox.selection import Selection
from app.security import Signer, signer_of

IDS_PER_CHANGE = 1000
UNDO_FOR = timedelta(minutes=10)

_is_read = Notification.read_at.is_not(None)
_is_done = Notification.folder == DONE
_is_snoozed = Notification.folder == SNOOZED

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """`kind` is the kind of its change; `concerns` selects the notifications that it changes;
    `sets` returns their new values, given the position of the change.
    """

    kind: str
    concerns: ColumnElement[bool]
    sets: Callable[[int], Values]


def reading() -> Act:
    now = clock.now()
    return Act("read", ~_is_read, lambda _position: {"read_at": now})


def unreading() -> Act:
    return Act("unread", _is_read, lambda _position: {"read_at": None})


def doing() -> Act:
    """Doing marks as read."""
    read_at = func.coalesce(Notification.read_at, clock.now())
    values = {"folder": DONE, "snoozed_until": None, "read_at": read_at}
    return Act("done", ~_is_done, lambda _position: values)


def reopening() -> Act:
    return Act("undone", _is_done, lambda _position: {"folder": IN_INBOX})


def saving() -> Act:
    return Act("saved", ~Notification.is_saved, lambda _position: {"is_saved": True})


def unsaving() -> Act:
    return Act("unsaved", Notification.is_saved.is_(True), lambda _position: {"is_saved": False})


def snoozing(until: datetime) -> Act:
    is_other = or_(~_is_snoozed, Notification.snoozed_until != until)
    values = {"folder": SNOOZED, "snoozed_until": until}
    return Act("snoozed", is_other, lambda _position: values)


def returning() -> Act:
    """They come back to the top, unread."""

    def values(position: int) -> Values:
        back = {"folder": IN_INBOX, "snoozed_until": None, "read_at": None}
        return back | ({"position": position} if position else {})

    return Act("returned", _is_snoozed, values)


def deleting() -> Act:
    now = clock.now()
    return Act("deleted", ~Notification.hidden, lambda _position: {"deleted_at": now})


async def carry_out(
    session: AsyncSession, user_id: int, act: Act, selection: Selection
) -> tuple[int, str]:
    """Carry out the act on the selection.

    Returns how many notifications changed, and the token that undoes it for ten minutes, "" if
    nothing changed. Hidden notifications are changed if their ids are selected, but streams do not
    show it.
    """
    if act.kind == "read" and selection.filter and selection.is_whole_inbox:
        return await read_all(session, user_id, selection.filter.up_to_position)
    count, position = await change(session, user_id, act, selection.clause)
    return count, await _undo_of(session, user_id, position)


async def mark(
    session: AsyncSession, user_id: int, selection: Selection, *, read: bool
) -> tuple[int, str]:
    """Mark the selection as read or unread. Returns what `carry_out` does."""
    return await carry_out(session, user_id, reading() if read else unreading(), selection)


async def delete(session: AsyncSession, user_id: int, selection: Selection) -> tuple[int, str]:
    """Delete the selection. Returns what `carry_out` does."""
    return await carry_out(session, user_id, deleting(), selection)


async def read_all(
    session: AsyncSession, user_id: int, up_to_position: int | None = None
) -> tuple[int, str]:
    """Mark the inbox as read, up to this position if it is given. Returns what `carry_out` does.

    One UPDATE and one change, for any number of rows.
    """
    end = BEYOND_ALL_POSITIONS if up_to_position is None else up_to_position
    which = and_(Notification.user_id == user_id, unread, Notification.position <= end)
    found = select(func.max(Notification.id), func.max(Notification.position)).where(which)
    newest, last = (await session.execute(found)).one()
    if not newest:
        return 0, ""
    position = await record_change(session, "read", user_id, up_to=newest, up_to_position=last)
    count = await _set(session, which, position, reading().sets(position))
    return count, await _undo_of(session, user_id, position)


async def change(
    session: AsyncSession, user_id: int, act: Act, which: ColumnElement[bool]
) -> tuple[int, int]:
    """Carry out the act on the user's notifications that meet this condition.

    Returns how many changed, and the position of the change, 0 if streams do not show it.
    """
    mine = and_(Notification.user_id == user_id, kept, act.concerns, which)
    rows = (await session.execute(select(Notification.id, Notification.hidden).where(mine))).all()
    if not rows:
        return 0, 0
    shown = sorted(row.id for row in rows if not row.hidden)
    position = await _record(session, act.kind, user_id, shown)
    await _set(session, mine, position, act.sets(position))
    return len(rows), position


async def _record(session: AsyncSession, kind: str, user_id: int, ids: Sequence[int]) -> int:
    """Record changes of at most 1,000 ids each; returns the position of the first, 0 for none."""
    changes = [
        await record_change(session, kind, user_id, ids=list(ids[start : start + IDS_PER_CHANGE]))
        for start in range(0, len(ids), IDS_PER_CHANGE)
    ]
    return changes[0] if changes else 0


async def _set(
    session: AsyncSession, which: ColumnElement[bool], position: int, values: Values
) -> int:
    """Set these values, and record the position of the change and the state before it, for undo."""
    earlier = {
        "earlier_read_at": Notification.read_at,
        "earlier_folder": Notification.folder,
        "earlier_snoozed_until": Notification.snoozed_until,
        "earlier_is_saved": Notification.is_saved,
    }
    changed = (
        update(Notification)
        .where(which)
        .values(changed_in=position or None, **earlier, **values)
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(changed)).rowcount)  # type: ignore[attr-defined]


# --- Undoing ---


async def _undo_of(session: AsyncSession, user_id: int, position: int) -> str:
    if not position:
        return ""
    nonce = await session.scalar(select(nonce_clause(user_id))) or ""
    return undo_token(signer_of(session), nonce, position)


def nonce_clause(user_id: int) -> ScalarSelect[str]:
    return select(User.link_nonce).where(User.id == user_id).scalar_subquery()


def undo_token(signer: Signer, nonce: str, position: int) -> str:
    """The token by which the user with this `link_nonce` undoes what was done at this position."""
    return signer.sign("undo", [nonce, position])


async def undo(session: AsyncSession, user_id: int, token: str) -> int:
    """Undo the act with this token, on the notifications that nothing has changed since.

    Returns how many. Raises NotFound if there are none, or the token is another user's or older
    than ten minutes.
    """
    nonce, position = signer_of(session).unsign("undo", token)
    act = select(Change.id).where(
        Change.id == position,
        Change.user_id == user_id,
        nonce_clause(user_id) == nonce,
        # Compares the act's time, not the token's: an open page gets new tokens for old deletions.
        Change.created_at > clock.now() - UNDO_FOR,
    )
    count = await _restore(session, user_id, position) if await session.scalar(act) else 0
    if not count:
        raise NotFound(_("There is nothing left to undo."))
    return count


async def _restore(session: AsyncSession, user_id: int, position: int) -> int:
    """Restore the notifications whose last change is at this position to their state before it."""
    which = and_(Notification.user_id == user_id, Notification.changed_in == position)
    rows = (await session.execute(select(*_RESTORED).where(which))).all()
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        for kind in _kinds_of_change(row) if not row.hidden else ():
            ids[kind].append(row.id)
    changes = [await _record(session, kind, user_id, sorted(some)) for kind, some in ids.items()]
    restored = {
        "deleted_at": None,
        "read_at": Notification.earlier_read_at,
        "folder": func.coalesce(Notification.earlier_folder, Notification.folder),
        "snoozed_until": Notification.earlier_snoozed_until,
        "is_saved": func.coalesce(Notification.earlier_is_saved, Notification.is_saved),
    }
    return await _set(session, which, min(changes, default=0), restored)


_RESTORED = (
    Notification.id,
    Notification.hidden,
    Notification.deleted_at,
    Notification.folder,
    # A process of the previous version may have changed it, which did not record this.
    func.coalesce(Notification.earlier_folder, Notification.folder).label("earlier_folder"),
    Notification.is_saved,
    func.coalesce(Notification.earlier_is_saved, Notification.is_saved).label("earlier_is_saved"),
    Notification.read_at.is_not(None).label("is_read"),
    Notification.earlier_read_at.is_not(None).label("was_read"),
)
# The change that brings a notification to a folder: to the inbox, by where it comes from.
_TO_INBOX = {DONE: "undone", SNOOZED: "returned"}
# Whether a notification is read after a change that implies it.
_IMPLIED = {"done": True, "returned": False}


def _kinds_of_change(row: Any) -> list[str]:
    """The kinds of changes that describe this restoration to a client, in order."""
    kinds = ["restored"] if row.deleted_at is not None else []
    if row.folder != row.earlier_folder:
        kinds.append(
            _TO_INBOX[row.folder] if row.earlier_folder == IN_INBOX else row.earlier_folder
        )
    if row.is_saved != row.earlier_is_saved:
        kinds.append("saved" if row.earlier_is_saved else "unsaved")
    is_read = next((_IMPLIED[kind] for kind in kinds if kind in _IMPLIED), row.is_read)
    if is_read != row.was_read:
        kinds.append("read" if row.was_read else "unread")
    return kinds
