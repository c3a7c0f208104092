"""Databases to back up and to fill: files, and databases on the PostgreSQL server if there is one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.settings import Settings
from tests.backup.worlds import make_world, new_settings
from tests.setups import POSTGRES_URL, missing_server

NewPlace = Callable[..., Settings]


@pytest.fixture
def new_place(tmp_path: Path) -> Iterator[NewPlace]:
    """`new_place("sqlite")` or `("postgresql")`: settings with an empty database and DATA_DIR."""
    made = list[str]()

    def make(kind: str, **more: str) -> Settings:
        url = ""
        if kind == "postgresql":
            if missing := missing_server(kind):
                pytest.skip(f"{missing} does not run")
            made.append(_create())
            url = make_url(POSTGRES_URL).set(database=made[-1]).render_as_string(False)
        return new_settings(tmp_path / token_hex(4), url, **more)

    yield make
    for name in made:
        _execute(f"DROP DATABASE {name} WITH (FORCE)")


def _create() -> str:
    name = f"clippyfront_backup_{token_hex(8)}"
    _execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return name


def _execute(statement: str) -> None:
    address = make_url(POSTGRES_URL).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


EACH_WAY = [(old, new) for old in ("sqlite", "postgresql") for new in ("sqlite", "postgresql")]


@pytest.fixture
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """From which database to which: SQLite twice, unless `each_way` or `there` marks the test."""
    given: tuple[str, str] = getattr(request, "param", EACH_WAY[0])
    return given


each_way = pytest.mark.parametrize("way", EACH_WAY, indirect=True, ids="-".join)
there = pytest.mark.parametrize("way", EACH_WAY[1:3], indirect=True, ids="-".join)


@pytest.fixture
def world(way: tuple[str, str], new_place: NewPlace) -> Settings:
    settings = new_place(way[0])
    make_world(settings)
    return settings


@pytest.fixture
def vacant(way: tuple[str, str], new_place: NewPlace) -> Settings:
    return new_place(way[1])
