"""The invitee's answer: accept or decline, once, by the account that has the address."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import Conflict, Forbidden, NotFound
from app.language import _
from app.models import Event, Invitation, Notification, Team, User
from app.notifications.events.catalogue import INVITATION_DECLINED, types_open_while
from app.notifications.inbox import feed
from app.notifications.notify import notify
from app.teams.access import is_member
from app.teams.invitations import closed_sentence, greet_newcomer
from app.teams.membership import join


async def accept(
    session: AsyncSession, user: User, invitation_id: int, *, is_mailed: bool = False
) -> Team:
    """Join the team. Through the mailed link (`is_mailed`) this also confirms the address.

    Raises Forbidden for any other account, Conflict when it is answered, revoked or expired.
    """
    invitation, team, account = await _open(session, user, invitation_id, is_mailed)
    if await is_member(session, team.id, account.id):
        raise Conflict(_("You are already in '{team}'.").format(team=team.name))
    await _settle(session, invitation, account, "accepted")
    if not account.is_confirmed:
        account.email_confirmed_at = clock.now()
        await greet_newcomer(session, account)
    await join(session, team, account, invitation.role, actor=account)
    return team


async def decline(
    session: AsyncSession, user: User, invitation_id: int, *, is_mailed: bool = False
) -> Team:
    """Say no, and tell the inviter. Raises as `accept` does."""
    invitation, team, account = await _open(session, user, invitation_id, is_mailed)
    await _settle(session, invitation, account, "declined")
    await notify(
        session,
        INVITATION_DECLINED,
        actor=account,
        team=team,
        invitation=invitation,
        username=account.username,
    )
    return team


async def invitation_told_in(session: AsyncSession, user: User, notification_id: int) -> int:
    """The id of the invitation that a notice of the person tells of. Raises NotFound."""
    told = (
        select(Event.invitation_id)
        .join(Notification, Notification.event_id == Event.id)
        .where(
            Notification.id == notification_id,
            Notification.user_id == user.id,
            Event.type.in_(types_open_while("invitation")),
        )
    )
    invitation_id = await session.scalar(told)
    if invitation_id is None:
        raise NotFound
    return invitation_id


def wrong_person(invitation: Invitation, user: User, *, is_mailed: bool) -> str:
    """Why the person cannot answer the invitation, or "" when they can."""
    if user.email_key != invitation.email_key:
        wrong = _("This invitation was sent to another address than yours, {email}.")
        return wrong.format(email=user.email)
    if not user.is_confirmed and not is_mailed:
        return _("Confirm your address first, or open the link in the letter that invited you.")
    return ""


async def _open(
    session: AsyncSession, user: User, invitation_id: int, is_mailed: bool
) -> tuple[Invitation, Team, User]:
    """The account is read afresh: its address may have changed since the request began."""
    invitation = await session.get(Invitation, invitation_id)
    if invitation is None:
        raise NotFound
    account = await session.get_one(User, user.id)
    if wrong := wrong_person(invitation, account, is_mailed=is_mailed):
        raise Forbidden(wrong)
    return invitation, await session.get_one(Team, invitation.team_id), account


async def _settle(
    session: AsyncSession, invitation: Invitation, account: User, status: str
) -> None:
    """One conditional UPDATE: of two answers the first counts, the other raises Conflict."""
    now = clock.now()
    settled = (
        update(Invitation)
        .where(
            Invitation.id == invitation.id,
            Invitation.status == "pending",
            Invitation.expires_at > now,
        )
        .values(status=status, answered_at=now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    is_first = await session.scalar(settled) is not None
    await session.refresh(invitation)
    if not is_first:
        raise Conflict(closed_sentence(invitation))
    await _mark_read(session, account, invitation)


async def _mark_read(session: AsyncSession, account: User, invitation: Invitation) -> None:
    told = (
        select(Notification.id)
        .join(Event, Event.id == Notification.event_id)
        .where(Event.invitation_id == invitation.id, Notification.user_id == account.id)
    )
    await feed.mark(session, account.id, (await session.scalars(told)).all(), read=True)
