"""JSON API: list, create, show, rename, delete, mute and share projects."""

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.api.problems import problems
from app.api.responses import LOCATION
from app.api.shapes import Message, MuteChange, MuteState
from app.database import Database
from app.errors import NotFound
from app.language import _
from app.models import User
from app.notifications.throttles import throttle_notifying
from app.projects.api.shapes import (
    NewProject,
    ProjectList,
    ProjectObject,
    WithTeam,
    project_object,
)
from app.projects.media_storage import remove
from app.projects.project_views import whole_projects
from app.projects.projects import create_project, delete_project, rename_project, set_muted
from app.projects.sharing import share_project, unshare_project
from app.settings import Settings

SHOWN_COMPILATIONS = 20


@get()
async def index(db: NamedDependency[Database], user: NamedDependency[User]) -> ProjectList:
    """List every project you may see, newest first."""
    return ProjectList(await _projects(db, user))


@post(response_headers=[LOCATION], responses=problems(409))
async def create(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[NewProject],
) -> Response[ProjectObject]:
    """Create a project. You can own at most 1,000."""
    async with db.act() as session:
        project = await create_project(session, user, data.name)
    location = {"Location": f"/api/projects/{project.id}"}
    return Response(await _project(db, user, project.id), headers=location)


@get()
async def show(
    db: NamedDependency[Database], user: NamedDependency[User], project_id: FromPath[int]
) -> ProjectObject:
    """Show a project with its clips and compilations."""
    return await _project(db, user, project_id)


@put()
async def rename(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    data: JSONBody[NewProject],
) -> ProjectObject:
    """Rename a project that you own."""
    async with db.act() as session:
        await rename_project(session, user, project_id, data.name)
    return await _project(db, user, project_id)


@delete(status_code=200, responses=problems(429))
async def destroy(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
) -> Message:
    """Delete a project that you own. Notifies the teams it was shared with."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        files = await delete_project(session, settings, user, project_id)
    await remove(files)
    return Message(_("Project deleted."))


@put()
async def mute(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    project_id: FromPath[int],
    data: JSONBody[MuteChange],
) -> MuteState:
    """Mute or unmute a project. You still get notifications about yourself and urgent ones."""
    async with db.exclusive() as session:
        await set_muted(session, user, project_id, muted=data.muted)
    return MuteState(data.muted)


@post(status_code=200, responses=problems(409, 429))
async def share(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    data: JSONBody[WithTeam],
) -> Message:
    """Share a project that you own with a team. Notifies its members."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        team = await share_project(session, user, project_id, data.team_id)
    return Message(_("Shared with {team}.").format(team=team.name))


@post(status_code=200, responses=problems(429))
async def unshare(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    project_id: FromPath[int],
    data: JSONBody[WithTeam],
) -> Message:
    """Stop sharing a project with a team. Notifies its members."""
    await throttle_notifying(db, settings, user)
    async with db.act() as session:
        team = await unshare_project(session, user, project_id, data.team_id)
    return Message(_("No longer shared with {team}.").format(team=team.name))


async def _project(db: Database, user: User, project_id: int) -> ProjectObject:
    """Raises NotFound if the user may not see the project."""
    for project in await _projects(db, user, project_id):
        return project
    raise NotFound


async def _projects(db: Database, user: User, project_id: int | None = None) -> list[ProjectObject]:
    async with db.read() as session:
        found = await whole_projects(
            session, user, compilations=SHOWN_COMPILATIONS, project_id=project_id
        )
    return [project_object(one) for one in found]
