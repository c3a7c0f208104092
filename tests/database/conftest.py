"""A PostgreSQL server for the tests of what SQLite does not have."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from app.database import Database
from app.database.migrations import migrate
from app.settings import Settings
from tests.database.servers import Server, postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One that no test stops."""
    with postgresql() as one:
        yield one


@pytest.fixture
def on_server(settings: Settings, server: Server) -> Iterator[Settings]:
    """Settings for an empty database on the server."""
    name = server.new_database()
    yield replace(settings, database_url=server.url(name))
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def shared(on_server: Settings) -> AsyncIterator[Database]:
    """A database of the newest schema on the server."""
    db = Database(on_server.database_url)
    await migrate(db, on_server)
    yield db
    await db.close()
