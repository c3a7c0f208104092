"""Moving an installation: everything arrives, the old one stays as it was and is not started again."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from app import clock
from app.backup import moving
from app.backup.moved import read_mark, require_here
from app.backup.moving import move, undo_move
from app.backup.progress import Progress
from app.database.keys import read_keys
from app.errors import Conflict
from app.models import Team, User
from app.settings import ROOT, SettingError, Settings
from tests.backup.conftest import NewPlace, each_way, there
from tests.backup.worlds import connected, last_ids, make_world, media_of, rows_of


def quiet() -> Progress:
    return Progress(io.StringIO())


@pytest.fixture
def new(vacant: Settings, world: Settings) -> Settings:
    """The new database of the same host."""
    return replace(vacant, media_dir=world.media_dir)


@each_way
def test_everything_arrives(world: Settings, new: Settings) -> None:
    move(world, new, progress=quiet())

    assert rows_of(new) == rows_of(world)
    kept = read_keys(world)
    assert {name: read_keys(new)[name] for name in ("secret_key", "vapid_private_key")} == {
        name: kept[name] for name in ("secret_key", "vapid_private_key")
    }
    there = last_ids(new)
    assert {one: there[one] for one in ("change", "team", "user", "notification")} == {
        one: last_ids(world)[one] for one in ("change", "team", "user", "notification")
    }
    with connected(new) as connection:
        team = insert(Team).values(name="New", created_at=clock.now()).returning(Team.id)
        assert connection.execute(team).scalar_one() == (there["team"] or 0) + 1
    require_here(new)


def test_the_old_one_stays_and_is_not_started(world: Settings, new: Settings) -> None:
    before = rows_of(world)

    move(world, new, progress=quiet())

    assert rows_of(world) == before
    with pytest.raises(
        SettingError, match=r"DATABASE_URL must be set to .*: this installation was"
    ):
        require_here(world)
    undo_move(world)
    require_here(world)


@there
def test_a_move_can_be_repeated_at_any_step(
    world: Settings, new: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each of the three steps is complete."""

    class Killed(BaseException):
        pass

    def kill(*_arguments: object) -> None:
        raise Killed

    for step in ("require_same", "write_mark", "_arrive"):
        with monkeypatch.context() as patched:
            patched.setattr(moving, step, kill)
            with pytest.raises(Killed):
                move(world, new, progress=quiet())
        assert read_mark(world) is None or step == "_arrive"

    move(world, new, progress=quiet())
    move(world, new, progress=quiet())

    assert rows_of(new) == rows_of(world)
    require_here(new)


KILLED = """
import io, os, signal, sys
from app.backup import moving
from app.backup.progress import Progress
from app.settings import load

data_dir, old, new_dir, new, media_dir, step, left = sys.argv[1:]
begun = getattr(moving, step)

def kill(*arguments):
    global left
    left = int(left) - 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    begun(*arguments)

setattr(moving, step, kill)
settings = [
    load({"DATA_DIR": folder, "DATABASE_URL": url, "MEDIA_DIR": media_dir, "DEMO": "0"})
    for folder, url in ((data_dir, old), (new_dir, new))
]
moving.move(*settings, progress=Progress(io.StringIO()))
"""


@there
@pytest.mark.parametrize(
    ("step", "left"), [("require_same", 9), ("write_mark", 1), ("_arrive", 1), ("_report", 1)]
)
def test_a_move_that_was_killed_can_be_repeated(
    world: Settings, new: Settings, step: str, left: int
) -> None:
    places = [(str(one.data_dir), one.database_url) for one in (world, new)]
    script = [sys.executable, "-c", KILLED, *places[0], *places[1], str(world.media_dir)]

    ended = subprocess.run([*script, step, str(left)], cwd=ROOT, check=False)

    assert ended.returncode == -9
    move(world, new, progress=quiet())
    assert rows_of(new) == rows_of(world)
    require_here(new)
    with pytest.raises(SettingError, match="DATABASE_URL must be set to"):
        require_here(world)


def test_rows_written_after_an_interrupted_move_arrive(
    world: Settings, new: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moving, "write_mark", kill)
        with pytest.raises(KeyboardInterrupt):
            move(world, new, progress=quiet())
    with connected(world) as connection:
        connection.execute(insert(Team).values(name="Meanwhile", created_at=clock.now()))

    move(world, new, progress=quiet())

    assert rows_of(new) == rows_of(world)


def test_a_database_that_holds_something_is_refused(world: Settings, new_place: NewPlace) -> None:
    other = new_place("sqlite")
    make_world(other)
    before = rows_of(other)

    with pytest.raises(Conflict, match="is not empty"):
        move(world, other, progress=quiet())

    assert rows_of(other) == before
    assert read_mark(world) is None


@there
def test_tables_of_something_else_are_refused(world: Settings, vacant: Settings) -> None:
    with connected(vacant) as connection:
        connection.exec_driver_sql("CREATE TABLE invoice (id INTEGER)")

    with pytest.raises(Conflict, match="holds tables that are not ClippyFront's"):
        move(world, vacant, progress=quiet())

    with connected(vacant) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM invoice").scalar_one() == 0


@there
def test_an_empty_installation_makes_room(world: Settings, new: Settings) -> None:
    make_world(new)
    with connected(new) as connection:
        for table in ("notification", "delivery"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.execute(User.__table__.delete())  # type: ignore[attr-defined]
    (new.data_dir / "secret_key").unlink(missing_ok=True)
    (new.data_dir / "vapid_private_key").unlink(missing_ok=True)

    move(world, new, progress=quiet())

    assert rows_of(new) == rows_of(world)


def test_it_moves_there_and_back(world: Settings, new_place: NewPlace) -> None:
    new = replace(new_place("postgresql"), media_dir=world.media_dir)
    before, media = rows_of(world), media_of(world)
    back = replace(new_place("sqlite"), media_dir=world.media_dir)

    move(world, new, progress=quiet())
    move(new, back, progress=quiet())

    assert rows_of(back) == before
    assert media_of(back) == media
    with pytest.raises(SettingError, match="DATABASE_URL must be set to"):
        require_here(new)


def test_it_comes_back_to_where_it_was_once_removed(world: Settings, new_place: NewPlace) -> None:
    new = replace(new_place("sqlite"), media_dir=world.media_dir)
    before = rows_of(world)
    move(world, new, progress=quiet())
    world.sqlite_path.unlink()

    move(new, world, progress=quiet())

    assert rows_of(world) == before
    require_here(world)


@there
def test_functions_of_others_are_kept(world: Settings, vacant: Settings) -> None:
    if vacant.is_sqlite:
        pytest.skip("SQLite has no functions")
    with connected(vacant) as connection:
        connection.exec_driver_sql("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")

    move(world, vacant, progress=quiet())

    with connected(vacant) as connection:
        assert connection.exec_driver_sql("SELECT one()").scalar_one() == 1


def test_other_keys_are_not_overwritten(world: Settings, new_place: NewPlace) -> None:
    other = new_place("sqlite")
    (other.data_dir / "secret_key").write_text("the key of another installation")

    with pytest.raises(Conflict, match="secret_key is the key of another installation"):
        move(world, other, progress=quiet())

    assert (other.data_dir / "secret_key").read_text() == "the key of another installation"
    assert not other.sqlite_path.exists()


def test_a_log_that_was_left_beside_is_not_taken_for_its_own(
    world: Settings, new_place: NewPlace
) -> None:
    other = new_place("sqlite")
    Path(f"{other.sqlite_path}-wal").write_bytes(b"of the database that was moved away")

    with pytest.raises(Conflict, match="belongs to a database that was moved away"):
        move(world, other, progress=quiet())


def test_nul_in_text_becomes_a_replacement_on_postgresql(new_place: NewPlace) -> None:
    world, new = new_place("sqlite"), new_place("postgresql")
    make_world(world)
    with connected(world) as connection:
        connection.execute(insert(Team).values(name="a\x00b", created_at=clock.now()))

    move(world, new, progress=quiet())

    with connected(new) as connection:
        names = connection.execute(select(Team.name)).scalars().all()
    assert "a\N{REPLACEMENT CHARACTER}b" in names
