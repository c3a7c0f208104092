"""Deleting an account, and everything of it that is nobody else's."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.passwords import require_password
from app.accounts.sessions import end_all_sessions
from app.database import Database
from app.errors import Conflict
from app.language import _
from app.models import Event, Invitation, Membership, Team, User
from app.notifications.events.catalogue import MEMBER_LEFT, NAMES_OF_USERS, SOMEONE
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_invitation
from app.settings import Settings

# Called in the act, while all is still there: what another area has to delete, tell and withdraw.
# Each returns the files that nothing needs any more. app/asgi.py fills it.
Farewell = Callable[[AsyncSession, Settings, User], Awaitable[Iterable[Path]]]
farewells: list[Farewell] = []


async def delete_account(db: Database, settings: Settings, account: User, password: str) -> None:
    """Delete `account`, its projects, and its teams without other members.

    What it did stays, without its name. Raises Invalid for `password`, and Conflict while it
    owns a team with other members.
    """
    await require_password(account, password)
    files: list[Path] = []
    async with db.act() as session:
        account = await session.get_one(User, account.id)
        await _require_no_team_in_charge(session, account)
        for farewell in farewells:
            files += await farewell(session, settings, account)
        await _leave_teams(session, account)
        await _dissolve_own_teams(session, account)
        await _forget_name(session, account)
        await end_all_sessions(session, account)
        await session.execute(delete(User).where(User.id == account.id))
    await asyncio.to_thread(_remove, files)


async def _require_no_team_in_charge(session: AsyncSession, account: User) -> None:
    other = aliased(Membership)
    has_others = exists().where(other.team_id == Team.id, other.user_id != account.id)
    owned = (
        select(Team.name)
        .where(_has_in_role(account, Membership.role == "owner"), has_others)
        .order_by(Team.name)
    )
    if names := (await session.scalars(owned)).all():
        explanation = _("You own teams with other members: {teams}. Hand them over or delete them.")
        raise Conflict(explanation.format(teams=", ".join(names)))


def _has_in_role(account: User, role: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Membership.team_id == Team.id, Membership.user_id == account.id, role)


async def _leave_teams(session: AsyncSession, account: User) -> None:
    theirs = select(Team).where(_has_in_role(account, Membership.role != "owner"))
    for team in (await session.scalars(theirs.order_by(Team.id))).all():
        place = (Membership.team_id == team.id, Membership.user_id == account.id)
        await session.execute(delete(Membership).where(*place))
        await notify(session, MEMBER_LEFT, actor=account, affected=account, team=team)


async def _dissolve_own_teams(session: AsyncSession, account: User) -> None:
    """Nobody else is in them; whoever was asked to join cannot any more."""
    owned = select(Team.id).where(_has_in_role(account, Membership.role == "owner"))
    open_ones = select(Invitation.id).where(
        Invitation.team_id.in_(owned), Invitation.status == "pending"
    )
    for invitation_id in (await session.scalars(open_ones)).all():
        await withdraw_invitation(session, invitation_id)
    await session.execute(delete(Team).where(Team.id.in_(owned)))


async def _forget_name(session: AsyncSession, account: User) -> None:
    """Events outlive the person; the name in their facts does not."""
    theirs = or_(Event.actor_id == account.id, Event.affected_id == account.id)
    named = or_(*(Event.context[fact].as_string() == account.username for fact in NAMES_OF_USERS))
    for event in await session.scalars(select(Event).where(theirs, named)):
        event.context = {
            fact: SOMEONE if fact in NAMES_OF_USERS and value == account.username else value
            for fact, value in event.context.items()
        }
    await session.flush()


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
