"""The two links of an invitation.

Each is a signature over its id and its random nonce, for a purpose of its own. The mailed link proves
that its reader owns the address. The link shown in the app proves nothing, because the inviter sees it
too.
"""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.language import _
from app.models import Invitation
from app.notifications.events.catalogue import INVITATION_RECEIVED
from app.security import Signer, signer_of

SHOWN_LINK, MAILED_LINK = "invitation", "mailed_invitation"


def invitation_path(signer: Signer, invitation: Invitation) -> str:
    """The link shown in the app."""
    return f"/invitations/{link_token(signer, invitation)}"


def target_of(invitation_id: int) -> str | None:
    """The name of the invitation's page in the catalogue, without the secret of its links."""
    return INVITATION_RECEIVED.target({"invitation_id": invitation_id}, to_affected=True)


def link_token(signer: Signer, invitation: Invitation) -> str:
    """The token in `/invitations/{token}`. It does not expire; the invitation does."""
    return signer.sign(SHOWN_LINK, [invitation.id, invitation.link_nonce])


async def read_token(session: AsyncSession, token: str) -> tuple[int, bool]:
    """The invitation's id, and whether the link was mailed.

    Raises NotFound for an altered link, once the invitation is deleted, and for a link without a
    nonce, from a version in which a later invitation could have the same id.
    """
    value, is_mailed = _unsign(signer_of(session), token)
    match value:
        case [int(invitation_id), str(nonce)]:
            invitation = await session.get(Invitation, invitation_id)
            if invitation and invitation.link_nonce == nonce:
                return invitation_id, is_mailed
    raise NotFound(_("This invitation link no longer works. Ask for a new invitation."))


def _unsign(signer: Signer, token: str) -> tuple[Any, bool]:
    try:
        return signer.unsign(SHOWN_LINK, token), False
    except NotFound:
        return signer.unsign(MAILED_LINK, token), True
