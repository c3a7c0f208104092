"""A cron line runs once at each of its times, even if the workers' clocks differ."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from saq import Job

from app import clock
from app.database import Database
from app.operations.cron_ticks import once_per_tick, take_tick

NOON = 1_795_867_200


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    start = clock.now().fromtimestamp(NOON, clock.now().tzinfo)
    monkeypatch.setattr(clock, "now", lambda: start)


def job(tick: int, queued: int = 1) -> Job:
    return Job("recover", scheduled=tick, queued=queued)


async def test_a_time_is_taken_by_one_job(db: Database) -> None:
    assert await take_tick(db, job(NOON, queued=1))
    assert not await take_tick(db, job(NOON, queued=2))
    assert await take_tick(db, job(NOON + 60, queued=3))


async def test_of_many_workers_one_takes_a_time(db: Database) -> None:
    taken = await asyncio.gather(*(take_tick(db, job(NOON, queued=each)) for each in range(8)))
    assert sum(taken) == 1


async def test_a_worker_that_is_behind_does_not_run_what_another_one_has_run(db: Database) -> None:
    ahead, behind = job(NOON, queued=1), job(NOON - 60, queued=2)
    assert await take_tick(db, ahead)
    assert not await take_tick(db, behind)


async def test_a_job_that_failed_may_run_again_at_its_time(db: Database) -> None:
    first = job(NOON)
    assert await take_tick(db, first)
    assert await take_tick(db, first)


async def test_lines_do_not_take_the_times_of_others(db: Database) -> None:
    assert await take_tick(db, job(NOON))
    assert await take_tick(db, Job("purge", scheduled=NOON, queued=2))


async def test_a_time_taken_by_a_clock_far_ahead_does_not_count(db: Database) -> None:
    weeks_ahead = int(timedelta(days=40).total_seconds())
    await take_tick(db, job(NOON + weeks_ahead, queued=1))
    assert await take_tick(db, job(NOON, queued=2))


async def test_a_line_does_nothing_at_a_time_that_was_taken(db: Database) -> None:
    runs: list[int] = []

    async def recover(context: Any) -> None:
        runs.append(context["job"].queued)

    line = once_per_tick(recover, db)
    for queued in (1, 2):
        await line({"job": job(NOON, queued=queued)})  # type: ignore[typeddict-item]
    assert runs == [1]
