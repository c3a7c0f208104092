"""Belonging to a team: added, given another role, removed, gone; and the team handed over."""

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import Forbidden, Invalid, Taken
from app.language import _
from app.models import Invitation, Membership, Team, User
from app.notifications.events.catalogue import (
    MEMBER_ADDED,
    MEMBER_LEFT,
    MEMBER_REMOVED,
    MEMBER_ROLE_CHANGED,
)
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_invitation
from app.teams.access import find_member, is_member, require
from app.teams.departure import depart
from app.teams.roles import ADMIN, OWNER, require_grantable, wrong_role


async def add_member(
    session: AsyncSession, user: User, team_id: int, login: str, role: str
) -> User:
    """Add whoever has the name or confirmed address `login`.

    Raises Invalid for `login`, `role`; Taken when nothing else is wrong than that they are here.
    """
    team = (await require(session, user, team_id, "add")).team
    found = await _find_account(session, login)
    wrong = {"login": await _wrong_newcomer(session, team, found), "role": wrong_role(role)}
    if found is None or any(wrong.values()):
        refusal = Invalid if found is None or wrong["role"] else Taken
        raise refusal({field: sentence for field, sentence in wrong.items() if sentence})
    await join(session, team, found, role, actor=user)
    return found


async def join(session: AsyncSession, team: Team, account: User, role: str, *, actor: User) -> None:
    """Add `account` to the team and tell everyone concerned; an open invitation is settled by it."""
    session.add(Membership(team_id=team.id, user_id=account.id, role=role))
    await _settle_invitation(session, team, account)
    await notify(session, MEMBER_ADDED, actor=actor, affected=account, team=team, role=role)


async def change_role(
    session: AsyncSession, user: User, team_id: int, user_id: int, role: str
) -> User:
    """Raises Invalid for `role`, Forbidden for the owner's role and one's own."""
    team = (await require(session, user, team_id, "change_role")).team
    member, place = await _find_other(session, user, team_id, user_id)
    require_grantable(role)
    old_role, place.role = place.role, role
    if role != old_role:
        await _tell_role(session, user, member, team, old_role, role)
    return member


async def hand_over(session: AsyncSession, user: User, team_id: int, user_id: int) -> User:
    """Make another member the owner; the present one goes on as admin."""
    team = (await require(session, user, team_id, "hand_over")).team
    member, place = await _find_other(session, user, team_id, user_id)
    _owner, own_place = await find_member(session, team_id, user.id)
    old_role, own_place.role = place.role, ADMIN
    # The index allows one owner at a time: the old one makes room first.
    await session.flush()
    place.role = OWNER
    await _tell_role(session, user, member, team, old_role, OWNER)
    return member


async def remove_member(session: AsyncSession, user: User, team_id: int, user_id: int) -> User:
    """Raises Forbidden for the owner; to go oneself is `leave_team`."""
    team = (await require(session, user, team_id, "remove")).team
    member, _place = await _find_other(session, user, team_id, user_id)
    await depart(session, team, member, actor=user)
    await notify(session, MEMBER_REMOVED, actor=user, affected=member, team=team)
    return member


async def leave_team(session: AsyncSession, user: User, team_id: int) -> Team:
    """Raises Forbidden for the owner, who hands the team over or deletes it first."""
    team = (await require(session, user, team_id, "leave")).team
    await depart(session, team, user, actor=user)
    await notify(session, MEMBER_LEFT, actor=user, affected=user, team=team)
    return team


async def _find_account(session: AsyncSession, login: str) -> User | None:
    """An unconfirmed address is nobody's: who holds the account may not hold the address."""
    key = login.casefold()
    by_address = and_(User.email_key == key, User.email_confirmed_at.is_not(None))
    found = select(User).where(or_(User.username_key == key, by_address))
    return (await session.scalars(found)).one_or_none()


async def _wrong_newcomer(session: AsyncSession, team: Team, found: User | None) -> str:
    if found is None:
        return _("There is no account of this name or address. You can invite the address instead.")
    if await is_member(session, team.id, found.id):
        return _("{name} is already in this team.").format(name=found.username)
    return ""


async def _settle_invitation(session: AsyncSession, team: Team, account: User) -> None:
    settled = (
        update(Invitation)
        .where(
            Invitation.team_id == team.id,
            Invitation.email_key == account.email_key,
            Invitation.status == "pending",
        )
        .values(status="accepted", answered_at=clock.now())
        .returning(Invitation.id)
    )
    for invitation_id in (await session.scalars(settled)).all():
        await withdraw_invitation(session, invitation_id)


async def _find_other(
    session: AsyncSession, user: User, team_id: int, user_id: int
) -> tuple[User, Membership]:
    """Somebody over whom `user` has a say: neither the owner nor themselves."""
    member, place = await find_member(session, team_id, user_id)
    if member.id == user.id:
        raise Forbidden(_("That cannot be done to yourself. To go, leave the team."))
    if place.role == OWNER:
        raise Forbidden(_("Nobody but the owner decides about the owner's place."))
    return member, place


async def _tell_role(
    session: AsyncSession, user: User, member: User, team: Team, old_role: str, role: str
) -> None:
    await notify(
        session,
        MEMBER_ROLE_CHANGED,
        actor=user,
        affected=member,
        team=team,
        old_role=old_role,
        new_role=role,
    )
