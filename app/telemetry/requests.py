"""Gives every request an id, times it by its route's template and logs it in one line.

The template is "unknown" for a request that Litestar did not route.
"""

import logging
from time import perf_counter
from typing import Any

from litestar import Litestar
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import Message, Scope

from app.telemetry.logs import new_request_id
from app.telemetry.metrics import observe_request
from app.telemetry.security_log import remember_client

HEADER = b"x-request-id"

_log = logging.getLogger("app.requests")


class ObservedLitestar(Litestar):
    """A Litestar that gives each request an id, which its log entries and its response carry.

    Unlike middleware, it also sees requests to unknown paths. For a stream, it measures the time to
    the response head.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != ScopeType.HTTP:
            await super().__call__(scope, receive, send)
            return
        id = new_request_id(Headers.from_scope(scope).get("x-request-id", ""))
        remember_client(scope)
        begun, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, id.encode())]
            await send(message)

        try:
            await super().__call__(scope, receive, send_with_id)
        finally:
            _log_request(scope, status, perf_counter() - begun)


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unknown"
    method = str(scope.get("method", ""))
    observe_request(method, str(route), status, seconds)
    if not _log.isEnabledFor(logging.INFO):
        return
    user = scope.get("user")
    _log.info(
        "%s %s",
        method,
        route,
        extra={
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "user": getattr(user, "id", None),
        },
    )
