"""Whether a user wants an event on a channel: the catalogue's default, unless a row differs.

This is one SQL expression, used in the fan-out and again when a delivery is sent. The verbs that
change preferences are here as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import Subquery

from app.database.upsert import insert_into
from app.models import Mute, Preference, UngroupedType, User
from app.models.notification import REGROUPED
from app.notifications.events.audience import AFFECTED, PROJECT
from app.notifications.events.catalogue import SYNONYMS, TYPES, types_on_by_default
from app.notifications.events.event_type import EventType
from app.notifications.events.positions import record_change
from app.notifications.preferences.channels import channel_names
from app.notifications.preferences.digest import reschedule
from app.notifications.preferences.fields import require_right

UserId = SQLColumnExpression[Any]
TypeName = SQLColumnExpression[str]


def wants(user_id: UserId, event_type: EventType, channel: str) -> ColumnElement[bool]:
    """True if this user wants events of this type on `channel`."""
    chosen = _choice(user_id, literal(event_type.name), channel)
    return func.coalesce(chosen, event_type.is_on(channel))


def wants_each(user_id: UserId, type_name: TypeName, channel: str) -> ColumnElement[bool]:
    """The same for rows of different types."""
    chosen = _choice(user_id, type_name, channel)
    return func.coalesce(chosen, type_name.in_(types_on_by_default(channel)))


def _choice(user_id: UserId, type_name: TypeName, channel: str) -> ScalarSelect[bool]:
    row = select(Preference.wanted).where(is_choice(Preference, user_id, type_name, channel))
    return row.correlate_except(Preference).scalar_subquery()


def is_choice(
    table: type[Preference], user_id: UserId, type_name: TypeName, channel: str
) -> ColumnElement[bool]:
    """Matches the row of `table` with this user's choice for this type and channel."""
    return and_(table.user_id == user_id, table.type == type_name, table.channel == channel)


def is_not_muted(event_type: EventType, audience: Subquery) -> ColumnElement[bool] | None:
    """True for users of this audience who have not muted the team or project; None if muting does not
    apply.
    """
    if not event_type.can_be_muted:
        return None
    muted = has_muted(audience.c.user_id, audience.c.team_id, PROJECT)
    return or_(~muted, audience.c.user_id == AFFECTED)


def has_muted(
    user_id: SQLColumnExpression[Any],
    team_id: SQLColumnExpression[Any],
    project_id: SQLColumnExpression[Any],
) -> ColumnElement[bool]:
    """True if this user has muted the team or the project; NULL stands for neither."""
    either = or_(Mute.team_id == team_id, Mute.project_id == project_id)
    return exists(select(Mute.id).where(Mute.user_id == user_id, either).correlate_except(Mute))


@dataclass(frozen=True)
class Digest:
    """`frequency` is daily or weekly (on Mondays); `hour` is in the user's time zone."""

    enabled: bool
    frequency: str
    hour: int


@dataclass(frozen=True)
class Preferences:
    """A user's effective preferences, shaped as in the JSON API: `preferences[type][channel]`."""

    preferences: dict[str, dict[str, bool]]
    digest: Digest
    timezone: str
    added_directly_by: str
    grouping: bool
    ungrouped_types: list[str]
    density: str
    shortcuts: bool
    sound: bool
    urgent_first: bool


async def read(session: AsyncSession, user: User) -> Preferences:
    """Every type on every channel, the digest, the time zone ("UTC" where none is chosen), who may
    add the user to a team, and how the inbox looks and acts.
    """
    user = await session.get_one(User, user.id)
    stored = await exceptions_of(session, user)
    channels = channel_names(session)
    return Preferences(
        preferences={
            name: {channel: event_type.is_on(channel) for channel in channels}
            | stored.get(name, {})
            for name, event_type in TYPES.items()
        },
        digest=Digest(user.digest_is_on, user.digest_frequency, user.digest_hour),
        timezone=user.timezone or "UTC",
        ungrouped_types=await ungrouped_types(session, user),
        **{name: getattr(user, name) for name in _PLAIN},
    )


async def exceptions_of(session: AsyncSession, user: User) -> dict[str, dict[str, bool]]:
    """The switches that differ from the defaults: `[type][channel]`."""
    rows = await session.scalars(select(Preference).where(Preference.user_id == user.id))
    found: dict[str, dict[str, bool]] = {}
    for row in rows:
        found.setdefault(row.type, {})[row.channel] = row.wanted
    return found


async def ungrouped_types(session: AsyncSession, user: User) -> list[str]:
    """The types that form no groups for this user, in the order of the catalogue."""
    rows = select(UngroupedType.type).where(UngroupedType.user_id == user.id)
    chosen = set(await session.scalars(rows))
    return [name for name in TYPES if name in chosen]


async def change(session: AsyncSession, user: User, wanted: Mapping[str, Any]) -> None:
    """Change any part of what `read` returns, within an act; pending mail is rescheduled.

    Open lists are refreshed if they must be arranged differently. Raises Invalid naming every wrong
    field by its path, and then changes nothing.
    """
    require_right(wanted, channel_names(session))
    user = await session.get_one(User, user.id)
    await _store_switches(session, user, wanted.get("preferences", {}))
    for field, value in wanted.get("digest", {}).items():
        setattr(user, _DIGEST[field], value)
    is_arranged_anew = any(
        wanted.get(name, getattr(user, name)) != getattr(user, name) for name in _ARRANGING
    )
    if "ungrouped_types" in wanted:
        is_arranged_anew |= await _store_ungrouped_types(session, user, wanted["ungrouped_types"])
    if is_arranged_anew:
        await record_change(session, REGROUPED, user.id, ids=[])
    for field in ("timezone", *_PLAIN):
        setattr(user, field, wanted.get(field, getattr(user, field)))
    if "digest" in wanted or "timezone" in wanted:
        await reschedule(session, user)


# The preferences that are columns of the user under the same name.
_PLAIN = ("added_directly_by", "grouping", "density", "shortcuts", "sound", "urgent_first")
# Those that decide how lists are arranged.
_ARRANGING = "grouping", "urgent_first"
_DIGEST = {"enabled": "digest_is_on", "frequency": "digest_frequency", "hour": "digest_hour"}


async def _store_switches(
    session: AsyncSession, user: User, wanted: Mapping[str, Mapping[str, bool]]
) -> None:
    """Only choices that differ from the default have a row, so that defaults can change."""
    chosen = {
        (SYNONYMS.get(name, name), channel): value
        for name, channels in wanted.items()
        for channel, value in channels.items()
    }
    exceptions = {key: value for key, value in chosen.items() if value != _default(*key)}
    await _forget(session, user, chosen.keys() - exceptions.keys())
    await _keep(session, user, exceptions)


async def _store_ungrouped_types(session: AsyncSession, user: User, names: Collection[str]) -> bool:
    """Have these types alone form no groups; returns whether that is a change."""
    wanted = {SYNONYMS.get(name, name) for name in names}
    known = set(await ungrouped_types(session, user))
    for type in wanted - known:
        session.add(UngroupedType(user_id=user.id, type=type))
    no_longer = UngroupedType.type.in_(known - wanted)
    await session.execute(delete(UngroupedType).where(UngroupedType.user_id == user.id, no_longer))
    return wanted != known


def _default(type: str, channel: str) -> bool:
    return TYPES[type].is_on(channel)


async def _forget(session: AsyncSession, user: User, keys: Collection[tuple[str, str]]) -> None:
    these = tuple_(Preference.type, Preference.channel).in_(keys)
    await session.execute(delete(Preference).where(Preference.user_id == user.id, these))


async def _keep(
    session: AsyncSession, user: User, exceptions: Mapping[tuple[str, str], bool]
) -> None:
    if not exceptions:
        return
    rows = [
        {"user_id": user.id, "type": type, "channel": channel, "wanted": value}
        for (type, channel), value in exceptions.items()
    ]
    insert = insert_into(session, Preference).values(rows)
    key = [Preference.user_id, Preference.type, Preference.channel]
    changed = {"wanted": insert.excluded.wanted}
    await session.execute(insert.on_conflict_do_update(index_elements=key, set_=changed))


async def set_timezone(session: AsyncSession, user: User, name: str) -> None:
    """Move to the zone of this IANA name. Raises Invalid for `timezone`."""
    await change(session, user, {"timezone": name})


async def reset(session: AsyncSession, user: User) -> None:
    """Set every switch back to the catalogue's default."""
    await session.execute(delete(Preference).where(Preference.user_id == user.id))


async def set_pushes_always(session: AsyncSession, user: User, *, wanted: bool) -> None:
    """Choose whether to push even while the user has a page in view."""
    user = await session.get_one(User, user.id)
    user.pushes_always = wanted
