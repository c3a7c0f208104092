"""Share a project with a team, and end the share."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict, Forbidden, NotFound
from app.language import _
from app.models import Project, Share, Team, User
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.projects.access import find_own_project, find_project
from app.teams.access import find_access, require
from app.teams.shares import end_shares
from app.values.names import isolate


async def share_project(session: AsyncSession, user: User, project_id: int, team_id: int) -> Team:
    """Shares the project with the team and notifies its members.

    Raises NotFound if the user is not a member of the team, Forbidden if they are a viewer,
    Conflict if the project is already shared with it.
    """
    project = await find_own_project(session, user, project_id)
    team = (await require(session, user, team_id, "share")).team
    if await session.get(Share, (project.id, team.id)):
        sentence = _("'{project}' is already shared with '{team}'.")
        raise Conflict(sentence.format(project=isolate(project.name), team=isolate(team.name)))
    session.add(Share(project_id=project.id, team_id=team.id))
    await notify(session, PROJECT_SHARED, actor=user, team=team, project=project)
    return team


async def unshare_project(session: AsyncSession, user: User, project_id: int, team_id: int) -> Team:
    """Ends the share and notifies the team.

    The project's owner and the team's owner and admins may do so. Raises Forbidden for other
    members, NotFound if the project is not shared with the team.
    """
    project, team = await find_share(session, user, project_id, team_id)
    await end_shares(session, project, [team], actor=user)
    return team


async def find_share(
    session: AsyncSession, user: User, project_id: int, team_id: int
) -> tuple[Project, Team]:
    """The project and the team of a share that the user may end. Raises as `unshare_project`."""
    project = await find_project(session, user, project_id)
    if not await session.get(Share, (project.id, team_id)):
        raise NotFound
    team = await session.get_one(Team, team_id)
    access = await find_access(session, user, team_id)
    if project.owner_id != user.id and not (access and access.may("unshare")):
        raise Forbidden(_("Only the project's owner and the team's admins can stop sharing it."))
    return project, team


async def end_all_shares(session: AsyncSession, project: Project, *, actor: User) -> None:
    """Ends the shares with every team, before the project is deleted."""
    shared = (
        select(Team).join(Share, Share.team_id == Team.id).where(Share.project_id == project.id)
    )
    teams = (await session.scalars(shared.order_by(Team.id))).all()
    await end_shares(session, project, teams, actor=actor)
