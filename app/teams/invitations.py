"""Invitations by mail address: sent, sent again, revoked."""

from datetime import timedelta
from math import ceil

from sqlalchemy import and_, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.lookup import find_holder, has_confirmed
from app.errors import Conflict, NotFound, Taken, TooMany, require_valid
from app.language import N_, _
from app.mail.limits import BY_ALL, BY_RECIPIENT, BY_SENDER, mail_refusal
from app.mail.suppressions import is_suppressed
from app.models import Delivery, Event, Invitation, Membership, Notification, Team, User
from app.models.team import is_open
from app.notifications.delivery.decision import Skip
from app.notifications.delivery.explanations import (
    MAILED_BEFORE,
    STOPPED,
    UNCONFIRMED_SENDER,
)
from app.notifications.delivery.settling import skip_pending
from app.notifications.events.catalogue import INVITATION_RECEIVED, MEMBER_REMOVED
from app.notifications.events.event_type import EMAIL
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_invitation
from app.teams.access import already_in, require
from app.teams.invitation_mail import MAIL, mail_invitation
from app.teams.open_invitations import LIFETIME, closed_reason, with_team_and_inviter
from app.teams.roles import ADMIN, role_error
from app.topics import TEAM, USER, touch
from app.values.email_addresses import address_key, email_error, mailbox_of

MAX_OPEN = 50
AGAIN_AFTER = timedelta(hours=1)

# Why an invitation is not mailed, as its inviter reads it.
UNMAILED = {
    UNCONFIRMED_SENDER: N_(
        "It was not emailed, because the address of its sender is not confirmed. "
        "You can share the link yourself."
    ),
    STOPPED: N_(
        "It was not emailed, because this address gets no invitation emails from this server. "
        "You can share the link yourself."
    ),
    BY_RECIPIENT: N_(
        "It was not emailed, because this address has reached its daily limit of invitation "
        "emails. You can share the link yourself, or send the invitation again later."
    ),
    BY_SENDER: N_(
        "It was not emailed, because its sender has reached the daily limit of invitation emails. "
        "You can share the link yourself, or send the invitation again later."
    ),
    BY_ALL: N_(
        "It was not emailed, because this server has reached its daily limit of invitation emails. "
        "You can share the link yourself, or send the invitation again later."
    ),
}


async def invite(
    session: AsyncSession, user: User, team_id: int, email: str, role: str
) -> Invitation:
    """Invite `email` to the team, for seven days.

    Its `unmailed` says why it could not be mailed, if so. Raises Invalid for `email`, `role`; Taken
    for a member and for an address with an open invitation; Conflict when too many invitations are
    open.
    """
    team = (await require(session, user, team_id, "invite")).team
    require_valid(email=email_error(email), role=role_error(role))
    if error := await _invitee_error(session, team, email):
        raise Taken({"email": error})
    await _require_below_limit(session, team_id)
    await _revoke_expired(session, team_id, email)
    invitation = Invitation(
        team_id=team_id,
        inviter_id=user.id,
        email=email,
        email_key=address_key(email),
        role=role,
        expires_at=clock.now() + LIFETIME,
    )
    session.add(invitation)
    await session.flush()
    await _send(session, invitation, team, user)
    return invitation


async def send_again(
    session: AsyncSession, user: User, team_id: int, invitation_id: int
) -> Invitation:
    """Send the invitation once more; it is open for another seven days.

    Raises Conflict for an invitation that was answered or revoked, and when too many are open;
    TooMany within an hour of its last mail.
    """
    team = (await require(session, user, team_id, "invite")).team
    invitation = await find_pending(session, team_id, invitation_id)
    _require_pause(invitation)
    await _require_below_limit(session, team_id, except_id=invitation_id)
    invitation.inviter_id, invitation.expires_at = user.id, clock.now() + LIFETIME
    await withdraw_invitation(session, invitation_id)
    await _send(session, invitation, team, user)
    return invitation


async def revoke(session: AsyncSession, user: User, team_id: int, invitation_id: int) -> Invitation:
    """Revoke the invitation and withdraw its notification. Raises Conflict as `send_again` does."""
    await require(session, user, team_id, "invite")
    invitation = await find_pending(session, team_id, invitation_id)
    await _end(session, invitation)
    return invitation


async def find_pending(session: AsyncSession, team_id: int, invitation_id: int) -> Invitation:
    """Raises NotFound, and Conflict for an invitation that was answered or revoked."""
    invitation = await find_invitation(session, team_id, invitation_id)
    if invitation.status != "pending":
        raise Conflict(closed_reason(invitation))
    return invitation


async def find_invitation(session: AsyncSession, team_id: int, invitation_id: int) -> Invitation:
    """The invitation to the team, whatever became of it. Raises NotFound."""
    invitation = await session.get(Invitation, invitation_id)
    if invitation is None or invitation.team_id != team_id:
        raise NotFound
    return invitation


async def end_invitations_of(session: AsyncSession, team: Team, member: User) -> None:
    """Revoke the open invitations to the team that went to any known address of the member."""
    theirs = {mailbox_of(address) for address in await _addresses_of(session, member)}
    pending = select(Invitation).where(
        Invitation.team_id == team.id, Invitation.status == "pending"
    )
    for invitation in (await session.scalars(pending)).all():
        if mailbox_of(invitation.email) in theirs:
            await _end(session, invitation)


async def end_admin_invitations_by(session: AsyncSession, team: Team, sender: User) -> None:
    """Revoke the sender's pending admin invitations, once the sender may no longer invite. One sent
    to a second address of theirs would let them back in.
    """
    pending = select(Invitation).where(
        Invitation.team_id == team.id,
        Invitation.inviter_id == sender.id,
        Invitation.role == ADMIN,
        Invitation.status == "pending",
    )
    for invitation in (await session.scalars(pending)).all():
        await _end(session, invitation)


async def was_removed_since(session: AsyncSession, invitation: Invitation, user: User) -> bool:
    """Whether the user was removed from the team after the invitation was last sent, to an address
    that was not known to be theirs.
    """
    removal = select(Event.id).where(
        Event.affected_id == user.id,
        Event.team_id == invitation.team_id,
        Event.type == MEMBER_REMOVED.name,
        Event.created_at > invitation.expires_at - LIFETIME,
    )
    return await session.scalar(removal.limit(1)) is not None


async def notify_of_open_invitations(session: AsyncSession, user: User) -> None:
    """Notify the user of the open invitations to the address that they have just confirmed.

    Only in the app, which they have open; the invitations were mailed to the address when they were
    sent.
    """
    open_ones = with_team_and_inviter().where(Invitation.email_key == user.email_key, is_open())
    rows = await session.execute(open_ones.order_by(Invitation.id))
    for invitation, team, inviter in rows.all():
        if await was_removed_since(session, invitation, user):
            await _end(session, invitation)
            continue
        await withdraw_invitation(session, invitation.id)
        await _notify(session, invitation, team, inviter, user, unsent=MAILED_BEFORE)


def unmailed_reason(invitation: Invitation) -> str:
    """Why no mail was sent when the invitation was last sent, or ""."""
    return _(UNMAILED[invitation.unmailed]) if invitation.unmailed else ""


async def _end(session: AsyncSession, invitation: Invitation) -> None:
    invitation.status, invitation.answered_at = "revoked", clock.now()
    touch(session, TEAM, invitation.team_id)
    await withdraw_invitation(session, invitation.id)


async def _addresses_of(session: AsyncSession, user: User) -> set[str]:
    """The user's present and pending addresses, and former ones that appear in deliveries."""
    user = await session.get_one(User, user.id)
    mailed = select(Delivery.address).where(Delivery.user_id == user.id, Delivery.channel == EMAIL)
    addresses = {user.email, *await session.scalars(mailed.distinct())}
    return addresses | {user.pending_email} if user.pending_email else addresses


async def _invitee_error(session: AsyncSession, team: Team, email: str) -> str:
    key = address_key(email)
    member = (
        select(User.username)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id == team.id, has_confirmed(email))
    )
    if name := await session.scalar(member):
        return already_in(name)
    same = select(Invitation.id).where(
        Invitation.team_id == team.id, Invitation.email_key == key, is_open()
    )
    return _("This address is already invited.") if await session.scalar(same) else ""


async def _require_below_limit(
    session: AsyncSession, team_id: int, *, except_id: int | None = None
) -> None:
    others = select(func.count()).where(
        Invitation.team_id == team_id, Invitation.id.is_distinct_from(except_id), is_open()
    )
    if (await session.scalar(others) or 0) >= MAX_OPEN:
        full = _(
            "A team can have at most {limit} open invitations. Revoke one, or wait for a response."
        )
        raise Conflict(full.format(limit=MAX_OPEN))


async def _revoke_expired(session: AsyncSession, team_id: int, email: str) -> None:
    """Make room for a new invitation: a unique index allows one pending for each address."""
    same = (Invitation.team_id == team_id, Invitation.email_key == address_key(email))
    expired = update(Invitation).where(*same, Invitation.status == "pending")
    revoked = expired.values(status="revoked", answered_at=clock.now()).returning(Invitation.id)
    for invitation_id in (await session.scalars(revoked)).all():
        await withdraw_invitation(session, invitation_id)


def _require_pause(invitation: Invitation) -> None:
    """Raises TooMany. An invitation that has expired was mailed long ago."""
    if invitation.mailed_at is None or invitation.is_expired:
        return
    wait = (invitation.mailed_at + AGAIN_AFTER - clock.now()).total_seconds()
    if wait > 0:
        sentence = _("This invitation was emailed less than an hour ago. Please try again later.")
        raise TooMany(sentence, ceil(wait))


async def _send(session: AsyncSession, invitation: Invitation, team: Team, inviter: User) -> None:
    """Notify the account whose confirmed address this is; otherwise mail the address.

    Where no mail may go, the notification is only in the app.
    """
    invitation.unmailed = await _why_no_mail(session, invitation, inviter)
    if not invitation.unmailed:
        invitation.mailed_at = clock.now()
    if user := await find_holder(session, invitation.email):
        await _notify(session, invitation, team, inviter, user, unsent=invitation.unmailed)
    elif not invitation.unmailed:
        await mail_invitation(session, invitation, team, inviter)


async def _why_no_mail(session: AsyncSession, invitation: Invitation, inviter: User) -> str | None:
    """The code of the reason; None if a mail is sent, which then counts."""
    if not inviter.is_confirmed:
        return UNCONFIRMED_SENDER
    if await is_suppressed(session, invitation.email):
        return STOPPED
    return await mail_refusal(session, MAIL, invitation.email, sender=inviter)


async def _notify(
    session: AsyncSession,
    invitation: Invitation,
    team: Team,
    inviter: User | None,
    invitee: User,
    *,
    unsent: str | None,
) -> None:
    """`unsent` is the code for why the notification is shown only in the app, None if it is not.
    Where only mail was stopped, it is pushed.
    """
    touch(session, USER, invitee.id)
    event = await notify(
        session,
        INVITATION_RECEIVED,
        actor=inviter,
        affected=invitee,
        team=team,
        invitation=invitation,
        role=invitation.role,
        inviter=inviter.username if inviter else team.name,
    )
    if unsent:
        its_own = select(Notification.id).where(Notification.event_id == event.id)
        is_held_back = Delivery.channel == EMAIL if unsent == STOPPED else true()
        deliveries = and_(Delivery.notification_id.in_(its_own), is_held_back)
        await skip_pending(session, deliveries, Skip(unsent))
