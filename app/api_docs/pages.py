"""The page /api/docs, made from the OpenAPI document."""

from litestar import Response, get
from litestar.di import NamedDependency

from app.api_docs.manual import read_manual
from app.http import AnyRequest
from app.layout import page
from app.settings import Settings


@get("/api/docs")
async def docs(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[str]:
    """Every operation with its parameters, a command to try it, and its responses."""
    chapters = read_manual(request.app.openapi_schema.to_schema())
    return await page(request, "api/docs.html", chapters=chapters, url=settings.base_url)


routes = [docs]
