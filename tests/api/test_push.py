"""Browser push in JSON: subscribe, list, test, unsubscribe."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models import Delivery, PushSubscription, User
from app.notifications.channels.push.vapid_keys import read_keys
from app.settings import Settings
from tests.api.conftest import Program, key_of
from tests.application import browser, serving
from tests.conftest import sign_in
from tests.push_service import Browser

FCM = "https://fcm.googleapis.com/fcm/send/"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari"
)


async def subscribe(program: Program, name: str = "phone") -> httpx.Response:
    return await program.post("/api/push/subscribe", json=Browser(FCM + name).subscription)


async def the_device(db: Database) -> PushSubscription:
    async with db.read() as session:
        return (await session.scalars(select(PushSubscription))).one()


async def test_a_browser_subscribes_with_the_json_of_its_push_manager(
    settings: Settings, for_alice: Program, db: Database
) -> None:
    answer = await for_alice.post(
        "/api/push/subscribe",
        json=Browser(FCM + "phone").subscription,
        headers={"User-Agent": CHROME},
    )

    device = await the_device(db)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Push subscription saved", "subscription_id": device.id}
    assert device.name == "Chrome on Linux"
    assert device.vapid_key == read_keys(settings).public


async def test_a_browser_that_subscribes_for_two_at_once_is_one_device(
    for_alice: Program, for_bob: Program, db: Database
) -> None:
    browsers = [Browser(FCM + "phone").subscription for _tab in range(2)]

    answers = await asyncio.gather(
        *(
            program.post("/api/push/subscribe", json=given)
            for program in (for_alice, for_bob, for_alice, for_bob)
            for given in browsers
        )
    )

    assert {answer.status_code for answer in answers} == {200}
    await the_device(db)


async def test_devices_that_subscribe_at_once_have_different_names(
    for_alice: Program, db: Database
) -> None:
    await asyncio.gather(*(subscribe(for_alice, name) for name in ("a", "b", "c", "d")))

    async with db.read() as session:
        names = (await session.scalars(select(PushSubscription.name))).all()
    assert len(set(names)) == 4


async def test_a_subscription_from_a_page_belongs_to_its_session(
    client: httpx.AsyncClient, db: Database, alice: User
) -> None:
    await sign_in(client, alice)

    token = {"X-CSRF-Token": client.cookies["csrftoken"]}
    await client.post(
        "/api/push/subscribe", json=Browser(FCM + "phone").subscription, headers=token
    )

    assert (await the_device(db)).session_id
    await client.post("/logout", data={"_csrf_token": client.cookies["csrftoken"]})
    async with db.read() as session:
        assert (await session.scalars(select(PushSubscription))).all() == []


async def test_without_the_csrf_token_a_page_subscribes_nothing(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)

    answer = await client.post("/api/push/subscribe", json=Browser(FCM + "phone").subscription)

    assert answer.status_code == 403


async def test_a_page_asks_whether_its_subscription_still_exists(
    client: httpx.AsyncClient, for_bob: Program, alice: User
) -> None:
    await sign_in(client, alice)
    client.headers["X-CSRF-Token"] = client.cookies["csrftoken"]
    id = (await subscribe(client)).json()["subscription_id"]
    await subscribe(for_bob, "his")
    told = [await ask(client, "phone"), await ask(client, "his"), await ask(client, "")]

    await client.post(f"/account/notifications/devices/{id}/remove")

    assert told == ["enabled", "unknown", "unknown"]
    assert await ask(client, "phone") == "removed"


async def ask(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post("/push/subscription", data={"endpoint": FCM + name})
    return str(answer.json()["state"])


async def test_two_browsers_of_one_kind_get_different_names(
    for_alice: Program, db: Database
) -> None:
    for_alice.headers["User-Agent"] = CHROME
    for name in ("desk", "sofa", "desk"):
        await subscribe(for_alice, name)

    async with db.read() as session:
        names = (
            await session.scalars(select(PushSubscription.name).order_by(PushSubscription.id))
        ).all()
    assert names == ["Chrome on Linux", "Chrome on Linux 2"]


async def test_subscriptions_are_listed_as_the_specification_says(
    for_alice: Program, for_bob: Program
) -> None:
    id = (await subscribe(for_alice)).json()["subscription_id"]
    await subscribe(for_bob, "his")

    [listed] = (await for_alice.get("/api/push/subscriptions")).json()["subscriptions"]

    assert listed.pop("created_at").endswith("Z")
    assert listed == {"id": id, "endpoint": FCM + "phone", "last_used_at": None}


async def test_a_subscription_is_removed_by_its_endpoint(
    for_alice: Program, for_bob: Program
) -> None:
    await subscribe(for_alice)

    foreign = await for_bob.post("/api/push/unsubscribe", json={"endpoint": FCM + "phone"})
    own = await for_alice.post("/api/push/unsubscribe", json={"endpoint": FCM + "phone"})
    again = await for_alice.post("/api/push/unsubscribe", json={"endpoint": FCM + "phone"})

    assert [foreign.status_code, own.status_code, again.status_code] == [404, 200, 404]
    assert own.json() == {"message": "Push subscription removed"}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"endpoint": "https://127.0.0.1/push"}, {"endpoint"}),
        ({"endpoint": "https://fcm.googleapis.com/" + "x" * 3000}, {"endpoint"}),
        ({"endpoint": 5, "keys": {"p256dh": "AAAA"}}, {"endpoint", "keys.auth"}),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, {"keys.p256dh", "keys.auth"}),
        ({"keys": None}, {"keys"}),
        ({"user_id": 7}, {"user_id"}),
    ],
)
async def test_every_wrong_field_is_named(
    for_alice: Program, db: Database, change: dict[str, object], fields: set[str]
) -> None:
    sent = Browser(FCM + "phone").subscription | change

    answer = await for_alice.post("/api/push/subscribe", json=sent)

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == fields
    async with db.read() as session:
        assert (await session.scalars(select(PushSubscription))).all() == []


async def test_a_test_goes_to_every_device_of_the_user(
    for_alice: Program, for_bob: Program, db: Database
) -> None:
    await subscribe(for_alice, "phone")
    await subscribe(for_alice, "laptop")
    await subscribe(for_bob, "his")

    answer = await for_alice.post("/api/push/test")

    assert answer.json() == {"message": "Test push on its way to 2 devices", "count": 2}
    async with db.read() as session:
        made = (await session.scalars(select(Delivery))).all()
    assert [(one.channel, one.transactional) for one in made] == [("push", "push_test")] * 2


async def test_without_a_device_there_is_nothing_to_test(for_alice: Program) -> None:
    assert (await for_alice.post("/api/push/test")).status_code == 409


async def test_test_pushes_are_throttled(settings: Settings, db: Database, alice: User) -> None:
    limited = replace(settings, rate_limits=True)
    async with serving(limited) as application, browser(application) as program:
        program.headers["Authorization"] = f"Bearer {await key_of(db, alice)}"
        await subscribe(program)

        statuses = [(await program.post("/api/push/test")).status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]


async def test_a_read_token_cannot_subscribe(
    acting_for: Callable[..., Awaitable[Program]], alice: User
) -> None:
    reader = await acting_for(alice, "read")

    assert (await subscribe(reader)).status_code == 403
    assert (await reader.get("/api/push/subscriptions")).status_code == 200


@pytest.mark.parametrize("path", ["subscribe", "unsubscribe", "test"])
async def test_a_signed_out_caller_is_refused(nobody: Program, path: str) -> None:
    answer = await nobody.post(f"/api/push/{path}", json=Browser(FCM + "phone").subscription)

    assert answer.status_code == 401
