"""API clients for the cast. Every response they get is checked against the OpenAPI document."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from litestar import Litestar

from app.accounts.tokens import PREFIX
from app.database import Database
from app.models import Token, User
from app.security import hash_token
from tests.api.document import Document
from tests.application import browser

Program = httpx.AsyncClient


@pytest.fixture
async def document(app: Litestar) -> Document:
    async with browser(app) as nobody:
        return Document((await nobody.get("/api/openapi.json")).json())


@pytest.fixture
async def nobody(app: Litestar, document: Document) -> AsyncIterator[Program]:
    """A client without a token."""
    async with browser(app) as program:
        program.event_hooks["response"].append(document.check)
        yield program


@pytest.fixture
async def acting_for(
    app: Litestar, db: Database, document: Document
) -> AsyncIterator[Callable[..., Awaitable[Program]]]:
    """Creates clients that send the token of a user."""
    programs: list[Program] = []

    async def make(user: User, scope: str = "write") -> Program:
        program = browser(app)
        program.event_hooks["response"].append(document.check)
        program.headers["Authorization"] = f"Bearer {await key_of(db, user, scope)}"
        programs.append(program)
        return program

    yield make
    for program in programs:
        await program.aclose()


async def key_of(db: Database, user: User, scope: str = "write") -> str:
    """Of a token that is stored directly, so that its user is not notified of it."""
    key = f"{PREFIX}{secrets.token_urlsafe()}"
    async with db.write() as session:
        session.add(Token(user_id=user.id, name="test", scope=scope, token_hash=hash_token(key)))
    return key


@pytest.fixture
async def for_alice(acting_for: Callable[..., Awaitable[Program]], alice: User) -> Program:
    return await acting_for(alice)


@pytest.fixture
async def for_bob(acting_for: Callable[..., Awaitable[Program]], bob: User) -> Program:
    return await acting_for(bob)


@pytest.fixture
async def for_carol(acting_for: Callable[..., Awaitable[Program]], carol: User) -> Program:
    return await acting_for(carol)


async def newest(program: Program) -> int:
    """The id of the newest notification of the user."""
    found = await program.get("/api/notifications", params={"limit": 1})
    return int(found.json()["notifications"][0]["id"])
