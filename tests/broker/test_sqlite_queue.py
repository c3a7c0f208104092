import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from saq import Job, Status
from saq.utils import now

from app.broker import Broker, open_broker
from app.broker import sqlite_statements as sql
from app.broker.relay import ProcessRelay
from app.broker.sqlite_queue import SqliteQueue
from app.settings import load
from tests.broker.conftest import StartProcess, said
from tests.broker.processes import NEVER
from tests.broker.queue_case import (
    LATER,
    SOON,
    OpenQueue,
    QueueCase,
    abandoned,
    counts,
    dequeued,
    enqueued,
    eventually,
    has_status,
    stored_job,
)


@pytest.fixture
async def open_queue(tmp_path: Path) -> AsyncIterator[OpenQueue]:
    relay = ProcessRelay()
    opened: list[SqliteQueue] = []

    async def open_queue(name: str = "default", **options: Any) -> SqliteQueue:
        opened.append(SqliteQueue(tmp_path / "queue.db", name, relay, **options))
        await opened[-1].connect()
        return opened[-1]

    yield open_queue
    for queue in opened:
        await queue.disconnect()
    await relay.disconnect()


@pytest.fixture
async def queue(open_queue: OpenQueue) -> SqliteQueue:
    queue = await open_queue()
    assert isinstance(queue, SqliteQueue)
    return queue


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = open_broker(load({"DATA_DIR": str(tmp_path)}))
    await broker.connect()
    yield broker
    await broker.disconnect()


class TestSqliteQueue(QueueCase):
    pass


# Waiting


async def test_waiting_ends_when_a_job_is_due(open_queue: OpenQueue) -> None:
    queue = await open_queue(poll_seconds=NEVER)
    waiting = asyncio.create_task(dequeued(queue))
    await asyncio.sleep(SOON)
    due = time.time() + 0.2
    job = await enqueued(queue, "greet", scheduled=due)
    assert await waiting == job
    assert time.time() >= due


async def test_a_delayed_retry_comes_back_by_itself(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet", retries=2, retry_delay=0.2)
    await dequeued(queue)
    await job.retry(None)
    assert await counts(queue) == (0, 0, 1)
    assert await dequeued(queue) == job


async def test_growing_delays_stay_below_their_limit(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet", retries=9, retry_delay=100, retry_backoff=0.1)
    for _ in range(3):
        taken = await dequeued(queue)
        taken.attempts += 1
        await taken.retry(None)
    assert (await stored_job(job)).scheduled <= time.time() + 0.1


async def test_a_lost_poke_delays_a_job_only_a_little(
    open_queue: OpenQueue, tmp_path: Path
) -> None:
    waiting = asyncio.create_task(dequeued(await open_queue(poll_seconds=0.05)))
    await asyncio.sleep(SOON)
    silent = SqliteQueue(tmp_path / "queue.db", "default", None)
    await silent.connect()
    job = await enqueued(silent, "greet")
    assert await asyncio.wait_for(waiting, 10) == job
    await silent.disconnect()


async def test_of_many_waiting_tasks_one_queries_the_file_after_a_poke(
    open_queue: OpenQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await open_queue(poll_seconds=NEVER)
    assert isinstance(queue, SqliteQueue)
    asked: list[str] = []
    rows = queue._file.rows

    async def counted(statement: str, values: Any) -> Any:
        asked.append(statement)
        return await rows(statement, values)

    async def has_asked(times: int) -> bool:
        return len(asked) >= times

    monkeypatch.setattr(queue._file, "rows", counted)
    waiting = [asyncio.create_task(queue.dequeue()) for _ in range(10)]
    await eventually(lambda: has_asked(2))
    queue._relay.poke(queue._work)
    await eventually(lambda: has_asked(4))
    await asyncio.sleep(0.1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting)
    assert asked[:4] == [sql.CLAIM, sql.SECONDS_UNTIL_DUE] * 2
    assert len(asked) == 4


async def test_a_cancelled_wait_takes_no_job(queue: SqliteQueue) -> None:
    jobs = [await enqueued(queue, "greet") for _ in range(20)]
    for step in range(1, 20):
        waiting = asyncio.create_task(queue.dequeue())
        for _ in range(step):
            await asyncio.sleep(0)
        waiting.cancel()
        if await waiting is not None:
            jobs.pop(0)
        assert await counts(queue) == (len(jobs), 20 - len(jobs), 20)
    assert [await dequeued(queue) for _ in jobs] == jobs


async def test_a_listener_notices_the_end_of_a_job_without_polling(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet")

    def has_ended(_key: str, status: Status) -> bool:
        return status is Status.COMPLETE

    listening = asyncio.create_task(queue.listen([job.key], has_ended, poll_interval=60))
    await asyncio.sleep(SOON)
    await job.finish(Status.COMPLETE)
    await asyncio.wait_for(listening, 10)


# Order


async def test_a_lower_priority_comes_first(queue: SqliteQueue) -> None:
    jobs = [await enqueued(queue, "greet", priority=number) for number in (2, 0, 1)]
    assert [await dequeued(queue) for _ in jobs] == [jobs[1], jobs[2], jobs[0]]


async def test_a_priority_out_of_range_is_left_to_others(
    queue: SqliteQueue, open_queue: OpenQueue
) -> None:
    job = await enqueued(queue, "greet", priority=-1)
    assert await queue.dequeue(timeout=0.05) is None
    assert await dequeued(await open_queue(priorities=(-1, -1))) == job


async def test_of_a_group_one_runs_at_a_time_and_others_are_not_held_up(
    queue: SqliteQueue,
) -> None:
    first, second = [await enqueued(queue, "greet", group_key="alice") for _ in range(2)]
    alone = await enqueued(queue, "greet")
    assert [await dequeued(queue), await dequeued(queue)] == [first, alone]
    waiting = asyncio.create_task(dequeued(queue))
    await asyncio.sleep(SOON)
    assert not waiting.done()
    await first.finish(Status.COMPLETE)
    assert await asyncio.wait_for(waiting, 10) == second


async def test_the_same_key_may_wait_in_two_queues(
    queue: SqliteQueue, open_queue: OpenQueue
) -> None:
    other = await open_queue("compilations")
    await enqueued(queue, "greet", key="same")
    await enqueued(other, "fail", key="same")
    assert [job.function async for job in queue.iter_jobs()] == ["greet"]


async def test_a_moment_still_to_come_does_not_run_twice(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet", key="cron:greet", scheduled=LATER)
    await job.finish(Status.COMPLETE)
    assert await queue.enqueue("greet", key="cron:greet", scheduled=LATER) is None
    assert await queue.enqueue("greet", key="cron:greet", scheduled=LATER + 60)


async def test_the_soonest_jobs_are_shown_first(queue: SqliteQueue) -> None:
    for minutes in (3, 1, 2):
        await enqueued(queue, "greet", key=f"in {minutes}", scheduled=LATER + minutes)
    shown = (await queue.info(jobs=True, offset=1, limit=2))["jobs"]
    assert [job["key"] for job in shown] == ["in 2", "in 3"]


# What must not be overwritten


async def test_an_abort_is_not_undone_by_the_start_of_the_job(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet")
    taken = await dequeued(queue)
    await job.abort("not needed")
    await taken.update(status=Status.ACTIVE)
    assert (await stored_job(job)).status is Status.ABORTING


async def test_an_abort_that_comes_too_late_changes_nothing(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet")
    await (await dequeued(queue)).finish(Status.COMPLETE, result="Hello")
    await job.abort("not needed")
    stored = await stored_job(job)
    assert (stored.status, stored.result) == (Status.COMPLETE, "Hello")


async def test_a_swept_job_is_retried_however_late_its_worker_lets_go(
    queue: SqliteQueue,
) -> None:
    job = await abandoned(queue, timeout=1)
    await queue.sweep(abort=SOON)
    await queue.finish_abort(job)
    assert (await stored_job(job)).status is Status.QUEUED


async def test_a_job_that_ends_while_it_is_swept_stays_ended(queue: SqliteQueue) -> None:
    job = await abandoned(queue, timeout=1)
    sweeping = asyncio.create_task(queue.sweep(abort=5))
    await eventually(lambda: has_status(job, Status.ABORTING))
    await job.finish(Status.COMPLETE, result="Hello")
    await sweeping
    assert (await stored_job(job)).status is Status.COMPLETE


async def test_a_job_that_ends_and_is_deleted_while_it_is_swept_stays_deleted(
    queue: SqliteQueue,
) -> None:
    job = await abandoned(queue, timeout=1, ttl=-1)
    sweeping = asyncio.create_task(queue.sweep(abort=0.2))
    await eventually(lambda: has_status(job, Status.ABORTING))
    await job.finish(Status.COMPLETE)
    await sweeping
    assert await queue.job(job.key) is None


async def test_an_aborted_job_is_not_retried_when_it_is_swept(queue: SqliteQueue) -> None:
    job = await abandoned(queue, timeout=1, retries=9)
    await job.abort("not needed")
    assert await queue.sweep(abort=SOON) == [job.id]
    stored = await stored_job(job)
    assert (stored.status, stored.error) == (Status.ABORTED, "not needed")


async def test_a_job_that_was_just_claimed_is_not_swept(queue: SqliteQueue) -> None:
    await enqueued(queue, "greet", timeout=1, heartbeat=1)
    taken = await dequeued(queue)
    assert now() - 1000 < taken.started <= now()
    assert await queue.sweep() == []


async def test_one_queue_sweeps_until_its_lock_expires(
    queue: SqliteQueue, open_queue: OpenQueue
) -> None:
    other = await open_queue()
    assert await queue.sweep(lock=60) == []
    job = await abandoned(queue, timeout=1)
    assert await other.sweep(abort=SOON) == []
    assert await queue.sweep(lock=0, abort=SOON) == [job.id]
    job = await abandoned(queue, timeout=1)
    assert await other.sweep(abort=SOON) == [job.id]


async def test_a_job_that_is_not_json_is_refused(queue: SqliteQueue) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        await queue.enqueue("greet", name=float("nan"))
    assert await counts(queue) == (0, 0, 0)


# The file


async def test_a_queue_can_be_opened_and_closed_twice(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db", "default", None)
    await queue.connect()
    await queue.connect()
    job = await enqueued(queue, "greet")
    await queue.disconnect()
    await queue.disconnect()
    await queue.connect()
    assert await queue.job(job.key) == job
    await queue.disconnect()


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        queues = [SqliteQueue(path, "default", None) for _ in range(6)]
        await asyncio.gather(*(queue.connect() for queue in queues))
        await asyncio.gather(*(queue.enqueue("greet") for queue in queues))
        assert await counts(queues[0]) == (6, 0, 6)
        await asyncio.gather(*(queue.disconnect() for queue in queues))


async def test_opening_waits_for_another_writer_of_a_new_file(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
    writer.executescript("CREATE TABLE clip (name TEXT); BEGIN IMMEDIATE; SELECT * FROM clip")
    queue = SqliteQueue(tmp_path / "queue.db", "default", None)
    opening = asyncio.create_task(queue.connect())
    await asyncio.sleep(0.1)
    assert not opening.done()
    writer.execute("COMMIT")
    await opening
    writer.close()
    await queue.disconnect()


async def test_a_closed_queue_raises_an_error(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db", "default", None)
    with pytest.raises(RuntimeError, match="not open"):
        await queue.enqueue("greet")


# Other processes


async def test_a_poke_wakes_a_worker_in_another_process(
    broker: Broker, tmp_path: Path, start_process: StartProcess
) -> None:
    await start_process("work", tmp_path)
    for queue in [broker.queue, broker.compilations] * 10:
        job = await enqueued(queue, "greet")
        await job.refresh(until_complete=20)
        assert job.result == "Hello"


async def test_a_job_survives_workers_that_are_killed(
    broker: Broker, tmp_path: Path, start_process: StartProcess
) -> None:
    job = await enqueued(broker.queue, "hang", timeout=0, heartbeat=0.1, retries=2)
    for status in (Status.QUEUED, Status.ABORTED):
        worker = await start_process("work", tmp_path)
        assert await said(worker) == "begun"
        worker.kill()
        await worker.wait()
        await eventually(lambda: was_swept(broker, job))
        assert (await stored_job(job)).status is status
    assert (await stored_job(job)).attempts == 2


async def test_a_worker_that_is_stopped_puts_its_job_back(
    broker: Broker, tmp_path: Path, start_process: StartProcess
) -> None:
    worker = await start_process("work", tmp_path)
    job = await enqueued(broker.compilations, "hang")
    assert await said(worker) == "begun"
    worker.terminate()
    assert await asyncio.wait_for(worker.wait(), 20) == 0
    stored = await stored_job(job)
    assert (stored.status, stored.error) == (Status.QUEUED, "cancelled")


async def was_swept(broker: Broker, job: Job) -> bool:
    return await broker.queue.sweep(abort=SOON) == [job.id]
