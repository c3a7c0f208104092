"""What an upload reserves of the quota while it arrives."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import UploadReservation, User
from app.projects import storage
from app.projects.storage import Storage, reserving, storage_of
from app.settings import Settings
from app.values.sizes import MB


async def test_uploads_that_reserve_at_once_share_the_quota(
    db: Database, settings: Settings, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = replace(settings, upload_quota_mb=1)

    async def read_slowly(*arguments: Any) -> Storage:
        found = await storage_of(*arguments)
        await asyncio.sleep(0.05)
        return found

    monkeypatch.setattr(storage, "storage_of", read_slowly)
    async with AsyncExitStack() as stack:
        uploads = [
            await stack.enter_async_context(reserving(db, narrow, alice.id)) for _ in range(4)
        ]

        sizes = await asyncio.gather(*(upload.grow_to(MB) for upload in uploads))

    assert sorted(sizes) == [0, 0, 0, MB]


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
