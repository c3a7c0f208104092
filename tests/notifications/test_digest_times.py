"""When the next digest is due, wherever and whenever; and what waits for it moves along."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.notifications.digest import DAILY, WEEKLY, next_digest


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
    assert next_digest(utc(after), zone=zone, hour=hour, frequency=DAILY) == utc(due), case


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
