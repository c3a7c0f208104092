"""What goes with somebody who is no longer in a team: their projects, and what they were told.

The verb that ends the membership calls this first and says so last: that notice stays.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Invitation, Membership, Mute, Project, Share, Team, User
from app.notifications.withdraw import withdraw_project, withdraw_team
from app.teams.shares import end_shares


async def depart(session: AsyncSession, team: Team, member: User, *, actor: User) -> None:
    """End the membership; the member's projects leave the team, as `actor` made them."""
    await _forget(session, team, member)
    await withdraw_team(session, team.id, select(User.id).where(User.id == member.id))
    await _close_projects(session, team, member)
    for project in await _own_projects(session, team, member):
        await end_shares(session, project, [team], actor=actor)


async def _forget(session: AsyncSession, team: Team, member: User) -> None:
    """Open invitations by the member stand, but no answer to them is theirs to hear."""
    place = (Membership.team_id == team.id, Membership.user_id == member.id)
    await session.execute(delete(Membership).where(*place))
    muted = (Mute.team_id == team.id, Mute.user_id == member.id)
    await session.execute(delete(Mute).where(*muted))
    sent = (Invitation.team_id == team.id, Invitation.inviter_id == member.id)
    await session.execute(update(Invitation).where(*sent).values(inviter_id=None))


async def _close_projects(session: AsyncSession, team: Team, member: User) -> None:
    """What the member sees neither as owner nor through another team is withdrawn."""
    shared = select(Share.project_id).where(Share.team_id == team.id)
    for project_id in (await session.scalars(shared)).all():
        member_alone = select(User.id).where(User.id == member.id)
        await withdraw_project(session, project_id, member_alone)


async def _own_projects(session: AsyncSession, team: Team, member: User) -> list[Project]:
    shared = (
        select(Project)
        .join(Share, Share.project_id == Project.id)
        .where(Share.team_id == team.id, Project.owner_id == member.id)
    )
    return list(await session.scalars(shared))
