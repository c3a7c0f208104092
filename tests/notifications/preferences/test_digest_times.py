"""When the next digest is due, wherever and whenever; and what waits for it moves along."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.database import Database
from app.models import Delivery, Team, User
from app.notifications.delivery.outbox import deliver
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.notifications.preferences import digest, switches
from app.notifications.preferences.digest import DAILY, WEEKLY, next_digest, schedule_next
from app.settings import Settings
from tests.benchmarks._world import add_people
from tests.factories import make_team
from tests.mailing import email
from tests.switching import set_switch


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "zone", "hour", "after", "due"),
    [
        ("later today", "UTC", 8, "2026-11-23 07:59:59", "2026-11-23 08:00"),
        ("strictly later", "UTC", 8, "2026-11-23 08:00:00", "2026-11-24 08:00"),
        ("a moment too late", "UTC", 8, "2026-11-23 08:00:00.000001", "2026-11-24 08:00"),
        ("at midnight", "UTC", 0, "2026-12-31 23:30", "2027-01-01 00:00"),
        ("in winter", "Europe/Berlin", 8, "2026-11-23 00:00", "2026-11-23 07:00"),
        ("in summer", "Europe/Berlin", 8, "2026-07-01 00:00", "2026-07-01 06:00"),
        ("into summer time", "Europe/Berlin", 8, "2027-03-27 07:00", "2027-03-28 06:00"),
        ("out of summer time", "Europe/Berlin", 8, "2026-10-24 06:00", "2026-10-25 07:00"),
        ("a skipped hour", "Europe/Berlin", 2, "2027-03-27 12:00", "2027-03-28 01:00"),
        ("after a skipped hour", "Europe/Berlin", 2, "2027-03-28 01:00", "2027-03-29 00:00"),
        ("a doubled hour", "Europe/Berlin", 2, "2026-10-24 12:00", "2026-10-25 00:00"),
        ("not twice in a doubled hour", "Europe/Berlin", 2, "2026-10-25 00:00", "2026-10-26 01:00"),
        ("in the second of two", "Europe/Berlin", 2, "2026-10-25 01:30", "2026-10-26 01:00"),
        ("a skipped hour west", "America/New_York", 2, "2027-03-14 00:00", "2027-03-14 07:00"),
        ("a doubled hour west", "America/New_York", 1, "2026-11-01 00:00", "2026-11-01 05:00"),
        ("a skipped midnight", "America/Havana", 0, "2027-03-13 12:00", "2027-03-14 05:00"),
        ("two hours skipped, the first", "Antarctica/Troll", 1, "2027-03-27 12:00", "2027-03-28 01:00"),
        ("two hours skipped, the second", "Antarctica/Troll", 2, "2027-03-27 12:00", "2027-03-28 01:00"),
        ("a quarter of an hour", "Asia/Kathmandu", 8, "2026-11-23 02:14", "2026-11-23 02:15"),
        ("just past the quarter", "Asia/Kathmandu", 8, "2026-11-23 02:15", "2026-11-24 02:15"),
        ("half an hour skipped", "Australia/Lord_Howe", 2, "2026-10-03 12:00", "2026-10-03 15:30"),
        ("half an hour doubled", "Australia/Lord_Howe", 2, "2027-04-03 12:00", "2027-04-03 15:30"),
        ("a day ahead of UTC", "Pacific/Kiritimati", 0, "2026-11-23 09:00", "2026-11-23 10:00"),
        ("a day behind UTC", "Pacific/Pago_Pago", 23, "2026-11-23 09:00", "2026-11-23 10:00"),
        ("a skipped day", "Pacific/Apia", 8, "2011-12-29 18:00", "2011-12-30 10:00"),
        ("no zone", "", 8, "2026-11-23 00:00", "2026-11-23 08:00"),
        ("a zone of no machine", "Mars/Base", 8, "2026-11-23 00:00", "2026-11-23 08:00"),
        ("a folder of zones", "America", 8, "2026-11-23 00:00", "2026-11-23 08:00"),
        ("not a name at all", "../etc/passwd", 8, "2026-11-23 00:00", "2026-11-23 08:00"),
    ],
)  # fmt: skip
def test_the_daily_digest_is_due_at_the_hour_there(
    case: str, zone: str, hour: int, after: str, due: str
) -> None:
    moment = next_digest(utc(after), zone=zone, hour=hour, frequency=DAILY)

    assert moment == utc(due), case
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("case", "zone", "hour", "after", "due"),
    [
        ("on a Sunday", "UTC", 8, "2026-11-22 23:00", "2026-11-23 08:00"),
        ("early on Monday", "UTC", 8, "2026-11-23 07:00", "2026-11-23 08:00"),
        ("at the hour on Monday", "UTC", 8, "2026-11-23 08:00", "2026-11-30 08:00"),
        ("on a Tuesday", "UTC", 8, "2026-11-24 07:00", "2026-11-30 08:00"),
        ("Monday there, Sunday here", "Pacific/Auckland", 8, "2026-11-22 12:00", "2026-11-22 19:00"),
        ("Sunday there, Monday here", "America/Los_Angeles", 8, "2026-11-23 02:00", "2026-11-23 16:00"),
        ("over the change of the clocks", "Europe/Berlin", 8, "2027-03-22 07:00", "2027-03-29 06:00"),
        ("in Kathmandu", "Asia/Kathmandu", 0, "2026-11-22 18:14", "2026-11-22 18:15"),
    ],
)  # fmt: skip
def test_the_weekly_digest_is_due_on_monday_there(
    case: str, zone: str, hour: int, after: str, due: str
) -> None:
    assert next_digest(utc(after), zone=zone, hour=hour, frequency=WEEKLY) == utc(due), case


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Antarctica/Troll", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_through_a_year_there_is_one_digest_on_each_day(zone: str, hour: int) -> None:
    moment, days = utc("2026-01-01 12:00"), []

    for _day in range(365):
        moment = next_digest(moment, zone=zone, hour=hour, frequency=DAILY)
        days.append(moment.astimezone(ZoneInfo(zone)).date())

    assert days == [days[0] + timedelta(days=n) for n in range(365)]


NOW = utc("2026-11-23 06:30")  # a Monday
EIGHT = utc("2026-11-23 08:00")


@pytest.fixture(autouse=True)
def at_half_past_six(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


async def choose(db: Database, user: User, **digest: Any) -> None:
    async with db.act() as session:
        await switches.change(session, user, {"digest": digest})


async def shares(db: Database, team: Team, *names: str) -> None:
    """Something ordinary that the team's members hear of by mail."""
    async with db.act() as session:
        for name in names:
            await notify(session, PROJECT_SHARED, team=team, project_name=name)


async def mails(db: Database) -> list[tuple[str, datetime]]:
    async with db.read() as session:
        waiting = select(Delivery.bundling, Delivery.due_at).order_by(Delivery.id)
        return [(bundling, due_at) for bundling, due_at in await session.execute(waiting)]


async def due_at(db: Database, user: User) -> datetime | None:
    async with db.read() as session:
        return (await session.get_one(User, user.id)).digest_due_at


@pytest.fixture
async def team(db: Database, alice: User, bob: User) -> Team:
    """Video Squad, where only bob has mail switched on."""
    async with db.act() as session:
        await set_switch(session, alice, PROJECT_SHARED.name, "email", wanted=False)
    return await make_team(db, alice, viewers=[bob])


async def test_a_digest_includes_waiting_mail(db: Database, bob: User, team: Team) -> None:
    await shares(db, team, "Reel")
    assert [bundling for bundling, _ in await mails(db)] == ["bundle"]

    await choose(db, bob, enabled=True)
    await shares(db, team, "Best Clips 2025")

    assert await due_at(db, bob) == EIGHT
    assert await mails(db) == [("digest", EIGHT), ("digest", EIGHT)]


async def test_a_digest_includes_due_mail_that_is_not_yet_sent(
    db: Database, bob: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shares(db, team, "Reel")
    at(monkeypatch, utc("2026-11-23 07:30"))

    await choose(db, bob, enabled=True)

    assert await mails(db) == [("digest", EIGHT)]


async def test_without_a_digest_gathered_mail_is_sent_at_once(
    db: Database, bob: User, team: Team
) -> None:
    await choose(db, bob, enabled=True)
    await shares(db, team, "Reel", "Best Clips 2025")

    await choose(db, bob, enabled=False)

    assert await due_at(db, bob) is None
    assert await mails(db) == [("bundle", NOW), ("bundle", NOW)]


@pytest.mark.parametrize(
    ("wanted", "due"),
    [
        ({"digest": {"hour": 20}}, "2026-11-23 20:00"),
        ({"digest": {"hour": 6}}, "2026-11-24 06:00"),
        ({"digest": {"frequency": "weekly", "hour": 6}}, "2026-11-30 06:00"),
        ({"timezone": "Asia/Kathmandu"}, "2026-11-24 02:15"),
        ({"timezone": "America/New_York", "digest": {"hour": 7}}, "2026-11-23 12:00"),
        ({"digest": {}}, "2026-11-23 08:00"),
    ],
)
async def test_a_changed_hour_or_zone_moves_gathered_mail(
    db: Database, bob: User, team: Team, wanted: dict[str, Any], due: str
) -> None:
    await choose(db, bob, enabled=True)
    await shares(db, team, "Reel")

    async with db.act() as session:
        await switches.change(session, bob, wanted)

    assert await due_at(db, bob) == utc(due)
    assert await mails(db) == [("digest", utc(due))]


async def test_only_the_users_own_unbundled_ordinary_mail_moves(
    db: Database, alice: User, bob: User, team: Team
) -> None:
    """Urgent, attempted, settled and transactional mail, pushes and mail of others stay as they are."""
    async with db.write() as session:
        for changed in (
            {"bundling": "alone"},
            {"bundling": "bundle", "bundle_id": 1},
            {"bundling": "bundle", "state": "sent"},
            {"bundling": "alone", "transactional": "reset_password"},
            {"bundling": "bundle", "channel": "push"},
            {"bundling": "bundle", "user_id": alice.id},
        ):
            values = {"user_id": bob.id, "channel": "email", "address": "x", "due_at": NOW}
            session.add(Delivery(**(values | changed)))
    before = await mails(db)

    await choose(db, bob, enabled=True)

    assert await mails(db) == before


@pytest.mark.parametrize(
    ("moment", "next_one"),
    [("2026-11-23 08:00", "2026-11-23 09:00"), ("2026-11-23 09:30", "2026-11-24 09:00")],
)
async def test_a_digest_that_is_due_already_is_not_put_off(
    db: Database,
    bob: User,
    team: Team,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    next_one: str,
) -> None:
    """The worker was away at the hour; the person moves the hour before it is back."""
    await choose(db, bob, enabled=True)
    await shares(db, team, "Reel")
    at(monkeypatch, utc(moment))

    await choose(db, bob, hour=9)
    await shares(db, team, "Best Clips 2025")

    assert await mails(db) == [("digest", EIGHT), ("digest", utc(next_one))]
    assert await due_at(db, bob) == utc(next_one)


async def test_a_user_with_a_due_digest_gets_the_next_one(
    db: Database, alice: User, bob: User, carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose(db, alice, enabled=True)
    await choose(db, bob, enabled=True, hour=20)
    at(monkeypatch, EIGHT)

    assert await schedule_next(db) == 1
    assert await schedule_next(db) == 0

    assert await due_at(db, alice) == utc("2026-11-24 08:00")
    assert await due_at(db, bob) == utc("2026-11-23 20:00")
    assert await due_at(db, carol) is None


async def test_digests_that_are_due_together_are_scheduled_each_by_its_own_frequency(
    db: Database, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose(db, alice, enabled=True, frequency="weekly")
    await choose(db, bob, enabled=True)
    at(monkeypatch, EIGHT)

    assert await schedule_next(db) == 2

    assert await due_at(db, alice) == utc("2026-11-30 08:00")
    assert await due_at(db, bob) == utc("2026-11-24 08:00")


async def test_after_days_without_a_worker_there_is_one_digest(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose(db, alice, enabled=True)
    at(monkeypatch, utc("2026-11-27 12:00"))

    assert await schedule_next(db) == 1

    assert await due_at(db, alice) == utc("2026-11-28 08:00")


async def test_a_thousand_digests_are_scheduled_in_several_acts(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At two different hours; alice's has not come yet."""
    await choose(db, alice, enabled=True, hour=13)
    people = await add_people(db, 1000)
    async with db.write() as session:
        for hour in (7, 8):
            due = {"digest_hour": hour, "digest_due_at": utc(f"2026-11-23 0{hour}:00")}
            half = update(User).where(User.id.in_(people), User.id % 2 == hour % 2)
            await session.execute(half.values(digest_is_on=True, **due))
    at(monkeypatch, utc("2026-11-23 12:00"))
    acts: list[str] = []
    db._poke = acts.append

    assert await schedule_next(db) == 1000

    assert len(acts) == 2
    async with db.read() as session:
        due_at = User.digest_due_at
        rows = select(due_at, func.count()).group_by(due_at).order_by(due_at)
        counts = [tuple(row) for row in await session.execute(rows)]
    assert counts == [
        (utc("2026-11-23 13:00"), 1),
        (utc("2026-11-24 07:00"), 500),
        (utc("2026-11-24 08:00"), 500),
    ]


async def test_with_nothing_due_nothing_is_written(db: Database, alice: User) -> None:
    """Each act wakes the worker, which schedules digests first: it would never sleep."""
    await choose(db, alice, enabled=True)
    acts: list[str] = []
    db._poke = acts.append

    await schedule_next(db)

    assert acts == []


async def test_an_hour_changed_meanwhile_is_kept(
    db: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose(db, alice, enabled=True)
    at(monkeypatch, EIGHT)
    due = await digest._due(db)
    await choose(db, alice, hour=20)

    assert await digest._move_on(db, due) == 0

    assert await due_at(db, alice) == utc("2026-11-23 20:00")


async def test_whatever_is_changed_in_between_each_notice_is_mailed_once(
    db: Database, settings: Settings, bob: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digest on, hour moved before and after it is due, off, on again; a worker looks in each time."""
    moment, number = NOW, 0
    steps: list[dict[str, Any]] = [
        {"enabled": True},
        {"hour": 7},
        {"hour": 9},
        {"enabled": False},
        {"enabled": True, "hour": 12},
        {"frequency": "weekly"},
        {"frequency": "daily", "hour": 10},
        {"enabled": False},
    ]
    for step in steps:
        await shares(db, team, f"Project {(number := number + 1)} before")
        await choose(db, bob, **step)
        await shares(db, team, f"Project {(number := number + 1)} after")
        for _ in range(2):
            moment += timedelta(minutes=20)
            at(monkeypatch, moment)
            await deliver(db, email(settings))
    at(monkeypatch, moment + timedelta(days=8))
    await deliver(db, email(settings))

    async with db.read() as session:
        states = (await session.scalars(select(Delivery.state))).all()
    written = [email_of(file) for file in sorted(settings.mail_dir.glob("*.eml"))]
    assert states == ["sent"] * number
    for one in range(1, number + 1):
        assert sum(text.count(f"'Project {one} ") for text in written) == 1, one


def email_of(file: Path) -> str:
    body = message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
    assert body
    return str(body.get_content())
