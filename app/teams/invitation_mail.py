"""The mail that carries an invitation to an address without an account, and why it is not sent."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.language import _
from app.mail.suppressions import is_suppressed, stop_token
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import Invitation, Team, User
from app.notifications.delivery.decision import INVITER_SUSPENDED
from app.notifications.delivery.explanations import STOPPED
from app.security import Signer
from app.teams.invitation_links import MAILED_LINK
from app.teams.open_invitations import LIFETIME, closed_reason
from app.values.names import clean, shorten

MAIL = "invitation"
SUBJECT_NAME_LENGTH = 40


async def mail_invitation(
    session: AsyncSession, invitation: Invitation, team: Team, inviter: User
) -> None:
    await add_transactional_mail(
        session,
        MAIL,
        address=invitation.email,
        language=inviter.language,
        invitation_id=invitation.id,
        nonce=invitation.link_nonce,
        team=team.name,
        role=invitation.role,
        inviter=inviter.username,
    )


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The subject contains no text of the sender's but the team's name, since it goes to strangers."""
    token = signer.sign(MAILED_LINK, [facts["invitation_id"], facts["nonce"]])
    short_name = shorten(clean(facts["team"]), SUBJECT_NAME_LENGTH)
    return {
        "token": token,
        "stop_token": stop_token(signer, facts["address"]),
        "role": _(facts["role"]),
        "days": LIFETIME.days,
        "short_name": short_name,
    }


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    invitation = await session.get(Invitation, facts["invitation_id"])
    if invitation is None or closed_reason(invitation):
        return "answered"
    if await is_suppressed(session, facts["address"]):
        return STOPPED
    inviter = await session.get(User, invitation.inviter_id) if invitation.inviter_id else None
    return INVITER_SUSPENDED if inviter and inviter.suspended_at else None


def _stop_path(context: Mapping[str, Any]) -> str:
    return f"/stop-invitations/{context['stop_token']}"


INVITATION_MAIL = TransactionalMail(MAIL, _links, _skip_reason, _stop_path)
