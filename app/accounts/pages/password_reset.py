"""/forgot asks for a reset link by mail; /reset/{token} sets the new password."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.pages.login import sign_out
from app.accounts.passwords import read_reset, reset_password, send_reset
from app.accounts.throttles import throttle_reset
from app.accounts.validation import loggable
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect, without_referrer
from app.language import _
from app.layout import page
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record
from app.values.email_addresses import email_error


@get()
async def forgot_page(request: AnyRequest) -> Response[Any]:
    return await page(request, "accounts/forgot.html")


@post()
async def request_reset(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_reset(request, db, settings)
    if error := email_error(form["email"]):
        context = {"typed": form, "errors": {"email": error}}
        return await page(request, "accounts/forgot.html", status=422, **context)
    async with db.exclusive() as session:
        await send_reset(session, form["email"])
    record("password_reset_requested", user=loggable(form["email"]))
    text = _("If an account has this address, we have emailed a link to it.")
    return redirect("/login", text)


@get()
async def reset_page(
    request: AnyRequest, db: NamedDependency[Database], token: FromPath[str]
) -> Response[Any]:
    async with db.read() as session:
        owner = await read_reset(session, token)
    return await _reset_page(request, token, owner)


@post()
async def reset(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    token: FromPath[str],
    form: NamedDependency[Form],
) -> Response[Any]:
    try:
        user = await reset_password(db, token, form.exact("password"))
    except Invalid as invalid:
        async with db.read() as session:
            owner = await read_reset(session, token)
        return await _reset_page(request, token, owner, invalid)
    record("password_reset", user=user.username)
    text = _("Your password was changed. Log in with the new one.")
    return sign_out(settings, redirect("/login", text))


async def _reset_page(
    request: AnyRequest, token: str, owner: User, invalid: Invalid | None = None
) -> Response[Any]:
    response = await page(
        request,
        "accounts/reset.html",
        status=422 if invalid else 200,
        token=token,
        owner=owner,
        errors=invalid.fields if invalid else {},
    )
    return without_referrer(response)
