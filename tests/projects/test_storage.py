"""What an upload reserves of the quota while it arrives."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import UploadReservation, User
from app.projects import storage
from app.projects.storage import reserving
from app.settings import Settings


async def test_a_reservation_goes_on_although_the_database_was_busy_once(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "RENEWAL_SECONDS", 0.01)
    write, attempts = db.write, 0

    def busy_once() -> AbstractAsyncContextManager[AsyncSession]:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return write()

    async with reserving(db, settings, alice.id):
        monkeypatch.setattr(db, "write", busy_once)
        before = await _end(db)
        async with asyncio.timeout(5):
            while await _end(db) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert attempts > 1


async def _end(db: Database) -> datetime:
    async with db.read() as session:
        return (await session.scalars(select(UploadReservation.expires_at))).one()
