"""Logging in, changing a password, and setting a new one by a mailed link."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.sessions import end_all_sessions
from app.accounts.tokens import revoke_all_tokens
from app.accounts.validation import require_right, wrong_password
from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from app.language import _
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import User
from app.security import Signer, hash_password, needs_rehash, signer_of, verify_password

RESET = "reset_password"
MINUTES_TO_RESET = 60

# The hash of a discarded random password: an unknown name takes as long as a wrong password.
DECOY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "au8L1Ee5vhk6ISbVCicPBg$/z70XIIyqRkZmFZN5VQ18sHL5J0LC6a7wXvPRlzccew"
)


async def check_login(db: Database, login: str, password: str) -> User:
    """The account that `login` (name or address) and `password` open. Raises Invalid.

    Nothing in the answer or its time tells whether there is such an account.
    """
    async with db.read() as session:
        account = await find_account(session, login)
    is_right = await verify_password(password, account.password_hash if account else DECOY)
    if account is None or not is_right:
        raise Invalid({"login": _("The name, the address or the password is not right.")})
    if needs_rehash(account.password_hash):
        await _store(db, account, await hash_password(password))
    return account


async def find_account(session: AsyncSession, login: str) -> User | None:
    """By name or address; a name has no @, so there is at most one."""
    key = login.casefold()
    found = select(User).where(or_(User.username_key == key, User.email_key == key))
    return (await session.scalars(found)).one_or_none()


async def _store(db: Database, account: User, password_hash: str) -> None:
    async with db.write() as session:
        (await session.get_one(User, account.id)).password_hash = password_hash


async def require_password(account: User, password: str, field: str = "password") -> None:
    """Raises Invalid for `field` when this is not the password of `account`."""
    if not await verify_password(password, account.password_hash):
        raise Invalid({field: _("This is not your password.")})


async def change_password(
    db: Database, account: User, *, current: str, new: str, revokes_tokens: bool = False
) -> None:
    """Set a new password and end every session. Raises Invalid for both fields."""
    require_right(new_password=wrong_password(new))
    await require_password(account, current, "current_password")
    await _replace(db, account, new, revokes_tokens=revokes_tokens)


async def _replace(db: Database, account: User, password: str, *, revokes_tokens: bool) -> None:
    """Only if it is still the one that was checked: of two at once, the first counts."""
    password_hash = await hash_password(password)
    async with db.write() as session:
        stored = await session.get_one(User, account.id)
        if stored.password_hash != account.password_hash:
            raise Conflict(_("The password was changed a moment ago."))
        stored.password_hash = password_hash
        await end_all_sessions(session, account)
        if revokes_tokens:
            await revoke_all_tokens(session, account)


async def send_reset(session: AsyncSession, address: str) -> None:
    """Mail a link for a new password to `address`, if an account has it; nobody learns which."""
    found = select(User).where(User.email_key == address.casefold())
    if account := (await session.scalars(found)).one_or_none():
        await add_transactional_mail(
            session,
            RESET,
            address=account.email,
            user_id=account.id,
            username=account.username,
            fingerprint=_fingerprint(account),
        )


def _fingerprint(account: User) -> str:
    """Changes with password and address, so that a link works once and for its address alone."""
    return hashlib.sha256(f"{account.password_hash} {account.email_key}".encode()).hexdigest()[:24]


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(RESET, [facts["user_id"], facts["fingerprint"]])
    return {"token": token, "minutes": MINUTES_TO_RESET}


async def read_reset(session: AsyncSession, token: str) -> User:
    """Whose link this is. Raises NotFound when it is changed, used or older than an hour."""
    user_id, fingerprint = signer_of(session).unsign(RESET, token, max_age=MINUTES_TO_RESET * 60)
    account = await session.get(User, user_id)
    if account is None or _fingerprint(account) != fingerprint:
        raise NotFound(_("This link has been used or is too old."))
    return account


async def reset_password(db: Database, token: str, password: str) -> User:
    """Set a new password by a mailed link; every session ends, and every access token.

    Raises NotFound, Invalid.
    """
    async with db.read() as session:
        account = await read_reset(session, token)
    require_right(password=wrong_password(password))
    await _replace(db, account, password, revokes_tokens=True)
    return account


RESET_MAIL = TransactionalMail(RESET, _links)
