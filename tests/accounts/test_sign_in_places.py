"""A sign-in from a browser or network that is new to the account is reported by mail."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select, update

from app import clock
from app.accounts.sign_in_places import MOST_BROWSERS, find_browser, network_prefix, remember
from app.database import Database
from app.models import Delivery, Event, Notification, SignInPlace, User
from app.notifications.events.catalogue import ACCOUNT_SIGNED_IN_ELSEWHERE
from app.settings import Settings
from tests.application import browser, serving
from tests.conftest import post
from tests.factories import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DORA = {"username": "dora", "email": "dora@example.com", "password": "battery staple"}


@pytest.fixture
async def other(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Firefox, which no account has used yet."""
    async with browser(app) as one:
        one.headers["User-Agent"] = FIREFOX
        yield one


async def sign_in(client: httpx.AsyncClient, user: User) -> None:
    answer = await post(client, "/login", login=user.username, password=PASSWORD)
    assert answer.status_code == 303


async def told(db: Database, user: User) -> list[dict[str, str]]:
    """The facts of each sign-in that the user was notified of."""
    events = (
        select(Event.context)
        .join(Notification, Notification.event_id == Event.id)
        .where(Event.type == ACCOUNT_SIGNED_IN_ELSEWHERE.name, Notification.user_id == user.id)
        .order_by(Event.id)
    )
    async with db.read() as session:
        contexts = (await session.scalars(events)).all()
    return [{name: each[name] for name in ("device", "address")} for each in contexts]


async def test_a_new_browser_is_reported_by_mail_and_a_known_one_is_not(
    db: Database, client: httpx.AsyncClient, other: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    await post(client, "/logout")
    await sign_in(client, alice)
    assert len(await told(db, alice)) == 1

    await sign_in(other, alice)

    assert (await told(db, alice))[1:] == [{"device": "Firefox on Linux", "address": "127.0.0.1"}]
    async with db.read() as session:
        mails = (await session.scalars(select(Delivery).where(Delivery.channel == "email"))).all()
        hidden = (await session.scalars(select(Notification.hidden))).all()
    assert [(one.address, one.bundling) for one in mails] == [("alice@example.com", "alone")] * 2
    assert hidden == [True, True]


async def test_a_new_network_is_reported(app: Litestar, db: Database, alice: User) -> None:
    async with browser(app) as client:
        await sign_in(client, alice)
        for host in ("127.0.0.77", "203.0.113.7", "203.0.113.200"):
            elsewhere = httpx.ASGITransport(app, client=(host, 1))  # type: ignore[arg-type]
            async with httpx.AsyncClient(
                transport=elsewhere, base_url="http://testserver", cookies=client.cookies
            ) as moved:
                await sign_in(moved, alice)

    assert [each["address"] for each in await told(db, alice)] == ["127.0.0.1", "203.0.113.7"]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("a socket", ""),
    ],
)
def test_a_network_is_a_24_of_ipv4_and_a_48_of_ipv6(host: str, network: str) -> None:
    assert network_prefix(host) == network


async def test_registering_is_not_reported_and_makes_the_browser_known(
    db: Database, client: httpx.AsyncClient
) -> None:
    await post(client, "/register", **DORA)
    async with db.read() as session:
        dora = (await session.scalars(select(User))).one()

    await post(client, "/login", login="dora", password=DORA["password"])

    assert await told(db, dora) == []


async def test_a_browser_is_known_for_each_user_by_itself(
    db: Database, client: httpx.AsyncClient, alice: User, bob: User
) -> None:
    await sign_in(client, alice)
    device = client.cookies["device"]

    await sign_in(client, bob)

    assert client.cookies["device"] == device
    assert len(await told(db, bob)) == 1


async def test_a_token_and_a_new_password_are_no_sign_in(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    body = {"login": "alice", "password": PASSWORD, "name": "A program"}
    created = await client.post("/api/tokens", json=body, headers={"User-Agent": FIREFOX})
    client.cookies.delete("device")
    new = {"current_password": PASSWORD, "new_password": "battery staple"}
    changed = await post(client, "/account/password", **new)

    assert (created.status_code, changed.status_code) == (201, 303)
    assert len(await told(db, alice)) == 1


async def test_the_cookie_is_stored_nowhere_and_out_of_reach_of_scripts(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    answer = await post(client, "/login", login="alice", password=PASSWORD)

    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("device=")]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert len(client.cookies["device"]) >= 43
    async with db.read() as session:
        rows = (await session.scalars(select(SignInPlace))).all()
    assert client.cookies["device"] not in str([vars(row) for row in rows])


async def test_under_https_the_cookie_is_bound_to_the_host(settings: Settings, alice: User) -> None:
    secure = dataclasses.replace(settings, base_url="https://testserver")

    async with serving(secure) as app, browser(app, "https://testserver") as client:
        answer = await post(client, "/login", login="alice", password=PASSWORD)

    [cookie] = [one for one in answer.headers.get_list("set-cookie") if "-device=" in one]
    assert cookie.startswith("__Host-device=")
    assert "Secure" in cookie


async def test_browsers_not_seen_for_400_days_are_forgotten(
    db: Database, client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    long_ago = clock.now() - timedelta(days=401)
    async with db.write() as session:
        await session.execute(update(SignInPlace).values(last_seen_at=long_ago))

    await sign_in(client, alice)

    assert len(await told(db, alice)) == 2


async def test_the_browsers_known_for_an_account_are_limited_to_the_newest(
    db: Database, alice: User
) -> None:
    """Each has guesses of its own, and anybody can make many for an account of their own."""
    for n in range(MOST_BROWSERS + 5):
        async with db.write() as session:
            await remember(session, alice, device=f"device {n}", host="127.0.0.1")

    known = [await find_browser(db, "alice", f"device {n}") for n in range(MOST_BROWSERS + 5)]
    assert [n for n, row in enumerate(known) if row is None] == [0, 1, 2, 3, 4]


class TestThrottled:
    @pytest.fixture
    async def limited(self, settings: Settings) -> AsyncIterator[Litestar]:
        async with serving(dataclasses.replace(settings, rate_limits=True)) as app:
            yield app

    async def test_wrong_guesses_lock_out_no_known_browser(
        self, limited: Litestar, alice: User
    ) -> None:
        async with browser(limited) as known, browser(limited) as thief:
            await sign_in(known, alice)
            for _ in range(100):
                guess = await post(thief, "/login", login="alice", password="wrong")
            assert guess.status_code == 429

            answer = await post(known, "/login", login="alice@example.com", password=PASSWORD)

        assert answer.status_code == 303

    async def test_a_known_browser_has_no_more_guesses_than_others(
        self, limited: Litestar, alice: User
    ) -> None:
        async with browser(limited) as known:
            await sign_in(known, alice)
            guesses = [
                await post(known, "/login", login=login, password="wrong")
                for login in ("alice", "alice@example.com") * 6
            ]

        assert [guess.status_code for guess in guesses] == [422] * 10 + [429] * 2

    async def test_a_network_has_a_hundred_guesses_whichever_accounts_it_tries(
        self, limited: Litestar
    ) -> None:
        async with browser(limited) as thief:
            guesses = [
                await post(thief, "/login", login=f"user{number}", password="wrong")
                for number in range(101)
            ]

        assert [guess.status_code for guess in guesses] == [422] * 100 + [429]

    async def test_a_browser_known_for_another_account_counts_as_unknown(
        self, limited: Litestar, alice: User, bob: User
    ) -> None:
        async with browser(limited) as thief:
            await sign_in(thief, bob)
            for _ in range(11):
                guess = await post(thief, "/login", login="alice", password="wrong")

        assert guess.status_code == 429
