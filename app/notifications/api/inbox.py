"""The inbox in JSON: list, count and show, in the shapes of the specification."""

import dataclasses
from typing import Annotated, Literal

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from msgspec.structs import replace

from app.api.responses import ETAG, LINK, NOT_MODIFIED, conditional, page_links
from app.api.shapes import PageNumber, ResponseBody, like
from app.database import Database
from app.http import AnyRequest
from app.models import User
from app.notifications.api.selection import MOST_PER_PAGE, FilterQuery, filter_in, parameter
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.groups import read_group_page
from app.notifications.inbox.history import read_history
from app.notifications.inbox.json_shapes import (
    NotificationObject,
    as_json,
)
from app.notifications.inbox.searching import narrow, reading_search
from app.notifications.inbox.tallies import reading_groups
from app.notifications.inbox.totals import Totals, count_totals, count_views
from app.notifications.inbox.views import TABS
from app.values.numbers import GREATEST_ID, page_count

DEPRECATED = {"deprecated": True}


class InboxQuery(FilterQuery, kw_only=True):  # type: ignore[misc, valid-type, call-arg]
    page: PageNumber = 1
    limit: Annotated[int, parameter("Notifications per page.", ge=1, le=MOST_PER_PAGE)] = 20
    up_to_position: Annotated[
        int | None,
        parameter(
            "Leave out what arrived after this `position` of an earlier page, so that nothing"
            " repeats.",
            ge=0,
            le=GREATEST_ID,
        ),
    ] = None
    grouped: Annotated[
        bool,
        parameter(
            "List the newest notification of each group, with its `group`. `filtered_count`, `pages`"
            " and `limit` then count groups."
        ),
    ] = False
    offset: Annotated[int, parameter("Use `page` instead.", ge=0, schema_extra=DEPRECATED)] = 0
    unread_only: Annotated[bool, parameter("Use `status` instead.", schema_extra=DEPRECATED)] = (
        False
    )


class InboxPage(ResponseBody):
    """Newest first. `total` counts the inbox, `filtered_count` the matching notifications, or in a list
    of groups the matching groups.

    `position` is that of the last change to your notifications. The Link header names it, so that
    its pages go on from this one.
    """

    notifications: list[NotificationObject]
    unread_count: int
    total: int
    filtered_count: int
    page: int
    per_page: int
    pages: int
    position: int

    example = like(
        notifications=[NotificationObject.example],
        unread_count=3,
        total=50,
        filtered_count=10,
        page=1,
        per_page=20,
        pages=1,
        position=4711,
    )


class UnreadCount(ResponseBody):
    count: int

    example = like(count=3)


@get(
    dependencies={"inbox_query": Provide(InboxQuery, sync_to_thread=False)},
    responses=NOT_MODIFIED,
    response_headers=[ETAG, LINK],
)
async def index(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    inbox_query: NamedDependency[InboxQuery],
) -> Response[InboxPage]:
    """List your notifications, newest first.

    A parameter that may be repeated takes at most 50 different values.
    """
    given = request.query_params
    # Its default, "all", is not a status that was given: unread_only counts then.
    if "status" not in given:
        inbox_query = replace(inbox_query, status=None)
    wanted = filter_in(inbox_query, user)
    wanted = dataclasses.replace(wanted, up_to_position=inbox_query.up_to_position)
    first = (inbox_query.page - 1) * inbox_query.limit if "page" in given else inbox_query.offset
    read = _read_groups if inbox_query.grouped else _read_each
    totals, notices, matching = await read(db, user.id, wanted, first, inbox_query.limit)
    found = InboxPage(
        notifications=[as_json(notice) for notice in notices],
        unread_count=totals.unread_count,
        total=totals.total,
        filtered_count=matching,
        page=first // inbox_query.limit + 1,
        per_page=inbox_query.limit,
        pages=page_count(matching, inbox_query.limit),
        position=totals.position,
    )
    end = wanted.up_to_position
    links = page_links(
        request,
        found.page,
        found.pages,
        up_to_position=str(totals.position if end is None else end),
    )
    return conditional(request, found, links)


Read = tuple[Totals, list[Notice], int]


async def _read_each(db: Database, user_id: int, wanted: Filter, first: int, most: int) -> Read:
    async with reading_search(db, wanted, first) as session:
        wanted = await narrow(session, wanted)
        totals = await count_totals(session, user_id, wanted)
        matching = totals.filtered_count
        notices = await feed.read_slice(session, user_id, wanted, first, most, matching)
    return totals, notices, matching


async def _read_groups(db: Database, user_id: int, wanted: Filter, first: int, most: int) -> Read:
    async with reading_groups(db, wanted) as session:
        totals = await count_totals(session, user_id, Filter())
        narrowed = await narrow(session, wanted)
        page = await read_group_page(session, user_id, narrowed, first, most, totals)
    return totals, page.notices, page.count


@get(responses=NOT_MODIFIED, response_headers=[ETAG])
async def unread_count(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[UnreadCount]:
    """Count your unread notifications."""
    return conditional(request, UnreadCount(await feed.count_unread(db, user.id)))


@get()
async def show(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> NotificationObject:
    """Show one notification. This does not mark it as read."""
    async with db.short_read() as session:
        return as_json(await feed.find(session, user.id, notification_id))


class History(ResponseBody):
    """What it was before newer events with its `collapse_key`, newest first."""

    history: list[NotificationObject]

    example = like(history=[NotificationObject.example])


@get()
async def history(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> History:
    """List what a notification said before it was updated."""
    async with db.read() as session:
        return History(
            [as_json(one) for one in await read_history(session, user.id, notification_id)]
        )


class ViewCount(ResponseBody):
    total: int
    unread: int


class Summary(ResponseBody):
    """How many notifications each view holds."""

    views: dict[Literal[TABS], ViewCount]  # type: ignore[valid-type]

    example = like(views={name: {"total": 5, "unread": 2} for name in TABS})


@get(responses=NOT_MODIFIED, response_headers=[ETAG])
async def summary(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Summary]:
    """Count the notifications of each view."""
    counts = await count_views(db, user.id)
    return conditional(
        request, Summary({name: ViewCount(*count) for name, count in counts.items()})
    )
