"""/api/openapi.json and /api/docs: what there is, for programs and for people."""

from functools import lru_cache
from typing import Any

from litestar import Litestar, Response, get
from litestar.di import NamedDependency

from app.api.document import describe
from app.api.manual import read_manual
from app.http import AnyRequest
from app.layout import page
from app.settings import Settings


@get("/api/openapi.json")
async def openapi(
    request: AnyRequest, settings: NamedDependency[Settings]
) -> Response[dict[str, Any]]:
    return Response(document_of(request.app, settings), headers={"Cache-Control": "no-cache"})


@get("/api/docs")
async def docs(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """The same for people, with a command to try for each thing that can be done."""
    document = document_of(request.app, settings)
    return await page(
        request, "api/docs.html", chapters=read_manual(document), url=settings.base_url
    )


@lru_cache(maxsize=1)
def document_of(app: Litestar, settings: Settings) -> dict[str, Any]:
    """Made at the first request: routes do not change while the application runs."""
    return describe(app.routes, settings.base_url)


routes = [openapi, docs]
