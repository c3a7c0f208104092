"""/login and /logout, and how a browser is signed in and out."""

from contextlib import suppress
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.passwords import check_login
from app.accounts.profile import fill_from_browser
from app.accounts.sessions import end_session, session_cookie, start_session
from app.accounts.sign_in_places import (
    device_cookie,
    device_token,
    notify_of_sign_in,
    remember,
)
from app.accounts.throttles import throttle_login
from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.layout import page
from app.models import User
from app.notifications.preferences.digest import reschedule
from app.security import new_token
from app.settings import Settings
from app.telemetry.security_log import record
from app.web import csrf


@get()
async def login_page(
    request: AnyRequest, optional_user: NamedDependency[User | None]
) -> Response[Any]:
    next_path = own_path(request.query_params.get("next", ""))
    if optional_user and not is_switching(request):
        return redirect(next_path)
    return await login_or_register_page(request, "login", {"next": next_path})


@post()
async def log_in(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_login(request, db, settings, form["login"])
    try:
        user = await check_login(db, form["login"], form.exact("password"))
    except Invalid as invalid:
        return await login_or_register_page(request, "login", form, invalid)
    record("login", user=user.username)
    await _fill_on_first_visit(request, db, user, form["timezone"])
    response = redirect(own_path(form["next"]))
    return await sign_in(request, db, settings, user, response, notifies=True)


@get()
async def log_out_page(
    request: AnyRequest, optional_user: NamedDependency[User | None]
) -> Response[Any]:
    """Asks first: if GET logged out, any site could log a user out with a link."""
    if optional_user is None:
        return redirect("/login")
    return await page(request, "accounts/logout.html")


@post()
async def log_out(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
) -> Response[Any]:
    async with db.exclusive() as session:
        await end_session(session, user, session_id)
    record("logout", user=user.username)
    return sign_out(settings, redirect("/login", _("You have been logged out.")))


async def sign_in(
    request: AnyRequest,
    db: Database,
    settings: Settings,
    user: User,
    response: Response[Any],
    *,
    notifies: bool = False,
) -> Response[Any]:
    """Start a session in place of the one that this browser had, and set its cookie on `response`.

    With `notifies`, the user is notified if the browser or its network is new to them.
    """
    user_agent = request.headers.get("User-Agent", "")
    host = request.client.host if request.client else ""
    device = device_token(request, settings) or new_token()
    async with db.act() as session:
        await _end_present_session(session, request)
        token = await start_session(session, user, user_agent)
        is_known = await remember(session, user, device=device, host=host)
        if notifies and not is_known:
            await notify_of_sign_in(session, user, user_agent=user_agent, host=host)
    csrf.set_session(request.scope, user.id, token)
    response.set_cookie(session_cookie(settings, token))
    response.set_cookie(device_cookie(settings, device))
    return response


async def _end_present_session(session: AsyncSession, request: AnyRequest) -> None:
    """There may be none any more: a change of the password has ended all."""
    user, session_id = request.scope["user"], request.scope["state"].get("session_id")
    if user and session_id:
        with suppress(NotFound):
            await end_session(session, user, session_id)


def sign_out(settings: Settings, response: Response[Any]) -> Response[Any]:
    """Have `response` remove the session cookie and all that the browser has stored of the user.

    The device cookie stays. Clearing the storage also removes the push subscription, so that the
    next user of the browser does not inherit it; they can enable push again.
    """
    response.set_cookie(session_cookie(settings, ""))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def login_or_register_page(
    request: AnyRequest, name: str, typed: Any, invalid: Invalid | None = None
) -> Response[Any]:
    """The form `name`: `login` or `register`. They link to each other and pass on `next`."""
    return await page(
        request,
        f"accounts/{name}.html",
        status=422 if invalid else 200,
        typed=typed,
        next_path=own_path(typed["next"]),
        errors=invalid.fields if invalid else {},
    )


def is_switching(request: AnyRequest) -> bool:
    """Whether the user asks for the form although they are signed in, to go on as another user."""
    return "switch" in request.query_params


async def _fill_on_first_visit(
    request: AnyRequest, db: Database, user: User, timezone: str
) -> None:
    if user.timezone and user.language:
        return
    async with db.act() as session:
        user = await session.get_one(User, user.id)
        fill_from_browser(user, timezone, request.headers.get("Accept-Language", ""))
        await reschedule(session, user)
