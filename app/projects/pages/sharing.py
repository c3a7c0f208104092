"""Pages: share a project with a team, and stop sharing it."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.models import User
from app.names import isolate
from app.numbers import whole_number
from app.projects.pages.projects import project_page
from app.projects.sharing import share_project, unshare_project
from app.settings import Settings


@post()
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
    return redirect(
        f"/projects/{project_id}", _("Shared with {team}.").format(team=isolate(team.name))
    )


@post()
async def unshare(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    """Redirects to `next`, because the team's admin may no longer see the project afterwards."""
    async with db.act() as session:
        team = await unshare_project(session, user, project_id, _team_id(form))
    sentence = _("No longer shared with {team}.").format(team=isolate(team.name))
    return redirect(own_path(form["next"], "/projects"), sentence)


def _team_id(form: Form) -> int:
    if (team_id := whole_number(form["team_id"])) is None:
        raise Invalid({"team_id": _("Choose a team.")})
    return team_id
