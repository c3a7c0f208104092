"""Acting in the inbox: on one notification, on a selection, and undoing it.

htmx receives the fragments that changed. A plain form receives the page again, and confirms a
deletion first, because a page without scripts cannot offer Undo at once.
"""

from dataclasses import dataclass, field, replace

from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect, split_url
from app.language import _
from app.layout import fragment, page
from app.models import User
from app.notifications.events.notices import own_page
from app.notifications.inbox import bulk_actions, feed
from app.notifications.inbox.bulk_actions import BULK_ACTIONS, SNOOZE, Done, perform, snooze
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.groups import add_groups
from app.notifications.inbox.open_groups import OpenGroups, open_groups_in, show_parts
from app.notifications.inbox.open_rows import RemovedRow, read_open_rows
from app.notifications.inbox.searching import narrow
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import read_end
from app.notifications.inbox.totals import count_totals
from app.notifications.inbox.views import INBOX_VIEW, VIEWS, View
from app.notifications.pages.bell import bell_fragments
from app.notifications.pages.listing import (
    Listing,
    listing_to_return_to,
    read_listing,
    view_listing,
)
from app.notifications.pages.selection_form import fields_of, groups_within, selection_of
from app.notifications.pages.snoozing import ask_until, must_ask_until
from app.rendering import zone_of
from app.values.numbers import whole_number

PageOrRedirect = Response[str] | Response[None]

# After these acts a notification's own page redirects to the list: the notification has left the
# inbox, or showing its page again would mark it as read.
LEAVING = {"done", SNOOZE, "delete", "unread"}


@post(status_code=200)
async def row_action(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    notification_id: FromPath[int],
    do: FromPath[str],
) -> PageOrRedirect:
    """Carry out one of the bulk actions on a single notification."""
    if do not in BULK_ACTIONS:
        raise NotFound
    listing = listing_to_return_to(request, user, form)
    way_back = own_page(notification_id) if _is_on_own_page(request) else listing.url
    selection = _row_selection(request, form, listing, notification_id)
    if do == "delete" and _must_confirm(request, form):
        async with db.read() as session:
            await feed.find(session, user.id, notification_id)
            count = await feed.count(session, user.id, selection)
        return await _confirm(request, listing, count, fields_of(selection), way_back)
    if do == SNOOZE and must_ask_until(request, user, form):
        row_id = f"#notice-{'part-' if _is_part(request) else ''}{notification_id}"
        target = row_id if _is_in_inbox(request) else ""
        action, pairs = _action(request), fields_of(selection)
        return await ask_until(request, user, form, listing, action, target, pairs, way_back)
    async with db.act() as session:
        await feed.find(session, user.id, notification_id)
        done = await _carry_out(session, user, form, do, selection)
    if is_partial(request):
        shown = _row_on_page(request, form, listing)
        row = await _row(request, db, user, notification_id, shown)
        return _with_undo(request, row, listing, done)
    url = listing.url if do in LEAVING else way_back
    return redirect(url, done.message, undo_url=listing.undo_url(done.undo))


@post(status_code=200)
async def bulk_action(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> PageOrRedirect:
    """Carry out a bulk action on the selection."""
    do, listing = form["do"], read_listing(request, user, form)
    if do not in BULK_ACTIONS:
        raise Invalid({"do": _("Choose what to do with the selected notifications.")})
    selection = selection_of(form, listing.filter)
    if selection.is_empty:
        text = _("Select some notifications first.")
        return await _list(request, db, user, listing, text, kind="problem")
    if do == "delete" and _must_confirm(request, form):
        async with db.read() as session:
            count = await feed.count(session, user.id, selection)
        pairs = [("do", do), *fields_of(selection)]
        return await _confirm(request, listing, count, pairs, listing.url)
    if do == SNOOZE and must_ask_until(request, user, form):
        pairs = [("do", do), *fields_of(selection)]
        action = _action(request)
        return await ask_until(request, user, form, listing, action, "#inbox", pairs, listing.url)
    async with db.act() as session:
        done = await _carry_out(session, user, form, do, selection)
    return await _list(request, db, user, listing, done.message, done.undo)


@post(status_code=200)
async def read_all(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> PageOrRedirect:
    """Mark all up to the position that the page knows as read; later ones stay unread."""
    async with db.act() as session:
        done = await bulk_actions.read_all(session, user.id, whole_number(form["seen"]) or 0)
    undo_url = Listing().undo_url(done.undo)
    if not is_partial(request):
        return redirect("/notifications", done.message, undo_url=undo_url)
    flash = _flash(request, done.message, undo_url, in_place=False)
    return Response(flash + await bell_fragments(db, user), media_type=MediaType.HTML)


@post(status_code=200)
async def undo(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> PageOrRedirect:
    """Undo an action. A row sends the token as a field, a flash in its URL."""
    fields = form if form["undo"] else request.query_params
    async with db.act() as session:
        done = await bulk_actions.undo(session, user.id, fields.get("undo", ""))
    listing = replace(listing_to_return_to(request, user, fields), open_groups=open_groups_in(form))
    return await _list(request, db, user, listing, done.message)


async def _carry_out(
    session: AsyncSession, user: User, form: Form, do: str, selection: Selection
) -> Done:
    if do == SNOOZE:
        return await snooze(session, user.id, selection, read_end(form, zone_of(user)))
    return await perform(session, user.id, selection, do)


async def answer_in_place(
    request: AnyRequest, db: Database, user: User, notification_id: int, url: str, text: str
) -> PageOrRedirect:
    """The response to a notification's button: its current row or, without scripts, `url`."""
    if is_partial(request):
        row = await _row(request, db, user, notification_id, RowOnPage())
        row.content += _flash(request, text)
        return row
    return redirect(url, text)


def _row_selection(
    request: AnyRequest, form: Form, listing: Listing, notification_id: int
) -> Selection:
    """A row of a list of groups stands for its group, unless it is one of a group's parts."""
    within = None if _is_part(request) else groups_within(form, listing.filter)
    return Selection([notification_id], groups_within=within)


def _is_part(request: AnyRequest) -> bool:
    return request.query_params.get("alone") == "1"


def _is_on_own_page(request: AnyRequest) -> bool:
    return request.query_params.get("own") == "1"


def _action(request: AnyRequest) -> str:
    """The URL to which a confirmation page posts."""
    return f"{request.url.path}{'?alone=1' if _is_part(request) else ''}"


def _must_confirm(request: AnyRequest, form: Form) -> bool:
    return not is_partial(request) and form["confirmed"] != "1"


async def _confirm(
    request: AnyRequest,
    listing: Listing,
    count: int,
    pairs: list[tuple[str, str]],
    cancel_url: str,
) -> Response[str]:
    return await page(
        request,
        "notifications/confirm_delete.html",
        count=count,
        action=request.url.path,
        pairs=[*pairs, *listing.pairs],
        cancel_url=cancel_url,
    )


async def _list(
    request: AnyRequest,
    db: Database,
    user: User,
    listing: Listing,
    text: str,
    undo: str = "",
    kind: str = "done",
) -> PageOrRedirect:
    """The present list, a flash and the bell; without scripts, a redirect to the page."""
    undo_url = listing.undo_url(undo)
    if not is_partial(request):
        return redirect(listing.url, text, kind=kind, undo_url=undo_url)
    context = await view_listing(db, user, listing)
    rows = fragment(request, "notifications/_list.html", **context)
    rows.content += _flash(request, text, undo_url, kind=kind) + await bell_fragments(db, user)
    return rows


@dataclass(frozen=True)
class RowOnPage:
    """How the page that asks shows the row: in which view, as a group of which notifications (if
    any) and with which groups open, or as a part of a group.
    """

    view: View = VIEWS[INBOX_VIEW]
    groups_within: Filter | None = None
    open_groups: OpenGroups = field(default_factory=OpenGroups)
    is_part: bool = False


def _row_on_page(request: AnyRequest, form: Form, listing: Listing) -> RowOnPage:
    is_part = _is_part(request)
    within = None if is_part else groups_within(form, listing.filter)
    return RowOnPage(listing.filter.view, within, listing.open_groups, is_part)


async def _row(
    request: AnyRequest, db: Database, user: User, notification_id: int, shown: RowOnPage
) -> Response[str]:
    """The present row (empty if the view no longer holds the notification) and the bell."""
    async with db.read() as session:
        [notice] = rows = await read_open_rows(session, user.id, [notification_id])
        if shown.groups_within is not None:
            wanted = await narrow(session, shown.groups_within)
            totals = await count_totals(session, user.id, Filter())
            rows = await add_groups(session, user.id, wanted, rows, totals)
            [notice] = await show_parts(session, user.id, wanted, rows, shown.open_groups)
    row = fragment(
        request,
        "notifications/_inbox_row.html",
        notice=notice,
        is_shown=isinstance(notice, RemovedRow) or shown.view.holds(notice),
        is_part=shown.is_part,
    )
    row.content += await bell_fragments(db, user)
    return row


def _with_undo(
    request: AnyRequest, row: Response[str], listing: Listing, done: Done
) -> Response[str]:
    """If the row is empty, because the notification has left the view, a flash offers Undo."""
    if not row.content.startswith("<li"):
        undo_url = listing.undo_url(done.undo)
        row.content += _flash(request, done.message, undo_url, in_place=_is_in_inbox(request))
    return row


def _is_in_inbox(request: AnyRequest) -> bool:
    """Whether the page that asks is the inbox."""
    parts = split_url(request.headers.get("HX-Current-URL", ""))
    return parts is not None and parts.path == "/notifications"


def _flash(
    request: AnyRequest,
    text: str,
    undo_url: str | None = None,
    *,
    kind: str = "done",
    in_place: bool = True,
) -> str:
    """`in_place`: the inbox is open, and its list will show what Undo restores."""
    flash = {"kind": kind, "text": text, "undo_url": undo_url, "in_place": in_place}
    return fragment(request, "notifications/_flash.html", flash=flash).content
