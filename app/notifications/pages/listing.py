"""The list that an inbox page shows, as the query string and the forms of the page describe it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, is_partial, with_query
from app.language import _
from app.models import User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.inbox.bell import bell_of
from app.notifications.inbox.feed import PER_PAGE
from app.notifications.inbox.filter_names import Names, read_names
from app.notifications.inbox.filters import GROUP_KEY, SEARCH, Filter, read_filter
from app.notifications.inbox.groups import add_groups, count_groups, read_group_page
from app.notifications.inbox.open_groups import OpenGroups, open_groups_in, show_parts
from app.notifications.inbox.open_rows import (
    OpenRows,
    RemovedRow,
    count_newer,
    open_rows_in,
    read_open_rows,
)
from app.notifications.inbox.saved_views import CountedView, count_saved_views, is_query_of
from app.notifications.inbox.searching import narrow
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import Overview, OwnView, Totals, read_overview, reading
from app.notifications.inbox.urgent import urgent_above, urgent_groups_above
from app.notifications.inbox.views import INBOX_VIEW, TABS, VIEWS, View
from app.notifications.pages.days import by_heading
from app.notifications.pages.filter_line import LIST, filter_line
from app.notifications.search.highlighting import highlight
from app.rendering import zone_of
from app.values.numbers import page_count, whole_number

WATERMARK = "up_to_position"


@dataclass(frozen=True)
class Tab:
    """A view above the list. `count` stops at 100."""

    label: str
    url: str
    count: int
    is_current: bool


@dataclass(frozen=True)
class Listing:
    """A page (from 1) of the matching notifications or groups, or the rows that are open in a
    browser.

    Pages after the first end at `up_to_position`, so that nothing repeats from one page to the
    next. (When an urgent row is read meanwhile, it moves back into the list, and rows after it
    shift.) `has_more_filters`: with all controls above it.
    """

    filter: Filter = field(default_factory=Filter)
    page: int = 1
    up_to_position: int | None = None
    open_rows: OpenRows | None = None
    open_groups: OpenGroups = field(default_factory=OpenGroups)
    wants_groups: bool = True
    has_more_filters: bool = False

    @property
    def is_grouped(self) -> bool:
        return self.wants_groups and GROUP_KEY not in self.filter.chosen

    @property
    def end(self) -> int | None:
        """The position after which it shows nothing; None for a list up to the present."""
        if self.up_to_position is None and self.open_rows:
            return self.open_rows.seen
        return self.up_to_position

    @property
    def is_as_in_bell(self) -> bool:
        """Whether it has the rows of the bell: the first of the whole inbox."""
        is_first = self.page == 1 and self.up_to_position is None and self.open_rows is None
        return is_first and self.filter.is_open

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The (name, value) pairs that describe it in a query string or a form."""
        page = [("page", str(self.page))] if self.page > 1 else []
        watermark = [] if self.up_to_position is None else [(WATERMARK, str(self.up_to_position))]
        return [*self.filter.pairs, *page, *watermark]

    @property
    def url(self) -> str:
        return with_query(LIST, self.pairs)

    @property
    def first_page_url(self) -> str:
        """The first page, up to the present, even if this page ends at an earlier position."""
        return replace(self, page=1, up_to_position=None).url

    @property
    def is_narrowed(self) -> bool:
        """Whether the list shows a part of its view."""
        return bool(self.filter.chosen.keys() - {"view"})

    @property
    def view_url(self) -> str:
        """All of the view, without a filter."""
        return _view_url(self.filter.view.name)

    def group_url(self, key: str) -> str:
        """The notifications of one of its groups."""
        chosen = {**self.filter.chosen, GROUP_KEY: (key,)}
        return Listing(replace(self.filter, chosen=chosen)).url

    def undo_url(self, token: str) -> str | None:
        """The address that undoes a deletion and shows this list again; None without a token."""
        return with_query(f"{LIST}/undo", [("undo", token), *self.pairs]) if token else None


def read_listing(request: AnyRequest, user: User, fields: Mapping[str, str]) -> Listing:
    """The listing in a query string or a form. Raises Invalid for wrong filter fields."""
    return Listing(
        filter=read_filter(fields, zone_of(user), user.id),
        page=whole_number(fields.get("page", "")) or 1,
        up_to_position=whole_number(fields.get(WATERMARK, "")),
        open_rows=open_rows_in(fields) if is_partial(request) else None,
        open_groups=open_groups_in(fields) if is_partial(request) else OpenGroups(),
        wants_groups=user.grouping,
        has_more_filters=fields.get("more") == "1",
    )


def listing_to_return_to(request: AnyRequest, user: User, fields: Mapping[str, str]) -> Listing:
    """The listing that the user came from, or the whole inbox if the fields do not describe one."""
    try:
        return read_listing(request, user, fields)
    except Invalid:
        return Listing(wants_groups=user.grouping)


async def view_listing(db: Database, user: User, listing: Listing) -> dict[str, Any]:
    """The context of `inbox.html` and its fragments."""
    async with _reading(db, listing) as session:
        found = await _read_contents(session, user, listing)
    wanted, totals, shown = listing.filter, found.overview.totals, found.shown
    own = await _count_own(db, user, wanted.zone, found.overview.own_views)
    seen = totals.position if listing.end is None else listing.end
    return {
        "bell": bell_of(user, totals, shown.notices) if listing.is_as_in_bell else None,
        "listing": listing,
        "tabs": _tabs(wanted, found.overview.tabs, own),
        "line": filter_line(wanted, found.names, user.language, is_open=listing.has_more_filters),
        "days": by_heading(found.rows, shown.urgent_count, zone_of(user), user.language),
        "pages": page_count(shown.count, PER_PAGE),
        "watermark": urlencode({WATERMARK: seen}),
        "newer": found.newer,
        "filtered_count": totals.filtered_count,
        "total": totals.total,
        "has_other": any(found.overview.tabs.values()),
        "unread_count": totals.unread_count,
        "seen": seen,
        "mark": partial(highlight, query=wanted.value_of(SEARCH)) if wanted.search.texts else None,
    }


def _reading(db: Database, listing: Listing) -> AbstractAsyncContextManager[AsyncSession]:
    if listing.has_more_filters:
        return db.read()
    if listing.is_grouped:
        return reading_groups(db, listing.filter)
    return reading(db, listing.filter, (listing.page - 1) * PER_PAGE)


async def _read_contents(session: AsyncSession, user: User, listing: Listing) -> "Contents":
    wanted, end = listing.filter, listing.end
    newer = 0 if end is None else await count_newer(session, user.id, wanted, end)
    bounded = await narrow(session, replace(wanted, up_to_position=end))
    overview = await read_overview(session, user.id, bounded)
    shown = await _read_rows(session, user, listing, bounded, overview.totals)
    rows = shown.rows
    if listing.is_grouped:
        rows = await show_parts(session, user.id, bounded, rows, listing.open_groups)
    names = await read_names(session, user.id, wanted, with_choices=listing.has_more_filters)
    return Contents(newer, overview, shown, rows, names)


async def _count_own(
    db: Database, user: User, zone: ZoneInfo, views: Sequence[OwnView]
) -> list[CountedView]:
    """In a read of its own, because that of the list may be a short one."""
    if not views:
        return []
    async with db.read() as session:
        return await count_saved_views(session, user, zone, views)


@dataclass(frozen=True)
class ShownRows:
    """The rows of one page of a list. The first `urgent_count` of them are shown above it as
    urgent. `count` is how many rows all pages have, without the urgent ones.
    """

    rows: Sequence[Notice | RemovedRow]
    count: int
    urgent_count: int = 0

    @property
    def notices(self) -> list[Notice]:
        """Those that are not removed."""
        return [row for row in self.rows if isinstance(row, Notice)]


@dataclass(frozen=True)
class Contents:
    """What one transaction reads of a list. `newer` is the number of notifications after its end;
    `rows` are those `shown`, with the parts of open groups; `names` are those in the filter.
    """

    newer: int
    overview: Overview
    shown: ShownRows
    rows: Sequence[Notice | RemovedRow]
    names: Names


async def _read_rows(
    session: AsyncSession, user: User, listing: Listing, wanted: Filter, totals: Totals
) -> ShownRows:
    read = _read_groups if listing.is_grouped else _read_notices
    return await read(session, user, listing, wanted, totals)


async def _read_groups(
    session: AsyncSession, user: User, listing: Listing, wanted: Filter, totals: Totals
) -> ShownRows:
    first = (listing.page - 1) * PER_PAGE
    keys = await urgent_groups_above(session, user, wanted)
    if opened := listing.open_rows:
        rows = await read_open_rows(session, user.id, opened.ids)
        rows = await add_groups(session, user.id, wanted, rows, totals)
        count = await count_groups(session, user.id, wanted, totals) - len(keys)
        return _in_view(wanted.view, opened, rows, count)
    page = await read_group_page(session, user.id, wanted, first, PER_PAGE, totals, keys)
    return ShownRows([*page.on_top, *page.notices], page.count, len(page.on_top))


async def _read_notices(
    session: AsyncSession, user: User, listing: Listing, wanted: Filter, totals: Totals
) -> ShownRows:
    urgent = await urgent_above(session, user, wanted)
    count = totals.filtered_count - len(urgent)
    if opened := listing.open_rows:
        rows = await read_open_rows(session, user.id, opened.ids)
        return _in_view(wanted.view, opened, rows, count)
    ids = [notice.id for notice in urgent]
    rest = await feed.read_page(session, user.id, wanted, listing.page, count, ids)
    on_top = urgent if listing.page == 1 else []
    return ShownRows([*on_top, *rest], count, len(on_top))


def _in_view(
    view: View, opened: OpenRows, rows: Sequence[Notice | RemovedRow], count: int
) -> ShownRows:
    """The open rows, each once, without those that the view no longer holds. Rows under "Urgent"
    stay there.
    """
    urgent = _by_id(view, rows[: opened.urgent_count])
    rest = _by_id(view, rows[opened.urgent_count :])
    return ShownRows(list((urgent | rest).values()), count, len(urgent))


def _by_id(view: View, rows: Sequence[Notice | RemovedRow]) -> dict[int, Notice | RemovedRow]:
    return {row.id: row for row in rows if isinstance(row, RemovedRow) or view.holds(row)}


def _tabs(wanted: Filter, counts: Mapping[str, int], saved: Sequence[CountedView]) -> list[Tab]:
    """The views, and then those that the user saved: what is shown is in one of them."""
    own = [
        Tab(
            view.name,
            f"{LIST}?{view.query}",
            view.unread_count,
            is_query_of(view.query, wanted),
        )
        for view in saved
    ]
    current = None if any(tab.is_current for tab in own) else wanted.view.name
    views = [
        Tab(_(VIEWS[name].label), _view_url(name), counts[name], name == current) for name in TABS
    ]
    return views + own


def _view_url(name: str) -> str:
    return with_query(LIST, [] if name == INBOX_VIEW else [("view", name)])
