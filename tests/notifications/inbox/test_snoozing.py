"""Until when a period lasts: by the wall clock of the reader, across daylight saving."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.errors import Invalid
from app.notifications.inbox.snoozing import (
    PERIODS,
    check_until,
    label_of,
    period_ends,
    read_end,
)
from tests.notifications.conftest import Hands

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def ends(period: str, zone: ZoneInfo = BERLIN) -> str:
    return period_ends(period, zone).astimezone(zone).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("now", "period", "end"),
    [
        ("2026-11-04 09:00", "hour", "Wed 04 11:00"),
        ("2026-11-04 09:00", "evening", "Wed 04 18:00"),
        ("2026-11-04 17:00", "evening", "Thu 05 18:00"),
        ("2026-11-04 22:59", "tomorrow", "Thu 05 08:00"),
        ("2026-11-04 23:01", "tomorrow", "Fri 06 08:00"),
        ("2026-11-04 09:00", "week", "Mon 09 08:00"),
        ("2026-11-09 06:59", "week", "Mon 09 08:00"),
        ("2026-11-09 07:00", "week", "Mon 16 08:00"),
        # Daylight saving ends on this Sunday.
        ("2026-10-24 12:00", "tomorrow", "Sun 25 08:00"),
    ],
)
def test_a_period_ends_by_the_readers_clock(hands: Hands, now: str, period: str, end: str) -> None:
    hands.set(now)

    assert ends(period) == end
    assert period_ends(period, BERLIN) > clock.now()


@pytest.mark.parametrize(
    ("now", "labels"),
    [
        ("2026-11-04 16:59", ["In an hour", "This evening", "Tomorrow morning", "Next week"]),
        ("2026-11-04 17:00", ["In an hour", "Tomorrow evening", "Tomorrow morning", "Next week"]),
    ],
)
def test_when_the_evening_has_begun_the_next_one_is_called_tomorrows(
    hands: Hands, now: str, labels: list[str]
) -> None:
    hands.set(now)

    assert [label_of(one, period_ends(one, BERLIN), BERLIN) for one in PERIODS] == labels


@pytest.mark.parametrize("until", ["2026-11-03T08:00", "2026-11-03T07:00+00:00"])
def test_a_form_gives_a_time_of_the_readers_clock_or_with_its_offset(
    hands: Hands, until: str
) -> None:
    hands.set("2026-11-02 09:00")

    end = read_end({"until": until}, BERLIN)

    assert end == datetime(2026, 11, 3, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"for": "ever"},
        {"until": "soon"},
        {"until": "2026-11-01T08:00"},
        {"until": "9999-12-31T23:59-12:00"},
        {"until": "0001-01-01T00:00"},
    ],
)
def test_a_form_without_a_time_ahead_names_the_field(hands: Hands, fields: dict[str, str]) -> None:
    hands.set("2026-11-02 09:00")

    with pytest.raises(Invalid) as refused:
        read_end(fields, BERLIN)

    assert list(refused.value.fields) == ["until"]


def test_nothing_is_snoozed_for_longer_than_five_years(hands: Hands) -> None:
    hands.set("2026-11-02 09:00")

    with pytest.raises(Invalid):
        check_until(clock.now() + timedelta(days=6 * 365))
