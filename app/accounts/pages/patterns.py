"""/dev/patterns: every piece of the pages in every state, for whoever builds at this machine."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app import clock
from app.accounts.pages.mailbox import require_private
from app.settings import Settings
from app.web import AnyRequest, page


@get("/dev/patterns")
async def patterns(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[Any]:
    require_private(request, settings)
    return await page(request, "components/patterns.html", now=clock.now())


routes = [patterns]
