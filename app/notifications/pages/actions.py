"""What is done in the inbox: to one notice, to those selected, to all that match; and undone.

Asked by htmx, an answer is the pieces that changed. Asked by a plain form, it is the page again,
and deleting asks first, because no script can offer Undo at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect
from app.language import _, ngettext
from app.layout import fragment, page
from app.models import User
from app.notifications.events.notices import Notice
from app.notifications.inbox import feed
from app.notifications.inbox.filters import FIELDS, Filters, read_filters
from app.notifications.inbox.open_rows import Gone, count_newer, held_in, read_held
from app.notifications.pages.bell import present
from app.notifications.pages.inbox import read_list
from app.numbers import whole_number
from app.rendering import zone_of

Answer = Response[str] | Response[None]
# The fields that say which page of the list is being looked at.
Place = Mapping[str, str]
ACTS = ("read", "unread", "delete")
MOST_IDS = 1000
LONGEST_CHOICE = 40


@post("/notifications/{notification_id:int}/open")
async def open_notice(
    db: NamedDependency[Database], user: NamedDependency[User], notification_id: FromPath[int]
) -> Answer:
    """Mark it read and go where it leads."""
    async with db.act() as session:
        notice = await feed.find(session, user.id, notification_id, also_hidden=True)
        await feed.mark(session, user.id, [notification_id], read=True)
    return redirect(notice.target)


@post("/notifications/{notification_id:int}/{do:str}", status_code=200)
async def act_on_one(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    notification_id: FromPath[int],
    do: FromPath[str],
) -> Answer:
    if do not in ACTS:
        raise NotFound
    if do == "delete" and _must_confirm(request, form):
        return await _confirm(request, form, 1, request.url.path)
    async with db.act() as session:
        notice = await feed.find(session, user.id, notification_id)
        _count, undo = await _act(session, user, do, [notification_id])
    if not is_partial(request):
        return _back(form, _done(do, 1), undo)
    return await _row(request, db, user, _after(notice, do, undo))


@post("/notifications/bulk", status_code=200)
async def act_on_many(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Answer:
    """The selected, or with `all_matching` everything the filters match up to `up_to`."""
    do, ids = form["do"], _ids(form)
    if do not in ACTS:
        raise Invalid({"do": _("Choose what to do with the selected notifications.")})
    filters, is_all = read_filters(form, zone_of(user)), form["all_matching"] == "1"
    if not ids and not is_all:
        return await _answer(request, db, user, form, _("Select some notifications first."))
    if do == "delete" and _must_confirm(request, form):
        count = await _count_matching(db, user, filters, form) if is_all else len(ids)
        return await _confirm(request, form, count, "/notifications/bulk")
    async with db.act() as session:
        if is_all:
            up_to = whole_number(form["up_to"]) or 0
            count, undo = await _act_on_matching(session, user, do, filters, up_to)
        else:
            count, undo = await _act(session, user, do, ids)
    return await _answer(request, db, user, form, _done(do, count), undo)


@post("/notifications/undo", status_code=200)
async def undo_deletion(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Answer:
    """Bring back what one deletion took; the token comes from a row or in the word's address."""
    token = form["undo"] or request.query_params.get("undo", "")
    async with db.act() as session:
        count = await feed.undo(session, user.id, token)
    text = ngettext("{n} notification brought back.", "{n} notifications brought back.", count)
    place: Place = form if form["undo"] else request.query_params
    return await _answer(request, db, user, place, text.format(n=count))


async def answer_in_place(
    request: AnyRequest, db: Database, user: User, notification_id: int, url: str, text: str
) -> Answer:
    """After what a notice asked for was done: its row as it is now; without scripts, on to `url`."""
    if not is_partial(request):
        return redirect(url, text)
    async with db.read() as session:
        [notice] = await read_held(session, user.id, [notification_id])
    return await _row(request, db, user, notice, _word(request, text))


async def _act(session: AsyncSession, user: User, do: str, ids: list[int]) -> tuple[int, str]:
    if do == "delete":
        return await feed.delete(session, user.id, ids)
    return await feed.mark(session, user.id, ids, read=do == "read"), ""


async def _act_on_matching(
    session: AsyncSession, user: User, do: str, filters: Filters, up_to: int
) -> tuple[int, str]:
    if do == "delete":
        return await feed.delete_matching(session, user.id, filters, up_to)
    return await feed.mark_matching(session, user.id, filters, up_to, read=do == "read"), ""


async def _count_matching(db: Database, user: User, filters: Filters, form: Form) -> int:
    async with db.read() as session:
        matching = (await feed.count_totals(session, user.id, filters)).filtered_count
        return matching - await count_newer(
            session, user.id, filters, whole_number(form["up_to"]) or 0
        )


def _ids(form: Form) -> list[int]:
    return [number for one in form.all("ids")[:MOST_IDS] if (number := whole_number(one))]


def _after(notice: Notice, do: str, undo: str) -> Notice | Gone:
    return Gone(notice.id, undo) if do == "delete" else replace(notice, is_read=do == "read")


async def _row(
    request: AnyRequest, db: Database, user: User, notice: Notice | Gone, word: str = ""
) -> Response[str]:
    """The one row, and the bell."""
    row = fragment(request, "notifications/_row.html", notice=notice)
    row.content += word + await present(request, db, user)
    return row


async def _answer(
    request: AnyRequest, db: Database, user: User, place: Place, text: str, undo: str = ""
) -> Answer:
    """The list as it is now, the word and the bell; without scripts, back to the page."""
    if not is_partial(request):
        return _back(place, text, undo)
    filters = read_filters(place, zone_of(user))
    context = await read_list(db, user, filters, place.get("page", ""), held_in(place))
    rows = fragment(request, "notifications/_rows.html", **context)
    word = _word(request, text, _undo_url(place, undo))
    rows.content += word + await present(request, db, user)
    return rows


def _word(request: AnyRequest, text: str, undo_url: str | None = None) -> str:
    return fragment(
        request, "notifications/_word.html", word={"text": text, "undo_url": undo_url}
    ).content


def _back(place: Place, text: str, undo: str) -> Response[None]:
    return redirect(_address(place), text, undo_url=_undo_url(place, undo))


def _address(place: Place) -> str:
    """The page of the list where the form stood."""
    chosen = _chosen(place)
    return "/notifications" + ("?" + urlencode(chosen) if chosen else "")


def _undo_url(place: Place, undo: str) -> str | None:
    """It says where it stands, for the word has no fields of the list."""
    return "/notifications/undo?" + urlencode({"undo": undo} | _chosen(place)) if undo else None


def _chosen(place: Place) -> dict[str, str]:
    """What is longer than anything our pages say does not fit into an address or a cookie."""
    said = {name: place.get(name, "") for name in (*FIELDS, "page")}
    return {
        name: value
        for name, value in said.items()
        if value not in ("", "1") and len(value) <= LONGEST_CHOICE
    }


def _must_confirm(request: AnyRequest, form: Form) -> bool:
    return not is_partial(request) and form["confirmed"] != "1"


async def _confirm(request: AnyRequest, form: Form, count: int, action: str) -> Response[str]:
    names = ("do", *FIELDS, "page", "up_to", "all_matching")
    context: dict[str, Any] = {
        "count": count,
        "action": action,
        "pairs": [(name, form[name]) for name in names if form[name]]
        + [("ids", one) for one in form.all("ids")[:MOST_IDS]],
        "cancel_url": _address(form),
    }
    return await page(request, "notifications/confirm_delete.html", **context)


def _done(do: str, count: int) -> str:
    sentences = {
        "read": ngettext(
            "{n} notification marked as read.", "{n} notifications marked as read.", count
        ),
        "unread": ngettext(
            "{n} notification marked as unread.", "{n} notifications marked as unread.", count
        ),
        "delete": ngettext("{n} notification deleted.", "{n} notifications deleted.", count),
    }
    return sentences[do].format(n=count)


routes = [open_notice, act_on_one, act_on_many, undo_deletion]
