"""Creating, renaming, muting and deleting a team."""

from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Taken, require_valid
from app.language import _
from app.models import Invitation, Membership, Share, Team, User
from app.notifications.events.catalogue import TEAM_CREATED, TEAM_DELETED, TEAM_UPDATED
from app.notifications.notify import notify
from app.notifications.preferences.muting import mute, unmute
from app.notifications.withdraw import withdraw_invitation, withdraw_project, withdraw_team
from app.teams.access import require
from app.teams.roles import OWNER
from app.topics import PROJECT, USER, touch, touch_all
from app.values.names import name_error, tidy

NAME_LENGTH = 80
MAX_TEAMS = 200


async def create_team(session: AsyncSession, user: User, name: str) -> Team:
    """Create a team, with `user` as owner and only member.

    Raises Invalid for `name`; Taken, also for `name`, when the user owns too many teams.
    """
    name = _valid_name(name)
    if await owns_enough_teams(session, user):
        full = _("You can own at most {limit} teams. Delete one or hand one over first.")
        raise Taken({"name": full.format(limit=MAX_TEAMS)})
    team = Team(name=name)
    session.add(team)
    await session.flush()
    session.add(Membership(team_id=team.id, user_id=user.id, role=OWNER))
    touch(session, USER, user.id)
    await notify(session, TEAM_CREATED, actor=user, team=team)
    return team


async def owns_enough_teams(session: AsyncSession, user: User) -> bool:
    """Whether the user owns MAX_TEAMS teams, and so can own no other."""
    owned = select(func.count()).where(Membership.user_id == user.id, Membership.role == OWNER)
    return (await session.scalar(owned) or 0) >= MAX_TEAMS


async def rename_team(session: AsyncSession, user: User, team_id: int, name: str) -> Team:
    """Rename the team and notify its members. Raises Invalid for `name`."""
    team = (await require(session, user, team_id, "rename")).team
    old_name, team.name = team.name, _valid_name(name)
    if team.name != old_name:
        await notify(
            session, TEAM_UPDATED, actor=user, team=team, old_name=old_name, new_name=team.name
        )
    return team


async def delete_team(session: AsyncSession, user: User, team_id: int) -> None:
    """Delete the team and notify its members, whose other notifications about it are withdrawn."""
    team = (await require(session, user, team_id, "delete")).team
    members = select(Membership.user_id).where(Membership.team_id == team_id)
    await withdraw_team(session, team_id, members)
    await _end_shares(session, team_id, members)
    for invitation_id in await _pending_invitations(session, team_id):
        await withdraw_invitation(session, invitation_id)
    await notify(session, TEAM_DELETED, actor=user, team=team)
    await session.execute(delete(Team).where(Team.id == team_id))


async def mute_team(session: AsyncSession, user: User, team_id: int) -> None:
    """Stop ordinary notifications about the team for this user. Urgent and personal ones continue."""
    await require(session, user, team_id, "view")
    await mute(session, user, team_id=team_id)


async def unmute_team(session: AsyncSession, user: User, team_id: int) -> None:
    await require(session, user, team_id, "view")
    await unmute(session, user, team_id=team_id)


def _valid_name(name: str) -> str:
    """Raises Invalid for `name`."""
    error = name_error(name, most=NAME_LENGTH, if_empty=_("Enter a name for the team."))
    require_valid(name=error)
    return tidy(name)


async def _end_shares(session: AsyncSession, team_id: int, members: Select[Any]) -> None:
    ended = delete(Share).where(Share.team_id == team_id).returning(Share.project_id)
    project_ids = (await session.scalars(ended)).all()
    touch_all(session, PROJECT, project_ids)
    for project_id in project_ids:
        await withdraw_project(session, project_id, members)


async def _pending_invitations(session: AsyncSession, team_id: int) -> list[int]:
    pending = select(Invitation.id).where(
        Invitation.team_id == team_id, Invitation.status == "pending"
    )
    return list(await session.scalars(pending))
