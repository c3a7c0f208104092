"""The notifications page: a filtered list, and a page for each notification."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, is_partial, redirect
from app.layout import fragment, page
from app.models import User
from app.notifications.inbox import feed
from app.notifications.pages.listing import Listing, read_listing, view_listing


@get()
async def inbox(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    """The inbox page, or only its list when an open page requests an update."""
    try:
        listing = read_listing(request, user, request.query_params)
    except Invalid as invalid:
        context = await view_listing(db, user, Listing()) | {"errors": invalid.fields}
        return await page(request, "notifications/inbox.html", status=422, **context)
    context = await view_listing(db, user, listing)
    if is_partial(request):
        return fragment(request, "notifications/_rows.html", **context)
    return await page(request, "notifications/inbox.html", **context)


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str] | Response[None]:
    """Redirects to what the notification is about, or shows its text. Marks nothing as read."""
    async with db.read() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
    if notice.target == f"/notifications/{notice.id}":
        return await page(request, "notifications/notice.html", notice=notice)
    return redirect(notice.target)
