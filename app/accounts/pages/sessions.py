"""Logging out of one other browser, or of all."""

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.pages.login import go_out
from app.accounts.sessions import end_all_sessions, end_session
from app.accounts.tokens import revoke_all_tokens
from app.database import Database
from app.language import _
from app.models import Account
from app.settings import Settings
from app.web import Form, see


@post("/account/sessions/{ended_id:int}/end")
async def end_one(
    db: NamedDependency[Database],
    person: NamedDependency[Account],
    ended_id: FromPath[int],
) -> Response[Any]:
    async with db.write() as session:
        await end_session(session, person, ended_id)
    return see("/account", _("That browser is logged out."))


@post("/account/sessions/end")
async def end_all(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    person: NamedDependency[Account],
    form: NamedDependency[Form],
) -> Response[Any]:
    async with db.write() as session:
        await end_all_sessions(session, person)
        if form["revoke_tokens"] == "1":
            await revoke_all_tokens(session, person)
    return go_out(settings, see("/login", _("You are logged out everywhere.")))


routes = [end_one, end_all]
