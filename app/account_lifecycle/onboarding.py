"""How an account gets its confirmed address: on registration, by a mailed link, by a change.

The new holder of an address is notified of the invitations that were sent to it.
"""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.account_lifecycle.admission import require_room
from app.accounts.addresses import (
    notify_of_request,
    read_confirmation,
    request_address_change,
    send_confirmation,
    set_confirmed_address,
)
from app.accounts.lookup import get_unchanged
from app.accounts.passwords import require_password
from app.accounts.profile import fill_from_browser
from app.accounts.registration import new_user, store_new_user
from app.database import Database
from app.errors import require_valid
from app.language import _
from app.models import Invitation, User
from app.settings import Settings
from app.teams.invitations import notify_of_open_invitations
from app.values.email_addresses import email_error


class Registered(NamedTuple):
    """A new user. `unmailed` is why the link that confirms their address could not be mailed, as
    `mail_refusal` (app/mail/limits.py) returns it, or None.
    """

    user: User
    unmailed: str | None


async def register(
    db: Database,
    settings: Settings,
    invitation: Invitation | None = None,
    /,
    *,
    username: str,
    email: str,
    password: str,
    timezone: str = "",
    accept_language: str = "",
) -> Registered:
    """Create an account. Raises Invalid for `username`, `email`, `password`; Forbidden if the
    `invitation` that admits the user has admitted enough accounts.

    With SMTP_HOST set, the address is confirmed by a mailed link. If it belongs to another account,
    that account's owner is warned by mail instead, and the result looks the same. Without
    SMTP_HOST, the address counts as confirmed.
    """
    unmailed = None
    user = await new_user(username=username, email=email, password=password)
    fill_from_browser(user, timezone, accept_language)
    async with db.act() as session:
        if invitation:
            await require_room(session, invitation)
        await store_new_user(session, user, is_mailed=settings.sends_mail)
        if settings.sends_mail:
            unmailed = await send_confirmation(session, user, email)
        else:
            await _confirm(session, user, email)
    return Registered(user, unmailed)


async def confirm_address(session: AsyncSession, token: str) -> User:
    """Confirm the address to which the link with this `token` was mailed.

    Raises NotFound for a link that is no longer valid, and Invalid when another account has taken
    the address since.
    """
    user, address = await read_confirmation(session, token)
    await _confirm(session, user, address)
    return user


async def change_address(
    db: Database, settings: Settings, user: User, *, email: str, password: str
) -> User:
    """Change to `email`: once it is confirmed, or at once where no mail can be sent.

    Raises Invalid for `email`, `password`, and Conflict if the password was replaced since it was
    checked.
    """
    same = _("This is already your address.") if email == user.email else ""
    require_valid(email=email_error(email) or same)
    await require_password(user, password)
    async with db.act() as session:
        user = await get_unchanged(session, user)
        if settings.sends_mail:
            await request_address_change(session, user, email)
        else:
            await notify_of_request(session, user, email)
            await _confirm(session, user, email)
    return user


async def _confirm(session: AsyncSession, user: User, address: str) -> None:
    await set_confirmed_address(session, user, address)
    await notify_of_open_invitations(session, user)
