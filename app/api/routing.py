"""The router of the JSON API, with the settings that all endpoints share."""

from collections.abc import Sequence

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from app.api.reading import ApiRequest

MAX_BODY_BYTES = 1_000_000
SECURITY = [{"token": list[str]()}, {"session": list[str]()}]


def api_router(handlers: Sequence[HTTPRouteHandler]) -> Router:
    """A router for `handlers`: signed-out callers reach only those marked `is_public=True`."""
    public = [handler for handler in handlers if handler.opt.get("is_public")]
    private = [handler for handler in handlers if not handler.opt.get("is_public")]
    return Router(
        "/",
        route_handlers=[
            Router("/", route_handlers=public),
            Router("/", route_handlers=private, opt={"is_private": True}, security=SECURITY),
        ],
        include_in_schema=True,
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
    )
