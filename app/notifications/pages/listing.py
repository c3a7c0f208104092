"""The list that an inbox page shows, as the query string and the forms of the page describe it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, is_partial
from app.models import User
from app.notifications.inbox import feed
from app.notifications.inbox.feed import PER_PAGE
from app.notifications.inbox.filters import FIELDS, Filter, read_filter
from app.notifications.inbox.open_rows import (
    OpenRows,
    count_newer,
    open_rows_in,
    read_open_rows,
)
from app.numbers import whole_number
from app.rendering import zone_of


@dataclass(frozen=True)
class Listing:
    """A page (from 1) of the matching notifications, or the rows that are open in a browser."""

    filter: Filter = field(default_factory=Filter)
    page: int = 1
    open_rows: OpenRows | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The (name, value) pairs that describe it in a query string or a form."""
        return [*self.filter.pairs, *([("page", str(self.page))] if self.page > 1 else [])]

    @property
    def url(self) -> str:
        return _url("/notifications", self.pairs)

    @property
    def first_page_url(self) -> str:
        return replace(self, page=1).url

    def undo_url(self, token: str) -> str | None:
        """The address that undoes a deletion and shows this list again; None without a token."""
        return _url("/notifications/undo", [("undo", token), *self.pairs]) if token else None


def read_listing(request: AnyRequest, user: User, fields: Mapping[str, str]) -> Listing:
    """The listing in a query string or a form. Raises Invalid for wrong filter fields."""
    return Listing(
        filter=read_filter(fields, zone_of(user)),
        page=whole_number(fields.get("page", "")) or 1,
        open_rows=open_rows_in(fields) if is_partial(request) else None,
    )


def listing_to_return_to(request: AnyRequest, user: User, fields: Mapping[str, str]) -> Listing:
    """The listing that the user came from, or the whole inbox if the fields do not describe one."""
    try:
        return read_listing(request, user, fields)
    except Invalid:
        return Listing()


async def view_listing(db: Database, user: User, listing: Listing) -> dict[str, Any]:
    """The context of `_rows.html` and `_filters.html`."""
    wanted, page, opened = listing.filter, listing.page, listing.open_rows
    async with db.read() as session:
        totals = await feed.count_totals(session, user.id, wanted)
        newer = await count_newer(session, user.id, wanted, opened.up_to) if opened else 0
        matching = totals.filtered_count - newer
        notices = (
            await read_open_rows(session, user.id, opened.ids)
            if opened
            else await feed.read_page(session, user.id, wanted, page, matching)
        )
    return {
        "listing": listing,
        "fields": FIELDS,
        "notices": notices,
        "pages": max(1, math.ceil(matching / PER_PAGE)),
        "newer": newer,
        "filtered_count": matching,
        "total": totals.total,
        "unread_count": totals.unread_count,
        "up_to": opened.up_to if opened else totals.up_to,
    }


def _url(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
