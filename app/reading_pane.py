"""One notification in full: in the pane beside the list, or on a page of its own.

Opening is reading (CONTRACT §5): everything that the pane shows is marked as read.
"""

from dataclasses import dataclass, field, replace

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import NotFound
from app.http import AnyRequest, is_partial, redirect
from app.layout import fragment, page
from app.models import User
from app.notifications.events.notices import Notice, own_page
from app.notifications.inbox import feed
from app.notifications.inbox.groups import add_groups
from app.notifications.inbox.history import read_earlier
from app.notifications.inbox.open_groups import read_parts
from app.notifications.inbox.searching import narrow
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.totals import count_totals
from app.notifications.pages.listing import Listing, listing_to_return_to
from app.projects.compilations import has_video
from app.web.visits import Visits

MOST_PARTS = 20
MOST_EARLIER = 20


@dataclass(frozen=True)
class Opened:
    """`video` is the URL of the compilation that the notice is about, "" without one. `earlier` are
    the states of an updated notice before newer events. `is_listed` is False if the user has
    switched its type off in the app.
    """

    notice: Notice
    video: str = ""
    earlier: list[Notice] = field(default_factory=list)
    parts: list[Notice] = field(default_factory=list)
    group_url: str = ""
    is_listed: bool = True

    @property
    def unread(self) -> list[int]:
        return [one.id for one in [self.notice, *self.parts] if not one.is_read]


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    notification_id: FromPath[int],
) -> Response[str] | Response[None]:
    """Redirects to what the notification is about, or shows its text."""
    async with db.read() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
        if not notice.has_own_page:
            return redirect(notice.target)
        is_listed = await feed.count(session, user.id, Selection([notice.id])) == 1
        opened = replace(await _opened(session, user, notice), is_listed=is_listed)
    return await page(request, "notifications/notice.html", opened=opened, level=1, address="")


@get()
async def pane(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    visits: NamedDependency[Visits],
    notification_id: FromPath[int],
) -> Response[str] | Response[None]:
    """The notification for the pane, with the thread of its group unless `alone`.

    With `again`, an open pane refreshes itself, which marks nothing as read.
    """
    if not is_partial(request):
        return redirect(own_page(notification_id))
    asks_again = request.query_params.get("again") == "1"
    try:
        opened = await _open(request, db, user, notification_id)
    except NotFound:
        if not asks_again:
            raise
        return _fragment(request, notification_id, None)
    if opened.unread and not asks_again and request.method == "GET":
        await visits.note_shown(user.id, opened.unread)
    return _fragment(request, opened.notice.id, opened)


async def _open(request: AnyRequest, db: Database, user: User, notification_id: int) -> Opened:
    listing = listing_to_return_to(request, user, request.query_params)
    async with db.read() as session:
        notice = await feed.find(session, user.id, notification_id)
        if listing.is_grouped and not _is_alone(request):
            return await _open_group(session, user, listing, notice)
        return await _opened(session, user, notice)


async def _open_group(
    session: AsyncSession, user: User, listing: Listing, notice: Notice
) -> Opened:
    """The newest notice of the group with the others, as in the list; the notice alone if the list
    no longer has its group.
    """
    within = await narrow(session, listing.filter)
    totals = await count_totals(session, user.id, within)
    [row] = await add_groups(session, user.id, within, [notice], totals)
    newest = row if isinstance(row, Notice) and row.position >= notice.position else notice
    opened = await _opened(session, user, newest)
    if newest.group is None or newest.group.count == 1:
        return opened
    key = newest.group.key
    parts = await read_parts(session, user.id, within, key, MOST_PARTS)
    is_all = newest.group.count <= MOST_PARTS
    return replace(opened, parts=parts, group_url="" if is_all else listing.group_url(key))


async def _opened(session: AsyncSession, user: User, notice: Notice) -> Opened:
    """One notice, without a group."""
    video = await _video_of(session, user, notice)
    if not notice.updated_at:
        return Opened(notice, video)
    return Opened(notice, video, await read_earlier(session, user.id, notice.id, MOST_EARLIER))


async def _video_of(session: AsyncSession, user: User, notice: Notice) -> str:
    if not (notice.thumbnail_url and notice.project and notice.compilation_id):
        return ""
    if not await has_video(session, user, notice.compilation_id):
        return ""
    return f"/projects/{notice.project[0]}/compilations/{notice.compilation_id}"


def _fragment(request: AnyRequest, id: int, opened: Opened | None) -> Response[str]:
    address = f"{own_page(id)}/pane?again=1{'&alone=1' if _is_alone(request) else ''}"
    return fragment(request, "notifications/_pane.html", opened=opened, level=2, address=address)


def _is_alone(request: AnyRequest) -> bool:
    """Whether it is a part of a group that is open in the list."""
    return request.query_params.get("alone") == "1"
