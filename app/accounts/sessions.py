"""Where a person is signed in: one row for each browser, found by the token in its cookie.

The cookie holds 32 random bytes, the row only their SHA-256. Each login and each new password
makes a new token; an idle one ends after 14 days, any after 30.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache

from litestar.datastructures import Cookie
from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker.relay import SESSIONS
from app.database import Database, poke_after_commit
from app.errors import NotFound
from app.models import User, WebSession
from app.notifications.channels.push import devices
from app.settings import Settings

IDLE = timedelta(days=14)
ABSOLUTE = timedelta(days=30)
TOUCH_EVERY = timedelta(minutes=10)
USER_AGENT_LENGTH = 300
# Under HTTPS the second: its prefix makes browsers refuse it from other hosts and over plain HTTP.
COOKIES = ("session", "__Host-session")


async def find_session(db: Database, token: str) -> tuple[User, int] | None:
    """Whose session this token opens, and the session's id; None when it opens none."""
    now = clock.now()
    oldest = {"created": now - ABSOLUTE, "seen": now - IDLE}
    async with db.read() as session:
        row = (await session.execute(_found(), {"hash": _hash(token), **oldest})).one_or_none()
    if row is None:
        return None
    account, session_id, last_seen_at = row
    if now - last_seen_at >= TOUCH_EVERY:
        await _touch(db, session_id, now)
    return account, session_id


@cache
def _found() -> Select[User, int, datetime]:
    """Asked by every request, and built once for all of them."""
    return (
        select(User, WebSession.id, WebSession.last_seen_at)
        .join(WebSession, WebSession.user_id == User.id)
        .where(
            WebSession.token_hash == bindparam("hash"),
            WebSession.created_at > bindparam("created"),
            WebSession.last_seen_at > bindparam("seen"),
        )
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _is_alive(now: datetime) -> ColumnElement[bool]:
    return and_(WebSession.created_at > now - ABSOLUTE, WebSession.last_seen_at > now - IDLE)


async def _touch(db: Database, session_id: int, now: datetime) -> None:
    async with db.write() as session:
        await session.execute(
            update(WebSession).where(WebSession.id == session_id).values(last_seen_at=now)
        )


async def start_session(session: AsyncSession, account: User, user_agent: str) -> str:
    """Sign `account` in; returns the new token, which is stored nowhere. Ended sessions go."""
    await session.execute(
        delete(WebSession).where(WebSession.user_id == account.id, ~_is_alive(clock.now()))
    )
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            token_hash=_hash(token),
            user_id=account.id,
            user_agent=user_agent[:USER_AGENT_LENGTH],
        )
    )
    return token


async def sessions_of(session: AsyncSession, account: User) -> Sequence[WebSession]:
    """Where `account` is signed in, the last used first."""
    alive = select(WebSession).where(WebSession.user_id == account.id, _is_alive(clock.now()))
    return (await session.scalars(alive.order_by(WebSession.last_seen_at.desc()))).all()


async def end_session(session: AsyncSession, account: User, session_id: int) -> None:
    """Sign `account` out of one browser, which gets no pushes any more.

    Raises NotFound when it is not theirs.
    """
    await devices.remove_of_session(session, account, session_id)
    theirs = and_(WebSession.id == session_id, WebSession.user_id == account.id)
    ended = await session.scalar(delete(WebSession).where(theirs).returning(WebSession.id))
    if ended is None:
        raise NotFound
    poke_after_commit(session, SESSIONS)


async def end_all_sessions(
    session: AsyncSession, account: User, *, except_id: int | None = None
) -> None:
    """Sign `account` out everywhere, devices included, but for the session `except_id`."""
    await devices.remove_all(session, account, except_session=except_id)
    theirs = delete(WebSession).where(WebSession.user_id == account.id)
    if except_id is not None:
        theirs = theirs.where(WebSession.id != except_id)
    await session.execute(theirs)
    poke_after_commit(session, SESSIONS)


async def alive_sessions(session: AsyncSession, ids: Collection[int]) -> Collection[int]:
    """Those of `ids` that still sign somebody in."""
    if not ids:
        return ids
    alive = select(WebSession.id).where(WebSession.id.in_(ids), _is_alive(clock.now()))
    return (await session.scalars(alive)).all()


def session_cookie(settings: Settings, token: str) -> Cookie:
    """The cookie that signs a browser in; with an empty `token`, the one that signs it out."""
    return Cookie(
        key=COOKIES[settings.is_https],
        value=token,
        path="/",
        max_age=int(ABSOLUTE.total_seconds()) if token else 0,
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
