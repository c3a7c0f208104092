"""One application for all tests of the contract, emptied before each: starting it takes longest."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from advanced_alchemy.base import orm_registry
from argon2 import PasswordHasher
from litestar import Litestar
from sqlalchemy import delete

from app import security
from app.accounts import passwords
from app.asgi import create_app
from app.settings import load
from tests.application import running
from tests.contract.cast import Stage, on_stage
from tests.factories import PASSWORD_HASH


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Litestar]:
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(migrated, folder / migrated.name)
    environ = {
        "DATA_DIR": str(folder),
        "SECRET_KEY": "a secret of the tests",
        "BASE_URL": "http://testserver",
        "ALLOWED_HOSTS": "testserver",
    }
    async with running(create_app(load(environ))) as application:
        yield application


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as it should be takes longer than all the rest."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(security, "_hasher", cheap)
    monkeypatch.setattr(passwords, "DECOY", PASSWORD_HASH)


@pytest_asyncio.fixture(loop_scope="session")
async def empty_house(house: Litestar, cheap_passwords: None) -> Litestar:
    security.configure(house.state.settings.secret_key)
    async with house.state.db.write() as session:
        for table in reversed(orm_registry.metadata.sorted_tables):
            await session.execute(delete(table))
    return house


@pytest_asyncio.fixture(loop_scope="session")
async def stage(empty_house: Litestar) -> AsyncIterator[Stage]:
    async with on_stage(empty_house) as everybody:
        yield everybody
