"""/api/openapi.json and /api/docs: what there is, for programs and for people."""

from functools import lru_cache
from typing import Any

from litestar import Litestar, Response, get
from litestar.di import NamedDependency

from app.api.document import describe
from app.settings import Settings
from app.web import AnyRequest


@get("/api/openapi.json")
async def openapi(
    request: AnyRequest, settings: NamedDependency[Settings]
) -> Response[dict[str, Any]]:
    return Response(document_of(request.app, settings), headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def document_of(app: Litestar, settings: Settings) -> dict[str, Any]:
    """Made at the first request: routes do not change while the application runs."""
    return describe(app.routes, settings.base_url)


routes = [openapi]
