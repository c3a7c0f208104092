"""An administrator notifies every user."""

import httpx
import pytest
from sqlalchemy import update

from app.database import Database
from app.models import User
from tests.bell import newest_notices
from tests.conftest import post, sign_in

URL = "/admin/announcements"


@pytest.fixture
async def admin(db: Database, alice: User) -> User:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(is_admin=True))
    return alice


async def texts(db: Database, user: User) -> list[str]:
    async with db.read() as session:
        return [notice.text for notice in await newest_notices(session, user.id)]


async def test_every_other_user_gets_the_announcement(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User, carol: User
) -> None:
    await sign_in(client, admin)

    answer = await post(client, URL, title="Rest on Sunday", body="From 8 to 9.", url="")

    assert answer.status_code == 303
    assert await texts(db, bob) == await texts(db, carol) == ["Rest on Sunday"]
    assert await texts(db, admin) == []


@pytest.mark.parametrize(
    ("field", "value"), [("title", ""), ("title", "x" * 201), ("url", "javascript:alert(1)")]
)
async def test_an_invalid_announcement_comes_back_with_its_input(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User, field: str, value: str
) -> None:
    await sign_in(client, admin)

    typed = {"title": "Hello", "body": "A body that stays.", "url": ""} | {field: value}
    answer = await post(client, URL, **typed)

    assert answer.status_code == 422
    assert "A body that stays." in answer.text
    assert f'href="#{field}"' in answer.text
    assert await texts(db, bob) == []


async def test_only_administrators_may_send_one(
    client: httpx.AsyncClient, db: Database, admin: User, bob: User, carol: User
) -> None:
    await sign_in(client, bob)

    assert (await client.get(URL)).status_code == 404
    assert (await post(client, URL, title="Hello")).status_code == 404
    assert await texts(db, carol) == []
