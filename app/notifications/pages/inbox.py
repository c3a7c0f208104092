"""The notifications page: a filtered list to work through, with or without scripts."""

import math
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid, NotFound
from app.language import _, ngettext
from app.models import Account
from app.notifications import feed
from app.notifications.feed import PER_PAGE
from app.notifications.filters import FIELDS, Filters, choices, read_filters
from app.notifications.pages.bell import present
from app.rendering import zone_of
from app.web import AnyRequest, Form, fragment, is_partial, own_path, page, see

Answer = Response[str] | Response[None]
MOST_IDS = 1000


@get("/notifications")
async def inbox(
    request: AnyRequest, db: NamedDependency[Database], person: NamedDependency[Account]
) -> Response[str]:
    try:
        filters = read_filters(request.query_params, zone_of(person))
    except Invalid as invalid:
        context = await _list(db, person, Filters(), "1")
        return await page(
            request, "notifications/inbox.html", status=422, **context | {"errors": invalid.fields}
        )
    context = await _list(db, person, filters, request.query_params.get("page", "1"))
    if is_partial(request):
        return fragment(request, "notifications/_rows.html", **context)
    return await page(request, "notifications/inbox.html", **context)


@post("/notifications/{notification_id:int}/open")
async def open_notice(
    db: NamedDependency[Database], person: NamedDependency[Account], notification_id: FromPath[int]
) -> Answer:
    """Mark it read and go where it leads."""
    async with db.act() as session:
        notice = await feed.find(session, person.id, notification_id)
        await feed.mark(session, person.id, [notification_id], read=True)
    return see(notice.target)


@get("/notifications/{notification_id:int}")
async def show(
    db: NamedDependency[Database], person: NamedDependency[Account], notification_id: FromPath[int]
) -> Answer:
    """A notice's own address leads where the notice leads; a GET marks nothing."""
    async with db.read() as session:
        notice = await feed.find(session, person.id, notification_id)
    return see(notice.target)


@post("/notifications/{notification_id:int}/{do:str}", status_code=200)
async def act_on_one(
    request: AnyRequest,
    db: NamedDependency[Database],
    person: NamedDependency[Account],
    form: NamedDependency[Form],
    notification_id: FromPath[int],
    do: FromPath[str],
) -> Answer:
    if do not in ("read", "unread", "delete"):
        raise NotFound
    if do == "delete" and _must_confirm(request, form):
        return await _confirm(request, form, 1, f"/notifications/{notification_id}/delete")
    async with db.act() as session:
        notice = await feed.find(session, person.id, notification_id)
        undo = await _do(session, person, do, [notification_id])
    if not is_partial(request):
        return _back(form, _done(do, 1), undo)
    if do == "delete":
        notice = replace(notice, is_deleted=True, undo=undo)
    else:
        notice = replace(notice, is_read=do == "read")
    row = fragment(request, "notifications/_row.html", notice=notice)
    return _with_bell(row, await present(request, db, person))


@post("/notifications/bulk", status_code=200)
async def act_on_many(
    request: AnyRequest,
    db: NamedDependency[Database],
    person: NamedDependency[Account],
    form: NamedDependency[Form],
) -> Answer:
    """The selected, or with `all_matching` everything the filters match up to `up_to`."""
    do = form["do"]
    if do not in ("read", "unread", "delete"):
        raise Invalid({"do": _("Choose what to do with the selected notifications.")})
    filters = _filters_of(form, person)
    ids = [int(one) for one in form.all("ids")[:MOST_IDS] if one.isdigit() and len(one) < 19]
    is_all = form["all_matching"] == "1"
    if do == "delete" and _must_confirm(request, form):
        count = await _count_matching(db, person, filters) if is_all else len(ids)
        return await _confirm(request, form, count, "/notifications/bulk")
    async with db.act() as session:
        if is_all:
            count, undo = await _do_matching(session, person, do, filters, _whole(form["up_to"]))
        elif do == "delete":
            count, undo = await feed.delete(session, person.id, ids)
        else:
            count, undo = await feed.mark(session, person.id, ids, read=do == "read"), ""
    return await _answer(
        request,
        db,
        person,
        form,
        _done(do, count) if ids or is_all else _("Select some notifications first."),
        undo,
    )


@post("/notifications/undo", status_code=200)
async def undo_deletion(
    request: AnyRequest,
    db: NamedDependency[Database],
    person: NamedDependency[Account],
    form: NamedDependency[Form],
) -> Answer:
    token = form["undo"] or request.query_params.get("undo", "")
    async with db.act() as session:
        count = await feed.undo(session, person.id, token)
    text = ngettext("{n} notification brought back.", "{n} notifications brought back.", count)
    return await _answer(request, db, person, form, text.format(n=count), "")


async def _list(db: Database, person: Account, filters: Filters, number: str) -> dict[str, Any]:
    async with db.read() as session:
        totals = await feed.count_totals(session, person.id, filters)
        pages = max(1, math.ceil(totals.filtered_count / PER_PAGE))
        at = _whole(number) or 1
        notices = await feed.read_page(session, person.id, filters, at, totals.filtered_count)
    return {
        "notices": notices,
        "filters": filters,
        "choices": choices(),
        "page": at,
        "pages": pages,
        "filtered_count": totals.filtered_count,
        "total": totals.total,
        "unread_count": totals.unread_count,
        "up_to": totals.up_to,
        "position": totals.position,
    }


async def _do(session: Any, person: Account, do: str, ids: list[int]) -> str:
    if do == "delete":
        return (await feed.delete(session, person.id, ids))[1]
    await feed.mark(session, person.id, ids, read=do == "read")
    return ""


async def _do_matching(
    session: Any, person: Account, do: str, filters: Filters, up_to: int
) -> tuple[int, str]:
    if do == "delete":
        return await feed.delete_matching(session, person.id, filters, up_to)
    return await feed.mark_matching(session, person.id, filters, up_to, read=do == "read"), ""


async def _count_matching(db: Database, person: Account, filters: Filters) -> int:
    async with db.read() as session:
        return (await feed.count_totals(session, person.id, filters)).filtered_count


async def _answer(
    request: AnyRequest, db: Database, person: Account, form: Form, text: str, undo: str
) -> Answer:
    """The list as it is now and the word to go with it; without scripts, back to the page."""
    if not is_partial(request):
        return _back(form, text, undo)
    context = await _list(db, person, _filters_of(form, person), form["page"])
    rows = fragment(request, "notifications/_rows.html", **context)
    flash = {"text": text, "kind": "done", "undo_label": None, "undo_url": _undo_url(undo)}
    word = fragment(request, "components/_flash.html", flash=flash).content
    piece = f'<hx-partial hx-target="#flash" hx-swap="innerHTML">{word}</hx-partial>'
    return _with_bell(rows, piece + await present(request, db, person))


def _with_bell(answer: Response[str], pieces: str) -> Response[str]:
    answer.content += pieces
    return answer


def _back(form: Form, text: str, undo: str) -> Response[None]:
    """To the page of the list where the form stood."""
    chosen = {name: form[name] for name in (*FIELDS, "page") if form[name] not in ("", "1")}
    url = own_path("/notifications" + ("?" + urlencode(chosen) if chosen else ""))
    return see(url, text, undo_url=_undo_url(undo))


def _undo_url(undo: str) -> str | None:
    return f"/notifications/undo?undo={undo}" if undo else None


def _must_confirm(request: AnyRequest, form: Form) -> bool:
    """Where no script can offer Undo at once, deleting asks first."""
    return not is_partial(request) and form["confirmed"] != "1"


async def _confirm(request: AnyRequest, form: Form, count: int, action: str) -> Response[str]:
    names = ("do", *FIELDS, "page", "up_to", "all_matching")
    pairs = [(name, form[name]) for name in names if form[name]]
    pairs += [("ids", one) for one in form.all("ids")]
    return await page(
        request,
        "notifications/confirm_delete.html",
        count=count,
        action=action,
        pairs=pairs,
        cancel_url="/notifications",
    )


def _filters_of(form: Form, person: Account) -> Filters:
    return read_filters(form, zone_of(person))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


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


routes = [inbox, open_notice, show, act_on_one, act_on_many, undo_deletion]
