"""Commands on PostgreSQL: hosts that start at once agree, and no existing database gets a demo."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.database.servers import Server, postgresql

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as one:
        yield one


@pytest.fixture
def database(server: Server) -> str:
    """The name of an empty database."""
    return server.new_database()


def migrate(data_dir: Path, server: Server, database: str, **more: str) -> Ended:
    return run("migrate", data_dir, server, database, **more)


def run(command: str, data_dir: Path, server: Server, database: str, **more: str) -> Ended:
    environ = os.environ | {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": server.url(database),
        "REDIS_URL": "",
        **more,
    }
    line = [sys.executable, "-m", "app", command]
    return subprocess.run(line, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def usernames(server: Server, database: str) -> list[str]:
    return [name for (name,) in server.execute('SELECT username FROM "user"', database=database)]


def test_hosts_that_start_at_once_share_one_schema_and_its_keys(
    server: Server, database: str, tmp_path: Path
) -> None:
    with ThreadPoolExecutor() as hosts:
        ended = list(hosts.map(lambda n: migrate(tmp_path / n, server, database), ("a", "b", "c")))

    assert [(one.returncode, one.stderr) for one in ended] == [(0, "")] * 3
    names = server.execute("SELECT name FROM generated_key ORDER BY name", database=database)
    assert names == [("secret_key",), ("vapid_private_key",)]
    assert list(tmp_path.glob("*/*_key")) == []
    assert usernames(server, database) == []


def test_the_demo_is_loaded_only_where_it_is_asked_for(
    server: Server, database: str, tmp_path: Path
) -> None:
    ended = migrate(tmp_path, server, database, DEMO="1")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(usernames(server, database)) == ["Alice", "Bob", "Carol"]


def test_a_database_of_something_else_is_left_as_it_was(
    server: Server, database: str, tmp_path: Path
) -> None:
    server.execute("CREATE TABLE customer (id integer)", database=database)

    ended = migrate(tmp_path / "data", server, database)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("DATABASE_URL names a database with tables that are not")
    assert len(ended.stderr.splitlines()) == 1
    tables = server.execute(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND oid > 16383", database=database
    )
    assert tables == [("customer",)]
    assert not (tmp_path / "data").exists()


def test_doctor_names_the_server_and_counts_the_connections_that_all_processes_may_open(
    server: Server, database: str, tmp_path: Path
) -> None:
    before = run("doctor", tmp_path, server, database)
    migrate(tmp_path, server, database)
    enough = run("doctor", tmp_path, server, database, WEB_CONCURRENCY="5")
    too_many = run("doctor", tmp_path, server, database, WEB_CONCURRENCY="30")

    assert re.search(r"warning  database: PostgreSQL \d+\S* has no schema yet", before.stdout)
    assert re.search(r"ok       database: PostgreSQL \d+\S* has the newest", enough.stdout)
    assert "ok       connections: Each process opens at most 10" in enough.stdout
    assert "warning  connections: " in too_many.stdout


def test_doctor_says_which_server_is_away(server: Server, tmp_path: Path) -> None:
    checked = run("doctor", tmp_path, server, "nowhere")

    assert checked.returncode == 1
    assert "database: DATABASE_URL is refused" in checked.stdout
