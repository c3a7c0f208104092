"""Deleting an account, and everything that belongs to it alone."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.passwords import require_password
from app.accounts.sessions import end_all_sessions
from app.database import Database
from app.errors import Conflict
from app.language import _
from app.models import Event, User
from app.names import isolate
from app.notifications.events.catalogue import NAMES_OF_USERS, SOMEONE
from app.projects.projects import delete_projects_of
from app.settings import Settings
from app.teams.membership import leave_team
from app.teams.queries import TeamInList, teams_of
from app.teams.roles import OWNER
from app.teams.teams import delete_team


async def delete_account(db: Database, settings: Settings, user: User, password: str) -> None:
    """Delete the user, their projects, and the teams in which they are alone.

    Events that they caused stay, without their name. Raises Invalid for `password`, and Conflict
    while the user owns a team that has other members.
    """
    await require_password(user, password)
    async with db.act() as session:
        user = await session.get_one(User, user.id)
        teams = await teams_of(session, user)
        _require_no_team_with_others(teams)
        files = await delete_projects_of(session, settings, user)
        await _leave_or_delete(session, user, teams)
        await _remove_name(session, user)
        await end_all_sessions(session, user)
        await session.execute(delete(User).where(User.id == user.id))
    await asyncio.to_thread(_remove, files)


def _require_no_team_with_others(teams: list[TeamInList]) -> None:
    if names := [team.name for team in teams if team.role == OWNER and team.member_count > 1]:
        explanation = _(
            "You own teams with other members: {teams}. Hand them over or delete them first."
        )
        raise Conflict(explanation.format(teams=", ".join(map(isolate, names))))


async def _leave_or_delete(session: AsyncSession, user: User, teams: list[TeamInList]) -> None:
    for team in teams:
        if team.role == OWNER:
            await delete_team(session, user, team.id)
        else:
            await leave_team(session, user, team.id)


async def _remove_name(session: AsyncSession, user: User) -> None:
    """Replace the user's name in the events that they caused or were affected by."""
    theirs = or_(Event.actor_id == user.id, Event.affected_id == user.id)
    named = or_(*(Event.context[fact].as_string() == user.username for fact in NAMES_OF_USERS))
    for event in await session.scalars(select(Event).where(theirs, named)):
        event.context = {
            fact: SOMEONE if fact in NAMES_OF_USERS and value == user.username else value
            for fact, value in event.context.items()
        }
    await session.flush()


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
