"""A clock in the hands of a test, and pauses without chance."""

import random
from datetime import datetime, timedelta

import pytest

from app import clock
from app.notifications.channels.push import backoff


class Hands:
    """The clock stands still from the first time it is set."""

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


@pytest.fixture
def shortest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance adds nothing to the pause between two attempts."""
    monkeypatch.setattr(random, "uniform", lambda least, _most: least)
    monkeypatch.setattr(backoff, "uniform", lambda least, _most: least)
