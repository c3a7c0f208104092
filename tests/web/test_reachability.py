"""A server that others can reach accepts no demo password, throttles, and hides local pages."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from app.accounts.tokens import create_token
from app.accounts.validation import DEMO_PASSWORD
from app.cli import demo
from app.database import Database
from app.models import Throttle, Token, User, WebSession
from app.security import hash_password
from app.settings import ROOT, Settings, load
from tests.application import browser, serving
from tests.conftest import post, text_of
from tests.setups import environ_of

FORWARDED = [{"Forwarded": "for=203.0.113.5"}, {"X-Forwarded-For": "203.0.113.5"}]
FORWARDED += [{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Host": "clips.example.com"}]
LOCAL_PAGES = ("/dev/mail", "/dev/patterns", "/metrics")


@pytest.fixture
def alone(settings: Settings) -> Settings:
    """An installation that only this machine can reach, with nothing chosen."""
    return replace(settings, base_url="http://127.0.0.1:8000", rate_limits=None)


@asynccontextmanager
async def visiting(settings: Settings, headers: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(settings) as app, browser(app) as client:
        client.headers.update(headers)
        yield client


@pytest.fixture
async def alice(db: Database, alice: User) -> User:
    """She still has the password of the demo."""
    password_hash = await hash_password(DEMO_PASSWORD)
    async with db.write() as session:
        await session.execute(update(User).values(password_hash=password_hash))
    return alice


@pytest.mark.parametrize(
    ("environ", "is_reachable"),
    [
        ({}, False),
        ({"HOST": "localhost"}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "192.168.1.7"}, True),
        ({"BASE_URL": "https://clips.example.com"}, True),
        ({"BASE_URL": "http://localhost:9000"}, False),
    ],
)
def test_host_and_base_url_say_who_can_reach_it_and_whether_there_is_a_demo(
    settings: Settings, environ: dict[str, str], is_reachable: bool
) -> None:
    read = load({"DATA_DIR": str(settings.data_dir)} | environ)

    assert (read.is_reachable, read.demo) == (is_reachable, not is_reachable)


def test_there_is_no_demo_by_default_with_postgresql(settings: Settings) -> None:
    url = "postgresql+psycopg://localhost/clippyfront"

    assert not load({"DATA_DIR": str(settings.data_dir), "DATABASE_URL": url}).demo


@pytest.mark.usefixtures("alice")
async def test_the_demo_password_opens_an_account_from_this_machine(alone: Settings) -> None:
    async with visiting(alone, {}) as client:
        answer = await post(client, "/login", login="alice", password=DEMO_PASSWORD)

    assert answer.status_code == 303


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("headers", FORWARDED, ids=str)
async def test_no_demo_password_opens_an_account_through_a_proxy(
    alone: Settings, db: Database, headers: dict[str, str]
) -> None:
    async with visiting(alone, headers) as client:
        page = await post(client, "/login", login="alice", password=DEMO_PASSWORD)
        fields = {"login": "alice", "password": DEMO_PASSWORD, "name": "A script"}
        token = await client.post("/api/tokens", json=fields)

    assert (page.status_code, token.status_code) == (422, 400)
    assert "This is the demo password." in text_of(page)
    assert await _count(db, WebSession) == await _count(db, Token) == 0


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("reached", [{"host": "0.0.0.0"}, {"base_url": "http://x.example"}])
@pytest.mark.parametrize("typed", [DEMO_PASSWORD, f" {DEMO_PASSWORD} "])
async def test_no_demo_password_opens_an_account_where_others_can_reach_it(
    alone: Settings, db: Database, reached: dict[str, Any], typed: str
) -> None:
    async with visiting(replace(alone, **reached, demo=True, rate_limits=False), {}) as client:
        answer = await post(client, "/login", login="alice", password=typed)

    assert (answer.status_code, await _count(db, WebSession)) == (422, 0)


async def test_the_demo_password_confirms_no_act_there_either(
    alone: Settings, db: Database, alice: User
) -> None:
    async with visiting(alone, {}) as client:
        await post(client, "/login", login="alice", password=DEMO_PASSWORD)
        client.headers["X-Forwarded-For"] = "203.0.113.5"
        answer = await post(client, "/account/delete", password=DEMO_PASSWORD)

    assert answer.status_code == 422
    async with db.read() as session:
        assert await session.get(User, alice.id)


async def test_nobody_can_choose_the_demo_password(alone: Settings, db: Database) -> None:
    async with visiting(alone, {}) as client:
        fields = {"username": "dora", "email": "dora@example.com", "password": DEMO_PASSWORD}
        answer = await post(client, "/register", **fields)

    assert (answer.status_code, await _count(db, User)) == (422, 0)


async def test_sessions_opened_with_the_demo_password_end_at_the_start(
    db: Database, alice: User, bob: User
) -> None:
    async with db.write() as session:
        for user in (alice, bob):
            session.add(WebSession(token_hash=user.username, user_id=user.id))
            stored = await session.get_one(User, user.id)
            await create_token(session, stored, name="A script", scope="read")
        named = update(User).where(User.id == bob.id)
        await session.execute(named.values(password_hash=await hash_password("his own one")))

    await demo.close_logins(db)

    async with db.read() as session:
        held = [
            (await session.scalars(select(table.user_id))).all() for table in (WebSession, Token)
        ]
    assert held == [[bob.id], [bob.id]]


@pytest.mark.parametrize(
    ("base_url", "left"), [("http://127.0.0.1:8000", 1), ("https://clips.example.com", 0)]
)
async def test_only_a_start_where_others_can_reach_the_server_closes_it(
    settings: Settings, db: Database, alice: User, base_url: str, left: int
) -> None:
    async with db.write() as session:
        session.add(WebSession(token_hash=alice.username, user_id=alice.id))

    command = [sys.executable, "-m", "app", "migrate"]
    environ = environ_of(settings) | {"PATH": "", "BASE_URL": base_url}
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environ, check=True)

    assert await _count(db, WebSession) == left


@pytest.mark.parametrize("headers", FORWARDED, ids=str)
async def test_logins_through_a_proxy_are_throttled(
    alone: Settings, db: Database, headers: dict[str, str]
) -> None:
    for sent in ({}, headers):
        async with visiting(alone, sent) as client:
            await post(client, "/login", login="nobody", password="wrong")
        assert bool(await _count(db, Throttle)) is bool(sent)


async def test_an_explicit_setting_of_rate_limits_is_obeyed(alone: Settings, db: Database) -> None:
    for chosen in (False, True):
        headers = {} if chosen else FORWARDED[0]
        async with visiting(replace(alone, rate_limits=chosen), headers) as client:
            await post(client, "/login", login="nobody", password="wrong")
        assert bool(await _count(db, Throttle)) is chosen


@pytest.mark.parametrize("path", LOCAL_PAGES)
@pytest.mark.parametrize("headers", FORWARDED, ids=str)
async def test_local_only_pages_do_not_exist_for_others(
    alone: Settings, path: str, headers: dict[str, str]
) -> None:
    async with visiting(alone, {}) as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path, headers=headers)).status_code == 404
    async with visiting(replace(alone, base_url="https://clips.example.com"), {}) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.usefixtures("alice")
async def test_a_forwarded_request_says_nothing_about_the_next(alone: Settings) -> None:
    async with visiting(alone, {}) as client:
        await client.get("/", headers=FORWARDED[0])
        answer = await post(client, "/login", login="alice", password=DEMO_PASSWORD)

    assert answer.status_code == 303


async def _count(db: Database, table: type) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0
