"""The disk space that each user's projects take up, and the quota that limits it.

Clips, kept videos and arriving uploads count. A user over the quota can add nothing, but nothing is
removed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Update, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app import clock
from app.database import Database
from app.errors import TooLarge
from app.language import _
from app.models import Clip, Compilation, Project, UploadReservation
from app.models.project import keeps_video
from app.process.background import repeat
from app.process.cancellation import end
from app.settings import Settings
from app.values.sizes import MB, file_size

# An upload without a length reserves this much at a time.
BLOCK = MB
# A reservation of a process that crashed ends by itself.
LEASE = timedelta(minutes=2)
RENEWAL_SECONDS = 30


@dataclass(frozen=True)
class Storage:
    """In bytes. `arriving` is what uploads in progress have reserved."""

    clips: int
    videos: int
    arriving: int
    quota: int

    @property
    def used(self) -> int:
        return self.clips + self.videos

    @property
    def free(self) -> int:
        return max(0, self.quota - self.used - self.arriving)

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.quota

    def usage(self) -> str:
        sentence = _("Your clips and videos take up {used} of {quota}.")
        return sentence.format(used=file_size(self.used), quota=file_size(self.quota))

    def refusal(self) -> str:
        sentence = _(
            "There is not enough room: clips take up {clips}, videos {videos} and uploads in "
            "progress {arriving} of {quota}. Delete clips, or projects with their videos, and "
            "try again."
        )
        return sentence.format(
            clips=file_size(self.clips),
            videos=file_size(self.videos),
            arriving=file_size(self.arriving),
            quota=file_size(self.quota),
        )


async def storage_of(session: AsyncSession, settings: Settings, user_id: int) -> Storage:
    owned = Project.owner_id == user_id
    clips = _total(Clip.size).join(Project, Project.id == Clip.project_id).where(owned)
    videos = (
        _total(Compilation.size)
        .join(Project, Project.id == Compilation.project_id)
        .where(owned, keeps_video)
    )
    arriving = _total(UploadReservation.size).where(
        UploadReservation.user_id == user_id, UploadReservation.expires_at > clock.now()
    )
    totals = select(*(each.scalar_subquery() for each in (clips, videos, arriving)))
    row = [int(total) for total in (await session.execute(totals)).one()]
    return Storage(row[0], row[1], row[2], settings.upload_quota_mb * MB)


def _total(column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]) -> Select[int]:
    return select(func.coalesce(func.sum(column), 0))


class Reservation:
    """Part of the user's quota, held for an upload while it arrives. `size` in bytes."""

    def __init__(self, db: Database, settings: Settings, user_id: int) -> None:
        self._db, self._settings, self._user_id = db, settings, user_id
        self._key, self.size = secrets.token_hex(16), 0

    async def grow_to(self, size: int) -> int:
        """Grows as far as the quota has room. Returns the size."""
        async with self._db.exclusive() as session:
            storage = await storage_of(session, self._settings, self._user_id)
            self.size = min(size, self.size + storage.free)
            await session.execute(self._changed(size=self.size))
        return self.size

    async def cover(self, needed: int) -> int:
        """Grows ahead of an upload that needs `needed` bytes so far. Returns the size."""
        if needed <= self.size:
            return self.size
        return await self.grow_to(max(needed, self.size + BLOCK))

    async def spend(self, session: AsyncSession, size: int) -> None:
        """Releases `size` bytes for a file whose row the caller adds in the same transaction."""
        self.size = max(0, self.size - size)
        await session.execute(self._changed(size=self.size))

    async def refuse(self) -> TooLarge:
        async with self._db.read() as session:
            storage = await storage_of(session, self._settings, self._user_id)
        return TooLarge(storage.refusal())

    async def begin(self) -> None:
        row = {"key": self._key, "user_id": self._user_id, "size": 0, "expires_at": _end_of_lease()}
        async with self._db.exclusive() as session:
            expired = UploadReservation.expires_at <= clock.now()
            await session.execute(delete(UploadReservation).where(expired))
            await session.execute(insert(UploadReservation).values(row))

    async def renew_forever(self) -> None:
        await repeat(
            self._renew, "Could not renew the reservation of an upload. Retrying.", pause=0
        )

    async def _renew(self) -> None:
        await asyncio.sleep(RENEWAL_SECONDS)
        async with self._db.write() as session:
            await session.execute(self._changed())

    async def end(self) -> None:
        """Deletes the row. If that fails, the reservation expires by itself, so the upload
        succeeds.
        """
        ended = delete(UploadReservation).where(self._is_this)
        await self._db.note(lambda session: session.execute(ended))

    @property
    def _is_this(self) -> ColumnElement[bool]:
        return UploadReservation.key == self._key

    def _changed(self, **values: int) -> Update:
        changed = update(UploadReservation).where(self._is_this)
        return changed.values(expires_at=_end_of_lease(), **values)


def _end_of_lease() -> datetime:
    return clock.now() + LEASE


@asynccontextmanager
async def reserving(db: Database, settings: Settings, user_id: int) -> AsyncIterator[Reservation]:
    """An empty reservation that can grow, and ends with the block."""
    reservation = Reservation(db, settings, user_id)
    await reservation.begin()
    renewing = asyncio.create_task(reservation.renew_forever())
    try:
        yield reservation
    finally:
        try:
            await end(renewing)
        finally:
            await reservation.end()
