"""Ending shares, for whatever reason: somebody chose to, left the team, or the project goes."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Membership, Project, Share, Team, User
from app.notifications.events.catalogue import PROJECT_UNSHARED
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_project


async def end_shares(
    session: AsyncSession, project: Project, teams: Sequence[Team], *, actor: User
) -> None:
    """No longer share `project` with `teams`, and tell each of them.

    Whoever no longer sees the project keeps these notices only, also as a member of several.
    """
    ids = [team.id for team in teams]
    shares = (Share.project_id == project.id, Share.team_id.in_(ids))
    await session.execute(delete(Share).where(*shares))
    members = select(Membership.user_id).where(Membership.team_id.in_(ids))
    await withdraw_project(session, project.id, members)
    for team in teams:
        await notify(session, PROJECT_UNSHARED, actor=actor, team=team, project=project)
