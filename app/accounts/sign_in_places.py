"""Browsers and networks from which users have signed in. The user is notified of the first sign-in
from each.

A browser is recognized by a cookie of 32 random bytes that outlives its sessions; rows hold only
its SHA-256.
"""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from litestar.datastructures import Cookie
from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.accounts.cookies import browser_cookie, cookie_name
from app.accounts.lookup import has_login
from app.database import Database
from app.database.upsert import insert_into
from app.http import AnyRequest
from app.language import in_language
from app.models import SignInPlace, User
from app.notifications.events.catalogue import ACCOUNT_SIGNED_IN_ELSEWHERE
from app.notifications.notify import notify
from app.security import hash_token
from app.settings import Settings
from app.web.user_agents import device_name

# Browsers keep no cookie for longer (RFC 6265bis, 5.5).
REMEMBERED_FOR = timedelta(days=400)
TOKEN_LENGTH = 200
# Limited because each known browser has its own allowance of password guesses.
MOST_BROWSERS = 20
COOKIE = "device"
BROWSER, NETWORK = "browser", "network"


def device_token(request: AnyRequest, settings: Settings) -> str:
    """The token of this browser's device cookie, or "" where it has none."""
    return request.cookies.get(cookie_name(settings, COOKIE), "")[:TOKEN_LENGTH]


def device_cookie(settings: Settings, token: str) -> Cookie:
    return browser_cookie(settings, COOKIE, token, REMEMBERED_FOR)


def network_prefix(host: str) -> str:
    """The network of a client: the /24 of an IPv4 or the /48 of an IPv6 address; "" if `host` is
    neither.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


async def remember(session: AsyncSession, user: User, *, device: str, host: str) -> bool:
    """Record the sign-in. Returns whether both the browser and the network were known already."""
    now = clock.now()
    expired = SignInPlace.last_seen_at < now - REMEMBERED_FOR
    await session.execute(delete(SignInPlace).where(SignInPlace.user_id == user.id, expired))
    here = {(BROWSER, hash_token(device)), (NETWORK, network_prefix(host))}
    theirs = select(SignInPlace.kind, SignInPlace.value).where(SignInPlace.user_id == user.id)
    known = {(kind, value) for kind, value in await session.execute(theirs)}
    rows = [
        {"user_id": user.id, "kind": kind, "value": value, "last_seen_at": now}
        for kind, value in here
    ]
    insert = insert_into(session, SignInPlace).values(rows)
    key = [SignInPlace.user_id, SignInPlace.kind, SignInPlace.value]
    await session.execute(
        insert.on_conflict_do_update(index_elements=key, set_={"last_seen_at": now})
    )
    await _forget_oldest_browsers(session, user)
    return here <= known


async def _forget_oldest_browsers(session: AsyncSession, user: User) -> None:
    browsers = and_(SignInPlace.user_id == user.id, SignInPlace.kind == BROWSER)
    newest_first = SignInPlace.last_seen_at.desc(), SignInPlace.id.desc()
    newest = select(SignInPlace.id).where(browsers).order_by(*newest_first).limit(MOST_BROWSERS)
    kept = (await session.scalars(newest)).all()
    await session.execute(delete(SignInPlace).where(browsers, SignInPlace.id.not_in(kept)))


async def notify_of_sign_in(
    session: AsyncSession, user: User, *, user_agent: str, host: str
) -> None:
    """Tell the user of a sign-in from a browser or network that they have not used before."""
    with in_language(user.language):
        device = device_name(user_agent)
    await notify(session, ACCOUNT_SIGNED_IN_ELSEWHERE, affected=user, device=device, address=host)


async def find_browser(db: Database, login: str, device: str) -> int | None:
    """The id of the row which records that the account with this login has used the browser with
    this device token.
    """
    found = (
        select(SignInPlace.id)
        .join(User, User.id == SignInPlace.user_id)
        .where(
            has_login(login),
            SignInPlace.kind == BROWSER,
            SignInPlace.value == hash_token(device),
            SignInPlace.last_seen_at >= clock.now() - REMEMBERED_FOR,
        )
    )
    if not device:
        return None
    async with db.read() as session:
        return await session.scalar(found)
