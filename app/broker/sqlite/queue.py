"""SAQ's queue in a SQLite file: jobs that outlive their worker, and no server to install.

Every operation is one statement, so several processes can write the file without holding
transactions open. A poke wakes the workers that wait for a job; a wait also ends when the next
job is due.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from saq import Job, Status
from saq.types import CountKind, QueueInfo, WorkerInfo
from saq.utils import now_seconds, uuid1

from app.broker.poked_queue import POLL_SECONDS, PokedQueue, to_json
from app.broker.recovery import recover
from app.broker.relay import ProcessRelay, Relay
from app.broker.sqlite import statements as sql
from app.broker.sqlite.file import SqliteFile

logger = logging.getLogger("saq")


class SqliteQueue(PokedQueue):
    """The queue `name` in the file at `path`, which can contain several queues.

    Where SAQ's backends differ, it follows the one for PostgreSQL: only jobs with a priority in
    `priorities` are taken, lower ones first; one job of a `group_key` runs at a time; `job.id` is
    the key. `scheduled` may have a fraction. Arguments and results must be JSON.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        relay: Relay | None,
        *,
        priorities: tuple[int, int] = (0, 32767),
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`poll_seconds`: how long a lost poke can delay a job."""
        super().__init__(name, dump=to_json, load=None)
        self._file = SqliteFile(path)
        self._scope = {"queue": name, "lowest": priorities[0], "highest": priorities[1]}
        self._holder = uuid1()
        self._use(relay or ProcessRelay(), poll_seconds)

    def __repr__(self) -> str:
        return f"SqliteQueue<{self._file.path}, {self.name}>"

    async def connect(self) -> None:
        """Open the file, and connect the relay. Connecting twice does no harm."""
        await self._file.open(sql.SCHEMA)
        await super().connect()

    async def disconnect(self) -> None:
        """Close the file; the relay, which may be shared, stays connected."""
        await self._file.close()

    async def info(self, jobs: bool = False, offset: int = 0, limit: int = 10) -> QueueInfo:
        workers = await self._rows(sql.WORKERS)
        queued = await self.count("queued")
        active = await self.count("active")
        incomplete = await self.count("incomplete")
        soonest = await self._jobs(sql.SOONEST, offset=offset, limit=limit) if jobs else []
        return {
            "workers": {worker_id: json.loads(info) for worker_id, info in workers},
            "name": self.name,
            "queued": queued,
            "active": active,
            "scheduled": incomplete - queued - active,
            "jobs": [job.to_dict() for job in soonest],
        }

    async def count(self, kind: CountKind) -> int:
        [(number,)] = await self._rows(sql.COUNT[kind])
        return int(number)

    async def job(self, job_key: str) -> Job | None:
        [job] = await self.jobs([job_key])
        return job

    async def jobs(self, job_keys: Iterable[str]) -> list[Job | None]:
        keys = list(job_keys)
        found = {job.key: job for job in await self._jobs(sql.BY_KEYS, keys=json.dumps(keys))}
        return [found.get(key) for key in keys]

    async def iter_jobs(
        self, statuses: Iterable[Status] = Status, batch_size: int = 100
    ) -> AsyncIterator[Job]:
        wanted, last = json.dumps(list(statuses)), ""
        while batch := await self._jobs(
            sql.BY_STATUS, statuses=wanted, last=last, limit=batch_size
        ):
            last = batch[-1].key
            for job in batch:
                yield job

    async def abort(self, job: Job, error: str, ttl: float = 5) -> None:  # noqa: ARG002
        """End a waiting job, ask a running one to end, leave a finished one as it is."""
        job.error = error
        if await self._rows(sql.ABORT, key=job.key, error=error) == [(Status.ABORTING,)]:
            job.status = Status.ABORTING
            await self.notify(job)
        else:
            await self.finish(job, Status.ABORTED, error=error)

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Delete what has expired and recover jobs whose worker went silent; returns their ids.

        One queue object keeps sweeping; another takes over when it has not for `lock` seconds.
        A worker that is still running gets `abort` seconds to release a job.
        """
        if not await self._rows(sql.HOLD_SWEEPER, holder=self._holder, seconds=lock):
            return []
        await self._rows(sql.FORGET_JOBS)
        await self._rows(sql.FORGET_WORKERS)
        await self._rows(sql.COUNT_FROM_NOW)
        stuck = [job for job in await self._jobs(sql.RUNNING) if job.stuck]
        await asyncio.gather(*(recover(job, self, abort) for job in stuck))
        return [job.id for job in stuck]

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        await self._rows(sql.SEE_WORKER, id=worker_id, info=json.dumps(info), ttl=ttl)

    async def _take(self) -> Job | None:
        return next(iter(await self._jobs(sql.CLAIM)), None)

    async def _put_back(self, job: Job) -> None:
        await self._update(job, Status.QUEUED)

    async def _seconds_until_due(self) -> float | None:
        [(seconds,)] = await self._rows(sql.SECONDS_UNTIL_DUE)
        return None if seconds is None else float(seconds)

    async def _enqueue(self, job: Job) -> Job | None:
        scheduled = job.scheduled or now_seconds()
        written = await self._rows(
            sql.ENQUEUE,
            **self._stored(job, job.status),
            priority=job.priority,
            group_key=job.group_key,
            scheduled=scheduled,
        )
        if not written:
            if await self._rows(sql.MOVE_UP, key=job.key, scheduled=scheduled):
                await self.notify(job)
            return None
        await self.notify(job)
        logger.info("Enqueuing %s", job.info(logger.isEnabledFor(logging.DEBUG)))
        return job

    async def _update(self, job: Job, status: Status | None = None, **_: Any) -> None:
        values = self._stored(job, status)
        for (kept,) in await self._rows(sql.UPDATE, **values, scheduled=job.scheduled):
            job.status = Status(kept)
        await self.notify(job)

    async def _finish(self, job: Job, status: Status, **_: Any) -> None:
        statement = sql.FINISH if job.ttl >= 0 else sql.FINISH_AND_FORGET
        await self._rows(statement, **self._stored(job, status), ttl=job.ttl)
        await self.notify(job)

    def _stored(self, job: Job, status: Status | None) -> dict[str, Any]:
        return {"key": job.key, "status": status, "payload": self.serialize(job)}

    async def _jobs(self, statement: str, **values: Any) -> list[Job]:
        found = (self.deserialize(*row) for row in await self._rows(statement, **values))
        return [job for job in found if job]

    async def _rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self._file.rows(statement, {**self._scope, "now": now_seconds(), **values})
