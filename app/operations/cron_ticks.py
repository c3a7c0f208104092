"""Runs a cron line once at each of its times, however many workers there are and whatever their
clocks say.

SAQ has every worker enqueue the line's next run under one key. That works only while the clocks
agree: a worker whose clock is ahead has already run the line when another enqueues it for the same
time. So each run first claims its time in the database.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from saq import Job
from saq.types import Context
from sqlalchemy import and_, or_

from app import clock
from app.database import Database
from app.database.upsert import insert_into
from app.models import CronTick
from app.operations.clock_jumps import TOLERANCE

Line = Callable[[Context], Awaitable[Any]]


def once_per_tick(line: Line, db: Database) -> Line:
    """Wraps the line so that it does nothing at a time that has been claimed."""

    @wraps(line)
    async def run(context: Context) -> None:
        if await take_tick(db, context["job"]):
            await line(context)

    return run


async def take_tick(db: Database, job: Job) -> bool:
    """Claims the job's time for its cron line. Returns False if another job has claimed it or a
    later one.

    The same job may claim its time again, to be retried. A claim in the future was made while a
    clock was ahead, and does not count.
    """
    values = {"tick": datetime.fromtimestamp(job.scheduled, UTC), "taken_by": str(job.queued)}
    async with db.write() as session:
        insert = insert_into(session, CronTick).values(line=job.function, **values)
        is_later = CronTick.tick < insert.excluded.tick
        is_own = and_(
            CronTick.tick == insert.excluded.tick, CronTick.taken_by == insert.excluded.taken_by
        )
        is_wrong = CronTick.tick > clock.now() + TOLERANCE
        taken = insert.on_conflict_do_update(
            index_elements=[CronTick.line], set_=values, where=or_(is_later, is_own, is_wrong)
        ).returning(CronTick.line)
        return (await session.execute(taken)).first() is not None
