"""What a restored installation is like: the rows of then, and nothing that happens twice."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from app import clock
from app.backup.backing_up import back_up
from app.backup.moved import require_here
from app.backup.moving import move
from app.backup.progress import Progress
from app.backup.restoring import restore
from app.backup.snapshot import LEFT_OUT, Snapshot
from app.backup.values import Row, Table
from app.database.keys import read_keys
from app.models import (
    Change,
    Compilation,
    Delivery,
    Membership,
    PushSubscription,
    Team,
    Token,
    WebSession,
)
from app.notifications.search.index import TABLES
from app.settings import Settings
from tests.backup.conftest import NewPlace, each_way, there
from tests.backup.worlds import (
    connected,
    every_table,
    last_ids,
    make_older_world,
    media_of,
    rows_of,
    values_of,
)

ENDED = {"web_session", "change", "upload_reservation", "ending_count", "removal_count"}
CHANGED = ENDED | {"push_subscription", "delivery"}
# The first schema that backups were made of.
OLDER = "0021"


def quiet() -> Progress:
    return Progress(io.StringIO())


@pytest.fixture
def backup(world: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "backup"
    back_up(world, path, with_media=True, progress=quiet())
    return path


def test_every_table_is_kept_or_left_out_for_a_reason(world: Settings) -> None:
    rows = rows_of(world)

    assert rows.keys() == every_table()
    assert [table for table, kept in rows.items() if not kept] == []
    others = {"alembic_version", "clock_reading", "generated_key"}
    assert others | {*TABLES} == LEFT_OUT


def test_a_backup_is_restored_where_a_database_was_moved_away_and_removed(
    world: Settings, vacant: Settings, backup: Path
) -> None:
    move(world, vacant, progress=quiet())
    world.sqlite_path.unlink()

    restore(world, backup, progress=quiet())

    require_here(world)


@there
def test_a_backup_is_of_one_moment_although_others_write_meanwhile(
    world: Settings, vacant: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, before = Snapshot.rows, rows_of(world)

    def while_others_write(snapshot: Snapshot, table: Table) -> Iterator[Row]:
        with connected(world) as connection:
            team = insert(Team).values(name="New", created_at=clock.now()).returning(Team.id)
            team_id = connection.execute(team).scalar_one()
            values = {"team_id": team_id, "user_id": 1, "role": "owner", "joined_at": clock.now()}
            connection.execute(insert(Membership).values(values))
        yield from read(snapshot, table)

    with monkeypatch.context() as patched:
        patched.setattr(Snapshot, "rows", while_others_write)
        back_up(world, tmp_path / "file", with_media=False, progress=quiet())
    restore(vacant, tmp_path / "file", progress=quiet())

    restored = rows_of(vacant)
    assert len(rows_of(world)["team"]) > len(before["team"])
    assert (restored["team"], restored["membership"]) == (before["team"], before["membership"])


@there
def test_a_backup_of_an_older_schema_is_upgraded(
    way: tuple[str, str], new_place: NewPlace, vacant: Settings, tmp_path: Path
) -> None:
    older = new_place(way[0])
    make_older_world(older, OLDER)
    back_up(older, tmp_path / "file", with_media=False, progress=quiet())

    restore(vacant, tmp_path / "file", progress=quiet())

    after = values_of(vacant)
    for table, rows in values_of(older).items():
        if table not in CHANGED:
            assert [row.items() <= after[table][0].items() for row in rows] == [True], table


@each_way
def test_everything_else_is_restored(world: Settings, vacant: Settings, backup: Path) -> None:
    restore(vacant, backup, progress=quiet())

    before, after = rows_of(world), rows_of(vacant)
    assert {name: after[name] for name in after.keys() - CHANGED} == {
        name: before[name] for name in before.keys() - CHANGED
    }
    assert media_of(vacant) == media_of(world)
    assert {name: read_keys(vacant)[name] for name in read_keys(world)} == read_keys(world)


def test_sessions_end_and_devices_and_tokens_stay(vacant: Settings, backup: Path) -> None:
    restore(vacant, backup, progress=quiet())

    with connected(vacant) as connection:
        sessions = connection.execute(select(WebSession.id)).all()
        devices = connection.execute(select(PushSubscription.session_id)).scalars().all()
        tokens = connection.execute(select(Token.id)).all()
    assert (sessions, devices, len(tokens)) == ([], [None], 1)


@there
def test_deliveries_that_may_have_been_sent_are_not_sent_again(
    world: Settings, vacant: Settings, tmp_path: Path
) -> None:
    hour = timedelta(hours=1)
    alice = {"user_id": 1, "channel": "email", "transactional": "test", "state": "pending"}
    due = {"past": -hour, "retried": hour, "later": hour, "claimed": hour}
    with connected(world) as connection:
        for address, delay in due.items():
            claim = "a worker" if address == "claimed" else None
            values = alice | {"address": address, "due_at": clock.now() + delay}
            connection.execute(insert(Delivery).values(claimed_by=claim, **values))
    back_up(world, tmp_path / "file", with_media=False, progress=quiet())

    restore(vacant, tmp_path / "file", progress=quiet())

    with connected(vacant) as connection:
        chosen = select(Delivery.address, Delivery.state, Delivery.reason, Delivery.claimed_by)
        rows = connection.execute(chosen.where(Delivery.transactional == "test")).all()
    assert {row.address: (row.state, row.reason) for row in rows} == {
        "past": ("skipped", "restored"),
        "claimed": ("skipped", "restored"),
        "retried": ("pending", None),
        "later": ("pending", None),
    }
    assert {row.claimed_by for row in rows} == {None}


@each_way
def test_no_id_and_no_position_is_used_twice(
    world: Settings, vacant: Settings, backup: Path
) -> None:
    given_out = dict(last_ids(world))
    with connected(world) as connection:  # goes on after the backup
        for _number in range(50):
            kind = insert(Change).values(kind="read", user_id=1, created_at=clock.now())
            given_out["change"] = connection.execute(kind.returning(Change.id)).scalar_one()
            team = insert(Team).values(name="New", created_at=clock.now())
            given_out["team"] = connection.execute(team.returning(Team.id)).scalar_one()

    restore(vacant, backup, progress=quiet())

    next_ids = last_ids(vacant)
    assert next_ids.keys() == given_out.keys()
    numbered = {table for table in given_out if None not in (given_out[table], next_ids[table])}
    assert numbered >= {"change", "compilation", "delivery", "notification", "team", "user"}
    assert all((next_ids[one] or 0) > (given_out[one] or 0) + 500_000 for one in numbered)
    with connected(vacant) as connection:
        team = insert(Team).values(name="New", created_at=clock.now()).returning(Team.id)
        assert connection.execute(team).scalar_one() > (given_out["team"] or 0) + 500_000


def test_a_compilation_that_was_running_is_made_anew(
    world: Settings, vacant: Settings, tmp_path: Path
) -> None:
    running = {"status": "running", "attempts": 2, "progress": 0.5, "touched_at": clock.now()}
    with connected(world) as connection:
        connection.execute(update(Compilation).values(**running))
    back_up(world, tmp_path / "file", with_media=False, progress=quiet())

    restore(vacant, tmp_path / "file", progress=quiet())

    with connected(vacant) as connection:
        row = connection.execute(select(Compilation)).one()
    assert (row.status, row.attempts, row.progress, row.touched_at) == ("queued", 0, 0.0, None)
