"""A new account, from the fields of the registration form to its row.

The whole act is `register` in `app/account_lifecycle/onboarding.py`, which also confirms the
address and notifies the new user of invitations.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.validation import password_error, require_available, username_error
from app.errors import require_valid
from app.models import User
from app.security import hash_password
from app.values.email_addresses import address_key, email_error


async def new_user(*, username: str, email: str, password: str) -> User:
    """A user that is not stored yet. Raises Invalid for `username`, `email`, `password`."""
    require_valid(
        username=username_error(username),
        email=email_error(email),
        password=password_error(password),
    )
    return User(
        username=username,
        username_key=username.casefold(),
        email=email,
        email_key=address_key(email),
        password_hash=await hash_password(password),
        timezone="",
        language="",
    )


async def store_new_user(session: AsyncSession, user: User, *, is_mailed: bool) -> None:
    """Raises Invalid for a `username` that is taken, and for a taken `email` unless a confirmation
    is mailed to it: strangers must not learn who has an account.
    """
    email = "" if is_mailed else user.email
    await require_available(session, username=user.username, email=email)
    session.add(user)
    await session.flush()
