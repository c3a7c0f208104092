"""Every request gets an id, is timed by its route's template, and told in one line of the log."""

import logging
from time import perf_counter

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import new_request_id
from app.metrics import observe_request

HEADER = b"x-request-id"

_log = logging.getLogger("app.requests")


class Observed(ASGIMiddleware):
    """Outermost, so that its id stands in everything that is logged. Streams are not timed."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "is_stream"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        id = new_request_id(Headers.from_scope(scope).get("x-request-id", ""))
        begun, status = perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, id.encode())]
            await send(message)

        try:
            await next_app(scope, receive, send_with_id)
        finally:
            _tell(scope, status, perf_counter() - begun)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route = scope.get("path_template") or "unknown"
    method = str(scope.get("method", ""))
    observe_request(method, str(route), status, seconds)
    person = scope.get("user")
    _log.info(
        "%s %s",
        method,
        route,
        extra={
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "user": getattr(person, "id", None),
        },
    )
