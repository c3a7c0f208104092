"""Acting in the inbox: on one notification, on a selection, and undoing it.

htmx receives the fragments that changed. A plain form receives the page again, and confirms a
deletion first, because a page without scripts cannot offer Undo at once.
"""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect
from app.language import _
from app.layout import fragment, page
from app.models import User
from app.notifications.inbox import bulk_actions, feed
from app.notifications.inbox.bulk_actions import BULK_ACTIONS, perform
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.open_rows import read_open_rows
from app.notifications.inbox.selection import MOST_IDS, Selection
from app.notifications.pages.bell import bell_fragments
from app.notifications.pages.listing import (
    Listing,
    listing_to_return_to,
    read_listing,
    view_listing,
)
from app.numbers import whole_number

PageOrRedirect = Response[str] | Response[None]


@post()
async def open_notification(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Response[None]:
    """Mark a notification as read and redirect to its subject."""
    async with db.act() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
        await feed.mark(session, user.id, Selection([notification_id]), read=True)
    return redirect(notice.target)


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
    if do == "delete" and _must_confirm(request, form):
        return await _confirm(request, listing, 1, [])
    async with db.act() as session:
        await feed.find(session, user.id, notification_id)
        done = await perform(session, user.id, do, Selection([notification_id]))
    if is_partial(request):
        return await _row(request, db, user, notification_id)
    return redirect(listing.url, done.message, undo_url=listing.undo_url(done.undo))


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
    selection = _selection(form, listing.filter)
    if selection.is_empty:
        return await _list(request, db, user, listing, _("Select some notifications first."))
    if do == "delete" and _must_confirm(request, form):
        async with db.read() as session:
            count = await feed.count(session, user.id, selection)
        return await _confirm(request, listing, count, [("do", do), *_pairs(selection)])
    async with db.act() as session:
        done = await perform(session, user.id, do, selection)
    return await _list(request, db, user, listing, done.message, done.undo)


@post(status_code=200)
async def undo(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> PageOrRedirect:
    """Undo a deletion. A row sends the token as a field, a flash in its URL."""
    fields = form if form["undo"] else request.query_params
    async with db.act() as session:
        done = await bulk_actions.undo(session, user.id, fields.get("undo", ""))
    listing = listing_to_return_to(request, user, fields)
    return await _list(request, db, user, listing, done.message)


async def answer_in_place(
    request: AnyRequest, db: Database, user: User, notification_id: int, url: str, text: str
) -> PageOrRedirect:
    """The response to a notification's button: its current row or, without scripts, `url`."""
    if is_partial(request):
        return await _row(request, db, user, notification_id, _flash(request, text))
    return redirect(url, text)


def _selection(form: Form, wanted: Filter) -> Selection:
    """The checked rows; with `all_matching` all that match, up to the newest that the page knew."""
    if form["all_matching"] == "1":
        return Selection(filter=wanted, up_to=whole_number(form["up_to"]) or 0)
    ids = [whole_number(one) for one in form.all("ids")[:MOST_IDS]]
    return Selection([one for one in ids if one])


def _pairs(selection: Selection) -> list[tuple[str, str]]:
    """The fields from which `_selection` reads it; those of the filter belong to the listing."""
    if selection.filter is not None:
        return [("all_matching", "1"), ("up_to", str(selection.up_to))]
    return [("ids", str(one)) for one in selection.ids]


def _must_confirm(request: AnyRequest, form: Form) -> bool:
    return not is_partial(request) and form["confirmed"] != "1"


async def _confirm(
    request: AnyRequest, listing: Listing, count: int, pairs: list[tuple[str, str]]
) -> Response[str]:
    return await page(
        request,
        "notifications/confirm_delete.html",
        count=count,
        action=request.url.path,
        pairs=[*pairs, *listing.pairs],
        cancel_url=listing.url,
    )


async def _list(
    request: AnyRequest, db: Database, user: User, listing: Listing, text: str, undo: str = ""
) -> PageOrRedirect:
    """The list as it is now, a flash and the bell; without scripts, a redirect to the page."""
    undo_url = listing.undo_url(undo)
    if not is_partial(request):
        return redirect(listing.url, text, undo_url=undo_url)
    context = await view_listing(db, user, listing)
    rows = fragment(request, "notifications/_rows.html", **context)
    rows.content += _flash(request, text, undo_url) + await bell_fragments(db, user)
    return rows


async def _row(
    request: AnyRequest, db: Database, user: User, notification_id: int, flash: str = ""
) -> Response[str]:
    """The row as it is now, a flash and the bell."""
    async with db.read() as session:
        [notice] = await read_open_rows(session, user.id, [notification_id])
    row = fragment(request, "notifications/_row.html", notice=notice)
    row.content += flash + await bell_fragments(db, user)
    return row


def _flash(request: AnyRequest, text: str, undo_url: str | None = None) -> str:
    flash = {"text": text, "undo_url": undo_url}
    return fragment(request, "notifications/_flash.html", flash=flash).content
