"""The administrator's page."""

import httpx
import pytest
from sqlalchemy import update

from app.database import Database
from app.models import User
from app.notifications.delivery import retention
from tests.conftest import sign_in, text_of


@pytest.fixture
async def admin(db: Database, alice: User) -> User:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(is_admin=True))
    return alice


async def test_only_administrators_see_it(
    client: httpx.AsyncClient, admin: User, bob: User
) -> None:
    await sign_in(client, bob)
    assert (await client.get("/admin")).status_code == 404
    assert "Administration" not in (await client.get("/")).text

    await sign_in(client, admin)
    assert "Administration" in (await client.get("/")).text
    assert (await client.get("/admin")).status_code == 200


async def test_it_shows_what_the_nightly_clean_up_removed(
    client: httpx.AsyncClient, db: Database, admin: User
) -> None:
    await sign_in(client, admin)
    assert "No clean-up yet" in text_of(await client.get("/admin"))

    await retention.clean_up(db, 30)

    page = text_of(await client.get("/admin"))
    assert "No clean-up yet" not in page
    assert "Read notifications" in page


async def test_it_shows_that_no_worker_is_running(client: httpx.AsyncClient, admin: User) -> None:
    await sign_in(client, admin)

    assert "Worker Unavailable" in text_of(await client.get("/admin"))
