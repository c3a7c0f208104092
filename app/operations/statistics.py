"""Statistics for the admin page and Prometheus: queues, deliveries, nightly retention."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker import Broker
from app.database import Database
from app.models import CleanUp, Delivery
from app.models.delivery import is_pending
from app.notifications.channels.base import channels_of
from app.notifications.preferences.channels import ChannelDescription
from app.telemetry.metrics import Reading

SHOWN_CLEAN_UPS = 14
RECENT = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """Deliveries of one channel that are due. `age` is how long the oldest has been, in seconds."""

    channel: ChannelDescription
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
class Statistics:
    """`settled` counts the deliveries of the last day by (channel name, state)."""

    queues: list[QueueState]
    due: list[Due]
    settled: Mapping[tuple[str, str], int]
    clean_ups: list[CleanUp]


async def read_statistics(db: Database, broker: Broker) -> Statistics:
    async with db.read() as session:
        newest = select(CleanUp).order_by(CleanUp.finished_at.desc()).limit(SHOWN_CLEAN_UPS)
        return Statistics(
            queues=await _queues(broker),
            due=await _due(session),
            settled=await _settled(session),
            clean_ups=list(await session.scalars(newest)),
        )


async def readings(db: Database, broker: Broker) -> list[Reading]:
    """The metrics that are read on request. All others are counters, updated as events occur."""
    async with db.read() as session:
        due = await _due(session)
    queues = await _queues(broker)
    return [
        Reading(
            "clippyfront_deliveries_due",
            "Deliveries that are due but not yet sent.",
            ("channel",),
            {(one.channel.name,): one.count for one in due},
        ),
        Reading(
            "clippyfront_deliveries_due_age_seconds",
            "How long the oldest of them has been due.",
            ("channel",),
            {(one.channel.name,): one.age for one in due},
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
            "Workers that reported in the last minute.",
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


async def _due(session: AsyncSession) -> list[Due]:
    now = clock.now()
    channels = channels_of(session).values()
    return [await _due_on(session, channel.description, now) for channel in channels]


async def _due_on(session: AsyncSession, channel: ChannelDescription, now: datetime) -> Due:
    due = select(func.count(), func.min(Delivery.due_at)).where(
        Delivery.channel == channel.name, is_pending, Delivery.due_at <= now
    )
    count, oldest = (await session.execute(due)).one()
    return Due(channel, count, (now - oldest).total_seconds() if oldest else 0.0)


async def _settled(session: AsyncSession) -> dict[tuple[str, str], int]:
    settled = (
        select(Delivery.channel, Delivery.state, func.count())
        .where(Delivery.settled_at > clock.now() - RECENT)
        .group_by(Delivery.channel, Delivery.state)
    )
    return {(channel, state): n for channel, state, n in await session.execute(settled)}
