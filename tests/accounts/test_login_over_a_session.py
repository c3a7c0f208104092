"""One browser has one session: logging in or registering ends the one it had."""

import httpx
import pytest
from sqlalchemy import select

from app.accounts.sessions import find_session
from app.database import Database
from app.models import User, WebSession
from tests.conftest import post, sign_in
from tests.factories import PASSWORD


@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_a_login_ends_the_session_that_the_browser_had(
    db: Database, client: httpx.AsyncClient, alice: User, bob: User, name: str
) -> None:
    await sign_in(client, alice)
    old = client.cookies["session"]

    await post(client, "/login", login=name, password=PASSWORD)

    assert await find_session(db, old) is None
    found = await find_session(db, client.cookies["session"])
    assert found is not None
    assert found[0].username == name
    async with db.read() as session:
        assert len((await session.scalars(select(WebSession))).all()) == 1


async def test_a_registration_ends_it_too(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    old = client.cookies["session"]
    dora = {"username": "dora", "email": "dora@example.com", "password": "battery staple"}

    await post(client, "/register", **dora)

    assert await find_session(db, old) is None


async def test_a_wrong_password_ends_nothing(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    await post(client, "/login", login="bob", password="wrong")

    assert await find_session(db, client.cookies["session"]) is not None
