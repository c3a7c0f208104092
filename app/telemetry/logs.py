"""The log: one line per entry, with the id of the request it belongs to.

`LOG_FORMAT=json` writes one JSON object per line. Entries contain routes, ids and outcomes, but
never tokens, addresses, push endpoints or text that users typed. The security log is an exception,
see `app/telemetry/security_log.py`. No entry can contain a line break, or a line that looks like an entry.
"""

import json
import logging
import secrets
import sys
import textwrap
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.faults import reason_of
from app.settings import Settings
from app.telemetry import security_log
from app.telemetry.repetition import Repetition

request_id: ContextVar[str] = ContextVar("request_id", default="")

# Control characters and the line breaks of Unicode, as in a string of Python.
_ESCAPED = {code: ascii(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
# `facts` are the values of the security log, which are also in its message.
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id", "facts"}


def configure(settings: Settings) -> None:
    """Called once by each process, before anything else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if settings.log_format == "json" else Text())
    handler.addFilter(name_fault)
    handler.addFilter(Repetition())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger(security_log.NAME).setLevel(logging.INFO)
    # They log every statement, job and request; we log the important ones ourselves.
    for name in ("saq", "aiosqlite", "sqlalchemy.engine", "uvicorn.access", "httpx", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def name_fault(record: logging.LogRecord) -> bool:
    """A filter. For a failure of disk or database, replaces the traceback with the reason: where it
    happened in our code means nothing, and everything fails at the same time.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error and (reason := reason_of(error)):
        record.msg, record.args = f"{record.getMessage()} {reason}", ()
        record.exc_info = record.exc_text = None
    return True


def new_request_id(given: str = "") -> str:
    """The proxy's id if it sent a valid one, otherwise a new one; it is also sent in the response."""
    is_valid = given.isascii() and given.replace("-", "").isalnum() and 8 <= len(given) <= 64
    id = given if is_valid else secrets.token_hex(8)
    request_id.set(id)
    return id


class Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
            **_extras(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        pairs = "".join(f" {name}={value}" for name, value in _extras(record).items())
        return (super().formatMessage(record) + pairs).translate(_ESCAPED)

    def formatException(self, ei: Any) -> str:
        return textwrap.indent(super().formatException(ei), "| ", lambda _line: True)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    """The values passed as `extra`, and the request's id."""
    given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {"request": request_id.get(), **given} if request_id.get() else given
