"""The page behind a mail's unsubscribe link, and the one-click request of mail clients.

The POSTs need no CSRF token: a mail client has none, and the signed URL is proof enough (RFC 8058).
A GET changes nothing, since mail scanners follow every link.
"""

from typing import Any

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.http import AnyRequest, Form
from app.language import _, set_language
from app.layout import page
from app.notifications.channels.email.unsubscribe import (
    EVERYTHING,
    UnsubscribeLink,
    read_link,
    resume,
    stop,
)
from app.notifications.events.catalogue import TYPES
from app.values.email_addresses import masked

OPEN = {"exclude_from_csrf": True}


@get()
async def unsubscribe(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[str]:
    async with db.read() as session:
        link = await read_link(session, token)
    return await _show(request, link, token)


@post(status_code=200, opt=OPEN)
async def unsubscribe_now(
    request: AnyRequest,
    db: NamedDependency[Database],
    form: NamedDependency[Form],
    token: FromPath[str],
) -> Response[Any]:
    async with db.act() as session:
        link = await read_link(session, token)
        if form["scope"] == EVERYTHING:
            link = UnsubscribeLink(link.user, EVERYTHING)
        back = await stop(session, link)
    if form["List-Unsubscribe"]:
        return Response(_("Unsubscribed."), media_type=MediaType.TEXT)
    return await _show(request, link, token, back=back)


@post(status_code=200, opt=OPEN)
async def take_back(
    request: AnyRequest,
    db: NamedDependency[Database],
    form: NamedDependency[Form],
    token: FromPath[str],
) -> Response[str]:
    async with db.act() as session:
        link = await read_link(session, token)
        await resume(session, form["back"])
    return await _show(request, link, token, is_resumed=True)


async def _show(
    request: AnyRequest,
    link: UnsubscribeLink,
    token: str,
    *,
    back: str = "",
    is_resumed: bool = False,
) -> Response[str]:
    if not request.scope.get("user"):
        set_language(link.user.language)
    label = _(TYPES[link.scope].label) if link.scope in TYPES else ""
    return await page(
        request,
        "notifications/unsubscribe.html",
        token=token,
        label=label,
        address=masked(link.user.email),
        back=back,
        is_resumed=is_resumed,
    )
