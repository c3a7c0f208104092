"""Coming in and going out: /register, /login, /logout."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts.passwords import check_login
from app.accounts.profile import fill_from_browser
from app.accounts.registration import register
from app.accounts.sessions import end_session, session_cookie, start_session
from app.broker import Broker
from app.broker.relay import CHANGES
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.notifications.preferences.digest import reschedule
from app.settings import Settings
from app.throttle import throttle


@get("/register")
async def register_page(
    request: AnyRequest, visitor: NamedDependency[User | None]
) -> Response[Any]:
    following = own_path(request.query_params.get("next", ""))
    return (
        redirect(following) if visitor else await _entry(request, "register", {"next": following})
    )


@post("/register")
async def create_account(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle(db, settings, f"register-from:{origin(request)}", most=20, seconds=3600)
    try:
        account = await register(
            db,
            settings,
            username=form["username"],
            email=form["email"],
            password=form["password"],
            timezone=form["timezone"],
            accept_language=request.headers.get("Accept-Language", ""),
        )
    except Invalid as invalid:
        return await _entry(request, "register", form, invalid)
    if not account.is_confirmed:
        broker.relay.poke(CHANGES)
    welcome = _("Welcome, {name}.").format(name=account.username)
    return await come_in(request, db, settings, account, redirect(own_path(form["next"]), welcome))


@get("/login")
async def login_page(request: AnyRequest, visitor: NamedDependency[User | None]) -> Response[Any]:
    following = own_path(request.query_params.get("next", ""))
    return redirect(following) if visitor else await _entry(request, "login", {"next": following})


@post("/login")
async def log_in(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    form: NamedDependency[Form],
) -> Response[Any]:
    login = form["login"]
    await require_patience(request, db, settings, login)
    try:
        account = await check_login(db, login, form["password"])
    except Invalid as invalid:
        return await _entry(request, "login", form, invalid)
    await _first_visit(request, db, account, form["timezone"])
    return await come_in(request, db, settings, account, redirect(own_path(form["next"])))


async def require_patience(
    request: AnyRequest, db: Database, settings: Settings, login: str
) -> None:
    """Raises TooMany for who guesses at passwords, from one place or for one account."""
    await throttle(db, settings, f"login-from:{origin(request)}", most=100, seconds=600)
    await throttle(db, settings, f"login:{login.casefold()}", most=10, seconds=600)


@post("/logout")
async def log_out(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
) -> Response[Any]:
    async with db.write() as session:
        await end_session(session, user, session_id)
    return go_out(settings, redirect("/login", _("You are logged out.")))


async def come_in(
    request: AnyRequest, db: Database, settings: Settings, account: User, answer: Response[Any]
) -> Response[Any]:
    """`answer`, by which the browser is signed in with a new token."""
    user_agent = request.headers.get("User-Agent", "")
    async with db.write() as session:
        token = await start_session(session, account, user_agent)
    answer.set_cookie(session_cookie(settings, token))
    return answer


def go_out(settings: Settings, answer: Response[Any]) -> Response[Any]:
    """`answer`, by which the browser is signed out."""
    answer.set_cookie(session_cookie(settings, ""))
    return answer


def origin(request: AnyRequest) -> str:
    """Who counts as one client: an IPv4 address, or the /64 that one IPv6 customer has."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return address.exploded[:19] if isinstance(address, IPv6Address) else host


async def _first_visit(request: AnyRequest, db: Database, account: User, timezone: str) -> None:
    if account.timezone and account.language:
        return
    async with db.act() as session:
        account = await session.get_one(User, account.id)
        fill_from_browser(account, timezone, request.headers.get("Accept-Language", ""))
        await reschedule(session, account)


async def _entry(
    request: AnyRequest, name: str, typed: Any, invalid: Invalid | None = None
) -> Response[Any]:
    return await page(
        request,
        f"accounts/{name}.html",
        status=422 if invalid else 200,
        typed=typed,
        following=own_path(typed["next"]),
        errors=invalid.fields if invalid else {},
    )


routes = [register_page, create_account, login_page, log_in, log_out]
