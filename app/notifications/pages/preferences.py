"""/account/notifications: which events reach a user on which channel, digest, devices and mutes, and
how the inbox looks and acts.

Each control is named by its path in the preferences. With scripts it is saved by itself, so that
an old page reverts nothing that was changed elsewhere; without scripts all are saved at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.database import Database
from app.errors import Forbidden, Invalid, NotFound
from app.http import AnyRequest, Form, is_partial, redirect
from app.language import _
from app.layout import ask, fragment, page
from app.mail.suppressions import is_suppressed, lift_of
from app.models import User
from app.notifications.channels.push.device_list import read_list
from app.notifications.events.catalogue import TYPES
from app.notifications.events.event_type import HEADINGS, EventType
from app.notifications.preferences import muting
from app.notifications.preferences import switches as preferences
from app.notifications.preferences.channels import channel_names, descriptions_of
from app.notifications.preferences.digest import DAILY, WEEKLY
from app.notifications.preferences.fields import (
    ANYONE,
    COMFORTABLE,
    COMPACT,
    HOURS,
    NOBODY,
    TEAMMATES,
)
from app.rendering import zone_of
from app.values.numbers import whole_number

HERE = "/account/notifications"
Values = dict[str, Any]

DIGEST = ("digest.enabled", "digest.frequency", "digest.hour", "timezone")
PUSHES_ALWAYS = "pushes_always"
ADDED_BY = "added_directly_by"
DENSITY = "density"
INBOX = (DENSITY, "grouping", "urgent_first", "shortcuts", "sound")
UNGROUPED = "ungrouped_types"


@get()
async def show(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str]:
    return await page(request, "notifications/preferences.html", **await _context(db, user))


@post(status_code=200)
async def save_all(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
) -> Response[str] | Response[None]:
    wanted = _typed(form, _fields(db))
    try:
        await _save(db, user, wanted)
    except Invalid as invalid:
        context = await _context(db, user, wanted, invalid)
        return await page(request, "notifications/preferences.html", status=422, **context)
    return redirect(HERE, _("Saved."))


@post(status_code=200)
async def save_one(
    request: AnyRequest,
    db: NamedDependency[Database],
    user: NamedDependency[User],
    form: NamedDependency[Form],
    field: FromPath[str],
) -> Response[str] | Response[None]:
    """One control, as soon as it is changed; answers with the parts of the page that depend on it."""
    if field not in _fields(db):
        raise NotFound
    wanted, invalid = _typed(form, [field]), None
    try:
        await _save(db, user, wanted)
    except Invalid as error:
        invalid = error
    if not is_partial(request):
        if invalid:
            return redirect(HERE, _("Your change was not saved."), kind="problem")
        return redirect(HERE, _("Saved."))
    context = await _context(db, user, wanted if invalid else None, invalid)
    return fragment(
        request,
        "notifications/_preference_saved.html",
        status=422 if invalid else 200,
        is_digest=field in DIGEST,
        **context,
    )


@get()
async def ask_to_reset(
    request: AnyRequest, db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[str] | Response[None]:
    async with db.read() as session:
        if not await preferences.exceptions_of(session, user):
            return redirect(HERE, _("All switches were reset to their defaults."))
    return await ask(
        request,
        question=_("Reset to the defaults?"),
        explanation=_(
            "All switches return to their defaults. "
            "Your digest, time zone, and muted teams and projects do not change."
        ),
        button_label=_("Reset to defaults"),
        action=f"{HERE}/reset",
        cancel_url=HERE,
    )


@post()
async def reset(db: NamedDependency[Database], user: NamedDependency[User]) -> Response[None]:
    async with db.act() as session:
        await preferences.reset(session, user)
    return redirect(HERE, _("All switches were reset to their defaults."))


@post()
async def unmute(
    db: NamedDependency[Database], user: NamedDependency[User], mute_id: FromPath[int]
) -> Response[None]:
    async with db.exclusive() as session:
        await muting.lift(session, user, mute_id)
    return redirect(HERE, _("Unmuted."))


@post()
async def resume_invitation_mail(
    db: NamedDependency[Database], user: NamedDependency[User]
) -> Response[None]:
    if not user.is_confirmed:
        raise Forbidden(_("Confirm your address first."))
    async with db.exclusive() as session:
        await lift_of(session, user.email)
    return redirect(HERE, _("Invitations are emailed to you again."))


def _fields(db: Database) -> list[str]:
    """The names of all controls on the page that can be changed."""
    switches = [
        f"preferences.{event_type.name}.{channel}"
        for event_type in _shown_types()
        for channel in channel_names(db)
        if channel not in event_type.mandatory
    ]
    ungrouped = [f"{UNGROUPED}.{event_type.name}" for event_type in _grouped_types()]
    return [*switches, *DIGEST, PUSHES_ALWAYS, ADDED_BY, *INBOX, *ungrouped]


def _shown_types() -> list[EventType]:
    return [event_type for event_type in TYPES.values() if event_type.has_audience]


def _grouped_types() -> list[EventType]:
    return [event_type for event_type in _shown_types() if event_type.subject]


def _typed(form: Form, fields: Iterable[str]) -> Values:
    """The value of each control; browsers do not send a box that is not ticked."""
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
    ADDED_BY: str,
    DENSITY: str,
}


async def _save(db: Database, user: User, wanted: Values) -> None:
    chosen = dict(wanted)
    pushes_always = chosen.pop(PUSHES_ALWAYS, None)
    if chosen.get("timezone") == user.timezone:
        del chosen["timezone"]  # keeps a stored zone even if it is empty or no longer valid
    if not chosen.get(ADDED_BY, ANYONE):
        del chosen[ADDED_BY]  # sent by an older page, which does not have this control
    if not chosen.get(
        DENSITY, COMFORTABLE
    ):  # sent by an older page, without controls for the inbox
        chosen = {
            name: value
            for name, value in chosen.items()
            if name not in INBOX and not name.startswith(UNGROUPED)
        }
    nested = _nested(chosen)
    async with db.act() as session:
        if UNGROUPED in nested:
            stored = await preferences.ungrouped_types(session, user)
            choices = dict.fromkeys(stored, True) | nested[UNGROUPED]
            nested[UNGROUPED] = [name for name, is_ungrouped in choices.items() if is_ungrouped]
        await preferences.change(session, user, nested)
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
    """The values on the page: the stored ones, overlaid with refused input."""
    async with db.read() as session:
        user = await session.get_one(User, user.id)
        stored: dict[str, Any] = {
            "channels": descriptions_of(session),
            "values": _values(await preferences.read(session, user), user),
            "has_exceptions": bool(await preferences.exceptions_of(session, user)),
            "muted": await muting.list_muted(session, user),
            "devices": await read_list(session, user),
            "invitations_are_stopped": user.is_confirmed
            and await is_suppressed(session, user.email),
        }
    return stored | {
        "user": user,
        "values": stored["values"] | (typed or {}),
        "errors": invalid.fields if invalid else {},
        **_choices(user),
    }


def _choices(user: User) -> dict[str, Any]:
    return {
        "headings": _headings(),
        "frequencies": [(DAILY, _("Every day")), (WEEKLY, _("Every Monday"))],
        "adders": [
            (ANYONE, _("Anyone")),
            (TEAMMATES, _("People I share a team with")),
            (NOBODY, _("Nobody")),
        ],
        "grouped_types": _grouped_types(),
        "densities": [(COMFORTABLE, _("Comfortable")), (COMPACT, _("Compact"))],
        "hours": [(hour, f"{hour:02}:00") for hour in HOURS],
        "time_there": f"{clock.now().astimezone(zone_of(user)):%H:%M}",
    }


def _values(stored: preferences.Preferences, user: User) -> Values:
    switches = {
        f"preferences.{name}.{channel}": is_on
        for name, channels in stored.preferences.items()
        for channel, is_on in channels.items()
    }
    digest = {f"digest.{name}": value for name, value in asdict(stored.digest).items()}
    rest = {name: getattr(user, name) for name in ("timezone", PUSHES_ALWAYS, ADDED_BY, *INBOX)}
    ungrouped = {
        f"{UNGROUPED}.{event_type.name}": event_type.name in stored.ungrouped_types
        for event_type in _grouped_types()
    }
    return switches | digest | rest | ungrouped


def _headings() -> list[tuple[str, list[EventType]]]:
    """The types that can be switched, under their headings."""
    return [
        (_(heading), [one for one in _shown_types() if one.heading == heading])
        for heading in HEADINGS
    ]
