"""/account/tokens: keys for programs, made with the password, shown once, revoked."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.pages.login import origin
from app.accounts.passwords import require_password
from app.accounts.tokens import READ, WRITE, create_token, revoke_token, tokens_of
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.settings import Settings
from app.throttle import throttle


@get("/account/tokens")
async def tokens_page(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    return await _tokens(request, db, user)


@post("/account/tokens", status_code=200)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    """Answers with the key on the page: it is kept nowhere, so that nothing can lead back to it."""
    await throttle(db, settings, f"password-from:{origin(request)}", most=20, seconds=600)
    try:
        await require_password(user, form["password"])
        async with db.write() as session:
            _token, key = await create_token(session, user, name=form["name"], scope=form["scope"])
    except Invalid as invalid:
        return await _tokens(request, db, user, status=422, typed=form, errors=invalid.fields)
    return await _tokens(request, db, user, key=key)


@post("/account/tokens/{token_id:int}/revoke")
async def revoke(
    db: NamedDependency[Database], user: NamedDependency[User], token_id: FromPath[int]
) -> Response[Any]:
    async with db.write() as session:
        await revoke_token(session, user, token_id)
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
        scopes=[(READ, _("Read only")), (WRITE, _("Read and change"))],
        typed=typed,
        errors=errors or {},
    )


routes = [tokens_page, create, revoke]
