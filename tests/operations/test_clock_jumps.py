"""A clock that jumps: nothing is deleted early, nothing waits for weeks, nothing is sent twice."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import func, select, update

from app import clock, worker
from app.database import Database
from app.installation import Installation
from app.models import (
    ClockReading,
    Compilation,
    Delivery,
    Invitation,
    Notification,
    Project,
    Team,
    Throttle,
    Token,
    User,
    WebSession,
)
from app.notifications.delivery import claims
from app.notifications.inbox.bulk_actions import snooze
from app.notifications.inbox.filters import Filter
from app.notifications.inbox.selection import Selection
from app.notifications.inbox.snoozing import return_due
from app.operations import clock_jumps
from app.operations.clock_jumps import AHEAD, Clock, check_clock, correct, moments
from app.teams.open_invitations import LIFETIME
from tests.factories import make_team
from tests.mailing import deliveries, share

WEEKS = timedelta(days=40)
MINUTE = timedelta(minutes=1)
START = datetime.fromisoformat("2026-11-28T12:00:00+00:00")


class Machine:
    """A machine whose clock can be set, while the time since its start cannot."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed, self._ahead, self.boot = timedelta(0), timedelta(0), "first"
        monkeypatch.setattr(clock, "now", lambda: START + self._passed + self._ahead)
        monkeypatch.setattr(clock_jumps, "uptime", lambda: self._passed.total_seconds())
        monkeypatch.setattr(clock_jumps, "boot_id", lambda: self.boot)

    def wait(self, time: timedelta) -> None:
        self._passed += time

    def set_ahead(self, time: timedelta) -> None:
        self._ahead = time

    def restart(self) -> None:
        self.boot = "second"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


Look = Callable[[], Awaitable[Clock]]


@pytest.fixture
def looking(installation: Installation, machine: Machine) -> Look:
    async def after_a_minute() -> Clock:
        machine.wait(MINUTE)
        return await check_clock(installation.db, installation.channels)

    return after_a_minute


async def test_a_steady_clock_is_believed(looking: Look, machine: Machine) -> None:
    await looking()
    machine.wait(timedelta(days=90))

    assert await looking() == Clock(timedelta(0), is_believed=True)


@pytest.mark.parametrize("ahead", [timedelta(hours=2), WEEKS])
async def test_one_that_jumped_ahead_is_not_believed_until_it_is_back(
    looking: Look, machine: Machine, ahead: timedelta
) -> None:
    await looking()
    machine.set_ahead(ahead)
    jumped, still = await looking(), await looking()
    machine.set_ahead(timedelta(0))
    back = await looking()

    assert jumped == Clock(ahead, is_believed=False)
    assert still == Clock(timedelta(0), is_believed=False)
    assert back == Clock(-ahead, is_believed=True)


async def test_one_that_was_behind_is_believed_a_day_after_it_was_set(
    looking: Look, machine: Machine
) -> None:
    await looking()
    machine.set_ahead(WEEKS)
    await looking()
    machine.wait(timedelta(hours=23))
    before = await looking()
    machine.wait(timedelta(hours=2))

    assert not before.is_believed
    assert (await looking()).is_believed


async def test_small_corrections_are_no_jumps(looking: Look, machine: Machine) -> None:
    await looking()
    machine.set_ahead(timedelta(seconds=40))

    assert (await looking()).is_steady


@pytest.mark.parametrize(("off", "is_believed"), [(timedelta(days=3), True), (WEEKS, False)])
async def test_a_machine_that_was_off_for_weeks_may_have_come_back_with_a_wrong_date(
    looking: Look, machine: Machine, off: timedelta, is_believed: bool
) -> None:
    await looking()
    machine.restart()
    machine.set_ahead(off)

    assert (await looking()).is_believed is is_believed


# What is done at night and every ten minutes


def job_of(installation: Installation) -> Any:
    return cast(Any, {"installation": installation})


@pytest.fixture
async def read_long_ago(db: Database, alice: User, bob: User, machine: Machine) -> Team:
    """Of Bob, who has read everything, with a mail still waiting."""
    squad = await make_team(db, alice, editors=[bob])
    await share(db, alice, squad)
    async with db.write() as session:
        await session.execute(update(Notification).values(read_at=clock.now()))
    return squad


async def counted(db: Database, model: Any) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_retention_deletes_nothing_while_the_clock_is_ahead(
    installation: Installation, looking: Look, machine: Machine, read_long_ago: Team
) -> None:
    before = await counted(installation.db, Notification)
    await looking()
    machine.set_ahead(WEEKS)
    await worker.clean_up(job_of(installation))
    kept = await counted(installation.db, Notification)
    machine.wait(timedelta(hours=25))
    await worker.clean_up(job_of(installation))

    assert kept == before > 0
    assert await counted(installation.db, Notification) == 0


async def test_invitations_and_sessions_outlive_a_minute_ahead(
    installation: Installation, looking: Look, machine: Machine, alice: User, read_long_ago: Team
) -> None:
    db = installation.db
    await looking()
    async with db.act() as session:
        session.add(
            Invitation(
                team_id=read_long_ago.id,
                inviter_id=alice.id,
                email="dave@example.com",
                email_key="dave@example.com",
                role="viewer",
                expires_at=clock.now() + LIFETIME,
            )
        )
        session.add(WebSession(token_hash="x", user_id=alice.id, user_agent=""))
    machine.set_ahead(WEEKS)
    await worker.purge(job_of(installation))
    await worker.clean_up(job_of(installation))

    async with db.read() as session:
        assert await session.scalar(select(Invitation.status)) == "pending"
    assert await counted(db, WebSession) == 1


async def test_a_clock_that_is_behind_for_a_minute_makes_nothing_old(
    installation: Installation, looking: Look, machine: Machine, read_long_ago: Team
) -> None:
    before = await counted(installation.db, Notification)
    await looking()
    machine.set_ahead(-WEEKS)
    await looking()
    machine.set_ahead(timedelta(0))
    await looking()
    machine.wait(timedelta(hours=25))
    await worker.clean_up(job_of(installation))

    assert await counted(installation.db, Notification) == before > 0


# What was written while the clock was ahead


async def test_a_mail_that_waits_for_weeks_comes_due(
    installation: Installation, looking: Look, machine: Machine, read_long_ago: Team
) -> None:
    await looking()
    machine.set_ahead(WEEKS)
    await looking()
    async with installation.db.write() as session:
        await session.execute(update(Delivery).values(due_at=clock.now() + MINUTE))
    machine.set_ahead(timedelta(0))
    await looking()

    [mail] = [one for one in await deliveries(installation.db) if one.channel == "email"]
    assert mail.due_at <= clock.now()


async def queued_at(db: Database) -> datetime | None:
    """When the time to live of the only mail begins."""
    [mail] = [one for one in await deliveries(db) if one.channel == "email"]
    return mail.queued_at


async def test_a_snooze_that_outlasts_a_clock_ahead_gives_its_mail_its_time_at_its_end(
    installation: Installation, machine: Machine, read_long_ago: Team, bob: User
) -> None:
    db, back = installation.db, clock.now() + timedelta(days=2)
    async with db.act() as session:
        await session.execute(update(Delivery).values(due_at=clock.now() + MINUTE))
        await snooze(session, bob.id, Selection(filter=Filter()), back)

    await correct(db, installation.channels, is_back=True)
    corrected = await queued_at(db)
    machine.wait(timedelta(days=2))
    await return_due(db)

    assert (corrected, await queued_at(db)) == (back - timedelta(days=2), back)


async def test_a_claimed_mail_waits_for_its_worker_no_longer_than_a_lease(
    installation: Installation, machine: Machine, read_long_ago: Team
) -> None:
    async with installation.db.write() as session:
        values = {"due_at": clock.now() + WEEKS, "claimed_by": "a worker.1"}
        await session.execute(update(Delivery).values(values))

    await correct(installation.db, installation.channels, is_back=True)

    [mail] = [one for one in await deliveries(installation.db) if one.channel == "email"]
    assert clock.now() < mail.due_at <= clock.now() + claims.LEASE


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
async def test_a_digest_comes_at_its_next_hour(
    installation: Installation, machine: Machine, alice: User, frequency: str
) -> None:
    late = {"digest_is_on": True, "digest_frequency": frequency, "digest_due_at": START + WEEKS}
    async with installation.db.write() as session:
        await session.execute(update(User).where(User.id == alice.id).values(late))

    await correct(installation.db, installation.channels, is_back=True)

    async with installation.db.read() as session:
        due = await session.scalar(select(User.digest_due_at).where(User.id == alice.id))
    assert due
    assert clock.now() < due <= clock.now() + clock_jumps.WEEK_OR_DAY[frequency]


async def test_a_compilation_of_a_dead_worker_is_taken_up(
    installation: Installation, machine: Machine, alice: User
) -> None:
    db = installation.db
    async with db.write() as session:
        project = Project(name="Highlight Reel", owner_id=alice.id)
        session.add(project)
        await session.flush()
        silent = {"status": "running", "attempts": 1, "touched_at": clock.now() + WEEKS}
        session.add(Compilation(project_id=project.id, requested_by_id=alice.id, **silent))

    await correct(db, installation.channels, is_back=True)

    async with db.read() as session:
        touched = await session.scalar(select(Compilation.touched_at))
    assert touched == clock.now()


async def test_every_moment_is_in_the_past_or_has_a_limit(
    installation: Installation, machine: Machine, alice: User
) -> None:
    """A new column that holds a moment ahead needs its line in AHEAD, or it is set to now."""
    ahead = {column.property.columns[0] for column in AHEAD}
    names = {column.name for column in moments() if column not in ahead}

    assert not [
        name for name in names if name.endswith(("_until", "due_at", "expires_at", "resets_at"))
    ]
    assert ahead <= set(moments())


async def test_moments_in_the_future_are_corrected(
    installation: Installation, machine: Machine, alice: User
) -> None:
    db, later = installation.db, clock.now() + WEEKS
    async with db.write() as session:
        session.add(WebSession(token_hash="x", user_id=alice.id, user_agent="", created_at=later))
        session.add(Throttle(key="login:alice", count=10, resets_at=later))
        token = Token(user_id=alice.id, name="x", scope="read", token_hash="x", last_used_at=later)
        session.add(token)

    await correct(db, installation.channels, is_back=True)

    async with db.read() as session:
        created = await session.scalar(select(WebSession.created_at))
        used = await session.scalar(select(Token.last_used_at))
        resets = await session.scalar(select(Throttle.resets_at))
    assert (created, used) == (clock.now(), clock.now())
    assert resets == clock.now() + timedelta(hours=1)


async def test_there_is_one_reading(looking: Look, db: Database) -> None:
    await looking()
    await looking()

    assert await counted(db, ClockReading) == 1
