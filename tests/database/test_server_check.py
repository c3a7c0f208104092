"""A server or a database that cannot be used is refused in one sentence, and nothing is changed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.database import Database, server_check
from app.database.migrations import migrate
from app.database.server_check import check_server
from app.settings import SettingError, Settings, read
from tests.database.servers import Server, free_port, pgbouncer


def refusal(url: str) -> str:
    with pytest.raises(SettingError) as refused:
        check_server(read({"DATABASE_URL": url}))
    sentence = str(refused.value)
    assert sentence.startswith("DATABASE_URL ")
    assert (sentence.endswith("."), "\n" in sentence) == (True, False)
    return sentence


def test_an_empty_database_is_taken(on_server: Settings) -> None:
    check_server(on_server)


async def test_a_database_of_ours_is_taken(on_server: Settings) -> None:
    db = Database(on_server.database_url)
    await migrate(db, on_server)
    await db.close()

    check_server(on_server)


def test_a_server_that_is_away_is_refused() -> None:
    sentence = refusal(f"postgresql+psycopg://alice:hidden@127.0.0.1:{free_port()}/clips")

    assert "cannot be reached" in sentence
    assert "Connection refused" in sentence
    assert "hidden" not in sentence


def test_a_host_that_is_not_known_is_refused() -> None:
    assert "no-such-host.invalid" in refusal("postgresql+psycopg://no-such-host.invalid/clips")


def test_a_database_that_does_not_exist_is_refused(server: Server) -> None:
    assert 'database "nowhere" does not exist' in refusal(server.url("nowhere"))


def test_a_wrong_password_is_refused(server: Server) -> None:
    server.execute("CREATE ROLE mallory LOGIN PASSWORD 'right'")
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all mallory 127.0.0.1/32 scram-sha-256\n{before}")
    server.execute("SELECT pg_reload_conf()")
    try:
        sentence = refusal(server.url("postgres", user="mallory:wrong"))
    finally:
        rules.write_text(before)
        server.execute("SELECT pg_reload_conf()")
        server.execute("DROP ROLE mallory")

    assert "password authentication failed" in sentence
    assert "wrong" not in sentence


def test_an_option_that_libpq_does_not_know_is_refused(server: Server) -> None:
    assert "colour" in refusal(server.url("postgres") + "?colour=red")


def test_a_version_that_is_too_old_is_refused(
    on_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_check, "OLDEST", 1000)

    assert "1000 is the oldest" in refusal(on_server.database_url)


def test_a_database_with_tables_of_something_else_is_refused_and_left_alone(
    on_server: Settings, execute: Callable[[str], list[tuple[object]]]
) -> None:
    execute("CREATE TABLE alembic_version (version_num text)")
    execute("INSERT INTO alembic_version VALUES ('0001')")
    execute("CREATE TABLE customer (id integer)")

    assert "not ClippyFront's" in refusal(on_server.database_url)

    tables = execute("SELECT relname::text FROM pg_class WHERE relname IN ('customer', 'change')")
    assert tables == [("customer",)]


async def test_a_database_of_a_newer_version_is_refused(
    on_server: Settings, execute: Callable[[str], list[tuple[object]]]
) -> None:
    db = Database(on_server.database_url)
    await migrate(db, on_server)
    await db.close()
    execute("UPDATE alembic_version SET version_num = '9999'")

    assert "newer version of ClippyFront (schema 9999)" in refusal(on_server.database_url)


def test_a_database_that_cannot_hold_every_letter_is_refused(server: Server) -> None:
    name = server.new_database(
        options="ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )

    assert "LATIN1" in refusal(server.url(name))


def test_a_server_that_can_only_be_read_is_refused(on_server: Settings) -> None:
    url = f"{on_server.database_url}?options=-cdefault_transaction_read_only%3Don"

    assert "can only be read" in refusal(url)


def test_a_user_who_must_not_create_tables_is_refused(server: Server, on_server: Settings) -> None:
    server.execute("CREATE ROLE carol LOGIN")
    try:
        sentence = refusal(on_server.database_url.replace("clippyfront@", "carol@"))
    finally:
        server.execute("DROP ROLE carol")

    assert "carol must not create tables" in sentence


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_lends_a_connection_for_a_moment_is_refused(
    server: Server, on_server: Settings, mode: str
) -> None:
    with pgbouncer(server, mode) as port:
        sentence = refusal(on_server.database_url.replace(str(server.port), str(port)))

    assert "pool_mode = session" in sentence


def test_a_pooler_without_a_second_connection_is_refused(
    server: Server, on_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_check, "POOLER_SECONDS", 1)
    with pgbouncer(server, "session", size=1) as port:
        sentence = refusal(on_server.database_url.replace(str(server.port), str(port)))

    assert "no connection left" in sentence


async def test_through_a_pooler_in_session_mode_everything_works(
    server: Server, on_server: Settings
) -> None:
    with pgbouncer(server, "session") as port:
        url = on_server.database_url.replace(str(server.port), str(port))
        there = replace(on_server, database_url=url)

        check_server(there)

        db = Database(url)
        assert await migrate(db, there) is True
        async with db.act(), db.read():
            pass
        await db.close()
        check_server(there)


@pytest.fixture
def execute(server: Server, on_server: Settings) -> Callable[[str], list[tuple[object]]]:
    name = on_server.database_url.rpartition("/")[2]
    return lambda statement: server.execute(statement, database=name)
