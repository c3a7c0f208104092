"""The notification preferences in JSON: which events reach a user on which channel."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from app.api.shapes import RequestBody, ResponseBody, like
from app.database import Database
from app.models import User
from app.notifications import channels
from app.notifications.events.catalogue import CUSTOM, MEMBER_ADDED, SYNONYMS, TYPES
from app.notifications.events.event_type import IN_APP, EventType
from app.notifications.preferences import switches as preferences
from app.notifications.preferences.digest import DAILY, FREQUENCIES
from app.notifications.preferences.fields import (
    ADDERS,
    ANYONE,
    COMFORTABLE,
    DENSITIES,
    HOURS,
    wrong_fields,
)
from app.zones import zone_names


def _channels() -> list[str]:
    return [IN_APP, *(channel.description.name for channel in channels.CHANNELS)]


CHANNELS = _channels()
SWITCHES = {"properties": {channel: {"type": "boolean"} for channel in CHANNELS}}
ALWAYS_ON = {"type": "boolean", "enum": [True], "description": "This cannot be turned off."}
HOUR = Meta(ge=HOURS[0], le=HOURS[-1], description="In the user's time zone.")
EXAMPLE = like(
    preferences={MEMBER_ADDED.name: {name: MEMBER_ADDED.is_on(name) for name in CHANNELS}},
    digest={"enabled": True, "frequency": DAILY, "hour": 8},
    timezone="Europe/Berlin",
    added_directly_by=ANYONE,
    grouping=True,
    ungrouped_types=[CUSTOM.name],
    density=COMFORTABLE,
    shortcuts=True,
    sound=False,
    urgent_first=False,
)
AddedBy: Any = Literal[ADDERS]
Density: Any = Literal[DENSITIES]
Frequency: Any = Literal[FREQUENCIES]
TypeName = Literal[(*TYPES,)]  # type: ignore[valid-type]
AcceptedType = Literal[(*TYPES, *SYNONYMS)]  # type: ignore[valid-type]

# By channel. The names come from the registry, so these are objects that the document describes.
AllSwitches = Annotated[dict[str, bool], Meta(extra_json_schema=SWITCHES | {"required": CHANNELS})]


class DigestObject(ResponseBody):
    """Weekly digests are sent on Mondays."""

    enabled: bool
    frequency: Frequency
    hour: Annotated[int, HOUR]


class PreferencesObject(ResponseBody):
    """The effective preferences for every event type; `timezone` is an IANA name.

    `added_directly_by` says who may add you to a team without an invitation; teammates are users
    you share a team with. `grouping`: pages show notifications about the same thing as one row;
    `ungrouped_types`: notifications of these types are never grouped; `shortcuts`: pages listen to
    single keys; `sound`: urgent notifications make a sound; `urgent_first`: on the page of the inbox
    and in the bell, the unread urgent ones stand above the others.
    """

    preferences: dict[str, AllSwitches]
    digest: DigestObject
    timezone: str
    added_directly_by: AddedBy
    grouping: bool
    ungrouped_types: list[TypeName]
    density: Density
    shortcuts: bool
    sound: bool
    urgent_first: bool

    example = EXAMPLE


class DigestChange(RequestBody):
    enabled: bool | UnsetType = UNSET
    frequency: Frequency | UnsetType = UNSET
    hour: Annotated[int, HOUR] | UnsetType = UNSET


def _some_switches(event_type: EventType) -> Any:
    switches = SWITCHES["properties"] | dict.fromkeys(event_type.mandatory, ALWAYS_ON)
    schema = {"properties": switches, "additionalProperties": False}
    return Annotated[dict[str, bool], Meta(extra_json_schema=schema)] | UnsetType


TypesChange = msgspec.defstruct(
    "TypesChange",
    [
        (name, _some_switches(TYPES[SYNONYMS.get(name, name)]), UNSET)
        for name in (*TYPES, *SYNONYMS)
    ],
    bases=(RequestBody,),
    module=__name__,
)
Zone = Annotated[str, Meta(extra_json_schema={"enum": sorted(zone_names())})]


class PreferencesChange(RequestBody):
    """Any part of the preferences; the rest does not change."""

    preferences: TypesChange | UnsetType = UNSET  # type: ignore[valid-type]
    digest: DigestChange | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET
    added_directly_by: AddedBy | UnsetType = UNSET
    grouping: bool | UnsetType = UNSET
    ungrouped_types: list[AcceptedType] | UnsetType = UNSET
    density: Density | UnsetType = UNSET
    shortcuts: bool | UnsetType = UNSET
    sound: bool | UnsetType = UNSET
    urgent_first: bool | UnsetType = UNSET

    example = EXAMPLE

    @classmethod
    def find_errors(cls, data: Any) -> dict[str, str]:
        return wrong_fields(data, _channels())


@get()
async def show(db: NamedDependency[Database], user: NamedDependency[User]) -> PreferencesObject:
    """Read which event types are on for which channel, the digest, and the time zone."""
    async with db.read() as session:
        return _as_json(await preferences.read(session, user))


@put()
async def change(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    data: JSONBody[PreferencesChange],
) -> PreferencesObject:
    """Change any part of the preferences. Returns all of them."""
    async with db.act() as session:
        await preferences.change(session, user, msgspec.to_builtins(data))
        return _as_json(await preferences.read(session, user))


def _as_json(found: preferences.Preferences) -> PreferencesObject:
    return msgspec.convert(found, PreferencesObject, from_attributes=True)
