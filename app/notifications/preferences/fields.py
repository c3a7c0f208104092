"""What may stand in a person's preferences: each check maps wrong fields, by path, to what is wrong.

The shape is that of the JSON API: `{"preferences": {type: {channel: bool}}, "digest": {"enabled",
"frequency", "hour"}, "timezone"}`, any part of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.errors import Invalid
from app.language import _
from app.notifications.events.catalogue import CHANNELS, SYNONYMS, TYPES
from app.notifications.preferences.digest import FREQUENCIES
from app.zones import zone_names

Wrong = dict[str, str]
HOURS = range(24)


def require_right(wanted: Any) -> None:
    """Raises Invalid naming every wrong field by its path, as in `preferences.<type>.sms`."""
    if wrong := wrong_fields(wanted):
        raise Invalid(wrong)


def wrong_fields(wanted: Any) -> Wrong:
    return _wrong_parts("", wanted, PARTS, _("There is no such preference."))


def _wrong_parts(
    path: str, value: Any, parts: Mapping[str, Callable[[str, Any], Wrong]], unknown: str
) -> Wrong:
    """What is wrong with the parts of an object, of which each has a check."""
    if not isinstance(value, Mapping):
        return {path: _("This is an object.")}
    wrong: Wrong = {}
    for name, part in value.items():
        inner = f"{path}.{name}" if path else str(name)
        wrong |= parts[name](inner, part) if name in parts else {inner: unknown}
    return wrong


def _wrong_types(path: str, value: Any) -> Wrong:
    checks = dict.fromkeys([*TYPES, *SYNONYMS], _wrong_channels)
    return _wrong_parts(path, value, checks, _("There is no such type of notification."))


def _wrong_channels(path: str, value: Any) -> Wrong:
    unknown = _("There is no such channel: it is in_app, email or push.")
    return _wrong_parts(path, value, dict.fromkeys(CHANNELS, _wrong_switch), unknown)


def _wrong_switch(path: str, value: Any) -> Wrong:
    return {} if isinstance(value, bool) else {path: _("This is true or false.")}


def _wrong_digest(path: str, value: Any) -> Wrong:
    checks = {"enabled": _wrong_switch, "frequency": _wrong_frequency, "hour": _wrong_hour}
    return _wrong_parts(path, value, checks, _("There is no such preference."))


def _wrong_frequency(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in FREQUENCIES
    return {} if is_right else {path: _("A digest comes daily or weekly.")}


def _wrong_hour(path: str, value: Any) -> Wrong:
    is_right = type(value) is int and value in HOURS
    return {} if is_right else {path: _("The hour is a whole number from 0 to 23.")}


def _wrong_zone(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in zone_names()
    return {} if is_right else {path: _("There is no time zone of this name.")}


PARTS = {"preferences": _wrong_types, "digest": _wrong_digest, "timezone": _wrong_zone}
