"""Every request gets an id, is timed by its route's template ("unknown" where Litestar has let it
into none), and told in one line of the log.
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

HEADER = b"x-request-id"

_log = logging.getLogger("app.requests")


class ObservedLitestar(Litestar):
    """Litestar, whose every answer has an id that stands in all that is logged meanwhile; also
    where an address leads nowhere, which no middleware sees. Of a stream that is its head.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != ScopeType.HTTP:
            await super().__call__(scope, receive, send)
            return
        id = new_request_id(Headers.from_scope(scope).get("x-request-id", ""))
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
            _tell(scope, status, perf_counter() - begun)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unknown"
    method = str(scope.get("method", ""))
    observe_request(method, str(route), status, seconds)
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
