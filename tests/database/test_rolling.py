"""A newer version may run beside the one before it: what a migration takes away, a release before it
has stopped using.

An upgrade of several hosts takes minutes, and the first of them upgrades the schema for all. So a
migration may add what an older process does not know, and nothing that an older process misses or
cannot fill in. The rule holds for every migration since several hosts could share a database.
"""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, create_engine, inspect

from app.database.migrations import config

# The last migration that one process alone ever ran.
BEFORE_HOSTS = "0016"
# What a migration takes away and why no older process misses it: the release that stopped using it
# must come before the one with the migration. {("0042", "user.shoe_size is gone"): "unused since 3.1"}
ALLOWED: dict[tuple[str, str], str] = {}

Schema = dict[str, dict[str, Any]]


def test_no_migration_removes_anything_that_an_older_process_uses(tmp_path: Path) -> None:
    newer = [revision for revision in _revisions() if revision > BEFORE_HOSTS]

    found = {(revision, fault) for revision in newer for fault in faults(tmp_path, revision)}

    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "not taken away after all"


@pytest.mark.parametrize(
    ("revision", "fault"),
    [
        ("0014", "notification.deleted_in is gone"),
        ("0004", "account is gone"),
        ("0005", "preference.email is gone"),
    ],
)
def test_the_rule_finds_the_removals_of_earlier_migrations(
    tmp_path: Path, revision: str, fault: str
) -> None:
    assert fault in faults(tmp_path, revision)


def test_the_rule_allows_additions(tmp_path: Path) -> None:
    assert faults(tmp_path, "0016") == []


def faults(folder: Path, revision: str) -> list[str]:
    """What a process of the version before would miss, or could not write, after this migration."""
    [before] = [one.down_revision for one in _scripts() if one.revision == revision]
    engine = create_engine(f"sqlite:///{folder / f'{revision}.db'}")
    with warnings.catch_warnings(), engine.connect() as connection:
        warnings.simplefilter("ignore")  # of indexes on expressions, which are not looked at
        older = _schema(connection, str(before))
        newer = _schema(connection, revision)
    engine.dispose()
    return list(_compare(older, newer))


def _schema(connection: Connection, revision: str) -> Schema:
    command.upgrade(config(connection), revision)
    connection.commit()
    found = inspect(connection)
    return {name: _table(found, name) for name in found.get_table_names()}


def _table(found: Inspector, name: str) -> dict[str, Any]:
    unique: list[Any] = [one["column_names"] for one in found.get_unique_constraints(name)]
    unique += [index["column_names"] for index in found.get_indexes(name) if index["unique"]]
    return {
        "columns": {column["name"]: column for column in found.get_columns(name)},
        "unique": {tuple(map(str, columns)) for columns in unique},
        "checks": {str(check["sqltext"]) for check in found.get_check_constraints(name)},
        "keys": {tuple(key["constrained_columns"]) for key in found.get_foreign_keys(name)},
    }


def _compare(older: Schema, newer: Schema) -> Iterator[str]:
    for name, table in older.items():
        if name not in newer:
            yield f"{name} is gone"
            continue
        yield from _compare_columns(name, table["columns"], newer[name]["columns"])
        for what in ("unique", "checks", "keys"):
            for added in sorted(newer[name][what] - table[what]):
                yield f"{name} has a new rule, {what} {added}"


def _compare_columns(table: str, older: dict[str, Any], newer: dict[str, Any]) -> Iterator[str]:
    for name, column in older.items():
        if name not in newer:
            yield f"{table}.{name} is gone"
        elif column["nullable"] and not newer[name]["nullable"]:
            yield f"{table}.{name} must not be NULL any more"
        elif _size(newer[name]) < _size(column):
            yield f"{table}.{name} has become shorter"
    for name in newer.keys() - older.keys():
        if not newer[name]["nullable"] and newer[name]["default"] is None:
            yield f"{table}.{name} is new and has no default"


def _size(column: Any) -> float:
    length = re.search(r"\((\d+)\)", str(column["type"]))
    return int(length[1]) if length else float("inf")


def _revisions() -> list[str]:
    return [str(one.revision) for one in _scripts()]


def _scripts() -> list[Any]:
    return list(ScriptDirectory.from_config(config()).walk_revisions())
