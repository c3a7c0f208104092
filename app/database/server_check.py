"""Refuses a PostgreSQL database that cannot be used, in one sentence, and changes nothing there."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import psycopg

from app.database.migrations import is_known
from app.language import _
from app.process.postgresql_connections import CONNECTING, connection_info, server_name
from app.settings import SettingError, Settings

OLDEST = 13
# Tables since the first revision, and in none but ours.
OURS = {"change", "event", "notification", "delivery"}
# Without the tables of extensions.
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
AND relkind IN ('r', 'p', 'v', 'm', 'f')
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""
POOLER_ROUNDS, POOLER_SECONDS = 5, 5

Connection = psycopg.Connection[Any]


def check_server(settings: Settings) -> None:
    """Raises SettingError if the server at DATABASE_URL, or the database there, cannot be used."""
    with connected(settings) as connection:
        _require_version(connection)
        _require_unicode(connection)
        _require_own_connection(settings, connection)
        _require_ours(connection)


@contextmanager
def connected(settings: Settings) -> Iterator[Connection]:
    """A connection on which each statement commits. Raises SettingError if there is none."""
    try:
        connection = psycopg.connect(
            connection_info(settings.database_url), autocommit=True, **CONNECTING
        )
    except psycopg.ProgrammingError as error:
        sentence = _("DATABASE_URL has an option that cannot be used ({reason}).")
        raise SettingError(sentence.format(reason=str(error).strip())) from None
    except psycopg.Error as error:
        raise SettingError(_unavailable(settings, str(error))) from None
    with connection:
        yield connection


def has_schema(connection: Connection) -> bool:
    """Whether the database has been migrated to a version that shares its keys."""
    return _answer(connection, "SELECT to_regclass('generated_key')") is not None


def _unavailable(settings: Settings, message: str) -> str:
    """Quotes the server's own reason, which never contains the password."""
    server = server_name(settings.database_url)
    if refusals := re.findall(r"FATAL:\s*(.+)", message):
        sentence = _("DATABASE_URL is refused by the server {server} ({reason}).")
        return sentence.format(server=server, reason=refusals[-1].strip())
    reasons = re.findall(r"(?:.*failed: |\[Errno -?\d+\] )(.+)", message) or [message]
    reason = reasons[-1].splitlines()[0].strip(" .")
    sentence = _("DATABASE_URL names a server that cannot be reached, {server} ({reason}).")
    return sentence.format(server=server, reason=reason)


def _require_version(connection: Connection) -> None:
    present = connection.info.server_version // 10_000
    if present < OLDEST:
        sentence = _("DATABASE_URL names a server of PostgreSQL {present}; {oldest} is the oldest.")
        raise SettingError(sentence.format(present=present, oldest=OLDEST))


def _require_unicode(connection: Connection) -> None:
    encoding = _answer(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        sentence = _("DATABASE_URL names a database with the encoding {encoding} in place of UTF8.")
        raise SettingError(sentence.format(encoding=encoding))


def _require_own_connection(settings: Settings, connection: Connection) -> None:
    """A pooler such as PgBouncer must assign each of our connections one server connection of its
    own.

    In transaction or statement mode, each transaction gets whichever is free. Then LISTEN does not
    work, and our session locks and settings end up in the sessions of others.
    """
    has_pooler = _backend(connection) != connection.info.backend_pid
    if has_pooler and _shares_connections(settings, connection):
        sentence = _(
            "DATABASE_URL leads to a pooler in transaction or statement mode, {server}, but needs "
            "one in session mode (in PgBouncer: pool_mode = session)."
        )
        raise SettingError(sentence.format(server=server_name(settings.database_url)))


def _shares_connections(settings: Settings, connection: Connection) -> bool:
    """Whether the pooler is in transaction or statement mode. Raises SettingError if it has no second
    connection to try with.
    """
    with connected(settings) as other:
        deadline = Timer(POOLER_SECONDS, _hang_up, [other])
        deadline.start()
        try:
            return any(_is_shared(connection, other) for _round in range(POOLER_ROUNDS))
        except psycopg.errors.ProtocolViolation:  # in statement mode, no transaction can begin
            return True
        except psycopg.Error:
            sentence = _(
                "DATABASE_URL leads to a pooler that has no connection left, {server}: each "
                "process needs up to {number} (DB_POOL_SIZE)."
            )
            server, number = server_name(settings.database_url), settings.db_pool_size
            raise SettingError(sentence.format(server=server, number=number)) from None
        finally:
            deadline.cancel()


def _is_shared(connection: Connection, other: Connection) -> bool:
    """Whether `other` gets the server connection that `connection` has just used, or `connection`
    gets a different one in between.
    """
    before = _backend(connection)
    with other.transaction():
        return _backend(other) == before or _backend(connection) != before


def _hang_up(connection: Connection) -> None:
    """Ends a wait for a pooler, which does not listen to a request to cancel it."""
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as one:
        one.shutdown(socket.SHUT_RDWR)


def _backend(connection: Connection) -> int:
    return int(_answer(connection, "SELECT pg_backend_pid()"))


def _require_ours(connection: Connection) -> None:
    tables = {row[0] for row in connection.execute(TABLES)}
    if tables and not ({"alembic_version"} | OURS) <= tables:
        raise SettingError(
            _("DATABASE_URL names a database with tables that are not ClippyFront's.")
        )
    revision = _answer(connection, "SELECT max(version_num) FROM alembic_version") if tables else ""
    if revision and not is_known(revision):
        sentence = _(
            "DATABASE_URL names a database of a newer version of ClippyFront (schema {revision})."
        )
        raise SettingError(sentence.format(revision=revision))
    if _answer(connection, "SHOW transaction_read_only") == "on":
        raise SettingError(_("DATABASE_URL names a server that can only be read, like a replica."))
    if _answer(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')") is not True:
        sentence = _("DATABASE_URL names a database in which {user} must not create tables.")
        raise SettingError(sentence.format(user=connection.info.user))


def _answer(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
