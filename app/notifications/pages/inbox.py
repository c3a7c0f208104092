"""The notifications page: a filtered list, the groups in it, and what a notification links to."""

from dataclasses import replace

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect
from app.layout import fragment, page
from app.models import User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.inbox.groups import add_groups
from app.notifications.inbox.open_groups import read_parts
from app.notifications.inbox.searching import narrow
from app.notifications.inbox.totals import count_totals
from app.notifications.pages.listing import (
    Listing,
    listing_to_return_to,
    read_listing,
    view_listing,
)
from app.notifications.preferences.switches import change

# Fragments that an open page requests besides its list, by the element that they replace.
FRAGMENTS = {
    "div#inbox-page": "notifications/_inbox.html",
    "div#more-filters": "notifications/_more_filters.html",
}


@get()
async def inbox(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    """The inbox page, or the part of it that an open page asks for."""
    try:
        listing = read_listing(request, user, request.query_params)
    except Invalid as invalid:
        context = await view_listing(db, user, Listing(wants_groups=user.grouping)) | {
            "errors": invalid.fields
        }
        return await page(request, "notifications/inbox.html", status=422, **context)
    context = await view_listing(db, user, listing)
    if is_partial(request):
        target = request.headers.get("HX-Target", "")
        part = FRAGMENTS.get(target, "notifications/_list.html")
        return fragment(request, part, **context)
    return await page(request, "notifications/inbox.html", **context)


@get()
async def group(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str] | Response[None]:
    """The notifications of a group, below its row; on a page of their own without scripts."""
    listing = listing_to_return_to(request, user, request.query_params)
    wanted = replace(listing.filter, up_to_position=listing.up_to_position)
    async with db.read() as session:
        head = await feed.find(session, user.id, notification_id)
        if not is_partial(request):
            return redirect(listing.group_url(head.group_key))
        within = await narrow(session, wanted)
        totals = await count_totals(session, user.id, within)
        [row] = await add_groups(session, user.id, within, [head], totals)
        is_open = request.query_params.get("hide") != "1"
        notices = await read_parts(session, user.id, within, head.group_key) if is_open else []
    if not isinstance(row, Notice) or row.group is None:
        raise NotFound
    return fragment(
        request, "notifications/_parts.html", id=head.id, group=row.group, notices=notices
    )


@post()
async def set_density(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[None]:
    """How close the rows stand, for this user on every device."""
    async with db.act() as session:
        await change(session, user, {"density": form["density"]})
    return redirect(listing_to_return_to(request, user, form).url)


@get()
async def follow_link(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Response[None]:
    """Redirects to the page that a notification links to, here or on another site."""
    async with db.read() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
    if notice.link is None:
        raise NotFound
    return redirect(notice.link.leads_to or notice.link.url)
