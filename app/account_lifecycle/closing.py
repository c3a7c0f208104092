"""Deleting an account, and everything that belongs to it alone.

A user may have many projects and teams, and each takes time to delete or leave. So an act takes a
few, and others write in between. If this is interrupted, the account has fewer of them and can be
deleted again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.account_lifecycle.suspension import find_managed, suspend
from app.accounts.access import refuse_suspended
from app.accounts.avatars import avatar_files
from app.accounts.lookup import get_unchanged
from app.accounts.passwords import require_password
from app.accounts.sessions import end_all_sessions
from app.database import Database
from app.errors import Conflict
from app.language import _
from app.models import Event, Membership, Project, User
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import ACCOUNT
from app.notifications.events.sentences import NAMES_OF_USERS, SOMEONE
from app.notifications.search.index import renew_documents
from app.projects import media_storage
from app.projects.projects import delete_projects_of
from app.settings import Settings
from app.teams.membership import hand_over, leave_team
from app.teams.queries import TeamInList, teams_of
from app.teams.roles import ADMIN, OWNER
from app.teams.teams import delete_team
from app.values.names import isolate

# Projects or teams in one act.
AT_ONCE = 5
# Between two acts, so that the other processes get their turn: on SQLite, one that waits looks for
# it every 100 ms.
PAUSE_SECONDS = 0.1

# Returns the user, or raises if the account must not be deleted. It is called in each act, because
# others write in between.
Find = Callable[[AsyncSession], Awaitable[User]]


async def delete_account(db: Database, settings: Settings, user: User, password: str) -> None:
    """Delete the user, their projects, and the teams that have no other members.

    Events that they caused stay, without their name. Raises Invalid for `password`, and Conflict
    if the user owns a team that has other members; then no project is deleted. The rest stays if
    the password is changed or the account suspended meanwhile: then raises Conflict or Forbidden.
    """

    async def find(session: AsyncSession) -> User:
        found = await get_unchanged(session, user)
        refuse_suspended(found)
        return found

    await require_password(user, password)
    await _delete_owned_teams(db, user, find)
    await _delete_in_steps(db, settings, find)


async def delete_managed_account(
    db: Database, settings: Settings, admin: User, user_id: int
) -> User:
    """Delete an account as an administrator. Each team that the user owns is handed to its oldest
    admin; without one it is deleted, as its owner would.

    The account is suspended first: a script of its user could otherwise create projects as fast as
    they are deleted. Raises as `find_managed` does.
    """

    async def find(session: AsyncSession) -> User:
        return await find_managed(session, admin, user_id)

    async with db.act() as session:
        await suspend(session, admin, user_id)
    return await _delete_in_steps(db, settings, find)


async def _delete_owned_teams(db: Database, user: User, find: Find) -> None:
    """Raises Conflict for a team that has other members.

    Before the first project is deleted, because someone may accept an invitation to such a team
    between two acts. A team that is handed to the user later goes on to its oldest admin.
    """
    while await _owns_a_team(db, user):
        async with db.act() as session:
            found = await find(session)
            owned = [team for team in await teams_of(session, found) if team.role == OWNER]
            _require_no_team_with_others(owned)
            for team in owned[:AT_ONCE]:
                await delete_team(session, found, team.id)
        await _pause()


async def _owns_a_team(db: Database, user: User) -> bool:
    owned = select(Membership.team_id).where(
        Membership.user_id == user.id, Membership.role == OWNER
    )
    async with db.read() as session:
        return await session.scalar(owned.limit(1)) is not None


def _require_no_team_with_others(owned: list[TeamInList]) -> None:
    if names := [team.name for team in owned if team.member_count > 1]:
        explanation = _(
            "You own teams with other members: {teams}. Hand them over or delete them first."
        )
        raise Conflict(explanation.format(teams=", ".join(map(isolate, names))))


async def _delete_in_steps(db: Database, settings: Settings, find: Find) -> User:
    """Deletes the projects, then leaves the teams, and deletes the account in the last act."""
    while True:
        async with db.act() as session:
            user = await find(session)
            files = await delete_projects_of(session, settings, user, most=AT_ONCE)
            has_more = await _owns_projects(session, user) or await _leave_teams(session, user)
            if not has_more:
                files += await _delete(session, settings, user)
        await media_storage.remove(files)
        if not has_more:
            return user
        await _pause()


async def _pause() -> None:
    await asyncio.sleep(PAUSE_SECONDS)


async def _owns_projects(session: AsyncSession, user: User) -> bool:
    owned = select(Project.id).where(Project.owner_id == user.id).limit(1)
    return await session.scalar(owned) is not None


async def _delete(session: AsyncSession, settings: Settings, user: User) -> list[Path]:
    """Deletes an account without projects and teams. Returns the files to remove after the commit."""
    files = avatar_files(settings, user)
    await _remove_name(session, user)
    await _forget_account_events(session, user)
    await end_all_sessions(session, user)
    named = (await session.scalars(select(Event.id).where(_is_about(user)))).all()
    await session.execute(delete(User).where(User.id == user.id))
    await renew_documents(session, named)
    return files


async def _leave_teams(session: AsyncSession, user: User) -> bool:
    """Leaves or deletes AT_ONCE of the user's teams. Returns whether there are others."""
    teams = await teams_of(session, user)
    for team in teams[:AT_ONCE]:
        if team.role != OWNER:
            await leave_team(session, user, team.id)
        elif heir_id := await _find_heir(session, team.id):
            await hand_over(session, user, team.id, heir_id, leaves=True)
            await leave_team(session, user, team.id)
        else:
            await delete_team(session, user, team.id)
    return len(teams) > AT_ONCE


async def _find_heir(session: AsyncSession, team_id: int) -> int | None:
    """The oldest admin, preferably one who is not suspended."""
    admins = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id == team_id, Membership.role == ADMIN)
        .order_by(User.suspended_at.is_not(None), Membership.joined_at, User.id)
    )
    return await session.scalar(admins.limit(1))


async def _remove_name(session: AsyncSession, user: User) -> None:
    """Replace the user's name in the events that they caused or were affected by."""
    named = or_(*(Event.context[fact].as_string() == user.username for fact in NAMES_OF_USERS))
    for event in await session.scalars(select(Event).where(_is_about(user), named)):
        event.context = {
            fact: SOMEONE if fact in NAMES_OF_USERS and value == user.username else value
            for fact, value in event.context.items()
        }
    await session.flush()


def _is_about(user: User) -> ColumnElement[bool]:
    return or_(Event.actor_id == user.id, Event.affected_id == user.id)


async def _forget_account_events(session: AsyncSession, user: User) -> None:
    """Erase the context of these events: it holds mail and network addresses only this user could
    see.
    """
    about_account = [one.name for one in TYPES.values() if one.heading == ACCOUNT]
    theirs = update(Event).where(Event.affected_id == user.id, Event.type.in_(about_account))
    await session.execute(theirs.values(context={}))
