"""Access tokens in JSON: create, list, revoke."""

from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from app.accounts.passwords import check_login
from app.accounts.throttles import throttle_login
from app.accounts.tokens import (
    NAME_LENGTH,
    READ,
    SCOPES,
    WRITE,
    create_token,
    revoke_token,
    tokens_of,
)
from app.api.problems import problems
from app.api.responses import LOCATION
from app.api.shapes import Message, RequestBody, ResponseBody, Text, like, whole_seconds
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import Token, User
from app.settings import Settings
from app.telemetry.security_log import record
from app.values.names import NAME_PATTERN

Scope: Any = Literal[SCOPES]


class NewToken(RequestBody):
    """`login` is a username or an email address."""

    login: Text
    password: Text
    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH, pattern=NAME_PATTERN)]
    scope: Scope = WRITE

    example = like(login="admin", password="correct horse", name="Backup script")  # noqa: S106


class TokenKey(ResponseBody):
    """The key of a new token. It is shown only this once."""

    token: str

    example = like(token="clippy_3q2Yk0N1c8m4o6Zf7aXbVtRjLhPdWgSsEeIiUuQqYw0")  # noqa: S106


class TokenInList(ResponseBody):
    """`last_used_at` is accurate to the minute."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None

    example = like(
        id=3,
        name="Backup script",
        scope=READ,
        created_at="2025-11-19T22:30:00Z",
        last_used_at=None,
    )


class TokenList(ResponseBody):
    tokens: list[TokenInList]

    example = like(tokens=[TokenInList.example])


@post(
    responses=problems(409, 429),
    response_headers=[LOCATION],
    is_public=True,
    exclude_from_csrf=True,
)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    data: JSONBody[NewToken],
) -> Response[TokenKey]:
    """Create an access token with your username and password.

    The token is shown only this once. A `read` token cannot change anything; the default is `write`.
    """
    login = data.login.strip()
    await throttle_login(request, db, settings, login)
    user = await check_login(db, login, data.password)
    async with db.act() as session:
        token, key = await create_token(session, user, name=data.name, scope=data.scope)
    record("token_created", user=user.username, token=token.id, scope=token.scope)
    return Response(TokenKey(key), headers={"Location": f"/api/tokens/{token.id}"})


@get()
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> TokenList:
    """List your access tokens, newest first."""
    async with db.read() as session:
        return TokenList([_in_list(token) for token in await tokens_of(session, user)])


@delete(status_code=200)
async def revoke(
    db: NamedDependency[Database], user: NamedDependency[User], token_id: FromPath[int]
) -> Message:
    """Revoke an access token permanently."""
    async with db.exclusive() as session:
        await revoke_token(session, user, token_id)
    record("token_revoked", user=user.username, token=token_id)
    return Message(_("Access token revoked"))


def _in_list(token: Token) -> TokenInList:
    used = token.last_used_at and whole_seconds(token.last_used_at)
    return TokenInList(token.id, token.name, token.scope, whole_seconds(token.created_at), used)
