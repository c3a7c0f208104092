"""Changes of a team's members and their roles: join, change, hand over, remove, leave."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.lookup import find_by_login
from app.errors import Conflict, Forbidden, Invalid, Taken, require_valid
from app.language import _
from app.models import Invitation, Membership, Team, User
from app.notifications.events.audience import Recipients
from app.notifications.events.catalogue import (
    MEMBER_ADDED,
    MEMBER_LEFT,
    MEMBER_REMOVED,
    MEMBER_ROLE_CHANGED,
)
from app.notifications.notify import notify
from app.notifications.preferences.fields import ANYONE, TEAMMATES
from app.notifications.withdraw import withdraw_invitation
from app.teams.access import already_in, find_member, is_member, require
from app.teams.departure import end_membership
from app.teams.invitations import end_admin_invitations_by
from app.teams.roles import ADMIN, OWNER, RIGHTS, role_error
from app.teams.teams import MAX_TEAMS, owns_enough_teams
from app.telemetry.security_log import record
from app.topics import TEAM, USER, touch
from app.values.names import isolate


async def add_member(
    session: AsyncSession, user: User, team_id: int, login: str, role: str
) -> User:
    """Add the user with the username or confirmed address `login`.

    Raises Invalid for `login`, `role`; Taken if the only error is that they are a member already, or
    do not let this user add them.
    """
    team = (await require(session, user, team_id, "add")).team
    found = await find_by_login(session, login)
    errors = {"login": await _login_error(session, user, team, found), "role": role_error(role)}
    if found is None or any(errors.values()):
        refusal = Invalid if found is None or errors["role"] else Taken
        raise refusal(errors)
    await join(session, team, found, role, actor=user)
    return found


async def join(session: AsyncSession, team: Team, user: User, role: str, *, actor: User) -> None:
    """Add `user` to `team`, notify the team, and close the user's open invitation, if any."""
    session.add(Membership(team_id=team.id, user_id=user.id, role=role))
    touch(session, TEAM, team.id)
    touch(session, USER, user.id)
    await _close_invitation(session, team, user)
    await notify(session, MEMBER_ADDED, actor=actor, affected=user, team=team, role=role)


async def change_role(
    session: AsyncSession, user: User, team_id: int, user_id: int, role: str
) -> User:
    """Raises Invalid for `role`, and Forbidden for the owner's role and the user's own.

    If the member may no longer invite, their pending admin invitations are revoked.
    """
    team = (await require(session, user, team_id, "change_role")).team
    member, membership = await find_other_member(session, user, team_id, user_id)
    require_valid(role=role_error(role))
    old_role, membership.role = membership.role, role
    if role not in RIGHTS["invite"]:
        await end_admin_invitations_by(session, team, member)
    if role != old_role:
        await _notify_of_role(session, user, member, team, old_role, role)
    return member


async def hand_over(
    session: AsyncSession, user: User, team_id: int, user_id: int, *, leaves: bool = False
) -> User:
    """Make another member the owner. The present owner becomes an admin, or `leaves` next.

    The new owner is notified of their own role, the other members of both. Raises Conflict if the
    new owner owns too many teams already. The limit does not apply if the present owner `leaves`:
    otherwise the team would have no owner.
    """
    team = (await require(session, user, team_id, "hand_over")).team
    member, membership = await find_other_member(session, user, team_id, user_id)
    if not leaves and await owns_enough_teams(session, member):
        full = _("{name} already owns {limit} teams, which is the most that one user can own.")
        raise Conflict(full.format(name=isolate(member.username), limit=MAX_TEAMS))
    _owner, own_membership = await find_member(session, team_id, user.id)
    old_role, own_membership.role = membership.role, ADMIN
    # A unique index allows one owner at a time, so the old one is stored as admin first.
    await session.flush()
    membership.role = OWNER
    await _notify_of_role(session, user, member, team, old_role, OWNER)
    if not leaves:
        others = select(Membership.user_id, Membership.team_id).where(
            Membership.team_id == team_id, Membership.user_id.not_in((user.id, member.id))
        )
        await _notify_of_role(session, user, user, team, OWNER, ADMIN, recipients=others)
    return member


async def remove_member(session: AsyncSession, user: User, team_id: int, user_id: int) -> User:
    """Raises Forbidden for the owner, and for the user themselves, who would leave instead."""
    team = (await require(session, user, team_id, "remove")).team
    member, _membership = await find_other_member(session, user, team_id, user_id)
    await end_membership(session, team, member, actor=user)
    await notify(session, MEMBER_REMOVED, actor=user, affected=member, team=team)
    return member


async def leave_team(session: AsyncSession, user: User, team_id: int) -> Team:
    """Raises Forbidden for the owner, who has to hand the team over or delete it."""
    team = (await require(session, user, team_id, "leave")).team
    await end_membership(session, team, user, actor=user)
    await notify(session, MEMBER_LEFT, actor=user, affected=user, team=team)
    return team


async def find_other_member(
    session: AsyncSession, user: User, team_id: int, user_id: int
) -> tuple[User, Membership]:
    """A member whose role `user` may change: neither the owner nor themselves."""
    member, membership = await find_member(session, team_id, user_id)
    if member.id == user.id:
        raise Forbidden(_("You cannot do this to your own membership. You can leave the team."))
    if membership.role == OWNER:
        raise Forbidden(_("The owner cannot be changed or removed."))
    return member, membership


async def _login_error(session: AsyncSession, user: User, team: Team, found: User | None) -> str:
    if found is None:
        return _("No account has this name or address. You can invite the address instead.")
    if await is_member(session, team.id, found.id):
        return already_in(found.username)
    if not await _may_add(session, user, found):
        own_choice = _("{name} does not want to be added directly. Send an invitation instead.")
        return own_choice.format(name=isolate(found.username))
    return ""


async def _may_add(session: AsyncSession, user: User, found: User) -> bool:
    """Whether `found` lets this user add them without asking."""
    if found.added_directly_by != TEAMMATES:
        return found.added_directly_by == ANYONE
    own = select(Membership.team_id).where(Membership.user_id == user.id)
    shared = select(Membership.team_id).where(
        Membership.user_id == found.id, Membership.team_id.in_(own)
    )
    return await session.scalar(shared.limit(1)) is not None


async def _close_invitation(session: AsyncSession, team: Team, user: User) -> None:
    """Close the invitation to the user's confirmed address. An unconfirmed address may belong to
    someone else.
    """
    if not user.is_confirmed:
        return
    accepted = (
        update(Invitation)
        .where(
            Invitation.team_id == team.id,
            Invitation.email_key == user.email_key,
            Invitation.status == "pending",
        )
        .values(status="accepted", answered_at=clock.now())
        .returning(Invitation.id)
    )
    for invitation_id in (await session.scalars(accepted)).all():
        await withdraw_invitation(session, invitation_id)


async def _notify_of_role(
    session: AsyncSession,
    user: User,
    member: User,
    team: Team,
    old_role: str,
    role: str,
    *,
    recipients: Recipients | None = None,
) -> None:
    record("role_changed", user=user.username, member=member.username, team=team.id, role=role)
    await notify(
        session,
        MEMBER_ROLE_CHANGED,
        actor=user,
        affected=member,
        team=team,
        recipients=recipients,
        old_role=old_role,
        new_role=role,
    )
