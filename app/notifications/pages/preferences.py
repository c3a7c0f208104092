"""/account/notifications: what reaches a person where, when their mail comes, what they have muted.

Every control is named by its path in the preferences. With scripts each is saved by itself, so
that an old page takes back nothing that was changed elsewhere; without, all of them are.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.database import Database
from app.errors import Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect
from app.language import N_, _
from app.layout import fragment, page
from app.models import User
from app.notifications.channels.push.device_list import read_list
from app.notifications.events.catalogue import (
    CHANNELS,
    EMAIL,
    GROUPS,
    IN_APP,
    PUSH,
    TYPES,
    EventType,
)
from app.notifications.preferences import muting
from app.notifications.preferences import switches as preferences
from app.notifications.preferences.digest import DAILY, WEEKLY
from app.numbers import whole_number
from app.rendering import zone_of

HERE = "/account/notifications"
Values = dict[str, Any]

COLUMNS = {
    IN_APP: ("bi-bell", N_("In app")),
    EMAIL: ("bi-envelope", N_("Mail")),
    PUSH: ("bi-phone", N_("Push")),
}
DIGEST = ("digest.enabled", "digest.frequency", "digest.hour", "timezone")
PUSHES_ALWAYS = "pushes_always"


@get(HERE)
async def show(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    return await page(request, "notifications/preferences.html", **await _context(db, user))


@post(HERE, status_code=200)
async def save_all(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[str] | Response[None]:
    wanted = _typed(form, _fields())
    try:
        await _save(db, user, wanted)
    except Invalid as invalid:
        context = await _context(db, user, wanted, invalid)
        return await page(request, "notifications/preferences.html", status=422, **context)
    return redirect(HERE, _("Saved."))


@post(HERE + "/{field:str}", status_code=200)
async def save_one(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    field: FromPath[str],
) -> Response[str] | Response[None]:
    """One control, the moment it is changed; what depends on it is swapped in with the word."""
    if field not in _fields():
        raise NotFound
    wanted, invalid = _typed(form, [field]), None
    try:
        await _save(db, user, wanted)
    except Invalid as error:
        invalid = error
    if not is_partial(request):
        return redirect(HERE, _("Saved.") if invalid is None else _("That was not saved."))
    context = await _context(db, user, wanted if invalid else None, invalid)
    return fragment(
        request,
        "notifications/_preference_saved.html",
        status=422 if invalid else 200,
        is_digest=field in DIGEST,
        **context,
    )


@get(HERE + "/reset")
async def ask_to_reset(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str] | Response[None]:
    async with db.read() as session:
        if not await preferences.exceptions_of(session, user):
            return redirect(HERE, _("Every switch is as it was at first."))
    return await page(
        request,
        "components/confirm.html",
        question=_("Reset to the defaults?"),
        explanation=_(
            "Every switch goes back to how it was at first. "
            "The digest, your time zone and what you have muted stay as they are."
        ),
        button_label=_("Reset to defaults"),
        action=f"{HERE}/reset",
        cancel_url=HERE,
        pairs=[],
    )


@post(HERE + "/reset")
async def reset(db: NamedDependency[Database], user: NamedDependency[User]) -> Response[None]:
    async with db.act() as session:
        await preferences.reset(session, user)
    return redirect(HERE, _("Every switch is as it was at first."))


@post(HERE + "/muted/{mute_id:int}/lift")
async def unmute(
    db: NamedDependency[Database], user: NamedDependency[User], mute_id: FromPath[int]
) -> Response[None]:
    async with db.act() as session:
        await muting.lift(session, user, mute_id)
    return redirect(HERE, _("Unmuted."))


def _fields() -> list[str]:
    """Every control of the page."""
    switches = [
        f"preferences.{kind.name}.{channel}" for kind in _shown_types() for channel in CHANNELS
    ]
    return [*switches, *DIGEST, PUSHES_ALWAYS]


def _shown_types() -> list[EventType]:
    return [kind for kind in TYPES.values() if kind.reaches_somebody]


def _typed(form: Form, fields: Iterable[str]) -> Values:
    """What the controls were set to; a box that is not ticked is not sent."""
    return {field: _READERS.get(field, _is_ticked)(form[field]) for field in fields}


def _is_ticked(text: str) -> bool:
    return text == "1"


def _hour(text: str) -> int | str:
    number = whole_number(text, most=99)
    return text if number is None else number


_READERS: dict[str, Callable[[str], Any]] = {
    "digest.frequency": str,
    "digest.hour": _hour,
    "timezone": str,
}


async def _save(db: Database, user: User, wanted: Values) -> None:
    chosen = dict(wanted)
    pushes_always = chosen.pop(PUSHES_ALWAYS, None)
    if chosen.get("timezone") == user.timezone:
        del chosen["timezone"]  # not chosen yet, or one that is no more: it may stay
    async with db.act() as session:
        await preferences.change(session, user, _nested(chosen))
        if pushes_always is not None:
            await preferences.set_pushes_always(session, user, wanted=pushes_always)


def _nested(values: Values) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, value in values.items():
        *outer, name = path.split(".")
        inside = nested
        for part in outer:
            inside = inside.setdefault(part, {})
        inside[name] = value
    return nested


async def _context(
    db: Database, user: User, typed: Values | None = None, invalid: Invalid | None = None
) -> dict[str, Any]:
    """What the page shows: what is stored, and over it what was typed and is wrong."""
    async with db.read() as session:
        account = await session.get_one(User, user.id)
        stored = await preferences.read(session, account)
        exceptions = await preferences.exceptions_of(session, account)
        muted = await muting.list_muted(session, account)
        listed = await read_list(session, account)
    return {
        "user": account,
        "values": _values(stored, account) | (typed or {}),
        "errors": invalid.fields if invalid else {},
        "groups": _groups(),
        "columns": [(channel, icon, _(label)) for channel, (icon, label) in COLUMNS.items()],
        "frequencies": [(DAILY, _("Every day")), (WEEKLY, _("Every Monday"))],
        "hours": [(hour, f"{hour:02}:00") for hour in range(24)],
        "now_there": f"{clock.now().astimezone(zone_of(account)):%H:%M}",
        "has_exceptions": bool(exceptions),
        "muted": muted,
        "devices": listed,
    }


def _values(stored: preferences.Preferences, account: User) -> Values:
    switches = {
        f"preferences.{name}.{channel}": is_on
        for name, channels in stored.preferences.items()
        for channel, is_on in channels.items()
    }
    digest = {f"digest.{name}": value for name, value in asdict(stored.digest).items()}
    rest = {"timezone": account.timezone, PUSHES_ALWAYS: account.pushes_always}
    return switches | digest | rest


def _groups() -> list[tuple[str, list[EventType]]]:
    return [
        (_(group), [kind for kind in _shown_types() if kind.group == group]) for group in GROUPS
    ]


routes = [show, save_all, ask_to_reset, reset, unmute, save_one]
