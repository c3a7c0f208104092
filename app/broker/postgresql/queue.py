"""SAQ's queue on PostgreSQL, with SAQ's tables, statements and states of a job.

It corrects what breaks when several hosts start, stop and lose the server independently: SAQ never
releases the lock on its schema, and a process that does not get it starts without tables; its
sweeper holds a lock of a connection that may be lost; a job that ends while it is aborted or swept
runs again; delays are rounded to seconds. Waiting is the same on every store (poked_queue.py).
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg_pool import AsyncConnectionPool
from saq import Job, Status
from saq.queue import postgres
from saq.queue.postgres_migrations import get_migrations
from saq.utils import now_seconds, uuid1

from app.broker.poked_queue import (
    ENDED,
    POLL_SECONDS,
    STARTED,
    PokedQueue,
    count_from_now,
    is_too_late,
    kept_status,
    to_json,
)
from app.broker.recovery import recover
from app.broker.relay import Relay

SCHEMA_LOCK = 6_205_979

Pool = AsyncConnectionPool[AsyncConnection[Any]]

logger = logging.getLogger("saq")


class PostgresQueue(PokedQueue, postgres.PostgresQueue):
    """The queue `name` in the first schema of the search path. A key waits in one queue only.

    Queues may share `pool`, and are then closed together.
    """

    pool: Pool

    def __init__(
        self, pool: Pool, name: str, relay: Relay, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        super().__init__(pool=pool, name=name, dump=to_json)
        self._holder = uuid1()
        self._waiting = 1  # jobs that SAQ takes at a time
        self._use(relay, poll_seconds)

    def __repr__(self) -> str:
        return f"PostgresQueue<{self.name}>"

    async def connect(self) -> None:
        await self.pool.open()
        await super().connect()

    async def disconnect(self) -> None:
        """Close the pool; the relay, which may be shared, stays connected."""
        await super().disconnect()
        await self.pool.close()

    async def init_db(self) -> None:
        """Create or upgrade SAQ's tables, in one process at a time."""
        async with self.pool.connection() as connection, connection.transaction():
            lock = "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))"
            await connection.execute(lock, [SCHEMA_LOCK])
            await self._run(connection, "CREATE TABLE IF NOT EXISTS {versions} (version integer)")
            [present] = await self._run(
                connection, "SELECT coalesce(max(version), 0) FROM {versions}"
            )
            migrations = get_migrations(self.jobs_table, self.stats_table)
            for version, statements in migrations:
                if version > present[0]:
                    for statement in statements:
                        await connection.execute(statement)
            if present[0] == 0:
                await self._run(connection, WITH_FRACTIONS)
            if present[0] < migrations[-1][0]:
                await self._run(connection, "DELETE FROM {versions}")
                insert = "INSERT INTO {versions} VALUES (%(version)s)"
                await self._run(connection, insert, version=migrations[-1][0])

    async def _take(self) -> Job | None:
        try:
            await self._dequeue()
            return None if self._job_queue.empty() else self._job_queue.get_nowait()
        finally:
            # Drop jobs of a transaction that could not be committed: they are still queued.
            while not self._job_queue.empty():
                self._job_queue.get_nowait()

    async def _put_back(self, job: Job) -> None:
        await self._update(job, Status.QUEUED)

    async def _seconds_until_due(self) -> float | None:
        async with self.pool.connection() as connection:
            [(soonest,)] = await self._run(connection, SOONEST)
        return None if soonest is None else float(soonest) - now_seconds()

    async def _enqueue(self, job: Job) -> Job | None:
        scheduled = job.scheduled or now_seconds()
        values = {
            "key": job.key,
            "job": self.serialize(job),
            "status": job.status,
            "priority": job.priority,
            "group_key": job.group_key,
            "scheduled": scheduled,
        }
        async with self.pool.connection() as connection:
            if not await self._run(connection, ENQUEUE, **values):
                await self._move_up(connection, job.key, scheduled)
                return None
        await self.notify(job)
        logger.info("Enqueuing %s", job.info(logger.isEnabledFor(logging.DEBUG)))
        return job

    async def _move_up(self, connection: AsyncConnection[Any], key: str, to: float) -> None:
        async with connection.transaction():
            later = await self._run(connection, WAITS_LONGER, key=key, scheduled=to)
            for payload, status in later:
                job = self._read(payload, status)
                job.scheduled = to  # type: ignore[assignment]
                await self._update(job, connection=connection)
        if later:
            await self.notify(job)

    async def _update(
        self,
        job: Job,
        status: Status | None = None,
        *,
        connection: AsyncConnection[Any] | None = None,
        **more: Any,
    ) -> None:
        async with self._transaction(connection) as own:
            stored = await self.get_job_status(job.key, for_update=True, connection=own)
            kept = kept_status(stored, status)
            await super()._update(job, kept, connection=own, **more)
        await self.notify(job)

    async def _finish(
        self,
        job: Job,
        status: Status,
        *,
        connection: AsyncConnection[Any] | None = None,
        **_: Any,
    ) -> None:
        async with self._transaction(connection) as own:
            stored = await self.get_job_status(job.key, for_update=True, connection=own)
            if not is_too_late(stored, status):
                await super()._finish(job, status, connection=own)
        await self.notify(job)

    async def abort(self, job: Job, error: str, ttl: float = 5) -> None:  # noqa: ARG002
        """End a waiting job, ask a running one to end, leave a finished one as it is."""
        job.error = error
        async with self.pool.connection() as connection, connection.transaction():
            stored = await self._locked(connection, job.key)
            if stored is None or stored.status in ENDED:
                return
            stored.error, is_running = error, stored.status in STARTED
            job.status = Status.ABORTING if is_running else Status.ABORTED
            await self._update(stored, job.status, connection=connection)
            if not is_running:
                await self.finish(job, Status.ABORTED, error=error, connection=connection)

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Delete what has expired and recover jobs whose worker went silent; returns their ids.

        One queue object keeps sweeping; another takes over when it has not for `lock` seconds.
        A worker that is still running gets `abort` seconds to release a job.
        """
        sweeper = {"id": f"sweeper:{self.name}", "holder": f'"{self._holder}"', "seconds": lock}
        async with self.pool.connection() as connection:
            if self.was_away or not await self._run(connection, HOLD_SWEEPER, **sweeper):
                return []
            await self._run(connection, FORGET_JOBS)
            await self._run(connection, FORGET_WORKERS)
            running = [self._read(*row) for row in await self._run(connection, RUNNING)]
            for job in running:
                if count_from_now(job):
                    await self._update(job, connection=connection)
        stuck = [job for job in running if job.stuck]
        for job in stuck:
            await recover(job, self, abort)
        return [job.id for job in stuck]

    async def _notify(self, key: str, connection: AsyncConnection[Any] | None = None) -> None:
        """SAQ's own way of waking workers is not used."""

    async def _locked(self, connection: AsyncConnection[Any], key: str) -> Job | None:
        rows = await self._run(connection, LOCKED, key=key)
        return self._read(*rows[0]) if rows else None

    def _read(self, payload: bytes, status: str) -> Job:
        job = self.deserialize(payload, status)
        assert job
        return job

    @asynccontextmanager
    async def _transaction(
        self, connection: AsyncConnection[Any] | None
    ) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction on `connection`, nested if one has begun there, else on a pooled
        connection.
        """
        if connection:
            async with connection.transaction():
                yield connection
        else:
            async with self.pool.connection() as own, own.transaction():
                yield own

    async def _run(
        self, connection: AsyncConnection[Any], statement: LiteralString, **values: Any
    ) -> list[tuple[Any, ...]]:
        """The rows that the statement returns, if it returns any."""
        named = SQL(statement).format(
            jobs=self.jobs_table, stats=self.stats_table, versions=self.versions_table
        )
        given = {"queue": self.name, "now": now_seconds(), **values}
        cursor = await connection.execute(named, given)
        return await cursor.fetchall() if cursor.description else []


# SAQ keeps whole seconds.
WITH_FRACTIONS = """
ALTER TABLE {jobs}
    ALTER scheduled TYPE double precision,
    ALTER expire_at TYPE double precision;
ALTER TABLE {stats} ALTER expire_at TYPE double precision
"""

ENQUEUE = """
INSERT INTO {jobs} (key, job, queue, status, priority, group_key, scheduled)
VALUES (
    %(key)s, %(job)s, %(queue)s, %(status)s, %(priority)s, %(group_key)s, %(scheduled)s
)
ON CONFLICT (key) DO UPDATE SET
    job = excluded.job,
    queue = excluded.queue,
    status = excluded.status,
    priority = excluded.priority,
    group_key = excluded.group_key,
    scheduled = excluded.scheduled,
    expire_at = NULL
WHERE {jobs}.status IN ('aborted', 'complete', 'failed')
RETURNING key
"""

WAITS_LONGER = """
SELECT job, status FROM {jobs}
WHERE queue = %(queue)s AND key = %(key)s AND status = 'queued' AND scheduled > %(scheduled)s
FOR UPDATE
"""

SOONEST = """
SELECT min(scheduled) FROM {jobs}
WHERE queue = %(queue)s AND status = 'queued'
"""

LOCKED = """
SELECT job, status FROM {jobs}
WHERE queue = %(queue)s AND key = %(key)s
FOR UPDATE
"""

RUNNING = """
SELECT job, status FROM {jobs}
WHERE queue = %(queue)s AND status IN ('active', 'aborting')
"""

# The sweeper's row is in the table of workers, but belongs to no queue, so that it is not listed.
HOLD_SWEEPER = """
INSERT INTO {stats} (worker_id, metadata, expire_at)
VALUES (%(id)s, %(holder)s, extract(epoch FROM now()) + %(seconds)s)
ON CONFLICT (worker_id) DO UPDATE SET
    metadata = excluded.metadata,
    expire_at = excluded.expire_at
WHERE {stats}.metadata = excluded.metadata OR {stats}.expire_at <= extract(epoch FROM now())
RETURNING worker_id
"""

FORGET_JOBS = """
DELETE FROM {jobs}
WHERE queue = %(queue)s AND status IN ('aborted', 'complete', 'failed') AND expire_at <= %(now)s
"""

FORGET_WORKERS = """
DELETE FROM {stats}
WHERE queue_key = %(queue)s AND expire_at <= extract(epoch FROM now())
"""
