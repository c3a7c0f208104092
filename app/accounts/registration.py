"""Creating an account, and what waits for one with a confirmed address."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.profile import fill_from_browser
from app.accounts.validation import (
    require_free,
    require_right,
    wrong_email,
    wrong_password,
    wrong_username,
)
from app.database import Database
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import User
from app.security import Signer, hash_password
from app.settings import Settings

CONFIRM = "confirm_address"
DAYS_TO_CONFIRM = 7

# Called in the act by which an account has a confirmed address, at registration or later:
# what waits for that address can be told now. app/asgi.py fills it.
newcomers: list[Callable[[AsyncSession, User], Awaitable[object]]] = []


async def register(
    db: Database,
    settings: Settings,
    *,
    username: str,
    email: str,
    password: str,
    timezone: str = "",
    accept_language: str = "",
) -> User:
    """Create an account. Raises Invalid for `username`, `email`, `password`.

    Where mail can be sent the address is confirmed by a mailed link; elsewhere it counts at once.
    """
    require_right(
        username=wrong_username(username),
        email=wrong_email(email),
        password=wrong_password(password),
    )
    account = User(
        username=username,
        username_key=username.casefold(),
        email=email,
        email_key=email.casefold(),
        email_confirmed_at=None if settings.sends_mail else clock.now(),
        password_hash=await hash_password(password),
        timezone="",
        language="",
    )
    fill_from_browser(account, timezone, accept_language)
    async with db.act() as session:
        await require_free(session, username=username, email=email)
        session.add(account)
        await session.flush()
        if account.is_confirmed:
            await greet(session, account)
        else:
            await ask_to_confirm(session, account, account.email)
    return account


async def greet(session: AsyncSession, account: User) -> None:
    for welcome in newcomers:
        await welcome(session, account)


async def ask_to_confirm(session: AsyncSession, account: User, address: str) -> None:
    """Mail a link to `address`; its holder confirms that the address is theirs."""
    await add_transactional_mail(
        session,
        CONFIRM,
        address=address,
        user_id=account.id,
        username=account.username,
        email=address,
    )


def is_unconfirmed(account: User, address: str) -> bool:
    """Whether this is the person's address, or is to be, and nobody has confirmed it yet."""
    is_first = address == account.email and not account.is_confirmed
    return is_first or address == account.pending_email


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "token": signer.sign(CONFIRM, [facts["user_id"], facts["email"]]),
        "days": DAYS_TO_CONFIRM,
    }


async def _skip_reason(session: AsyncSession, facts: Mapping[str, Any]) -> str | None:
    account = await session.get(User, facts["user_id"])
    return None if account and is_unconfirmed(account, facts["email"]) else "confirmed"


CONFIRM_MAIL = TransactionalMail(CONFIRM, _links, _skip_reason)
