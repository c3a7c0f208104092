"""What may stand in the fields about a person: each check returns what is wrong, or ""."""

import re
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.language import _
from app.models import User

USERNAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,32}")
PASSWORD_BYTES = range(8, 1025)


def wrong_username(username: str) -> str:
    if USERNAME.fullmatch(username):
        return ""
    return _("A username has 3 to 32 characters: letters A to Z, digits, and _ . -")


def wrong_password(password: str) -> str:
    size = len(password.encode())
    if size < PASSWORD_BYTES.start:
        return _("A password has at least 8 characters.")
    return "" if size in PASSWORD_BYTES else _("A password has at most 1,024 bytes.")


def require_right(**wrong: str) -> None:
    """Raises Invalid naming every field whose check found something."""
    if found := {field: sentence for field, sentence in wrong.items() if sentence}:
        raise Invalid(found)


async def require_free(session: AsyncSession, *, username: str = "", email: str = "") -> None:
    """Raises Invalid for what another account has, regardless of case."""
    keys = {"username": username.casefold(), "email": email.casefold()}
    taken = select(User.username_key, User.email_key).where(
        or_(User.username_key == keys["username"], User.email_key == keys["email"])
    )
    wrong = {}
    for username_key, email_key in await session.execute(taken):
        if username_key == keys["username"]:
            wrong["username"] = _("This username is taken.")
        if email_key == keys["email"]:
            wrong["email"] = _("There is an account with this address already.")
    require_right(**wrong)
