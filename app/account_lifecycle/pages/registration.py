"""/register"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.account_lifecycle.admission import address_error, find_admission, find_invited_address
from app.account_lifecycle.onboarding import register
from app.accounts.pages.login import is_switching, login_or_register_page, sign_in
from app.accounts.throttles import throttle_registration
from app.database import Database
from app.errors import Invalid, require_valid
from app.http import AnyRequest, Form, own_path, redirect
from app.language import _
from app.mail.limits import refusal_sentence
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record
from app.values.names import isolate


@get()
async def register_page(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    optional_user: NamedDependency[User | None],
) -> Response[Any]:
    next_path = own_path(request.query_params.get("next", ""))
    if optional_user and not is_switching(request):
        return redirect(next_path)
    await find_admission(db, settings, next_path)
    typed = {"next": next_path, "email": await find_invited_address(db, next_path)}
    return await login_or_register_page(request, "register", typed)


@post()
async def create_account(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_registration(request, db, settings)
    invitation = await find_admission(db, settings, own_path(form["next"]))
    try:
        require_valid(email=address_error(invitation, form["email"]))
        user, unmailed = await register(
            db,
            settings,
            invitation,
            username=form["username"],
            email=form["email"],
            password=form.exact("password"),
            timezone=form["timezone"],
            accept_language=request.headers.get("Accept-Language", ""),
        )
    except Invalid as invalid:
        return await login_or_register_page(request, "register", form, invalid)
    record("registered", user=user.username)
    welcome = _("Welcome, {name}.").format(name=isolate(user.username))
    if unmailed:
        welcome = f"{welcome} {_unmailed_sentence(unmailed)}"
    kind = "problem" if unmailed else "done"
    onward = redirect(own_path(form["next"]), welcome, kind=kind)
    return await sign_in(request, db, settings, user, onward)


def _unmailed_sentence(refusal: str) -> str:
    not_mailed = _(
        "The link that confirms your address could not be emailed now. You can have it sent again "
        "from your account page."
    )
    return f"{not_mailed} {refusal_sentence(refusal)}"
