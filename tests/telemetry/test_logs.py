"""What an entry of the log says of an exception."""

import logging
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from app.telemetry.logs import Text, name_fault


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def logger(written: list[str]) -> logging.Logger:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(Text().format(record).partition(" tests: ")[2])

    handler, logger = Handler(), logging.Logger("tests")
    handler.addFilter(name_fault)
    logger.addHandler(handler)
    return logger


def lost(reason: str) -> OperationalError:
    """As SQLAlchemy raises it: with the statement and its values."""
    driver_error = sqlite3.OperationalError(reason)
    driver_error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    error = OperationalError(
        "SELECT * FROM user WHERE email = ?", ["alice@example.com"], driver_error
    )
    error.__cause__ = driver_error
    return error


def test_a_fault_of_disk_or_database_is_one_line_with_its_reason(
    logger: logging.Logger, written: list[str]
) -> None:
    try:
        raise lost("disk I/O error\nand its details")
    except OperationalError:
        logger.exception("Could not look for %s.", "deliveries")

    assert written == ["Could not look for deliveries. disk I/O error"]


def test_a_bug_keeps_its_traceback(logger: logging.Logger, written: list[str]) -> None:
    try:
        raise ValueError("a bug")
    except ValueError:
        logger.exception("Could not look for deliveries.")

    [entry] = written
    assert entry.startswith("Could not look for deliveries.\n| Traceback")
    assert entry.endswith("ValueError: a bug")
