"""Sharing a project with a team from its page, and ending that."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.models import User
from app.projects.pages.projects import project_page
from app.projects.sharing import share_project, unshare_project
from app.settings import Settings


@post("/projects/{project_id:int}/share")
async def share(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    try:
        async with db.act() as session:
            team = await share_project(session, user, project_id, _team_id(form))
    except Invalid as invalid:
        return await project_page(
            request, db, settings, user, project_id, errors=invalid.fields, status=422
        )
    return redirect(f"/projects/{project_id}", _("Shared with {team}.").format(team=team.name))


@post("/projects/{project_id:int}/unshare")
async def unshare(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    """Goes on to `next`: who ends a share as the team's admin may not see the project any more."""
    async with db.act() as session:
        team = await unshare_project(session, user, project_id, _team_id(form))
    words = _("No longer shared with {team}.").format(team=team.name)
    return redirect(own_path(form["next"], "/projects"), words)


def _team_id(form: Form) -> int:
    if not form["team_id"].isdecimal() or len(form["team_id"]) > 18:
        raise Invalid({"team_id": _("Choose a team.")})
    return int(form["team_id"])


routes = [share, unshare]
