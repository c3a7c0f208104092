import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from saq import Job, Status
from saq.utils import now

from app.broker import Broker, open_broker
from app.broker.sqlite import statements as sql
from app.broker.sqlite.queue import SqliteQueue
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
    opening,
    stored_job,
)
from tests.outages import sqlite_error


@pytest.fixture
async def open_queue(tmp_path: Path) -> AsyncIterator[OpenQueue]:
    async with opening(partial(SqliteQueue, tmp_path / "queue.db")) as open_queue:
        yield open_queue


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


async def test_the_soonest_jobs_are_shown_first(queue: SqliteQueue) -> None:
    for minutes in (3, 1, 2):
        await enqueued(queue, "greet", key=f"in {minutes}", scheduled=LATER + minutes)
    shown = (await queue.info(jobs=True, offset=1, limit=2))["jobs"]
    assert [job["key"] for job in shown] == ["in 2", "in 3"]


# What must not be overwritten


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


# A clock that was ahead


WEEKS = 40 * 86400


async def test_a_cron_line_that_was_scheduled_for_a_date_weeks_ahead_comes_at_its_next_time(
    queue: SqliteQueue,
) -> None:
    await enqueued(queue, "greet", key="cron:greet", scheduled=int(time.time()) + WEEKS)
    await queue.enqueue("greet", key="cron:greet", scheduled=int(time.time()))

    assert (await dequeued(queue)).key == "cron:greet"


async def test_a_sweeper_that_was_ahead_is_replaced(open_queue: OpenQueue) -> None:
    ahead, queue = await open_queue(), await open_queue()
    await ahead.sweep(lock=WEEKS)
    job = await abandoned(queue, heartbeat=1)

    assert await queue.sweep(lock=60, abort=0.1) == [job.id]


async def test_a_worker_that_was_ahead_is_forgotten(queue: SqliteQueue) -> None:
    await queue.write_worker_info("ahead", {}, ttl=WEEKS)  # type: ignore[typeddict-item]
    before = (await queue.info())["workers"]
    await queue.sweep()

    assert before == {}
    assert await queue._rows("SELECT * FROM worker") == []


async def test_a_job_that_was_taken_in_the_future_counts_from_now(queue: SqliteQueue) -> None:
    job = await enqueued(queue, "greet", heartbeat=1, retries=2)
    await dequeued(queue)
    later = now() + WEEKS * 1000
    await queue._rows(
        "UPDATE job SET payload = json_set(payload, '$.started', :later, '$.touched', :later)",
        later=later,
    )
    await queue.sweep()
    await asyncio.sleep(1.5)

    assert await queue.sweep(abort=0.1) == [job.id]


async def test_a_queue_that_fails_is_asked_ever_less_often(
    queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    async def refuse() -> Job:
        asked.append(1)
        raise sqlite_error(sqlite3.SQLITE_FULL)

    monkeypatch.setattr(queue, "_take", refuse)

    assert await queue.dequeue(timeout=2) is None
    assert len(asked) in (1, 2, 3)
    assert "No job can be taken: The server's disk is full." in caplog.text
