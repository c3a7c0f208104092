"""/: the dashboard or, for visitors who are not signed in, a start page."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app.dashboard.queries import view_dashboard
from app.database import Database
from app.http import AnyRequest
from app.layout import page
from app.models import User


@get()
async def home(
    request: AnyRequest,
    db: NamedDependency[Database],
    optional_user: NamedDependency[User | None],
) -> Response[Any]:
    if optional_user is None:
        return await page(request, "landing.html")
    async with db.short_read() as session:
        dashboard = await view_dashboard(session, optional_user)
    return await page(request, "dashboard/index.html", dashboard=dashboard)
