"""While disk or database refuse to write: pages come, forms are refused in words and lose nothing."""

import html
import sqlite3
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from app import clock
from app.accounts.sessions import TOUCH_EVERY
from app.models import Token, WebSession
from tests.contract.doors import Door, every_door
from tests.contract.forms import FORMS, PASSWORD
from tests.contract.test_nonsense import ENDLESS_OR_BUSY
from tests.contract.world import World
from tests.outages import refusing_writes

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.sqlite]

CODES = {
    "busy": (sqlite3.SQLITE_BUSY, 503, "The database is busy"),
    "busy with a newer snapshot": (sqlite3.SQLITE_BUSY_SNAPSHOT, 503, "The database is busy"),
    "locked": (sqlite3.SQLITE_LOCKED, 503, "The database is busy"),
    "full": (sqlite3.SQLITE_FULL, 507, "disk is full"),
    "failing": (sqlite3.SQLITE_IOERR_WRITE, 503, "cannot reach its database"),
    "read-only": (sqlite3.SQLITE_READONLY, 503, "cannot be written to"),
    "unreachable": (sqlite3.SQLITE_CANTOPEN, 503, "cannot reach its database"),
}
# What a form may answer without writing: it asks first, finds nothing to do, or is not the form.
WITHOUT_WRITING = {200, 303, 404, 405, 409, 410, 422}


def reading(world: World) -> list[Door]:
    doors = every_door(world.app)
    return [
        door for door in doors if door.method == "GET" and not door.path.startswith(ENDLESS_OR_BUSY)
    ]


async def test_every_page_comes_though_nothing_can_be_written(world: World) -> None:
    db = world.app.state.db
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in reading(world):
            async with db.write() as session:
                long_ago = clock.now() - 2 * TOUCH_EVERY
                await session.execute(update(WebSession).values(last_seen_at=long_ago))
            with refusing_writes(db):
                answer = await alice.get(world.url(door.path))

            assert answer.status_code < 500, (door.name, answer)


async def test_every_form_is_refused_in_words(world: World) -> None:
    refused = set()
    async with world.visitor() as alice:
        for path in FORMS:
            await world.sign_in(alice, world.alice)
            with refusing_writes(world.app.state.db):
                answer = await alice.post(world.url(path), data=world.right(path))

            assert answer.status_code in {507, *WITHOUT_WRITING}, (path, answer)
            if answer.status_code == 507:
                refused.add(path)
                assert "disk is full" in answer.text, path
                assert answer.headers["Retry-After"] == "60", path

    assert {"/teams", "/projects", "/register", "/teams/{team_id:int}/invitations"} <= refused


@pytest.mark.parametrize("fault", CODES)
async def test_the_answer_keeps_the_input(world: World, fault: str) -> None:
    code, status, sentence = CODES[fault]
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        with refusing_writes(world.app.state.db, code):
            answer = await alice.post("/teams", data={"name": "Ärzte & <Friends>"})
        again = await alice.post("/teams", data={"name": typed_in(answer)})

    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert again.status_code == 303


def typed_in(answer: httpx.Response) -> str:
    return html.unescape(answer.text.partition('name="name"')[2].split('value="')[1].split('"')[0])


@pytest.mark.parametrize("fault", CODES)
async def test_the_api_answers_with_a_problem(world: World, fault: str) -> None:
    code, status, sentence = CODES[fault]
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        with refusing_writes(world.app.state.db, code):
            answer = await alice.post("/api/teams", json={"name": "Film Squad"})

    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["status"] == status == answer.status_code
    assert sentence in answer.json()["detail"]


async def test_a_fragment_becomes_a_toast(world: World) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        with refusing_writes(world.app.state.db):
            partial = {"HX-Request": "true", "HX-Request-Type": "partial"}
            answer = await alice.post("/notifications/read-all", headers=partial)

    assert (answer.status_code, 'class="toast' in answer.text) == (507, True)


async def test_a_token_serves_though_its_use_cannot_be_noted(world: World) -> None:
    async with world.visitor() as alice:
        given = {"login": "alice", "password": PASSWORD, "name": "a script"}
        key = (await alice.post("/api/tokens", json=given)).json()["token"]
        db = world.app.state.db
        async with db.write() as session:
            long_ago = clock.now() - timedelta(days=1)
            await session.execute(update(Token).values(last_used_at=long_ago))
        alice.headers["Authorization"] = f"Bearer {key}"
        with refusing_writes(db):
            answer = await alice.get("/api/notifications")

    assert answer.status_code == 200


async def test_a_page_says_so_even_if_the_database_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.outages import sqlite_error

    def unreachable() -> None:
        raise sqlite_error(sqlite3.SQLITE_CANTOPEN, "unable to open database file")

    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        monkeypatch.setattr(world.app.state.db, "_reading", unreachable)
        answer = await alice.get("/teams")

    assert (answer.status_code, "cannot reach its database" in answer.text) == (503, True)
