"""A clock in the hands of a test."""

from datetime import datetime, timedelta

import pytest

from app import clock


class Hands:
    """It stands still from the first time that it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, moment: datetime | str) -> None:
        """A text is a moment in UTC."""
        told = datetime.fromisoformat(f"{moment}+00:00") if isinstance(moment, str) else moment
        self._monkeypatch.setattr(clock, "now", lambda: told)

    def move(self, time: timedelta) -> None:
        self.set(clock.now() + time)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)
