"""The list of the user's teams, and a form for a new one."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.teams.queries import open_invitations_of, teams_of
from app.teams.teams import create_team

PageOrRedirect = Response[str] | Response[None]


@get("/teams")
async def index(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    return await _index(request, db, user)


@post("/teams", status_code=200)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> PageOrRedirect:
    try:
        async with db.act() as session:
            team = await create_team(session, user, form["name"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await _index(request, db, user, status=422, **typed)
    return redirect(f"/teams/{team.id}", _("Team created. Now invite its members."))


async def _index(
    request: AnyRequest, db: Database, user: User, *, status: int = 200, **context: Any
) -> Response[str]:
    async with db.read() as session:
        teams = await teams_of(session, user)
        invitations = await open_invitations_of(session, user)
    return await page(
        request,
        "teams/index.html",
        status=status,
        teams=teams,
        invitations=invitations,
        **context,
    )


routes = [index, create]
