"""The page behind a link that stops invitation mail, and the one-click request of mail clients.

The POSTs need no CSRF token: a mail client has none, and the signed URL is proof enough (RFC 8058).
A GET changes nothing, since mail scanners follow every link.
"""

from typing import Any

from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.http import AnyRequest, Form, without_referrer
from app.language import _
from app.layout import page
from app.mail.suppressions import StopLink, has_suppression, lift, read_stop_link, suppress
from app.security import Signer

OPEN = {"exclude_from_csrf": True}


@get()
async def show(
    request: AnyRequest,
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    token: FromPath[str],
) -> Response[str]:
    return await _show(request, db, read_stop_link(signer, token), token)


@post(status_code=200, opt=OPEN)
async def stop(
    request: AnyRequest,
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    form: NamedDependency[Form],
    token: FromPath[str],
) -> Response[Any]:
    link = read_stop_link(signer, token)
    async with db.exclusive() as session:
        await suppress(session, link)
    if form["List-Unsubscribe"]:
        return Response(_("Unsubscribed."), media_type=MediaType.TEXT)
    return await _show(request, db, link, token)


@post(status_code=200, opt=OPEN)
async def resume(
    request: AnyRequest,
    db: NamedDependency[Database],
    signer: NamedDependency[Signer],
    token: FromPath[str],
) -> Response[str]:
    link = read_stop_link(signer, token)
    async with db.exclusive() as session:
        await lift(session, link.mailbox_hash)
    return await _show(request, db, link, token)


async def _show(request: AnyRequest, db: Database, link: StopLink, token: str) -> Response[str]:
    async with db.read() as session:
        is_stopped = await has_suppression(session, link.mailbox_hash)
    response = await page(
        request,
        "teams/invitation_mail.html",
        token=token,
        address=link.masked,
        is_stopped=is_stopped,
    )
    return without_referrer(response)
