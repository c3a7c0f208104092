"""Ending shares: because someone unshares, leaves the team, or deletes the project."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Membership, Project, Share, Team, User
from app.notifications.events.catalogue import PROJECT_UNSHARED
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_project
from app.topics import PROJECT, TEAM, touch, touch_all


async def end_shares(
    session: AsyncSession, project: Project, teams: Sequence[Team], *, actor: User
) -> None:
    """Stop sharing `project` with `teams`, and notify the members of each.

    For members who lose sight of the project, the other notifications about it are withdrawn.
    """
    ids = [team.id for team in teams]
    shares = (Share.project_id == project.id, Share.team_id.in_(ids))
    await session.execute(delete(Share).where(*shares))
    touch(session, PROJECT, project.id)
    touch_all(session, TEAM, ids)
    members = select(Membership.user_id).where(Membership.team_id.in_(ids))
    await withdraw_project(session, project.id, members)
    for team in teams:
        await notify(session, PROJECT_UNSHARED, actor=actor, team=team, project=project)
