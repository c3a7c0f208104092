"""/account/tokens: create, list and revoke access tokens."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.passwords import require_password
from app.accounts.throttles import throttle_password_check
from app.accounts.tokens import READ, WRITE, create_token, find_own, revoke_token, tokens_of
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import ask, page
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record
from app.values.names import isolate


@get()
async def tokens_page(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    return await _tokens(request, db, user)


@post(status_code=200)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    """Shows the key in this response, without a redirect, because it is stored nowhere."""
    await throttle_password_check(request, db, settings, user)
    try:
        await require_password(user, form.exact("password"))
        async with db.act() as session:
            token, key = await create_token(session, user, name=form["name"], scope=form["scope"])
    except Invalid as invalid:
        return await _tokens(request, db, user, status=422, typed=form, errors=invalid.fields)
    record("token_created", user=user.username, token=token.id, scope=token.scope)
    return await _tokens(request, db, user, key=key)


@get()
async def ask_to_revoke(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    token_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        token = await find_own(session, user, token_id)
    return await ask(
        request,
        question=_("Revoke '{name}'?").format(name=isolate(token.name)),
        explanation=_(
            "Programs that use this token lose access at once, and will need a new one. "
            "This cannot be undone."
        ),
        action=f"/account/tokens/{token_id}/revoke",
        button_label=_("Revoke"),
        cancel_url="/account/tokens",
    )


@post()
async def revoke(
    db: NamedDependency[Database], user: NamedDependency[User], token_id: FromPath[int]
) -> Response[Any]:
    async with db.exclusive() as session:
        await revoke_token(session, user, token_id)
    record("token_revoked", user=user.username, token=token_id)
    return redirect("/account/tokens", _("Access token revoked."))


async def _tokens(
    request: AnyRequest,
    db: Database,
    user: User,
    *,
    status: int = 200,
    key: str = "",
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[Any]:
    async with db.read() as session:
        tokens = await tokens_of(session, user)
    return await page(
        request,
        "accounts/tokens.html",
        status=status,
        tokens=tokens,
        key=key,
        scopes=[(READ, _("Read only")), (WRITE, _("Read and write"))],
        typed=typed,
        errors=errors or {},
    )
