"""A new channel is a folder and a line in CHANNELS: everything else reads its description."""

import json
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import update

from app import clock
from app.database import Database
from app.installation import Installation
from app.models import Delivery, Team, User
from app.notifications import channels
from app.notifications.delivery import outbox
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.inbox import acts
from app.settings import Settings
from tests.conftest import post, sign_in, text_of
from tests.factories import make_team
from tests.mailing import change_deliveries, deliveries, make_due, share
from tests.notifications.channels.toy.channel import Radio
from tests.notifications.conftest import Hands
from tests.switching import set_switch

URL = "/api/notification-preferences"
SHARED = "Project 'Highlight Reel' was shared with team 'Video Squad'"


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with one channel more."""
    monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, Radio))
    return replace(settings, metrics_token="secret")


@pytest.fixture
def radio(installation: Installation) -> Radio:
    channel = installation.channels["radio"]
    assert isinstance(channel, Radio)
    return channel


@pytest.fixture
async def squad(db: Database, alice: User, bob: User) -> Team:
    return await make_team(db, alice, editors=[bob])


async def listen(db: Database, user: User) -> None:
    """Shared projects are to be read out in this user's room."""
    async with db.act() as session:
        await set_switch(session, user, PROJECT_SHARED.name, "radio", wanted=True)


async def on_air(db: Database) -> list[Delivery]:
    return [one for one in await deliveries(db) if one.channel == "radio"]


async def test_it_delivers_through_the_outbox_and_tries_again(
    db: Database, radio: Radio, alice: User, bob: User, squad: Team
) -> None:
    await listen(db, bob)
    await share(db, alice, squad)
    radio.is_empty = True
    await outbox.deliver(db, radio)

    [waiting] = await on_air(db)
    assert (waiting.state, waiting.attempts, waiting.failure) == ("pending", 1, "battery_empty")
    assert (waiting.address, waiting.host) == ("the room of bob", "the room of bob")

    radio.is_empty = False
    await make_due(db)
    await outbox.deliver(db, radio)

    [sent] = await on_air(db)
    assert (sent.state, sent.attempts, sent.failure) == ("sent", 2, None)
    assert radio.heard == [SHARED]


async def test_users_without_it_get_no_delivery(
    db: Database, radio: Radio, alice: User, squad: Team
) -> None:
    await share(db, alice, squad)

    assert await on_air(db) == []


async def test_notifications_read_since_are_not_sent(
    db: Database, radio: Radio, alice: User, bob: User, squad: Team
) -> None:
    await listen(db, bob)
    await share(db, alice, squad)
    async with db.act() as session:
        await acts.read_all(session, bob.id)

    await outbox.deliver(db, radio)

    [skipped] = await on_air(db)
    assert (skipped.state, skipped.reason, radio.heard) == ("skipped", "read", [])


async def test_the_delivery_log_shows_it_in_its_own_words(
    client: httpx.AsyncClient, db: Database, radio: Radio, alice: User, bob: User, squad: Team
) -> None:
    await listen(db, bob)
    await share(db, alice, squad)
    radio.is_empty = True
    await outbox.deliver(db, radio)
    [waiting] = await on_air(db)
    await sign_in(client, bob)

    page = text_of(await client.get(f"/notifications/{waiting.notification_id}/deliveries"))

    assert "Radio the room of bob" in page
    assert "Tried 1 time so far. The battery of the room of bob is empty." in page


async def test_a_dead_letter_of_it_is_listed_and_can_be_redelivered(
    client: httpx.AsyncClient, db: Database, radio: Radio, alice: User, bob: User, squad: Team
) -> None:
    await listen(db, bob)
    await share(db, alice, squad)
    radio.is_empty = True
    for _ in range(len(radio.pauses) + 1):
        await make_due(db)
        await outbox.deliver(db, radio)
    await make_admin(db, alice)
    await sign_in(client, alice)
    page = text_of(await client.get("/admin/deliveries"))
    assert "the room of bob (bob)" in page
    assert "3 attempts · The battery of the room of bob is empty." in page

    radio.is_empty = False
    await post(client, "/admin/deliveries", all="1")
    await outbox.deliver(db, radio)

    assert radio.heard == [SHARED]


async def make_admin(db: Database, user: User) -> None:
    async with db.write() as session:
        await session.execute(update(User).where(User.id == user.id).values(is_admin=True))


async def test_the_admin_page_and_the_metrics_count_it(
    client: httpx.AsyncClient,
    db: Database,
    radio: Radio,
    alice: User,
    bob: User,
    squad: Team,
    hands: Hands,
) -> None:
    hands.set(clock.now())
    await listen(db, bob)
    await share(db, alice, squad)
    await change_deliveries(db, Delivery.channel != "radio", state="skipped")
    await make_admin(db, alice)
    await sign_in(client, alice)

    page = text_of(await client.get("/admin"))
    metrics = (await client.get("/metrics", headers={"Authorization": "Bearer secret"})).text

    assert "Radio 1 for 0 seconds 0 0 0 0" in page
    assert 'clippyfront_deliveries_due{channel="radio"} 1.0' in metrics


async def test_the_archive_has_its_deliveries_and_what_its_user_chose(
    client: httpx.AsyncClient, db: Database, radio: Radio, alice: User, bob: User, squad: Team
) -> None:
    await listen(db, bob)
    await share(db, alice, squad)
    await outbox.deliver(db, radio)
    await sign_in(client, bob)

    archive = (await client.get("/account/export")).json()

    told = {(one["channel"], one["address"], one["state"]) for one in archive["deliveries"]}
    assert ("radio", "the room of bob", "sent") in told
    assert "radio" in json.dumps(archive["preferences"])


async def test_the_preferences_page_offers_it(client: httpx.AsyncClient, bob: User) -> None:
    await sign_in(client, bob)

    page = await client.get("/account/notifications")

    assert "Radio" in text_of(page)


async def test_the_json_of_preferences_has_it(
    client: httpx.AsyncClient, db: Database, bob: User
) -> None:
    await sign_in(client, bob)
    wanted = {PROJECT_SHARED.name: {"radio": True}}
    token = {"X-CSRF-Token": client.cookies["csrftoken"]}

    changed = await client.put(URL, json={"preferences": wanted}, headers=token)

    assert changed.status_code == 200
    chosen = (await client.get(URL)).json()["preferences"]
    assert chosen[PROJECT_SHARED.name]["radio"] is True
    assert {one["radio"] for name, one in chosen.items() if name != PROJECT_SHARED.name} == {False}
