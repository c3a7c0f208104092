"""A failure that repeats is logged at growing intervals, with a count."""

import logging
from collections.abc import Callable

import pytest

from app.telemetry import repetition, security_log
from app.telemetry.repetition import Repetition

Log = Callable[..., None]


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(repetition, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def written(clock: Clock) -> list[str]:
    """What comes through, with the count of repetitions."""
    return []


@pytest.fixture
def logger(written: list[str]) -> logging.Logger:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(f"{record.getMessage()} ({getattr(record, 'repeated', 1)})")

    handler, logger = Handler(), logging.Logger("tests")
    handler.addFilter(Repetition())
    logger.addHandler(handler)
    return logger


def test_a_failure_every_second_is_logged_a_few_times_an_hour(
    logger: logging.Logger, clock: Clock, written: list[str]
) -> None:
    for second in range(3600):
        clock.now = second
        logger.warning("The disk is full.")

    times = [int(entry.partition("(")[2][:-1]) for entry in written]
    assert times == [1, 60, 120, 240, 480, 960]


def test_another_failure_is_logged_at_once(logger: logging.Logger, written: list[str]) -> None:
    logger.warning("The disk is full.")
    logger.warning("The mail server is down.")

    assert len(written) == 2


def test_exceptions_are_the_same_by_where_they_were_raised(
    logger: logging.Logger, written: list[str]
) -> None:
    def fail(number: int) -> None:
        try:
            raise ValueError(f"row {number}")
        except ValueError:
            logger.exception("Job %s failed.", number)

    def fail_elsewhere() -> None:
        try:
            raise ValueError("row 1")
        except ValueError:
            logger.exception("Job %s failed.", 1)

    fail(1)
    fail(2)
    fail_elsewhere()

    assert written == ["Job 1 failed. (1)", "Job 1 failed. (1)"]


def test_records_below_warning_may_repeat(logger: logging.Logger, written: list[str]) -> None:
    logger.info("GET /")
    logger.info("GET /")

    assert len(written) == 2


def test_the_security_log_is_complete(written: list[str], logger: logging.Logger) -> None:
    logger.name = security_log.NAME
    logger.warning("event=throttled")
    logger.warning("event=throttled")

    assert len(written) == 2


def test_a_failure_that_comes_back_after_hours_is_a_new_one(
    logger: logging.Logger, clock: Clock, written: list[str]
) -> None:
    logger.warning("The disk is full.")
    clock.now = 3 * repetition.LONGEST_INTERVAL
    logger.warning("The disk is full.")

    assert written == ["The disk is full. (1)"] * 2


def test_it_remembers_a_limited_number(
    logger: logging.Logger, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repetition, "MOST_FAILURES", 2)
    for number in (1, 2, 3, 1):
        logger.warning("Failure %s", number)

    assert len(written) == 4
