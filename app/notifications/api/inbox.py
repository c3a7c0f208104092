"""The inbox in JSON: list, count, show, mark and delete, in the shapes of the specification."""

import math
from typing import Annotated

from litestar import Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.responses import ETAG, LINK, NOT_MODIFIED, conditional, page_links
from app.api.shapes import Message, PageNumber, ResponseBody, like
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.notifications.api.selection import FilterQuery, filter_in, parameter
from app.notifications.inbox import feed
from app.notifications.inbox.json_shapes import Deleted, NotificationObject, as_json
from app.notifications.inbox.selection import Selection
from app.rendering import zone_of

DEPRECATED = {"deprecated": True}


class InboxQuery(FilterQuery, kw_only=True):  # type: ignore[misc, valid-type, call-arg]
    page: PageNumber = 1
    limit: Annotated[int, parameter("Notifications per page.", ge=1, le=100)] = 20
    offset: Annotated[int, parameter("Use `page` instead.", ge=0, schema_extra=DEPRECATED)] = 0
    unread_only: Annotated[bool, parameter("Use `status` instead.", schema_extra=DEPRECATED)] = (
        False
    )


class InboxPage(ResponseBody):
    """Newest first. `total` counts the inbox, `filtered_count` the matching notifications."""

    notifications: list[NotificationObject]
    unread_count: int
    total: int
    filtered_count: int
    page: int
    per_page: int
    pages: int

    example = like(
        notifications=[NotificationObject.example],
        unread_count=3,
        total=50,
        filtered_count=10,
        page=1,
        per_page=20,
        pages=1,
    )


class UnreadCount(ResponseBody):
    count: int

    example = like(count=3)


@get(
    "/api/notifications",
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
    """List your notifications, newest first."""
    given = request.query_params
    if inbox_query.unread_only and "status" not in given:
        inbox_query = replace(inbox_query, status="unread")
    wanted = filter_in(inbox_query, zone_of(user))
    first = (inbox_query.page - 1) * inbox_query.limit if "page" in given else inbox_query.offset
    async with db.read() as session:
        totals = await feed.count_totals(session, user.id, wanted)
        matching = totals.filtered_count
        notices = await feed.read_slice(
            session, user.id, wanted, first, inbox_query.limit, matching
        )
    found = InboxPage(
        notifications=[as_json(notice) for notice in notices],
        unread_count=totals.unread_count,
        total=totals.total,
        filtered_count=matching,
        page=first // inbox_query.limit + 1,
        per_page=inbox_query.limit,
        pages=max(1, math.ceil(matching / inbox_query.limit)),
    )
    return conditional(request, found, page_links(request, found.page, found.pages))


@get("/api/notifications/unread-count", responses=NOT_MODIFIED, response_headers=[ETAG])
async def unread_count(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[UnreadCount]:
    """Count your unread notifications."""
    async with db.read() as session:
        count = await feed.unread_count(session, user.id)
    return conditional(request, UnreadCount(count))


@get("/api/notifications/{notification_id:int}")
async def show(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> NotificationObject:
    """Show one notification. This does not mark it as read."""
    async with db.read() as session:
        return as_json(await feed.find(session, user.id, notification_id))


@post("/api/notifications/{notification_id:int}/read", status_code=200)
async def read(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Message:
    """Mark a notification as read."""
    async with db.act() as session:
        await _mark_one(session, user, notification_id, read=True)
    return Message(_("Notification marked as read"))


@post("/api/notifications/{notification_id:int}/unread", status_code=200)
async def unread(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Message:
    """Mark a notification as unread."""
    async with db.act() as session:
        await _mark_one(session, user, notification_id, read=False)
    return Message(_("Notification marked as unread"))


async def _mark_one(session: AsyncSession, user: User, notification_id: int, *, read: bool) -> None:
    await feed.find(session, user.id, notification_id)
    await feed.mark(session, user.id, Selection([notification_id]), read=read)


@delete("/api/notifications/{notification_id:int}", status_code=200)
async def destroy(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Deleted:
    """Delete a notification."""
    async with db.act() as session:
        await feed.find(session, user.id, notification_id)
        count, undo = await feed.delete(session, user.id, Selection([notification_id]))
    return Deleted(_("Notification deleted"), count, undo)


routes = [index, unread_count, show, read, unread, destroy]
