"""What a user's preferences may contain. Each check maps the path of a wrong field to a sentence.

The shape is that of the JSON API: `{"preferences": {type: {channel: bool}}, "digest": {"enabled",
"frequency", "hour"}, "timezone", "added_directly_by", "grouping", "ungrouped_types", "density",
"shortcuts", "sound", "urgent_first"}`, or any part of it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from app.errors import Invalid
from app.language import _
from app.notifications.events.catalogue import SYNONYMS, TYPES
from app.notifications.preferences.digest import FREQUENCIES
from app.zones import zone_names

Wrong = dict[str, str]
Check = Callable[[str, Any], Wrong]
HOURS = range(24)
# Who may add a user to a team without an invitation.
ADDERS = ANYONE, TEAMMATES, NOBODY = "anyone", "teammates", "nobody"
DENSITIES = COMFORTABLE, COMPACT = "comfortable", "compact"


def require_right(wanted: Any, channels: Sequence[str]) -> None:
    """Raises Invalid naming every wrong field by its path, as in `preferences.<type>.sms`."""
    if wrong := wrong_fields(wanted, channels):
        raise Invalid(wrong)


def wrong_fields(wanted: Any, channels: Sequence[str]) -> Wrong:
    """`channels` are the names of the channels that a type can be switched on for."""
    parts: dict[str, Check] = {
        "preferences": partial(_wrong_types, channels=channels),
        "digest": _wrong_digest,
        "timezone": _wrong_zone,
        "added_directly_by": _wrong_adders,
        "grouping": _wrong_switch,
        "ungrouped_types": _wrong_list_of_types,
        "density": _wrong_density,
        "shortcuts": _wrong_switch,
        "sound": _wrong_switch,
        "urgent_first": _wrong_switch,
    }
    return _wrong_parts("", wanted, parts, _("Unknown preference."))


def _wrong_parts(path: str, value: Any, parts: Mapping[str, Check], unknown: str) -> Wrong:
    """The errors in an object, given a check for each field."""
    if not isinstance(value, Mapping):
        return {path: _("This must be a JSON object.")}
    wrong: Wrong = {}
    for name, part in value.items():
        inner = f"{path}.{name}" if path else str(name)
        wrong |= parts[name](inner, part) if name in parts else {inner: unknown}
    return wrong


def _wrong_types(path: str, value: Any, channels: Sequence[str]) -> Wrong:
    checks = {
        name: partial(_wrong_channels, type=SYNONYMS.get(name, name), channels=channels)
        for name in (*TYPES, *SYNONYMS)
    }
    return _wrong_parts(path, value, checks, _("Unknown notification type."))


def _wrong_channels(path: str, value: Any, type: str, channels: Sequence[str]) -> Wrong:
    unknown = _("Unknown channel. Choose one of: {names}.").format(names=", ".join(channels))
    mandatory = TYPES[type].mandatory
    checks = {name: _wrong_mandatory if name in mandatory else _wrong_switch for name in channels}
    return _wrong_parts(path, value, checks, unknown)


def _wrong_switch(path: str, value: Any) -> Wrong:
    return {} if isinstance(value, bool) else {path: _("This must be true or false.")}


def _wrong_mandatory(path: str, value: Any) -> Wrong:
    cannot = _("This cannot be turned off, because it is about the security of your account.")
    return {path: cannot} if value is False else _wrong_switch(path, value)


def _wrong_list_of_types(path: str, value: Any) -> Wrong:
    if not isinstance(value, list | tuple):
        return {path: _("This must be a list of notification types.")}
    is_right = all(isinstance(one, str) and (one in TYPES or one in SYNONYMS) for one in value)
    return {} if is_right else {path: _("Unknown notification type.")}


def _wrong_digest(path: str, value: Any) -> Wrong:
    checks = {"enabled": _wrong_switch, "frequency": _wrong_frequency, "hour": _wrong_hour}
    return _wrong_parts(path, value, checks, _("Unknown preference."))


def _wrong_frequency(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in FREQUENCIES
    return {} if is_right else {path: _("Choose daily or weekly.")}


def _wrong_hour(path: str, value: Any) -> Wrong:
    is_right = type(value) is int and value in HOURS
    return {} if is_right else {path: _("The hour must be a whole number from 0 to 23.")}


def _wrong_zone(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in zone_names()
    return {} if is_right else {path: _("There is no time zone with this name.")}


def _wrong_density(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in DENSITIES
    return {} if is_right else {path: _("Choose comfortable or compact.")}


def _wrong_adders(path: str, value: Any) -> Wrong:
    is_right = isinstance(value, str) and value in ADDERS
    return {} if is_right else {path: _("Choose anyone, teammates or nobody.")}
