"""Ending a membership, with everything in the team that depends on it.

The caller notifies the team afterwards: a notification sent before would be withdrawn as well.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Invitation, Membership, Mute, Project, Share, Team, User
from app.notifications.withdraw import withdraw_project, withdraw_team
from app.teams.invitations import end_admin_invitations_by, end_invitations_of
from app.teams.shares import end_shares


async def end_membership(session: AsyncSession, team: Team, member: User, *, actor: User) -> None:
    """Delete the membership, withdraw what the member may no longer see, unshare their projects.

    The team's open invitations to the member end as well: to come back takes a new one. So do the
    admin invitations that the member sent.
    """
    await end_admin_invitations_by(session, team, member)
    await _delete_rows(session, team, member)
    await end_invitations_of(session, team, member)
    only_member = select(User.id).where(User.id == member.id)
    await withdraw_team(session, team.id, only_member)
    for project_id in await _projects_shared_with(session, team):
        await withdraw_project(session, project_id, only_member)
    for project in await _own_projects(session, team, member):
        await end_shares(session, project, [team], actor=actor)


async def _delete_rows(session: AsyncSession, team: Team, member: User) -> None:
    """Other invitations that the member sent stay open, but the response no longer notifies them."""
    own = (Membership.team_id == team.id, Membership.user_id == member.id)
    await session.execute(delete(Membership).where(*own))
    muted = (Mute.team_id == team.id, Mute.user_id == member.id)
    await session.execute(delete(Mute).where(*muted))
    sent = (Invitation.team_id == team.id, Invitation.inviter_id == member.id)
    await session.execute(update(Invitation).where(*sent).values(inviter_id=None))


async def _projects_shared_with(session: AsyncSession, team: Team) -> list[int]:
    shared = select(Share.project_id).where(Share.team_id == team.id)
    return list(await session.scalars(shared))


async def _own_projects(session: AsyncSession, team: Team, member: User) -> list[Project]:
    shared = (
        select(Project)
        .join(Share, Share.project_id == Project.id)
        .where(Share.team_id == team.id, Project.owner_id == member.id)
    )
    return list(await session.scalars(shared))
