"""The notifications page: a filtered list, twenty at a time. What is done in it: acts.py."""

import math
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, is_partial, redirect
from app.layout import fragment, page
from app.models import User
from app.notifications.inbox import feed
from app.notifications.inbox.feed import PER_PAGE
from app.notifications.inbox.filters import Filters, choices, read_filters
from app.notifications.inbox.open_rows import Held, count_newer, held_in, read_held
from app.numbers import whole_number
from app.rendering import zone_of


@get("/notifications")
async def inbox(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    """The page; a page that is open asks for its list, and says which rows it holds."""
    query = request.query_params
    try:
        filters = read_filters(query, zone_of(user))
    except Invalid as invalid:
        context = await read_list(db, user, Filters()) | {"errors": invalid.fields}
        return await page(request, "notifications/inbox.html", status=422, **context)
    if is_partial(request):
        context = await read_list(db, user, filters, query.get("page", ""), held_in(query))
        return fragment(request, "notifications/_rows.html", **context)
    context = await read_list(db, user, filters, query.get("page", ""))
    return await page(request, "notifications/inbox.html", **context)


@get("/notifications/{notification_id:int}")
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str] | Response[None]:
    """A notice's own address leads where the notice leads, or shows it; a GET marks nothing."""
    async with db.read() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
    if notice.target == f"/notifications/{notice.id}":
        return await page(request, "notifications/notice.html", notice=notice)
    return redirect(notice.target)


async def read_list(
    db: Database, user: User, filters: Filters, number: str = "", held: Held | None = None
) -> dict[str, Any]:
    """What `_rows.html` shows: page `number`, or the rows that are `held` as they are now."""
    async with db.read() as session:
        totals = await feed.count_totals(session, user.id, filters)
        newer = await count_newer(session, user.id, filters, held.up_to) if held else 0
        matching, at = totals.filtered_count - newer, whole_number(number) or 1
        notices = (
            await read_held(session, user.id, held.ids)
            if held
            else await feed.read_page(session, user.id, filters, at, matching)
        )
    return {
        "notices": notices,
        "filters": filters,
        "choices": choices(),
        "page": at,
        "pages": max(1, math.ceil(matching / PER_PAGE)),
        "newer": newer,
        "filtered_count": matching,
        "total": totals.total,
        "unread_count": totals.unread_count,
        "up_to": held.up_to if held else totals.up_to,
        "position": totals.position,
    }


routes = [inbox, show]
