"""Changing an address, and the pages behind the mailed links that confirm or cancel the change.

GET only shows a button, because mail scanners follow links. The links work without a login.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.account_lifecycle.onboarding import change_address, confirm_address
from app.accounts.addresses import (
    cancel_address_change,
    read_cancellation,
    read_confirmation,
)
from app.accounts.pages.account import show_account
from app.accounts.throttles import throttle_confirmation
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect, without_referrer
from app.language import _
from app.layout import page
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record


@post()
async def change(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_confirmation(db, settings, user)
    try:
        changed = await change_address(
            db, settings, user, email=form["email"], password=form.exact("password")
        )
    except Invalid as invalid:
        return await show_account(request, db, user, session_id, form, invalid)
    record("address_change_requested", user=user.username, email=form["email"])
    if changed.pending_email:
        text = _("Open the link that we emailed to {address}.")
        return redirect("/account", text.format(address=changed.pending_email))
    return redirect("/account", _("Your address was changed."))


@get()
async def confirm_page(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[Any]:
    async with db.read() as session:
        owner, address = await read_confirmation(session, token)
    return without_referrer(
        await page(request, "accounts/confirm.html", token=token, address=address, owner=owner)
    )


@post()
async def confirm(db: NamedDependency[Database], token: FromPath[str]) -> Response[Any]:
    async with db.act() as session:
        user = await confirm_address(session, token)
    record("address_confirmed", user=user.username, email=user.email)
    return redirect("/", _("Your address is confirmed."))


@get()
async def cancellation_page(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[Any]:
    async with db.read() as session:
        asking = await read_cancellation(session, token)
    return without_referrer(
        await page(request, "accounts/cancel_change.html", token=token, asking=asking)
    )


@post()
async def cancel(db: NamedDependency[Database], token: FromPath[str]) -> Response[Any]:
    async with db.exclusive() as session:
        user = await read_cancellation(session, token)
        await cancel_address_change(session, user)
    record("address_change_cancelled", user=user.username)
    text = _("Your address stays as it is. If you did not ask for the change, reset your password.")
    return redirect("/forgot", text)
