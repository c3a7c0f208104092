"""Pages: share a project with a team, and stop sharing it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.layout import ask
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.projects.pages.projects import project_page
from app.projects.sharing import find_share, share_project, unshare_project
from app.settings import Settings
from app.teams.notified import notified_sentence
from app.teams.queries import count_others
from app.values.names import isolate
from app.values.numbers import whole_number


@post()
async def share(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    await throttle_notifying(db, settings, user)
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


@get()
async def ask_to_unshare(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Response[Any]:
    async with db.read() as session:
        team_id = whole_number(request.query_params.get("team_id", "")) or 0
        project, team = await find_share(session, user, project_id, team_id)
        notified = await count_others(session, user, team_id)
    page = f"/projects/{project_id}"
    sentence = _("Its members can no longer see '{project}', unless another team of theirs can.")
    return await ask(
        request,
        question=_("End sharing with '{team}'?").format(team=isolate(team.name)),
        explanation=f"{sentence.format(project=isolate(project.name))} {notified_sentence(notified)}",
        action=f"{page}/unshare",
        pairs=[("team_id", str(team_id)), ("next", page if project.owner_id == user.id else "")],
        button_label=_("End sharing"),
        cancel_url=page,
    )


@post()
async def unshare(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    project_id: FromPath[int],
) -> Response[Any]:
    """Redirects to `next`, because the team's admin may no longer see the project afterwards."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        team = await unshare_project(session, user, project_id, _team_id(form))
    sentence = _("No longer shared with {team}.").format(team=isolate(team.name))
    return redirect(own_path(form["next"], "/projects"), sentence)


def _team_id(form: Form) -> int:
    if (team_id := whole_number(form["team_id"])) is None:
        raise Invalid({"team_id": _("Choose a team.")})
    return team_id
