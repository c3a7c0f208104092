"""What mailed links open: a new password, a confirmed address.

A GET only shows a button, because mail scanners follow links.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.addresses import confirm_address, read_confirmation
from app.accounts.pages.login import go_out, origin
from app.accounts.passwords import read_reset, reset_password, send_reset
from app.broker import Broker
from app.broker.relay import CHANGES
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect, without_referrer
from app.language import _
from app.layout import page
from app.models import User
from app.settings import Settings
from app.throttle import throttle


@get("/forgot")
async def forgot_page(request: AnyRequest) -> Response[Any]:
    return await page(request, "accounts/forgot.html")


@post("/forgot")
async def ask_for_reset(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    form: NamedDependency[Form],
) -> Response[Any]:
    address = form["email"]
    await throttle(db, settings, f"forgot-from:{origin(request)}", most=20, seconds=3600)
    await throttle(db, settings, f"forgot:{address.casefold()}", most=5, seconds=3600)
    async with db.write() as session:
        await send_reset(session, address)
    broker.relay.poke(CHANGES)
    sentence = _("If there is an account with this address, a link is on its way to it.")
    return redirect("/login", sentence)


@get("/reset/{token:str}")
async def reset_page(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[Any]:
    async with db.read() as session:
        account = await read_reset(session, token)
    return await _reset(request, token, account)


@post("/reset/{token:str}")
async def reset(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    token: FromPath[str],
    form: NamedDependency[Form],
) -> Response[Any]:
    try:
        account = await reset_password(db, token, form["password"])
    except Invalid as invalid:
        async with db.read() as session:
            account = await read_reset(session, token)
        return await _reset(request, token, account, invalid)
    return go_out(
        settings, redirect("/login", _("Your password is changed. Log in with the new one."))
    )


async def _reset(
    request: AnyRequest, token: str, account: User, invalid: Invalid | None = None
) -> Response[Any]:
    answer = await page(
        request,
        "accounts/reset.html",
        status=422 if invalid else 200,
        token=token,
        account=account,
        errors=invalid.fields if invalid else {},
    )
    return without_referrer(answer)


@get("/confirm/{token:str}")
async def confirm_page(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[Any]:
    async with db.read() as session:
        _account, address = await read_confirmation(session, token)
    return without_referrer(
        await page(request, "accounts/confirm.html", token=token, address=address)
    )


@post("/confirm/{token:str}")
async def confirm(
    db: NamedDependency[Database], broker: NamedDependency[Broker], token: FromPath[str]
) -> Response[Any]:
    async with db.act() as session:
        await confirm_address(session, token)
    broker.relay.poke(CHANGES)
    return redirect("/", _("Your address is confirmed."))


routes = [forgot_page, ask_for_reset, reset_page, reset, confirm_page, confirm]
