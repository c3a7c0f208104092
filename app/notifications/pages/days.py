"""The headings under which the inbox lists notifications: days and months in the reader's zone."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app import clock
from app.language import _
from app.notifications.events.notices import Notice
from app.notifications.inbox.open_rows import RemovedRow
from app.rendering import locale_of

Rows = Sequence[Notice | RemovedRow]


class Day(NamedTuple):
    """Consecutive rows under one heading. `key` is its id on the page."""

    key: str
    heading: str
    rows: Rows


def by_heading(rows: Rows, urgent_count: int, zone: ZoneInfo, language: str) -> list[Day]:
    """The first rows as urgent, then the days."""
    urgent, rest = rows[:urgent_count], rows[urgent_count:]
    days = by_day(rest, zone, language)
    return [Day("urgent", _("Urgent"), urgent), *days] if urgent else days


def by_day(rows: Rows, zone: ZoneInfo, language: str) -> list[Day]:
    """The rows in their order, under headings. A row that came back, was updated or was removed
    stays under the heading of its neighbours.
    """
    today = clock.now().astimezone(zone).date()
    keys = _keys(rows, zone, today)
    runs = groupby(zip(keys, rows, strict=True), key=lambda pair: pair[0])
    return [
        Day(key, _heading(key, today, language), [row for _key, row in run]) for key, run in runs
    ]


def _keys(rows: Rows, zone: ZoneInfo, today: date) -> list[str]:
    """The key of each row: the newest day of the rows from there to the end."""
    days = [
        row.created_at.astimezone(zone).date() if isinstance(row, Notice) else None
        for row in reversed(rows)
    ]
    oldest = next((day for day in days if day), today)
    newest = accumulate(days, lambda newest, day: max(newest, day or newest), initial=oldest)
    return [_key(day, today) for day in newest][:0:-1]


def _key(day: date, today: date) -> str:
    if day >= today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    if day >= today - timedelta(days=today.weekday()):
        return "week"
    return f"{day:%Y-%m}"


def _heading(key: str, today: date, language: str) -> str:
    """A month is named with its year, except the months of this year."""
    match key:
        case "today":
            return _("Today")
        case "yesterday":
            return _("Yesterday")
        case "week":
            return _("This week")
    month = date.fromisoformat(f"{key}-01")
    pattern = "LLLL" if month.year == today.year else "LLLL y"
    return str(format_date(month, pattern, locale=locale_of(language)))
