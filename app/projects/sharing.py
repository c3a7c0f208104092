"""Sharing a project with a team, and ending that."""

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


async def share_project(session: AsyncSession, user: User, project_id: int, team_id: int) -> Team:
    """Let the team's members see the project, and tell them.

    NotFound for a team the person is not in, Forbidden for its viewers, Conflict when shared
    already.
    """
    project = await find_own_project(session, user, project_id)
    team = (await require(session, user, team_id, "share")).team
    if await session.get(Share, (project.id, team.id)):
        sentence = _("'{project}' is already shared with '{team}'.")
        raise Conflict(sentence.format(project=project.name, team=team.name))
    session.add(Share(project_id=project.id, team_id=team.id))
    await notify(session, PROJECT_SHARED, actor=user, team=team, project=project)
    return team


async def unshare_project(session: AsyncSession, user: User, project_id: int, team_id: int) -> Team:
    """End the share, by the project's owner or the team's owner or admins, and tell the team."""
    project = await find_project(session, user, project_id)
    if not await session.get(Share, (project.id, team_id)):
        raise NotFound
    team = await session.get_one(Team, team_id)
    access = await find_access(session, user, team_id)
    if project.owner_id != user.id and not (access and access.may("unshare")):
        raise Forbidden(_("Only the project's owner and the team's admins can end the sharing."))
    await end_shares(session, project, [team], actor=user)
    return team


async def end_all_shares(session: AsyncSession, project: Project, *, actor: User) -> None:
    """End the shares with every team, before the project goes."""
    shared = (
        select(Team).join(Share, Share.team_id == Team.id).where(Share.project_id == project.id)
    )
    teams = (await session.scalars(shared.order_by(Team.id))).all()
    await end_shares(session, project, teams, actor=actor)
