"""/account: profile, address, password, sessions."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts.addresses import CONFIRM, resume_mail, send_confirmation
from app.accounts.pages.login import sign_in
from app.accounts.passwords import change_password
from app.accounts.profile import THEMES, languages, save_profile
from app.accounts.sessions import sessions_of
from app.accounts.throttles import throttle_confirmation, throttle_password_check
from app.accounts.tokens import tokens_of
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _, set_language
from app.layout import page
from app.mail.limits import too_many
from app.models import User
from app.settings import Settings
from app.telemetry.security_log import record
from app.web.user_agents import device_name


@get()
async def account_page(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
) -> Response[Any]:
    return await show_account(request, db, user, session_id)


@post()
async def change_profile(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
    form: NamedDependency[Form],
) -> Response[Any]:
    chosen = {name: form[name] for name in ("timezone", "language", "theme")}
    try:
        async with db.act() as session:
            await save_profile(session, user, **chosen)
    except Invalid as invalid:
        return await show_account(request, db, user, session_id, form, invalid)
    set_language(chosen["language"])
    return redirect("/account", _("Saved."))


@post()
async def resend_confirmation(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
) -> Response[Any]:
    address = user.awaited_email or ("" if user.is_confirmed else user.email)
    if not address:
        return redirect("/account", _("Your address is confirmed."))
    await throttle_confirmation(db, settings, user)
    async with db.exclusive() as session:
        if refusal := await send_confirmation(session, user, address):
            raise too_many(CONFIRM, refusal)
    text = _("Open the link that we emailed to {address}.").format(address=address)
    return redirect("/account", text)


@post()
async def retry_address(
    db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    async with db.exclusive() as session:
        await resume_mail(session, user)
    text = _("We send email to {address} again.").format(address=user.email)
    return redirect("/account/notifications", text)


@post()
async def renew_password(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle_password_check(request, db, settings, user)
    current, new = form.exact("current_password"), form.exact("new_password")
    try:
        changed = await change_password(
            db, user, current=current, new=new, revokes_tokens=form["revoke_tokens"] == "1"
        )
    except Invalid as invalid:
        return await show_account(request, db, user, session_id, form, invalid)
    record("password_changed", user=user.username)
    text = _("Your password was changed, and your other browsers were logged out.")
    return await sign_in(request, db, settings, changed, redirect("/account", text))


async def show_account(
    request: AnyRequest,
    db: Database,
    user: User,
    session_id: int,
    form: Form | None = None,
    invalid: Invalid | None = None,
    status: int = 422,
) -> Response[Any]:
    """The account page; after an `invalid` form, with its values and errors, and this status."""
    async with db.read() as session:
        sessions = await sessions_of(session, user)
        tokens = await tokens_of(session, user)
    return await page(
        request,
        "accounts/account.html",
        status=status if invalid else 200,
        typed=_typed(user, form),
        errors=invalid.fields if invalid else {},
        languages=list(languages().items()),
        themes=[(theme, _(label)) for theme, label in THEMES.items()],
        token_count=len(tokens),
        sessions=[(each, device_name(each.user_agent), each.id == session_id) for each in sessions],
    )


def _typed(user: User, form: Form | None) -> Mapping[str, str]:
    """The values of the fields: as submitted, else as stored."""
    names = ("timezone", "language", "theme")
    stored = {name: getattr(user, name) for name in names} | {"email": ""}
    sent = {name: form[name] for name in stored if form and name in form}
    return stored | sent
