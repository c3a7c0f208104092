"""Days and months above the rows of the inbox, as the reader's calendar has them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.notifications.events.notices import Notice
from app.notifications.inbox.open_rows import RemovedRow
from app.notifications.pages.days import Rows, by_day

BERLIN = ZoneInfo("Europe/Berlin")
# A Wednesday, half past midnight in Berlin.
NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_a_wednesday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_a_day_begins_at_midnight_where_the_reader_lives() -> None:
    rows = [notice(1, "2026-03-10 23:05"), notice(2, "2026-03-10 22:55")]

    assert headings(rows) == [("Today", [1]), ("Yesterday", [2])]


def test_a_week_begins_on_monday_and_older_rows_stand_under_their_month() -> None:
    rows = [
        *(notice(1, "2026-03-09 12:00"), notice(2, "2026-03-08 12:00")),
        *(notice(3, "2026-02-20 12:00"), notice(4, "2025-03-01 12:00")),
    ]

    months = [("March", [2]), ("February", [3]), ("March 2025", [4])]
    assert headings(rows) == [("This week", [1]), *months]


def test_a_returned_row_stands_with_its_new_neighbours() -> None:
    rows = [notice(1, "2026-01-01 12:00"), notice(2, "2026-03-10 23:05")]

    assert headings(rows) == [("Today", [1, 2])]


def test_a_removed_row_stays_with_its_neighbours() -> None:
    rows: Rows = [
        notice(1, "2026-03-10 23:05"),
        RemovedRow(2),
        notice(3, "2026-02-20 12:00"),
        RemovedRow(4),
    ]

    assert headings(rows) == [("Today", [1]), ("February", [2, 3, 4])]


def test_rows_that_are_all_removed_stand_under_today() -> None:
    assert headings([RemovedRow(1)]) == [("Today", [1])]


def test_months_are_named_in_the_language_of_the_reader() -> None:
    [day] = by_day([notice(1, "2026-02-20 12:00")], BERLIN, "de")

    assert day.heading == "Februar"


def headings(rows: Rows) -> list[tuple[str, list[int]]]:
    return [(day.heading, [row.id for row in day.rows]) for day in by_day(rows, BERLIN, "en")]


def notice(id: int, created_at: str) -> Notice:
    moment = datetime.fromisoformat(created_at).replace(tzinfo=UTC)
    return Notice(id, id, "custom", "", "", None, moment, False, False, [], "")
