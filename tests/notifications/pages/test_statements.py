"""How many statements the database runs for a page, a fragment or an answer in JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.event import listen, remove

from app.database import Database
from app.models import EndingCount, User
from app.notifications.events.catalogue import CUSTOM
from app.notifications.notify import notify
from app.notifications.preferences import switches
from tests.conftest import sign_in
from tests.factories import make_account, make_team

MOST_STATEMENTS = 4
# A second after the last time, any request proves that its session still holds.
PROOF = str(EndingCount.__table__)
# Those of this test and its requests; what the application does beside them has no such list.
_run = ContextVar[list[str]]("run")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Those that read, of the requests within the block."""
    token = _run.set([])
    listen(Engine, "before_cursor_execute", _note)
    try:
        yield _run.get()
    finally:
        remove(Engine, "before_cursor_execute", _note)
        _run.reset(token)


def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if statement.startswith(("SELECT", "WITH")) and PROOF not in statement:
        _run.get([]).append(statement)


@pytest.mark.parametrize(
    "path", ["/notifications", "/notifications/bell", "/api/notifications?limit=20"]
)
async def test_what_shows_notifications_takes_at_most_four_statements(
    client: httpx.AsyncClient, db: Database, alice: User, path: str
) -> None:
    bob = await make_account(db, "bob", grouping=True)
    squad = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        for title in ("One", "Two", "Three"):
            await notify(session, CUSTOM, actor=alice, team=squad, title=title, group_key=title)
    await sign_in(client, bob)
    await client.get(path)  # counts what is counted once

    with statements() as run:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert 0 < len(run) <= MOST_STATEMENTS, "\n\n".join(run)


@pytest.mark.parametrize("path", ["/notifications", "/notifications/bell", "/teams"])
@pytest.mark.parametrize("grouping", [True, False])
async def test_urgent_ones_first_take_one_statement_more(
    client: httpx.AsyncClient, db: Database, alice: User, path: str, *, grouping: bool
) -> None:
    bob = await make_account(db, "bob", grouping=grouping)
    carol = await make_account(db, "carol", grouping=grouping)
    squad = await make_team(db, alice, editors=[bob, carol])
    async with db.act() as session:
        await switches.change(session, carol, {"urgent_first": True})
        for priority in ("high", "normal"):
            facts: dict[str, Any] = {"title": "Done", "group_key": priority, "priority": priority}
            await notify(session, CUSTOM, actor=alice, team=squad, **facts)
    counts = []

    for user in (bob, carol):
        await sign_in(client, user)
        await client.get(path)  # counts what is counted once
        with statements() as run:
            await client.get(path)
        counts.append(len(run))

    without, with_urgent = counts
    assert with_urgent == without + 1


@pytest.mark.sqlite
@pytest.mark.parametrize("path", ["/notifications", "/notifications/bell"])
@pytest.mark.parametrize("grouping", [True, False])
async def test_what_shows_notifications_again_runs_statements_that_are_prepared(
    client: httpx.AsyncClient,
    db: Database,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    *,
    grouping: bool,
) -> None:
    bob = await make_account(db, "bob", grouping=grouping)
    squad = await make_team(db, alice, editors=[bob])
    async with db.act() as session:
        await notify(session, CUSTOM, actor=alice, team=squad, title="One", group_key="a")
    await sign_in(client, bob)
    for _look in range(3):
        await client.get(path)
    unprepared, execute = [], Connection.execute

    def note(connection: Connection, statement: Any, *values: Any, **options: Any) -> Any:
        unprepared.append(str(statement))
        return execute(connection, statement, *values, **options)

    monkeypatch.setattr(Connection, "execute", note)

    answer = await client.get(path)

    assert answer.status_code == 200
    assert unprepared == []
