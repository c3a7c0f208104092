"""Checking a login, changing a password, and resetting one by a mailed link."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.access import refuse_suspended
from app.accounts.lookup import find_by_login, find_holder, get_unchanged
from app.accounts.sessions import end_all_sessions
from app.accounts.tokens import revoke_all_tokens
from app.accounts.validation import DEMO_PASSWORD, loggable, password_error
from app.database import Database
from app.errors import Invalid, NotFound, require_valid
from app.language import _
from app.mail.limits import mail_refusal
from app.mail.transactional import TransactionalMail, add_transactional_mail
from app.models import User
from app.notifications.events.catalogue import ACCOUNT_PASSWORD_CHANGED
from app.notifications.notify import notify
from app.security import Signer, hash_password, needs_rehash, signer_of, verify_password
from app.telemetry.security_log import record
from app.values.email_addresses import address_key
from app.web.reachability import others_can_reach

RESET = "reset_password"
MINUTES_TO_RESET = 60
# Each candidate costs a verification of the password.
MOST_CLAIMANTS = 10

# The hash of a discarded random password, so that an unknown name takes as long as a wrong
# password.
DECOY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "au8L1Ee5vhk6ISbVCicPBg$/z70XIIyqRkZmFZN5VQ18sHL5J0LC6a7wXvPRlzccew"
)


async def check_login(db: Database, login: str, password: str) -> User:
    """The user with this `login` (username or address) and `password`. Raises Invalid.

    Neither the error nor the time it takes reveals whether such an account exists. Raises Forbidden
    for a suspended account, but only if the password is correct.
    """
    _refuse_demo_password("login", password, "login_failed", loggable(login))
    async with db.read() as session:
        candidates = await _find_candidates(session, login)
    user, matching = await _pick(candidates, password)
    if user is None:
        record("login_failed", user=loggable(login))
        raise Invalid({"login": _("The username, email address or password is incorrect.")})
    if user.suspended_at:
        record("login_suspended", user=user.username)
        refuse_suspended(user)
    if needs_rehash(user.password_hash):
        await _store_hash(db, user, await hash_password(matching))
    return user


def _refuse_demo_password(field: str, password: str, event: str, user: str | None) -> None:
    if password.strip() == DEMO_PASSWORD and others_can_reach():
        record(event, user=user)
        raise Invalid({
            field: _("This is the demo password. It does not work on a server that others can reach.")
        })  # fmt: skip


async def _find_candidates(session: AsyncSession, login: str) -> Sequence[User | None]:
    """The account with this username or confirmed address, or None; then a few accounts that have
    the address unconfirmed.

    The latter are included even if the former exists, so that a user who has entered another
    person's address cannot find out whether another account has confirmed it.
    """
    unconfirmed = User.email_key == address_key(login), User.email_confirmed_at.is_(None)
    claimed = select(User).where(*unconfirmed)
    claimants = await session.scalars(claimed.order_by(User.id).limit(MOST_CLAIMANTS))
    return [await find_by_login(session, login), *claimants]


async def _pick(candidates: Sequence[User | None], password: str) -> tuple[User | None, str]:
    """The first with this password, and the password as it was stored."""
    for user in candidates:
        matching = await _matching(password, user.password_hash if user else DECOY)
        if user and matching is not None:
            return user, matching
    return None, ""


async def _matching(password: str, password_hash: str) -> str | None:
    """The password that has this hash: as it was typed or, because pages used to strip passwords
    before they were stored, stripped. None if neither has it.
    """
    for typed in dict.fromkeys((password, password.strip())):
        if await verify_password(typed, password_hash):
            return typed
    return None


async def _store_hash(db: Database, user: User, password_hash: str) -> None:
    async with db.exclusive() as session:
        (await get_unchanged(session, user)).password_hash = password_hash
    user.password_hash = password_hash


async def require_password(user: User, password: str, field: str = "password") -> None:
    """Raises Invalid for `field` unless this is the user's password."""
    _refuse_demo_password(field, password, "password_failed", user.username)
    if await _matching(password, user.password_hash) is None:
        record("password_failed", user=user.username)
        raise Invalid({field: _("This password is incorrect.")})


async def change_password(
    db: Database, user: User, *, current: str, new: str, revokes_tokens: bool = False
) -> User:
    """Set a new password and end every session. Returns the stored user. `user` itself is not
    changed: concurrent requests may share it, and must still know which password they have checked.

    Raises Invalid for `current_password`, `new_password`.
    """
    require_valid(new_password=password_error(new))
    await require_password(user, current, "current_password")
    return await _replace(db, user, new, revokes_tokens=revokes_tokens)


async def _replace(db: Database, user: User, password: str, *, revokes_tokens: bool) -> User:
    """Raises Conflict if the password has changed since it was checked."""
    password_hash = await hash_password(password)
    async with db.act() as session:
        stored = await get_unchanged(session, user)
        stored.password_hash = password_hash
        await end_all_sessions(session, user)
        if revokes_tokens:
            await revoke_all_tokens(session, user)
        await notify(session, ACCOUNT_PASSWORD_CHANGED, affected=stored)
    return stored


async def send_reset(session: AsyncSession, address: str) -> None:
    """Mail a reset link to `address` if an account has confirmed it, unless it was mailed too often."""
    user = await find_holder(session, address)
    if user and not await mail_refusal(session, RESET, user.email, sender=None):
        await add_transactional_mail(
            session,
            RESET,
            address=user.email,
            user_id=user.id,
            username=user.username,
            fingerprint=_fingerprint(user),
        )


def _fingerprint(user: User) -> str:
    """Changes with the password and the address, so that a link works once and for one address. The
    password's salt makes it random, so another account with the same id never has the same one.
    """
    return hashlib.sha256(f"{user.password_hash} {user.email_key}".encode()).hexdigest()[:24]


def _links(signer: Signer, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    token = signer.sign(RESET, [facts["user_id"], facts["fingerprint"]])
    return {"token": token, "minutes": MINUTES_TO_RESET}


async def read_reset(session: AsyncSession, token: str) -> User:
    """The user whose reset link this is.

    Raises NotFound for a link that was altered, used, superseded, or is older than an hour.
    """
    user_id, fingerprint = signer_of(session).unsign(RESET, token, max_age=MINUTES_TO_RESET * 60)
    user = await session.get(User, user_id)
    if user is None or _fingerprint(user) != fingerprint:
        raise NotFound(_("This link has already been used, or has expired."))
    return user


async def reset_password(db: Database, token: str, password: str) -> User:
    """Set a new password by a mailed link. Ends every session and revokes every access token.

    Raises NotFound, Invalid.
    """
    async with db.read() as session:
        user = await read_reset(session, token)
    require_valid(password=password_error(password))
    await _replace(db, user, password, revokes_tokens=True)
    return user


RESET_MAIL = TransactionalMail(RESET, _links)
