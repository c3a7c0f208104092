"""Asking an address to join: sent, sent again, revoked; told in the app or by a letter.

The link is a signature over the invitation's id. The one that is mailed has a purpose of its own:
who opens it has shown that the address is theirs, while the inviter can see the other, too.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import Conflict, Invalid, NotFound, Taken
from app.language import _
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import Invitation, Membership, Team, User
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.notifications.notify import notify
from app.notifications.withdraw import withdraw_invitation
from app.security import Signer
from app.teams.access import require
from app.teams.roles import wrong_role

LETTER = "invitation"
SHOWN, MAILED = "invitation", "mailed_invitation"
LASTS = timedelta(days=7)
MOST_OPEN = 50
# What can stand in a header and be delivered to (RFC 5321, 4.1.2); whether it is read, the answer shows.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
ADDRESS_LENGTH = 254


async def invite(
    session: AsyncSession, user: User, team_id: int, email: str, role: str
) -> Invitation:
    """Ask `email` to join. Raises Invalid for `email`, `role`; Taken when they are a member or
    invited already; Conflict when too many are open.
    """
    team = (await require(session, user, team_id, "invite")).team
    wrong = {"email": _wrong_address(email), "role": wrong_role(role)}
    if any(wrong.values()):
        raise Invalid({field: sentence for field, sentence in wrong.items() if sentence})
    if taken := await _wrong_invitee(session, team, email):
        raise Taken({"email": taken})
    await _require_room(session, team_id)
    await _drop_expired(session, team_id, email)
    invitation = Invitation(
        team_id=team_id,
        inviter_id=user.id,
        email=email,
        email_key=email.casefold(),
        role=role,
        expires_at=clock.now() + LASTS,
    )
    session.add(invitation)
    await session.flush()
    await _tell(session, invitation, team, user)
    return invitation


async def send_again(
    session: AsyncSession, user: User, team_id: int, invitation_id: int
) -> Invitation:
    """Ask once more, for another seven days. Raises Conflict when it was answered or revoked."""
    team = (await require(session, user, team_id, "invite")).team
    invitation = await _find_pending(session, team_id, invitation_id)
    await _require_room(session, team_id, but_for=invitation_id)
    invitation.inviter_id, invitation.expires_at = user.id, clock.now() + LASTS
    await _tell(session, invitation, team, user)
    return invitation


async def revoke(session: AsyncSession, user: User, team_id: int, invitation_id: int) -> Invitation:
    """Take it back, and its notice. Raises Conflict when it was answered already."""
    await require(session, user, team_id, "invite")
    invitation = await _find_pending(session, team_id, invitation_id)
    invitation.status, invitation.answered_at = "revoked", clock.now()
    await withdraw_invitation(session, invitation_id)
    return invitation


async def greet_newcomer(session: AsyncSession, account: User) -> None:
    """Tell of the open invitations to an address that an account has just come to have."""
    waiting = (
        select(Invitation, Team, User)
        .join(Team, Team.id == Invitation.team_id)
        .join(User, User.id == Invitation.inviter_id, isouter=True)
        .where(
            Invitation.email_key == account.email_key,
            Invitation.status == "pending",
            Invitation.expires_at > clock.now(),
        )
        .order_by(Invitation.id)
    )
    for invitation, team, inviter in (await session.execute(waiting)).all():
        await withdraw_invitation(session, invitation.id)
        await _notify(session, invitation, team, inviter, account)


def link_token(signer: Signer, invitation_id: int) -> str:
    """What stands in `/invitations/{token}`. It does not expire; the invitation does."""
    return signer.sign(SHOWN, invitation_id)


def read_token(signer: Signer, token: str) -> tuple[int, bool]:
    """The invitation's id, and whether the link was mailed. Raises NotFound."""
    try:
        return signer.unsign(SHOWN, token), False
    except NotFound:
        return signer.unsign(MAILED, token), True


def closed_sentence(invitation: Invitation) -> str:
    """Why the invitation can no longer be answered, or "" when it can."""
    if invitation.status == "pending":
        is_open = invitation.expires_at > clock.now()
        return "" if is_open else _("This invitation has expired. Ask for a new one.")
    return {
        "accepted": _("This invitation has been accepted already."),
        "declined": _("This invitation has been declined."),
        "revoked": _("This invitation has been taken back."),
    }[invitation.status]


def _wrong_address(email: str) -> str:
    if len(email) <= ADDRESS_LENGTH and ADDRESS.fullmatch(email):
        return ""
    return _("Enter a complete email address, like name@example.com.")


async def _wrong_invitee(session: AsyncSession, team: Team, email: str) -> str:
    key = email.casefold()
    member = (
        select(User.username)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.team_id == team.id, User.email_key == key)
    )
    if name := await session.scalar(member):
        return _("{name} is already in this team.").format(name=name)
    pending = _open_in(team.id).where(Invitation.email_key == key)
    return _("This address is invited already.") if await session.scalar(pending) else ""


async def _require_room(session: AsyncSession, team_id: int, *, but_for: int = 0) -> None:
    others = _open_in(team_id).where(Invitation.id != but_for).with_only_columns(func.count())
    if await session.scalar(others) >= MOST_OPEN:
        full = _("At most {most} invitations can be open. Revoke one, or wait for an answer.")
        raise Conflict(full.format(most=MOST_OPEN))


def _open_in(team_id: int) -> Any:
    return select(Invitation.id).where(
        Invitation.team_id == team_id,
        Invitation.status == "pending",
        Invitation.expires_at > clock.now(),
    )


async def _drop_expired(session: AsyncSession, team_id: int, email: str) -> None:
    """One that has expired makes room for the new one to the same address."""
    same = (Invitation.team_id == team_id, Invitation.email_key == email.casefold())
    expired = update(Invitation).where(*same, Invitation.status == "pending")
    dropped = expired.values(status="revoked", answered_at=clock.now()).returning(Invitation.id)
    for invitation_id in (await session.scalars(dropped)).all():
        await withdraw_invitation(session, invitation_id)


async def _find_pending(session: AsyncSession, team_id: int, invitation_id: int) -> Invitation:
    invitation = await session.get(Invitation, invitation_id)
    if invitation is None or invitation.team_id != team_id:
        raise NotFound
    if invitation.status != "pending":
        raise Conflict(closed_sentence(invitation))
    return invitation


async def _tell(session: AsyncSession, invitation: Invitation, team: Team, inviter: User) -> None:
    """A confirmed account hears of it in the app, any other address by a letter."""
    await withdraw_invitation(session, invitation.id)
    holder = select(User).where(
        User.email_key == invitation.email_key, User.email_confirmed_at.is_not(None)
    )
    if account := await session.scalar(holder):
        await _notify(session, invitation, team, inviter, account)
        return
    await add_transactional_mail(
        session,
        LETTER,
        address=invitation.email,
        language=inviter.language,
        invitation_id=invitation.id,
        team=team.name,
        role=invitation.role,
        inviter=inviter.username,
    )


async def _notify(
    session: AsyncSession,
    invitation: Invitation,
    team: Team,
    inviter: User | None,
    invitee: User,
) -> None:
    await notify(
        session,
        INVITATION_RECEIVED,
        actor=inviter,
        affected=invitee,
        team=team,
        invitation=invitation,
        role=invitation.role,
        inviter=inviter.username if inviter else team.name,
    )


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(MAILED, facts["invitation_id"])
    return {"token": token, "role": _(facts["role"]), "days": LASTS.days}


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    invitation = await session.get(Invitation, facts["invitation_id"])
    return "answered" if invitation is None or closed_sentence(invitation) else None


INVITATION_MAIL = TransactionalMail(LETTER, _links, _skip_reason)
