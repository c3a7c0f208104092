"""The list of the user's teams, and a form for a new one."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _
from app.layout import live_page
from app.models import User
from app.teams.queries import open_invitations_of, teams_of
from app.teams.teams import create_team
from app.topics import TEAM, topics


@get()
async def index(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    return await _index(request, db, user)


@post(status_code=200)
async def create(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    try:
        async with db.act() as session:
            team = await create_team(session, user, form["name"])
    except Invalid as invalid:
        typed = {"typed": form, "errors": invalid.fields}
        return await _index(request, db, user, status=422, **typed)
    return redirect(f"/teams/{team.id}", _("Team created. Now invite its members."))


async def _index(
    request: AnyRequest, db: Database, user: User, *, status: int = 200, **context: Any
) -> Response[Any]:
    async with db.read() as session:
        teams = await teams_of(session, user)
        invitations = await open_invitations_of(session, user)
    return await live_page(
        request,
        "layouts/live.html",
        "teams/_teams.html",
        topics(TEAM, [team.id for team in teams]),
        address="/teams",
        status=status,
        title=_("Teams"),
        teams=teams,
        invitations=invitations,
        **context,
    )
