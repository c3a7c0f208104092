"""The rules for usernames and passwords. Each check returns an error, or ""."""

import re
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.email_addresses import is_email_address
from app.errors import require_valid
from app.language import _
from app.models import User

USERNAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,32}")
PASSWORD_BYTES = range(8, 1025)
# The password of the demo accounts, refused where others can reach the server.
DEMO_PASSWORD = "clippyfront"  # noqa: S105


def username_error(username: str) -> str:
    if USERNAME.fullmatch(username):
        return ""
    return _("Use 3 to 32 characters: letters A to Z, digits, and _ . -")


def loggable(login: str) -> str | None:
    """A login for the security log. None for text that is neither a name nor an address: it may be
    a password typed into the wrong field.
    """
    return login if USERNAME.fullmatch(login) or is_email_address(login) else None


def password_error(password: str) -> str:
    size = len(password.encode())
    if size < PASSWORD_BYTES.start:
        return _("Use at least 8 characters.")
    if password == DEMO_PASSWORD:
        return _("Everybody knows this password. Choose another one.")
    return "" if size in PASSWORD_BYTES else _("Use at most 1,024 bytes.")


async def require_available(session: AsyncSession, *, username: str = "", email: str = "") -> None:
    """Raises Invalid for a username or address that an account has, regardless of case."""
    keys = {"username": username.casefold(), "email": email.casefold()}
    taken = select(User.username_key, User.email_key).where(
        or_(User.username_key == keys["username"], User.email_key == keys["email"])
    )
    errors = {}
    for username_key, email_key in await session.execute(taken):
        if username_key == keys["username"]:
            errors["username"] = _("This username is taken.")
        if email_key == keys["email"]:
            errors["email"] = _("An account with this address already exists.")
    require_valid(**errors)
