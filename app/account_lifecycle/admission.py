"""Who may create an account: the setting REGISTRATION.

`open` admits everyone, `closed` nobody. `invited` admits the address of an open invitation. After
registering, the user continues to the invitation.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.errors import Forbidden, NotFound
from app.language import _
from app.models import Invitation, User
from app.settings import Settings
from app.teams.invitation_links import read_token
from app.teams.open_invitations import closed_reason
from app.teams.queries import read_invitation
from app.values.email_addresses import address_key

INVITATION = "/invitations/"
# More than one, because the inviter sees the link too and could register with it before the
# invitee.
MOST_ACCOUNTS = 3


async def find_admission(db: Database, settings: Settings, next_path: str) -> Invitation | None:
    """The invitation whose address may register, None if any address may.

    `next_path` is where the user goes after registering. Raises Forbidden if nobody may register.
    """
    if settings.registration == "open":
        return None
    if settings.registration == "closed":
        raise Forbidden(_("Registration is closed. Nobody can create an account at the moment."))
    invitation = await _find_invitation(db, next_path)
    if invitation is None:
        raise Forbidden(
            _("Creating an account requires an invitation. Open the link in your invitation.")
        )
    if reason := closed_reason(invitation):
        raise Forbidden(reason)
    return invitation


async def find_invited_address(db: Database, next_path: str) -> str:
    """The address of the open invitation to which the user goes after registering, or ""."""
    invitation = await _find_invitation(db, next_path)
    return "" if invitation is None or closed_reason(invitation) else invitation.email


def address_error(invitation: Invitation | None, email: str) -> str:
    """Why this address is not admitted, or ""."""
    if invitation is None or address_key(email) == invitation.email_key:
        return ""
    return _("Use the address that the invitation was sent to.")


async def require_room(session: AsyncSession, invitation: Invitation) -> None:
    """Raises Forbidden if MOST_ACCOUNTS accounts with the invited address exist."""
    accounts = select(func.count()).where(User.email_key == invitation.email_key)
    if (await session.scalar(accounts) or 0) >= MOST_ACCOUNTS:
        raise Forbidden(
            _("Accounts with this address exist already. Log in to accept the invitation.")
        )


async def _find_invitation(db: Database, path: str) -> Invitation | None:
    if not path.startswith(INVITATION):
        return None
    try:
        async with db.read() as session:
            invitation_id, _is_mailed = await read_token(session, path.removeprefix(INVITATION))
            return (await read_invitation(session, invitation_id)).invitation
    except NotFound:
        return None
