"""The servers that the suite runs on, as in `pytest --on postgresql+redis`. SQLite needs none.

PostgreSQL and Redis are looked for at TEST_POSTGRES_URL and TEST_REDIS_URL. A run makes databases
of its own there, empties them between tests, and drops them at its end.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import URL, make_url

from app.database import Database
from app.database.migrations import migrate, newest
from app.settings import Settings, read
from tests.factories import SECRET_KEY

SETUPS = ("sqlite", "sqlite+redis", "postgresql", "postgresql+redis")
POSTGRES_URL = environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1/postgres")
REDIS_URL = environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
SECONDS_TO_CONNECT = 5


def missing_server(setup: str) -> str:
    """The server that `setup` needs and that does not run, or nothing."""
    if "postgresql" in setup:
        try:
            _connect(make_url(POSTGRES_URL)).close()
        except psycopg.OperationalError:
            return f"PostgreSQL ({_shown(POSTGRES_URL)})"
    if "redis" in setup:
        try:
            with Redis.from_url(REDIS_URL, socket_connect_timeout=SECONDS_TO_CONNECT) as redis:
                redis.ping()
        except RedisError:
            return f"Redis ({_shown(REDIS_URL)})"
    return ""


def environ_of(settings: Settings) -> dict[str, str]:
    """Where a process of its own finds the same installation."""
    return {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }


def _shown(url: str) -> str:
    return make_url(url).render_as_string()


class Servers:
    """Databases, and prefixes on Redis, for one worker of a run."""

    def __init__(self, setup: str, migrated: Path) -> None:
        self._migrated = migrated
        self._postgres = _Postgres() if "postgresql" in setup else None
        self._has_redis = "redis" in setup

    @contextmanager
    def installation(self, folder: Path) -> Iterator[dict[str, str]]:
        """The settings of an installation with an empty database of the newest schema, which is in
        `folder` if it is a SQLite file. Nothing of it is left on the servers afterwards.
        """
        postgres = self._postgres
        settings = {"DATABASE_URL": postgres.take()} if postgres else self._file(folder)
        if self._has_redis:
            settings["REDIS_URL"] = REDIS_URL
        try:
            yield {"DATA_DIR": str(folder), **settings}
        finally:
            if self._has_redis:
                _forget(settings["DATABASE_URL"])
            if postgres:
                postgres.give_back(settings["DATABASE_URL"])

    def _file(self, folder: Path) -> dict[str, str]:
        if not self._has_redis:
            shutil.copy(self._migrated, folder / self._migrated.name)
            return {}
        # The database's name distinguishes installations on Redis.
        path = folder / f"{token_hex(8)}.db"
        shutil.copy(self._migrated, path)
        return {"DATABASE_URL": f"sqlite+aiosqlite:///{path}"}

    def close(self) -> None:
        if self._postgres:
            self._postgres.close()


def _forget(database_url: str) -> None:
    """Deletes the keys of an installation on Redis."""
    from app.broker.redis.server import installation_prefix

    settings = read({"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY})
    with Redis.from_url(REDIS_URL) as redis:
        if keys := list(redis.scan_iter(f"{installation_prefix(settings)}*", count=10_000)):
            redis.delete(*keys)


class _Postgres:
    """Databases that are used again, because making one takes longer than most tests."""

    def __init__(self) -> None:
        self._server = _connect(make_url(POSTGRES_URL))
        self._made: dict[URL, psycopg.Connection[Any]] = {}
        self._free: list[URL] = []
        self._template = self._create("template0")
        asyncio.run(_migrate(self._template))
        self._version = newest()

    def take(self) -> str:
        if not self._free:
            url = self._create(str(self._template.database))
            self._made[url] = _connect(url)
            self._free.append(url)
        return self._free.pop().render_as_string(hide_password=False)

    def give_back(self, address: str) -> None:
        url = make_url(address)
        self._made[url].execute(END_OTHERS)
        self._made[url].execute(EMPTY)
        self._made[url].execute("UPDATE alembic_version SET version_num = %s", [self._version])
        self._free.append(url)

    def close(self) -> None:
        for url in (*self._made, self._template):
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            self._server.execute(drop.format(sql.Identifier(str(url.database))))
        self._server.close()

    def _create(self, template: str) -> URL:
        """The first is sorted as English is, without regard to punctuation, where the server can."""
        name = f"clippyfront_test_{token_hex(8)}"
        can_sort = template == "template0" and self._server.info.server_version >= 150_000
        order = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" if can_sort else ""
        for statement in (
            sql.SQL("CREATE DATABASE {name} TEMPLATE {template} " + order),
            # A test has nothing to lose in a power cut.
            sql.SQL("ALTER DATABASE {name} SET synchronous_commit = off"),
        ):
            self._server.execute(
                statement.format(name=sql.Identifier(name), template=sql.Identifier(template))
            )
        return make_url(POSTGRES_URL).set(database=name)


async def _migrate(url: URL) -> None:
    address = url.render_as_string(hide_password=False)
    db = Database(address)
    await migrate(db, read({"DATABASE_URL": address}))
    await db.close()


def _connect(url: URL) -> "psycopg.Connection[Any]":
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, connect_timeout=SECONDS_TO_CONNECT)


END_OTHERS = b"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid() AND backend_type = 'client backend'
"""
# DELETE, because TRUNCATE makes new files for each table and index; but TRUNCATE where the server has
# taken statistics: having seen an empty table, it would plan for one when a test fills it.
# Tables of the queue are emptied too; only versions of schemas stay.
EMPTY = b"""
    DO $$
    DECLARE one record;
    BEGIN
        FOR one IN SELECT relname, relkind, relpages FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
            AND relkind IN ('r', 'S') AND relname NOT LIKE '%version%'
        LOOP
            IF one.relkind = 'S' THEN
                PERFORM setval(format('%I', one.relname)::regclass, 1, false);
            ELSIF one.relpages > 0 THEN
                EXECUTE format('TRUNCATE %I CASCADE', one.relname);
            ELSE
                EXECUTE format('DELETE FROM %I', one.relname);
            END IF;
        END LOOP;
    END $$
"""
