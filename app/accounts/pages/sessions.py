"""Logging out one other browser, or all of them."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.pages.login import sign_out
from app.accounts.sessions import end_all_sessions, end_session
from app.accounts.tokens import revoke_all_tokens
from app.database import Database
from app.http import Form, redirect
from app.language import _
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record


@post()
async def end_one(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    ended_id: FromPath[int],
) -> Response[Any]:
    async with db.exclusive() as session:
        await end_session(session, user, ended_id)
    record("session_ended", user=user.username)
    return redirect("/account", _("The browser was logged out."))


@post()
async def end_all(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[Any]:
    async with db.exclusive() as session:
        await end_all_sessions(session, user)
        if form["revoke_tokens"] == "1":
            await revoke_all_tokens(session, user)
    record("sessions_ended", user=user.username)
    return sign_out(settings, redirect("/login", _("You have been logged out everywhere.")))
