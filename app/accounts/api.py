"""Access tokens for programs: made with name and password, listed, revoked."""

from datetime import datetime
from typing import Annotated, Literal

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import api
from app.accounts.pages.login import require_patience
from app.accounts.passwords import check_login
from app.accounts.tokens import (
    NAME_LENGTH,
    create_token,
    revoke_token,
    tokens_of,
)
from app.api.shapes import Answer, Message, Sent, Text, like, moment
from app.database import Database
from app.http import AnyRequest
from app.language import _
from app.models import Token, User
from app.settings import Settings

Scope = Literal["read", "write"]


class NewToken(Sent):
    """`login` is a username or an address."""

    login: Text
    password: Text
    name: Annotated[
        str, Meta(min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*\S[^\x00]*$")
    ]
    scope: Scope = "write"

    example = like(login="admin", password="correct horse", name="Backup script")  # noqa: S106


class TokenKey(Answer):
    """The key itself, told this once."""

    token: str

    example = like(token="clippy_3q2Yk0N1c8m4o6Zf7aXbVtRjLhPdWgSsEeIiUuQqYw0")  # noqa: S106


class TokenInList(Answer):
    """`last_used_at` is exact to the minute."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None

    example = like(
        id=3,
        name="Backup script",
        scope="read",
        created_at="2025-11-19T22:30:00Z",
        last_used_at=None,
    )


class TokenList(Answer):
    tokens: list[TokenInList]

    example = like(tokens=[TokenInList.example])


@api.post(
    "/api/tokens",
    status=201,
    problems={409, 429},
    headers={"Location": "Where this token can be revoked"},
    is_public=True,
    exclude_from_csrf=True,
)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    sent: NamedDependency[NewToken],
) -> Response[TokenKey]:
    """Make an access token with a name and a password.

    It is shown this once. A `read` token changes nothing; the default is `write`.
    """
    await require_patience(request, db, settings, sent.login)
    account = await check_login(db, sent.login, sent.password)
    async with db.write() as session:
        token, key = await create_token(session, account, name=sent.name, scope=sent.scope)
    return Response(TokenKey(key), headers={"Location": f"/api/tokens/{token.id}"})


@api.get("/api/tokens")
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> TokenList:
    """One's access tokens, the newest first."""
    async with db.read() as session:
        return TokenList([_in_list(token) for token in await tokens_of(session, user)])


@api.delete("/api/tokens/{token_id:int}")
async def revoke(
    db: NamedDependency[Database], user: NamedDependency[User], token_id: FromPath[int]
) -> Message:
    """Revoke an access token, for good."""
    async with db.write() as session:
        await revoke_token(session, user, token_id)
    return Message(_("Access token revoked"))


def _in_list(token: Token) -> TokenInList:
    used = token.last_used_at and moment(token.last_used_at)
    scope: Scope = "read" if token.scope == "read" else "write"
    return TokenInList(token.id, token.name, scope, moment(token.created_at), used)


routes = [create, index, revoke]
