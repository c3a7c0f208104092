"""How it goes, in numbers: what waits, what was delivered, what the nights removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.database import Database
from app.models import CleanUp, Delivery
from app.notifications.channels import channels_of
from app.telemetry.metrics import Reading

NIGHTS = 14
RECENT = timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """Deliveries of one channel that are due: how many, and since when the oldest (seconds)."""

    count: int
    age: float


@dataclass(frozen=True)
class QueueState:
    name: str
    queued: int
    active: int
    scheduled: int
    workers: int


@dataclass(frozen=True)
class Overview:
    queues: list[QueueState]
    waiting: Mapping[str, Waiting]
    recent: Mapping[tuple[str, str], int]
    nights: list[CleanUp]


async def read_overview(db: Database, broker: Broker) -> Overview:
    """`recent` counts the deliveries settled within a day, by (channel, state)."""
    async with db.read() as session:
        nights = select(CleanUp).order_by(CleanUp.finished_at.desc()).limit(NIGHTS)
        return Overview(
            queues=await _queues(broker),
            waiting=await _waiting(session),
            recent=await _recent(session),
            nights=list(await session.scalars(nights)),
        )


async def readings(db: Database, broker: Broker) -> list[Reading]:
    """What is read only when somebody asks; the other metrics are counted as things happen."""
    async with db.read() as session:
        waiting = await _waiting(session)
    queues = await _queues(broker)
    return [
        Reading(
            "clippyfront_deliveries_due",
            "Deliveries that are due and wait to be sent.",
            ("channel",),
            {(name,): one.count for name, one in waiting.items()},
        ),
        Reading(
            "clippyfront_deliveries_due_age_seconds",
            "For how long the oldest of them has been due.",
            ("channel",),
            {(name,): one.age for name, one in waiting.items()},
        ),
        Reading(
            "clippyfront_jobs",
            "Jobs in the queue, by state.",
            ("queue", "state"),
            {
                (queue.name, state): getattr(queue, state)
                for queue in queues
                for state in ("queued", "active", "scheduled")
            },
        ),
        Reading(
            "clippyfront_workers",
            "Workers that gave a sign of life within a minute.",
            ("queue",),
            {(queue.name,): queue.workers for queue in queues},
        ),
    ]


async def _queues(broker: Broker) -> list[QueueState]:
    infos = [await queue.info() for queue in (broker.queue, broker.compilations)]
    return [
        QueueState(
            name=info["name"],
            queued=info["queued"],
            active=info["active"],
            scheduled=info["scheduled"],
            workers=len(info["workers"]),
        )
        for info in infos
    ]


async def _waiting(session: AsyncSession) -> dict[str, Waiting]:
    now = clock.now()
    return {name: await _waiting_on(session, name, now) for name in channels_of(session)}


async def _waiting_on(session: AsyncSession, channel: str, now: datetime) -> Waiting:
    due = select(func.count(), func.min(Delivery.due_at)).where(
        Delivery.channel == channel, Delivery.state == "pending", Delivery.due_at <= now
    )
    count, oldest = (await session.execute(due)).one()
    return Waiting(count, (now - oldest).total_seconds() if oldest else 0.0)


async def _recent(session: AsyncSession) -> dict[tuple[str, str], int]:
    settled = (
        select(Delivery.channel, Delivery.state, func.count())
        .where(Delivery.settled_at > clock.now() - RECENT)
        .group_by(Delivery.channel, Delivery.state)
    )
    return {(channel, state): n for channel, state, n in await session.execute(settled)}
