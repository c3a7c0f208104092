"""The inbox in JSON: list, count, show, mark and delete, in the shapes of the specification."""

import math
from typing import Annotated

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app import api
from app.api.answers import PAGED, TAGGED, page_links, unless_known
from app.api.shapes import Answer, Message, like
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import User
from app.notifications.api.selection import FilterQuery, filter_in
from app.notifications.events.catalogue import MEMBER_ADDED
from app.notifications.inbox import feed
from app.notifications.inbox.json_shapes import Deleted, NotificationObject, as_json
from app.notifications.inbox.selection import Selection
from app.rendering import zone_of

DEPRECATED = {"deprecated": True}


class InboxQuery(FilterQuery):  # type: ignore[misc, valid-type]
    page: Annotated[int, Meta(ge=1, description="A page beyond the last one is empty.")] = 1
    limit: Annotated[int, Meta(ge=1, le=100, description="Notifications per page.")] = 20
    offset: Annotated[
        int, Meta(ge=0, description="Ignored if `page` is sent.", extra_json_schema=DEPRECATED)
    ] = 0
    unread_only: Annotated[
        bool, Meta(description="Ignored if `status` is sent.", extra_json_schema=DEPRECATED)
    ] = False

    example = like(type=[MEMBER_ADDED.name], status="unread", date_range="week")


class InboxPage(Answer):
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


class UnreadCount(Answer):
    count: int

    example = like(count=3)


@api.get("/api/notifications", answers={304: None}, headers=TAGGED | PAGED)
async def index(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    asked: NamedDependency[InboxQuery],
) -> Response[InboxPage]:
    """List your notifications, newest first."""
    given = request.query_params
    if asked.unread_only and "status" not in given:
        asked = replace(asked, status="unread")
    wanted = filter_in(asked, zone_of(user))
    first = (asked.page - 1) * asked.limit if "page" in given else asked.offset
    async with db.read() as session:
        totals = await feed.count_totals(session, user.id, wanted)
        matching = totals.filtered_count
        notices = await feed.read_slice(session, user.id, wanted, first, asked.limit, matching)
    found = InboxPage(
        notifications=[as_json(notice) for notice in notices],
        unread_count=totals.unread_count,
        total=totals.total,
        filtered_count=matching,
        page=first // asked.limit + 1,
        per_page=asked.limit,
        pages=max(1, math.ceil(matching / asked.limit)),
    )
    return unless_known(request, found, page_links(request, found.page, found.pages))


@api.get("/api/notifications/unread-count", answers={304: None}, headers=TAGGED)
async def unread_count(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[UnreadCount]:
    """Count your unread notifications."""
    async with db.read() as session:
        count = await feed.unread_count(session, user.id)
    return unless_known(request, UnreadCount(count))


@api.get("/api/notifications/{notification_id:int}")
async def show(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> NotificationObject:
    """Show one notification. This does not mark it as read."""
    async with db.read() as session:
        return as_json(await feed.find(session, user.id, notification_id))


@api.post("/api/notifications/{notification_id:int}/read")
async def read(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Message:
    """Mark one notification as read."""
    async with db.act() as session:
        await _mark_one(session, user, notification_id, read=True)
    return Message(_("Notification marked as read"))


@api.post("/api/notifications/{notification_id:int}/unread")
async def unread(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Message:
    """Mark one notification as unread."""
    async with db.act() as session:
        await _mark_one(session, user, notification_id, read=False)
    return Message(_("Notification marked as unread"))


async def _mark_one(session: AsyncSession, user: User, notification_id: int, *, read: bool) -> None:
    await feed.find(session, user.id, notification_id)
    await feed.mark(session, user.id, Selection([notification_id]), read=read)


@api.delete("/api/notifications/{notification_id:int}")
async def delete(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Deleted:
    """Delete one notification."""
    async with db.act() as session:
        await feed.find(session, user.id, notification_id)
        count, undo = await feed.delete(session, user.id, Selection([notification_id]))
    return Deleted(_("Notification deleted"), count, undo)


routes = [index, unread_count, show, read, unread, delete]
