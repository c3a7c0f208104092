"""Keys for programs that act as a person: shown once, kept as their SHA-256, listed and revoked.

A token outlives the password, as with the forges whose users rely on scripts running on; but no
stolen one may stay unnoticed. A reset by mail, the way back for who was locked out, revokes all.
A changed password and "log out everywhere" offer the same, and say how many tokens there are.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.validation import require_right
from app.broker.relay import SESSIONS
from app.database import Database, poke_after_commit
from app.errors import Conflict, NotFound
from app.language import _
from app.models import Token, User

READ, WRITE = SCOPES = ("read", "write")
# Scanners for leaked secrets know a key by how it begins.
PREFIX = "clippy_"
NAME_LENGTH = 80
MOST_TOKENS = 50
STAMP_EVERY = timedelta(minutes=1)


async def create_token(
    session: AsyncSession, account: User, *, name: str, scope: str
) -> tuple[Token, str]:
    """A new token, and its key, which is stored nowhere. Raises Invalid for `name`, `scope`."""
    require_right(
        name=_wrong_name(name), scope="" if scope in SCOPES else _("Choose read or write.")
    )
    of_theirs = select(func.count()).where(Token.user_id == account.id)
    if (await session.scalar(of_theirs) or 0) >= MOST_TOKENS:
        full = _("A person has at most {most} access tokens. Revoke one first.")
        raise Conflict(full.format(most=MOST_TOKENS))
    key = PREFIX + secrets.token_urlsafe(32)
    token = Token(user_id=account.id, name=name, scope=scope, token_hash=_hash(key))
    session.add(token)
    await session.flush()
    return token, key


def _wrong_name(name: str) -> str:
    if not name.strip():
        return _("Say what the token is for.")
    too_long = _("The name has at most {most} characters.").format(most=NAME_LENGTH)
    return too_long if len(name) > NAME_LENGTH else ""


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


async def find_token(db: Database, key: str) -> tuple[User, Token] | None:
    """Whose token has this key, and the token; None when there is none. Stamps its use."""
    found = (
        select(User, Token)
        .join(Token, Token.user_id == User.id)
        .where(Token.token_hash == _hash(key))
    )
    async with db.read() as session:
        row = (await session.execute(found)).one_or_none()
    if row is None:
        return None
    account, token = row
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at >= STAMP_EVERY:
        async with db.write() as session:
            used = update(Token).where(Token.id == token.id).values(last_used_at=now)
            await session.execute(used)
    return account, token


async def tokens_of(session: AsyncSession, account: User) -> Sequence[Token]:
    """The newest first."""
    theirs = select(Token).where(Token.user_id == account.id).order_by(Token.id.desc())
    return (await session.scalars(theirs)).all()


async def revoke_token(session: AsyncSession, account: User, token_id: int) -> None:
    """Raises NotFound when it is not theirs."""
    theirs = and_(Token.id == token_id, Token.user_id == account.id)
    revoked = await session.scalar(delete(Token).where(theirs).returning(Token.id))
    if revoked is None:
        raise NotFound
    poke_after_commit(session, SESSIONS)


async def revoke_all_tokens(session: AsyncSession, account: User) -> None:
    await session.execute(delete(Token).where(Token.user_id == account.id))
    poke_after_commit(session, SESSIONS)


async def valid_tokens(session: AsyncSession, ids: Collection[int]) -> Collection[int]:
    """Those of `ids` that have not been revoked."""
    if not ids:
        return ids
    return (await session.scalars(select(Token.id).where(Token.id.in_(ids)))).all()
