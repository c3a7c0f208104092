"""The security log: one line for each login, failed login, or change of rights.

    2026-11-28 10:00:00,123 INFO security: event=login_failed user=alice address=192.0.2.1

It goes to standard error in LOG_FORMAT like every log, but regardless of LOG_LEVEL. It contains no
secrets. Values are quoted, so that none can be mistaken for another value or another line.
"""

import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

NAME = "security"
NOTHING = "-"
# Values that need no quotes: usernames, addresses, numbers. Anything else is written as a JSON
# string.
_PLAIN = re.compile(r"[\w.@+:/-]+", re.ASCII)

_log = logging.getLogger(NAME)
_client: ContextVar[str] = ContextVar("client_address", default=NOTHING)


def remember_client(scope: Mapping[str, Any]) -> None:
    """For the rest of this task, events come from the client of this ASGI request."""
    client = scope.get("client")
    _client.set(client[0] if client else NOTHING)


def record(event: str, *, user: str | None = None, **facts: str | int) -> None:
    """Write one event. `user` is the name of who did it or tried; for a login that was typed see
    `loggable` in app/accounts/validation.py.
    """
    facts = {"event": event, "user": user or NOTHING, "address": _client.get(), **facts}
    line = " ".join(f"{name}={_written(value)}" for name, value in facts.items())
    _log.info("%s", line, extra={"facts": facts})


def _written(value: str | int) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
