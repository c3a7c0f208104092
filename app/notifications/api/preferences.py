"""What a person wants to hear of and where, for programs: the twin of the page."""

from typing import Annotated, Any, Literal

import msgspec
from litestar.di import NamedDependency
from msgspec import UNSET, Meta, UnsetType

from app import api
from app.api.shapes import Answer, Sent, like
from app.database import Database
from app.models import User
from app.notifications.events.catalogue import MEMBER_ADDED, SYNONYMS, TYPES
from app.notifications.preferences import switches as preferences
from app.notifications.preferences.fields import wrong_fields
from app.zones import zone_names

HOUR = Meta(ge=0, le=23, description="By the person's own clock.")
EXAMPLE = like(
    preferences={MEMBER_ADDED.name: {"in_app": True, "email": False, "push": False}},
    digest={"enabled": True, "frequency": "daily", "hour": 8},
    timezone="Europe/Berlin",
)


class SwitchesObject(Answer):
    """Whether one type of event is wanted on each channel."""

    in_app: bool
    email: bool
    push: bool


class DigestObject(Answer):
    """Weekly digests come on Mondays."""

    enabled: bool
    frequency: Literal["daily", "weekly"]
    hour: Annotated[int, HOUR]


class PreferencesObject(Answer):
    """What holds, for every type of event; `timezone` is an IANA name."""

    preferences: dict[str, SwitchesObject]
    digest: DigestObject
    timezone: str

    example = EXAMPLE


class SwitchesChange(Sent):
    in_app: bool | UnsetType = UNSET
    email: bool | UnsetType = UNSET
    push: bool | UnsetType = UNSET


class DigestChange(Sent):
    enabled: bool | UnsetType = UNSET
    frequency: Literal["daily", "weekly"] | UnsetType = UNSET
    hour: Annotated[int, HOUR] | UnsetType = UNSET


TypesChange = msgspec.defstruct(
    "TypesChange",
    [(name, SwitchesChange | UnsetType, UNSET) for name in (*TYPES, *SYNONYMS)],
    bases=(Sent,),
    module=__name__,
)
Zone = Annotated[str, Meta(extra_json_schema={"enum": sorted(zone_names())})]


class PreferencesChange(Sent):
    """Any part of the preferences; the rest stays as it is."""

    preferences: TypesChange | UnsetType = UNSET  # type: ignore[valid-type]
    digest: DigestChange | UnsetType = UNSET
    timezone: Zone | UnsetType = UNSET

    example = EXAMPLE

    @classmethod
    def wrong(cls, sent: Any) -> dict[str, str]:
        return wrong_fields(sent)


@api.get("/api/notification-preferences")
async def show(db: NamedDependency[Database], user: NamedDependency[User]) -> PreferencesObject:
    """Every type on every channel as it is in effect, the digest, and the time zone."""
    async with db.read() as session:
        return _as_json(await preferences.read(session, user))


@api.put("/api/notification-preferences")
async def change(
    db: NamedDependency[Database],
    user: NamedDependency[User],
    sent: NamedDependency[PreferencesChange],
) -> PreferencesObject:
    """Change any part of one's preferences; answers with the whole."""
    async with db.act() as session:
        await preferences.change(session, user, msgspec.to_builtins(sent))
        return _as_json(await preferences.read(session, user))


def _as_json(held: preferences.Preferences) -> PreferencesObject:
    return msgspec.convert(held, PreferencesObject, from_attributes=True)


routes = [show, change]
