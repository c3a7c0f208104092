"""Responses to an invitation: accept or decline, once, by the account that has the address."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.addresses import set_confirmed_address
from app.errors import Conflict, Forbidden, NotFound
from app.language import _
from app.models import Event, Invitation, Notification, Team, User
from app.models.team import is_open
from app.notifications.events.catalogue import INVITATION_DECLINED, types_open_while
from app.notifications.inbox import acts
from app.notifications.inbox.selection import Selection
from app.notifications.notify import notify
from app.notifications.refresh import refresh_invitation
from app.teams.access import is_member
from app.teams.invitations import notify_of_open_invitations, was_removed_since
from app.teams.membership import join
from app.teams.open_invitations import closed_reason
from app.topics import TEAM, touch
from app.values.names import isolate


async def accept(
    session: AsyncSession, user: User, invitation_id: int, *, is_mailed: bool = False
) -> Team:
    """Join the team. Through the mailed link (`is_mailed`), this also confirms the address.

    Raises NotFound, Forbidden for any other account, and Conflict for a member and for an
    invitation that was answered or revoked, or has expired.
    """
    invitation, team, user = await _load(session, user, invitation_id, is_mailed)
    if await is_member(session, team.id, user.id):
        raise Conflict(_("You are already in '{team}'.").format(team=isolate(team.name)))
    await _settle(session, invitation, user, "accepted")
    if not user.is_confirmed:
        await set_confirmed_address(session, user, user.email)
        await notify_of_open_invitations(session, user)
    await join(session, team, user, invitation.role, actor=user)
    return team


async def decline(
    session: AsyncSession, user: User, invitation_id: int, *, is_mailed: bool = False
) -> Team:
    """Decline, and notify the inviter. Raises as `accept` does."""
    invitation, team, user = await _load(session, user, invitation_id, is_mailed)
    await _settle(session, invitation, user, "declined")
    await notify(
        session,
        INVITATION_DECLINED,
        actor=user,
        team=team,
        invitation=invitation,
        username=user.username,
    )
    return team


async def invitation_of(session: AsyncSession, user: User, notification_id: int) -> int:
    """The id of the invitation that the user's notification is about. Raises NotFound."""
    own = (
        select(Event.invitation_id)
        .join(Notification, Notification.event_id == Event.id)
        .where(
            Notification.id == notification_id,
            Notification.user_id == user.id,
            Event.type.in_(types_open_while("invitation")),
        )
    )
    invitation_id = await session.scalar(own)
    if invitation_id is None:
        raise NotFound
    return invitation_id


async def refusal(
    session: AsyncSession, invitation: Invitation, user: User, *, is_mailed: bool
) -> str:
    """Why this user cannot answer the invitation, or ""."""
    if user.email_key != invitation.email_key:
        other = _("This invitation was sent to a different address. Yours is {email}.")
        return other.format(email=user.email)
    if not user.is_confirmed and not is_mailed:
        return _("Confirm your address first, or open the link in the invitation email.")
    if await was_removed_since(session, invitation, user):
        return _("You were removed from the team after this invitation was sent.")
    return ""


async def _load(
    session: AsyncSession, user: User, invitation_id: int, is_mailed: bool
) -> tuple[Invitation, Team, User]:
    """The user is read again, because their address may have changed since the request began."""
    invitation = await session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound
    user = await session.get_one(User, user.id)
    if reason := await refusal(session, invitation, user, is_mailed=is_mailed):
        raise Forbidden(reason)
    return invitation, await session.get_one(Team, invitation.team_id), user


async def _settle(session: AsyncSession, invitation: Invitation, user: User, status: str) -> None:
    """One conditional UPDATE: of two concurrent responses, the second raises Conflict."""
    settled = (
        update(Invitation)
        .where(Invitation.id == invitation.id, is_open())
        .values(status=status, answered_at=clock.now())
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    touch(session, TEAM, invitation.team_id)
    is_first = await session.scalar(settled) is not None
    await session.refresh(invitation)
    if not is_first:
        raise Conflict(closed_reason(invitation))
    await _mark_read(session, user, invitation)
    await refresh_invitation(session, invitation.id)


async def _mark_read(session: AsyncSession, user: User, invitation: Invitation) -> None:
    own = (
        select(Notification.id)
        .join(Event, Event.id == Notification.event_id)
        .where(Event.invitation_id == invitation.id, Notification.user_id == user.id)
    )
    ids = (await session.scalars(own)).all()
    await acts.mark(session, user.id, Selection(ids), read=True)
