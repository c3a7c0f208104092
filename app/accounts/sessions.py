"""Sessions: one row for each signed-in browser, found by the token in its cookie.

The cookie holds 32 random bytes, the row only their SHA-256. Every login and every change of the
password issues a new token. A session ends after 14 days without a request, or after 30 days in
total.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from litestar.datastructures import Cookie
from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.addresses import cancel_address_change
from app.accounts.cookies import browser_cookie
from app.accounts.endings import announce_ending
from app.accounts.last_seen import note_seen
from app.accounts.lookup import get_unchanged, lock_user
from app.database import Database
from app.database.short_reads import columns_of, entity
from app.errors import NotFound
from app.models import User, WebSession
from app.notifications.channels.push import devices
from app.notifications.live.stream import SESSION, Key
from app.security import hash_token, new_token
from app.settings import Settings

COOKIE = "session"
IDLE_TIMEOUT = timedelta(days=14)
ABSOLUTE_TIMEOUT = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=10)
USER_AGENT_LENGTH = 300


async def find_session(db: Database, token: str) -> tuple[User, int] | None:
    """The user and the id of the session with this token, or None. Records that it was used."""
    now = clock.now()
    oldest = {"created": now - ABSOLUTE_TIMEOUT, "seen": now - IDLE_TIMEOUT}
    rows = await db.fetch(_found(), hash=hash_token(token), **oldest)
    if not rows:
        return None
    [[*columns, session_id, last_seen_at]] = rows
    user = entity(User, columns)
    if now - last_seen_at >= TOUCH_EVERY:
        await _touch(db, user, session_id, now)
    return user, session_id


@cache
def _found() -> Select[*tuple[Any, ...]]:
    return (
        select(*columns_of(User), WebSession.id, WebSession.last_seen_at)
        .join(WebSession, WebSession.user_id == User.id)
        .where(
            WebSession.token_hash == bindparam("hash"),
            WebSession.created_at > bindparam("created"),
            WebSession.last_seen_at > bindparam("seen"),
            User.suspended_at.is_(None),
        )
    )


def _is_alive(now: datetime) -> ColumnElement[bool]:
    return and_(
        WebSession.created_at > now - ABSOLUTE_TIMEOUT, WebSession.last_seen_at > now - IDLE_TIMEOUT
    )


async def _touch(db: Database, user: User, session_id: int, now: datetime) -> None:
    async def touch(session: AsyncSession) -> None:
        await note_seen(session, user, now)
        used = update(WebSession).where(WebSession.id == session_id).values(last_seen_at=now)
        await session.execute(used)

    await db.note(touch)


async def start_session(session: AsyncSession, user: User, user_agent: str) -> str:
    """Start a session. Returns the token of its cookie.

    Raises Conflict if the password was replaced since it was checked.
    """
    await get_unchanged(session, user)
    await note_seen(session, user, clock.now())
    token = new_token()
    session.add(
        WebSession(
            token_hash=hash_token(token),
            user_id=user.id,
            user_agent=user_agent[:USER_AGENT_LENGTH],
        )
    )
    return token


async def remove_expired(db: Database) -> None:
    """Deletes the rows of expired sessions. Runs nightly rather than at each login: while the clock
    is ahead, sessions only appear to have expired.
    """
    async with db.exclusive() as session:
        await session.execute(delete(WebSession).where(~_is_alive(clock.now())))


async def sessions_of(session: AsyncSession, user: User) -> Sequence[WebSession]:
    """The user's sessions that have not expired, most recently used first."""
    alive = select(WebSession).where(WebSession.user_id == user.id, _is_alive(clock.now()))
    return (
        await session.scalars(alive.order_by(WebSession.last_seen_at.desc(), WebSession.id.desc()))
    ).all()


async def end_session(session: AsyncSession, user: User, session_id: int) -> None:
    """Sign the user out of one browser, and remove its push subscription.

    Raises NotFound when the session is not the user's.
    """
    await devices.remove_of_session(session, user, session_id)
    theirs = and_(WebSession.id == session_id, WebSession.user_id == user.id)
    ended = await session.scalar(delete(WebSession).where(theirs).returning(WebSession.id))
    if ended is None:
        raise NotFound
    await announce_ending(session)


async def end_all_sessions(
    session: AsyncSession, user: User, *, except_id: int | None = None
) -> None:
    """End all of the user's sessions except `except_id`, and remove their push subscriptions.

    A pending change of address ends as well: an intruder in a session may have asked for it.
    """
    await lock_user(session, user)
    await cancel_address_change(session, user)
    await devices.remove_all(session, user, except_session=except_id)
    theirs = delete(WebSession).where(WebSession.user_id == user.id)
    if except_id is not None:
        theirs = theirs.where(WebSession.id != except_id)
    await session.execute(theirs)
    await announce_ending(session)


def stream_key(token: str) -> Key:
    """The key that ends this session's streams. Random, so no other session ever has it."""
    return SESSION, hash_token(token)


async def alive_sessions(session: AsyncSession, hashes: Collection[str]) -> Collection[str]:
    """The token hashes of sessions that have neither ended nor expired, and whose account is not
    suspended.
    """
    if not hashes:
        return hashes
    alive = (
        select(WebSession.token_hash)
        .join(User, User.id == WebSession.user_id)
        .where(
            WebSession.token_hash.in_(hashes), _is_alive(clock.now()), User.suspended_at.is_(None)
        )
    )
    return (await session.scalars(alive)).all()


def session_cookie(settings: Settings, token: str) -> Cookie:
    """The cookie that signs a browser in or, with an empty `token`, out."""
    return browser_cookie(settings, COOKIE, token, ABSOLUTE_TIMEOUT)
