"""What an installation remembers about its machines and their clocks."""

from datetime import datetime

from advanced_alchemy.base import DefaultBase
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column


class ClockReading(DefaultBase):
    """The clock when a worker last looked at it (app/operations/clock_jumps.py). One row.

    `uptime` is in seconds since the machine started, which `boot_id` names. `seconds_ahead` is how
    far the clock has jumped ahead since it was last believed; it is believed again at `believed_at`.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    uptime: Mapped[float]
    boot_id: Mapped[str] = mapped_column(String(36))
    seconds_ahead: Mapped[float] = mapped_column(default=0.0)
    believed_at: Mapped[datetime | None]


class CronTick(DefaultBase):
    """The last time at which a cron line ran (app/operations/cron_ticks.py). `taken_by` tells the job
    that ran it from others.
    """

    line: Mapped[str] = mapped_column(String(64), primary_key=True)
    tick: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(32))
