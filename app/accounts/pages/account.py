"""/account: how a person sees things, their address, their password, where they are signed in."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from app.accounts.addresses import change_address, try_address_again
from app.accounts.pages.login import come_in, origin
from app.accounts.passwords import change_password
from app.accounts.profile import THEMES, languages, save_profile
from app.accounts.registration import ask_to_confirm
from app.accounts.sessions import sessions_of
from app.accounts.tokens import tokens_of
from app.accounts.user_agents import device_name
from app.broker import Broker
from app.broker.relay import CHANGES
from app.database import Database
from app.errors import Invalid
from app.http import AnyRequest, Form, redirect
from app.language import _, set_language
from app.layout import page
from app.models import User
from app.settings import Settings
from app.throttle import throttle


@get("/account")
async def account_page(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
) -> Response[Any]:
    return await _account(request, db, user, session_id)


@post("/account/profile")
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
        return await _account(request, db, user, session_id, form, invalid)
    set_language(chosen["language"])
    return redirect("/account", _("Saved."))


@post("/account/address")
async def move(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle(db, settings, f"address:{user.id}", most=10, seconds=3600)
    try:
        changed = await change_address(
            db, settings, user, email=form["email"], password=form["password"]
        )
    except Invalid as invalid:
        return await _account(request, db, user, session_id, form, invalid)
    broker.relay.poke(CHANGES)
    if changed.pending_email:
        return redirect(
            "/account",
            _("Open the link that was mailed to {address}.").format(address=changed.pending_email),
        )
    return redirect("/account", _("Your address is changed."))


@post("/account/address/confirmation")
async def send_again(
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
) -> Response[Any]:
    """Mail the link once more, to the address that waits for it."""
    address = user.pending_email or ("" if user.is_confirmed else user.email)
    if not address:
        return redirect("/account", _("Your address is confirmed."))
    await throttle(db, settings, f"address:{user.id}", most=10, seconds=3600)
    async with db.write() as session:
        await ask_to_confirm(session, user, address)
    broker.relay.poke(CHANGES)
    return redirect(
        "/account", _("Open the link that was mailed to {address}.").format(address=address)
    )


@post("/account/address/retry")
async def retry_address(
    db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[Any]:
    async with db.write() as session:
        await try_address_again(session, user)
    words = _("Mail goes to {address} again.").format(address=user.email)
    return redirect("/account/notifications", words)


@post("/account/password")
async def renew_password(
    request: AnyRequest,
    db: NamedDependency[Database],
    settings: NamedDependency[Settings],
    user: NamedDependency[User],
    session_id: NamedDependency[int],
    form: NamedDependency[Form],
) -> Response[Any]:
    await throttle(db, settings, f"password-from:{origin(request)}", most=20, seconds=600)
    current, new = form["current_password"], form["new_password"]
    try:
        await change_password(
            db, user, current=current, new=new, revokes_tokens=form["revoke_tokens"] == "1"
        )
    except Invalid as invalid:
        return await _account(request, db, user, session_id, form, invalid)
    answer = redirect("/account", _("Your password is changed. Other browsers are logged out."))
    return await come_in(request, db, settings, user, answer)


async def _account(
    request: AnyRequest,
    db: Database,
    user: User,
    session_id: int,
    form: Form | None = None,
    invalid: Invalid | None = None,
) -> Response[Any]:
    async with db.read() as session:
        sessions = await sessions_of(session, user)
        tokens = await tokens_of(session, user)
    return await page(
        request,
        "accounts/account.html",
        status=422 if invalid else 200,
        typed=_typed(user, form),
        errors=invalid.fields if invalid else {},
        languages=list(languages().items()),
        themes=[(theme, _(label)) for theme, label in THEMES.items()],
        token_count=len(tokens),
        sessions=[(each, device_name(each.user_agent), each.id == session_id) for each in sessions],
    )


def _typed(user: User, form: Form | None) -> Mapping[str, str]:
    """What stands in the fields: what the person sent, else what is stored."""
    names = ("timezone", "language", "theme")
    stored = {name: getattr(user, name) for name in names} | {"email": ""}
    sent = {name: form[name] for name in stored if form and name in form}
    return stored | sent


routes = [account_page, change_profile, move, send_again, retry_address, renew_password]
