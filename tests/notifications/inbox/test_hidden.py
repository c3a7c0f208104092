"""Notifications that the app hides: only a mail or a push announces them and links to them."""

from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from app.database import Database
from app.models import Change, Notification, User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.events.event_type import IN_APP
from app.notifications.notify import notify
from tests.application import browser
from tests.conftest import csrf_header, sign_in
from tests.mailing import repeat
from tests.switching import set_switch


@pytest.fixture
async def hidden(db: Database, bob: User) -> int:
    """An invitation to bob, who has switched this type off in the app."""
    async with db.act() as session:
        await set_switch(session, bob, INVITATION_RECEIVED.name, IN_APP, wanted=False)
        facts: dict[str, Any] = {"inviter": "alice", "team_name": "Video Squad", "role": "editor"}
        await notify(session, INVITATION_RECEIVED, affected=bob, **facts)
    async with db.read() as session:
        return (await session.scalars(select(Notification.id))).one()


@pytest.fixture
async def as_bob(client: httpx.AsyncClient, bob: User) -> httpx.AsyncClient:
    await sign_in(client, bob)
    return client


async def test_it_is_in_no_list_and_no_count(as_bob: httpx.AsyncClient, hidden: int) -> None:
    listed = (await as_bob.get("/api/notifications")).json()

    assert (listed["total"], listed["unread_count"]) == (0, 0)


async def test_its_push_stays_on_the_screen_until_it_is_read(
    as_bob: httpx.AsyncClient, hidden: int
) -> None:
    asked = f"/push/unread?ids={hidden}"
    before = (await as_bob.get(asked)).json()
    read = await as_bob.post(f"/push/{hidden}/read", headers=csrf_header(as_bob))
    after = (await as_bob.get(asked)).json()

    assert before["unread"] == [hidden]
    assert read.status_code == 204
    assert after["unread"] == []


@pytest.mark.parametrize("ids", ["", "none", "²", "-1", "1.5", ",,", "9" * 30])
async def test_an_id_that_is_not_a_number_is_no_notice(as_bob: httpx.AsyncClient, ids: str) -> None:
    answer = await as_bob.get("/push/unread", params={"ids": ids})

    assert answer.json() == {"unread": [], "unread_count": 0}


async def test_a_screen_that_asks_learns_of_every_unread_notification(
    as_bob: httpx.AsyncClient, db: Database, bob: User, hidden: int
) -> None:
    await repeat(db, bob, 150)

    answer = await as_bob.get("/push/unread")

    assert answer.json()["unread_count"] == 150


async def test_reading_it_says_nothing_on_the_streams(
    as_bob: httpx.AsyncClient, db: Database, hidden: int
) -> None:
    await as_bob.post(f"/push/{hidden}/read", headers=csrf_header(as_bob))

    async with db.read() as session:
        assert list(await session.scalars(select(Change.kind))) == ["event"]


async def test_its_page_and_delivery_log_exist_for_its_recipient_only(
    app: Litestar, as_bob: httpx.AsyncClient, alice: User, hidden: int
) -> None:
    for page in (f"/notifications/{hidden}", f"/notifications/{hidden}/deliveries"):
        assert (await as_bob.get(page)).status_code in (200, 303)

    async with browser(app) as as_alice:
        await sign_in(as_alice, alice)
        for page in (f"/notifications/{hidden}", f"/notifications/{hidden}/deliveries"):
            assert (await as_alice.get(page)).status_code == 404
