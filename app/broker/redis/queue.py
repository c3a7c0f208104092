"""SAQ's queue on Redis, with SAQ's keys and states of a job.

It corrects what loses or repeats jobs: SAQ sweeps jobs that were taken a moment ago, an update
undoes a concurrent abort, and an aborted job may be enqueued again while it is still running.
Waiting is the same on every store (poked_queue.py).
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from saq import Job, Status
from saq.queue import redis
from saq.types import CountKind
from saq.utils import millis, now, now_seconds, uuid1

from app.broker.poked_queue import (
    ENDED,
    POLL_SECONDS,
    STARTED,
    PokedQueue,
    count_from_now,
    is_too_late,
    kept_status,
    retry_time,
    to_json,
)
from app.broker.recovery import recover
from app.broker.relay import Relay

# Takes the next job, after moving the jobs that have come due into the queue. The start is recorded
# in the same step, so that a sweep does not mistake a job just taken for an abandoned one. It is
# appended to the JSON object: of two members with the same name, the last one counts.
TAKE = """
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(0', ARGV[1])) do
    redis.call('ZADD', KEYS[1], 0, id)
    redis.call('RPUSH', KEYS[2], id)
end
while true do
    local id = redis.call('LMOVE', KEYS[2], KEYS[3], 'LEFT', 'RIGHT')
    if not id then
        return nil
    end
    local job = redis.call('GET', id)
    if job then
        job = string.sub(job, 1, -2) .. ARGV[2]
        redis.call('SET', id, job)
        return job
    end
    redis.call('LREM', KEYS[3], 1, id)
    redis.call('ZREM', KEYS[1], id)
end
"""

# The driver's own types fit neither of its two clients.
Pipe = Any

logger = logging.getLogger("saq")


class RedisQueue(PokedQueue, redis.RedisQueue):
    """The queue `name` of the installation whose keys begin with `prefix`.

    `redis` may be shared by queues that are closed together.
    """

    redis: Any

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        name: str,
        relay: Relay,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._prefix = f"{prefix}:{name}"
        super().__init__(redis=redis, name=name, dump=to_json)
        # Running jobs that were asked to end and have not ended yet.
        self._aborting = self.namespace("aborting")
        self._holder = uuid1()
        self._take_script = redis.register_script(TAKE)
        self._use(relay, poll_seconds)

    def __repr__(self) -> str:
        return f"RedisQueue<{self.name}>"

    def namespace(self, key: str) -> str:
        return f"{self._prefix}:{key}"

    def job_id(self, job_key: str) -> str:
        return f"{self._prefix}:job:{job_key}"

    def job_key_from_id(self, job_id: str) -> str:
        return job_id.removeprefix(self.job_id(""))

    async def disconnect(self) -> None:
        """Close the connections; the relay, which may be shared, stays connected."""
        await self.redis.aclose()

    async def count(self, kind: CountKind) -> int:
        number = await super().count(kind)
        if kind == "queued":
            number += await self.redis.zcount(self._incomplete, "(0", now_seconds())
        return number

    async def _take(self) -> Job | None:
        keys = [self._incomplete, self._queued, self._active]
        taken = f',"status":"active","started":{now()},"touched":{now()}}}'
        payload = await self._take_script(keys=keys, args=[now_seconds(), taken])
        return self.deserialize(payload)

    async def _put_back(self, job: Job) -> None:
        async with self.redis.pipeline() as pipe:
            pipe.lrem(self._active, 1, job.id)
            pipe.zadd(self._incomplete, {job.id: 0}).lpush(self._queued, job.id)
            await pipe.set(job.id, self.serialize(job)).execute()
        await self.notify(job)

    async def _seconds_until_due(self) -> float | None:
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.llen(self._queued)
            pipe.zrangebyscore(self._incomplete, "(0", "inf", start=0, num=1, withscores=True)
            waiting, later = await pipe.execute()
        if waiting:
            return 0
        return later[0][1] - now_seconds() if later else None

    async def _enqueue(self, job: Job) -> Job | None:
        async def enqueue(pipe: Pipe) -> bool:
            stored = self.deserialize(await pipe.get(job.id))
            if stored and stored.status not in ENDED:
                await self._move_up(pipe, stored, job.scheduled)
                return False
            pipe.multi()
            self._place(pipe, job, job.scheduled)
            return True

        is_new = await self._change(job, enqueue)
        await self.notify(job)
        if not is_new:
            return None
        logger.info("Enqueuing %s", job.info(logger.isEnabledFor(logging.DEBUG)))
        return job

    async def _move_up(self, pipe: Pipe, stored: Job, to: float) -> None:
        waits_until = await pipe.zscore(self._incomplete, stored.id) or 0
        pipe.multi()
        if stored.status is Status.QUEUED and (to or now_seconds()) < waits_until:
            stored.scheduled = to  # type: ignore[assignment]
            self._place(pipe, stored, to)

    def _place(self, pipe: Pipe, job: Job, time: float) -> None:
        """Store the job, to be taken at this time."""
        is_due = time <= now_seconds()
        pipe.lrem(self._queued, 0, job.id).zadd(self._incomplete, {job.id: 0 if is_due else time})
        if is_due:
            pipe.rpush(self._queued, job.id)
        pipe.set(job.id, self.serialize(job))

    async def _update(self, job: Job, status: Status | None = None, **_: Any) -> None:
        async def update(pipe: Pipe) -> None:
            stored = self.deserialize(await pipe.get(job.id))
            pipe.multi()
            if stored:
                job.status = kept_status(stored.status, status) or job.status
                pipe.set(job.id, self.serialize(job), keepttl=True)

        await self._change(job, update)
        await self.notify(job)

    async def _retry(self, job: Job, error: str | None) -> None:  # noqa: ARG002
        job.scheduled = retry_time(job)
        async with self.redis.pipeline() as pipe:
            pipe.lrem(self._active, 0, job.id).srem(self._aborting, job.id)
            self._place(pipe, job, job.scheduled)
            await pipe.execute()
        await self.notify(job)

    async def _finish(self, job: Job, status: Status, **_: Any) -> None:
        async def finish(pipe: Pipe) -> None:
            stored = self.deserialize(await pipe.get(job.id))
            pipe.multi()
            if not is_too_late(stored.status if stored else None, status):
                self._forget(pipe, job)

        await self._change(job, finish)
        await self.notify(job)

    def _forget(self, pipe: Pipe, job: Job) -> None:
        """Remove a job that has ended from all lists; its result is kept for its `ttl`."""
        pipe.lrem(self._active, 0, job.id).lrem(self._queued, 0, job.id)
        pipe.zrem(self._incomplete, job.id).srem(self._aborting, job.id)
        if job.ttl >= 0:
            pipe.set(job.id, self.serialize(job), ex=job.ttl or None)
        else:
            pipe.delete(job.id)

    async def abort(self, job: Job, error: str, ttl: float = 5) -> None:  # noqa: ARG002
        """End a waiting job, ask a running one to end, leave a finished one as it is."""
        job.error = error

        async def abort(pipe: Pipe) -> Status | None:
            stored = self.deserialize(await pipe.get(job.id))
            pipe.multi()
            if stored is None or stored.status in ENDED:
                return None
            is_running = stored.status in STARTED
            stored.error, stored.status = error, Status.ABORTING if is_running else Status.ABORTED
            pipe.set(job.id, self.serialize(stored))
            if is_running:
                pipe.lrem(self._active, 0, job.id).zrem(self._incomplete, job.id)
                pipe.sadd(self._aborting, job.id)
            return stored.status

        status = await self._change(job, abort)
        if status is Status.ABORTED:
            await self.finish(job, Status.ABORTED, error=error)
        elif status:
            job.status = status
            await self.notify(job)

    async def finish_abort(self, job: Job) -> None:
        await job.finish(Status.ABORTED, error=job.error)

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Recover jobs whose worker went silent; returns their ids.

        One queue object keeps sweeping; another takes over when it has not for `lock` seconds.
        A worker that is still running gets `abort` seconds to release a job.
        """
        if self.was_away or not await self._hold_sweeper(lock):
            return []
        running = await self._running()
        for job in running:
            if count_from_now(job):
                await self._update(job)
        stuck = [job for job in running if job.stuck]
        for job in stuck:
            await recover(job, self, abort)
        return [job.id for job in stuck]

    async def _hold_sweeper(self, seconds: int) -> bool:
        longest = max(1, int(millis(seconds)))
        if await self.redis.set(self._sweep, self._holder, px=longest, nx=True):
            return True
        is_ours = await self.redis.get(self._sweep) == self._holder.encode()
        return is_ours and bool(await self.redis.set(self._sweep, self._holder, px=longest))

    async def _running(self) -> list[Job]:
        ids = [*await self.redis.lrange(self._active, 0, -1)]
        ids += await self.redis.smembers(self._aborting)
        found = [(id, await self.redis.get(id)) for id in ids]
        for id, payload in found:
            if not payload:
                await self.redis.lrem(self._active, 0, id)
                await self.redis.srem(self._aborting, id)
                await self.redis.zrem(self._incomplete, id)
        jobs = [self.deserialize(payload) for _, payload in found]
        return [job for job in jobs if job]

    async def _change(self, job: Job, change: Callable[[Pipe], Awaitable[Any]]) -> Any:
        """Returns what `change` returns. `change` is repeated if the job was changed concurrently."""
        return await self.redis.transaction(change, job.id, value_from_callable=True)
