"""/: the dashboard, or what this is to those who are not signed in."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app.dashboard.queries import view_dashboard
from app.database import Database
from app.http import AnyRequest
from app.layout import page
from app.models import User


@get("/")
async def home(
    request: AnyRequest,
    db: NamedDependency[Database],
    visitor: NamedDependency[User | None],
) -> Response[Any]:
    if visitor is None:
        return await page(request, "landing.html")
    async with db.read() as session:
        dashboard = await view_dashboard(session, visitor)
    return await page(request, "dashboard.html", dashboard=dashboard)


routes = [home]
