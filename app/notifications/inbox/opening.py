"""Opening is reading (CONTRACT §5): a visit to a page marks as read the notifications that it opens.

A page opens those whose target it is, the page of a single notification opens that one, and a page
that only a mail links to opens those of its type. The reading pane opens those that it shows.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, true

from app.database import Database
from app.models import Notification
from app.notifications.events.catalogue import types_with_mailed_link
from app.notifications.inbox import acts, feed
from app.notifications.inbox.selection import Selection
from app.values.numbers import whole_number

PAGES_KEPT = 200
# Includes the redirect from that page to the link that the sender chose.
OWN_PAGE = re.compile(r"/notifications/(\d+)(?:/open)?")


async def open_page(db: Database, user_id: int, page: str) -> None:
    """Mark as read the user's notifications that this path opens, up to the newest one there is now.

    If there are none, it writes nothing, and so waits for no other writer.
    """
    if "\x00" in page:  # opens nothing, and PostgreSQL refuses to look for it
        return
    if not await db.fetch(_any_unread(page), user_id=user_id):
        return
    [[newest]] = await db.fetch(select(func.max(Notification.id)))
    async with db.act() as session:
        seen = and_(_opened_by(page), Notification.id <= newest)
        await acts.change(session, user_id, acts.reading(), seen)


async def open_shown(db: Database, user_id: int, ids: Sequence[int]) -> None:
    """Mark as read the user's notifications that the reading pane shows."""
    async with db.act() as session:
        await acts.change(session, user_id, acts.reading(), Selection(ids).clause)


def _opened_by(page: str) -> ColumnElement[bool]:
    """The condition on `Notification`; the user is not part of it."""
    if own := OWN_PAGE.fullmatch(page):
        return Notification.id == (whole_number(own[1]) or 0)
    if types := types_with_mailed_link(page):
        return and_(Notification.type.in_(types), feed.in_inbox)
    return Notification.target == page


@lru_cache(PAGES_KEPT)
def _any_unread(page: str) -> Select[int]:
    """Selects one unread notification that this path opens. Cached: building it takes longer than
    running it.
    """
    is_unread: ColumnElement[bool] = Notification.read_at.is_(None)
    if types_with_mailed_link(page):
        # Written so that it does not match the index of unread notifications, which SQLite might
        # prefer to the index by type.
        is_unread = is_unread == true()
    mine = Notification.user_id == bindparam("user_id"), feed.kept
    return select(Notification.id).where(*mine, is_unread, _opened_by(page)).limit(1)
