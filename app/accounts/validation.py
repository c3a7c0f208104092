"""The rules for usernames and passwords. Each check returns an error, or ""."""

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.common_passwords import is_common
from app.accounts.lookup import find_holder
from app.errors import require_valid
from app.language import _
from app.models import User
from app.values.email_addresses import is_email_address
from app.values.usernames import is_reserved, skeleton

USERNAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,32}")
PASSWORD_BYTES = range(8, 1025)
# The password of the demo accounts, refused where others can reach the server.
DEMO_PASSWORD = "clippyfront"  # noqa: S105


def username_error(username: str) -> str:
    if not USERNAME.fullmatch(username):
        return _("Use 3 to 32 characters: letters A to Z, digits, and _ . -")
    return _("This username is reserved.") if is_reserved(username) else ""


def loggable(login: str) -> str | None:
    """A login for the security log. None for text that is neither a name nor an address: it may be
    a password typed into the wrong field.
    """
    return login if USERNAME.fullmatch(login) or is_email_address(login) else None


def password_error(password: str) -> str:
    size = len(password.encode())
    if size < PASSWORD_BYTES.start:
        return _("Use at least 8 characters.")
    if size not in PASSWORD_BYTES:
        return _("Use at most 1,024 bytes.")
    common = _("This password is one of the most common. Choose another one.")
    bare = password.strip()
    return common if is_common(bare) or bare == DEMO_PASSWORD else ""


async def require_available(session: AsyncSession, *, username: str = "", email: str = "") -> None:
    """Raises Invalid, regardless of case, for a username that an account has or that looks like
    one, and for an address that an account has confirmed.
    """
    require_valid(
        username=await _taken_name_error(session, username),
        email=await _taken_address_error(session, email),
    )


async def _taken_name_error(session: AsyncSession, username: str) -> str:
    alike = select(User.username_key).where(User.username_skeleton == skeleton(username))
    names = (await session.scalars(alike)).all()
    if username.casefold() in names:
        return _("This username is taken.")
    return _("This username looks too much like one that is taken.") if names else ""


async def _taken_address_error(session: AsyncSession, email: str) -> str:
    holder = await find_holder(session, email)
    return _("An account with this address already exists.") if holder else ""
