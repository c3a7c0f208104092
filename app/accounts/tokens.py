"""Access tokens, with which programs act as a user. Shown once, stored as a SHA-256.

A token survives a change of the password, because scripts depend on it; GitHub and GitLab do the
same. But a stolen token must not go unnoticed: a reset by mail, which is how a user regains a lost
account, revokes every token. Changing the password and "Log out everywhere" offer to revoke them,
and show how many there are.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.endings import announce_ending
from app.accounts.last_seen import note_seen
from app.accounts.lookup import get_unchanged
from app.database import Database
from app.database.short_reads import columns_of, entity
from app.errors import Conflict, NotFound, require_valid
from app.language import _
from app.models import Token, User
from app.notifications.events.catalogue import ACCOUNT_TOKEN_CREATED
from app.notifications.live.stream import TOKEN, Key
from app.notifications.notify import notify
from app.security import hash_token, new_token
from app.values.names import name_error, tidy

READ, WRITE = SCOPES = ("read", "write")
# Scanners for leaked secrets recognize a key by its prefix.
PREFIX = "clippy_"
NAME_LENGTH = 80
MAX_TOKENS = 50
TOUCH_EVERY = timedelta(minutes=1)


async def create_token(
    session: AsyncSession, user: User, *, name: str, scope: str
) -> tuple[Token, str]:
    """Creates a token and notifies the user. Returns it with its key, which is stored nowhere.

    Raises Invalid for `name`, `scope`, and Conflict when the user has too many tokens, or the
    password was replaced since it was checked.
    """
    await get_unchanged(session, user)
    require_valid(
        name=name_error(name, most=NAME_LENGTH, if_empty=_("Enter what this token is for.")),
        scope="" if scope in SCOPES else _("Choose read or write."),
    )
    existing = select(func.count()).where(Token.user_id == user.id)
    if (await session.scalar(existing) or 0) >= MAX_TOKENS:
        full = _("You can have at most {limit} access tokens. Revoke one first.")
        raise Conflict(full.format(limit=MAX_TOKENS))
    key = PREFIX + new_token()
    token = Token(user_id=user.id, name=tidy(name), scope=scope, token_hash=hash_token(key))
    session.add(token)
    await session.flush()
    await notify(session, ACCOUNT_TOKEN_CREATED, affected=user, name=token.name)
    return token, key


async def find_token(db: Database, key: str) -> tuple[User, Token] | None:
    """The user and the token with this key, or None. Records that it was used."""
    rows = await db.fetch(_found(), hash=hash_token(key))
    if not rows:
        return None
    [found] = rows
    of_user = len(columns_of(User))
    user, token = entity(User, found[:of_user]), entity(Token, found[of_user:])
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY:
        await _touch(db, user, token, now)
    return user, token


@cache
def _found() -> Select[*tuple[Any, ...]]:
    return (
        select(*columns_of(User), *columns_of(Token))
        .join(Token, Token.user_id == User.id)
        .where(Token.token_hash == bindparam("hash"), User.suspended_at.is_(None))
    )


async def _touch(db: Database, user: User, token: Token, now: datetime) -> None:
    async def touch(session: AsyncSession) -> None:
        await note_seen(session, user, now)
        used = update(Token).where(Token.id == token.id).values(last_used_at=now)
        await session.execute(used)

    await db.note(touch)


async def tokens_of(session: AsyncSession, user: User) -> Sequence[Token]:
    """The user's tokens, newest first."""
    theirs = select(Token).where(Token.user_id == user.id).order_by(Token.id.desc())
    return (await session.scalars(theirs)).all()


async def find_own(session: AsyncSession, user: User, token_id: int) -> Token:
    """Raises NotFound when the token is not the user's."""
    token = await session.get(Token, token_id)
    if token is None or token.user_id != user.id:
        raise NotFound
    return token


async def revoke_token(session: AsyncSession, user: User, token_id: int) -> None:
    """Raises NotFound when the token is not the user's."""
    theirs = and_(Token.id == token_id, Token.user_id == user.id)
    revoked = await session.scalar(delete(Token).where(theirs).returning(Token.id))
    if revoked is None:
        raise NotFound
    await announce_ending(session)


async def revoke_all_tokens(session: AsyncSession, user: User) -> None:
    await session.execute(delete(Token).where(Token.user_id == user.id))
    await announce_ending(session)


def stream_key(token: Token) -> Key:
    """The key that ends this token's streams. Random, so no other token ever has it."""
    return TOKEN, token.token_hash


async def valid_tokens(session: AsyncSession, hashes: Collection[str]) -> Collection[str]:
    """The hashes of tokens that have not been revoked, and whose account is not suspended."""
    if not hashes:
        return hashes
    valid = (
        select(Token.token_hash)
        .join(User, User.id == Token.user_id)
        .where(Token.token_hash.in_(hashes), User.suspended_at.is_(None))
    )
    return (await session.scalars(valid)).all()
