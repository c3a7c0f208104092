"""Whether somebody wants an event on a channel: the catalogue's default, overlaid by exceptions.

One SQL expression, used by the fan-out and again at the moment of sending; and the verbs by which
people change what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import Subquery

from app.models import Event, Mute, Preference, User
from app.notifications.events.catalogue import CHANNELS, IN_APP, SYNONYMS, TYPES, EventType
from app.notifications.preferences.digest import reschedule
from app.notifications.preferences.fields import require_right


def is_default(kind: EventType, channel: str) -> bool:
    return channel == IN_APP or channel in kind.channels


def wants(kind: EventType, channel: str) -> ColumnElement[bool]:
    """True where a person, whose `Preference` row is outer-joined, wants `kind` on `channel`."""
    return func.coalesce(getattr(Preference, channel), is_default(kind, channel))


def is_not_muted(event: Event, kind: EventType, people: Subquery) -> ColumnElement[bool] | None:
    """True for whom the team or project is not muted; None where muting does not apply."""
    if not kind.can_be_muted:
        return None
    project_id = literal(event.project_id, Event.project_id.type)
    muted = has_muted(people.c.user_id, people.c.team_id, project_id)
    return or_(~muted, people.c.user_id == event.affected_id)


def has_muted(
    user_id: SQLColumnExpression[Any],
    team_id: SQLColumnExpression[Any],
    project_id: SQLColumnExpression[Any],
) -> ColumnElement[bool]:
    """True where this person has muted the team or the project; NULL stands for none."""
    either = or_(Mute.team_id == team_id, Mute.project_id == project_id)
    return exists(select(Mute.id).where(Mute.user_id == user_id, either).correlate_except(Mute))


@dataclass(frozen=True)
class Digest:
    """`frequency` is daily or weekly (on Mondays), `hour` that of the person's own clock."""

    enabled: bool
    frequency: str
    hour: int


@dataclass(frozen=True)
class Preferences:
    """What holds for a person, in the shape of the JSON API: `preferences[type][channel]`."""

    preferences: dict[str, dict[str, bool]]
    digest: Digest
    timezone: str


async def read(session: AsyncSession, user: User) -> Preferences:
    """Every type on every channel as it is in effect, the digest, and the zone ("UTC" for none)."""
    account = await session.get_one(User, user.id)
    stored = await exceptions_of(session, account)
    return Preferences(
        preferences={kind.name: _in_effect(kind, stored.get(kind.name)) for kind in TYPES.values()},
        digest=Digest(account.digest_is_on, account.digest_frequency, account.digest_hour),
        timezone=account.timezone or "UTC",
    )


async def exceptions_of(session: AsyncSession, user: User) -> dict[str, Preference]:
    """What differs from the defaults, by type."""
    rows = await session.scalars(select(Preference).where(Preference.user_id == user.id))
    return {row.type: row for row in rows}


def _in_effect(kind: EventType, row: Preference | None) -> dict[str, bool]:
    chosen = {channel: getattr(row, channel, None) for channel in CHANNELS}
    return {
        channel: is_default(kind, channel) if value is None else value
        for channel, value in chosen.items()
    }


async def change(session: AsyncSession, user: User, wanted: Mapping[str, Any]) -> None:
    """Change any part of what `read` gives, within an act: waiting mail follows.

    Raises Invalid naming every wrong field by its path, and has changed nothing then.
    """
    require_right(wanted)
    account = await session.get_one(User, user.id)
    await _store_switches(session, account, wanted.get("preferences", {}))
    for field, value in wanted.get("digest", {}).items():
        setattr(account, _DIGEST[field], value)
    account.timezone = wanted.get("timezone", account.timezone)
    if "digest" in wanted or "timezone" in wanted:
        await reschedule(session, account)


_DIGEST = {"enabled": "digest_is_on", "frequency": "digest_frequency", "hour": "digest_hour"}


async def _store_switches(
    session: AsyncSession, account: User, wanted: Mapping[str, Mapping[str, bool]]
) -> None:
    stored = await exceptions_of(session, account)
    for name, channels in wanted.items():
        kind = TYPES[SYNONYMS.get(name, name)]
        row = stored.setdefault(kind.name, Preference(type=kind.name, user_id=account.id))
        for channel, value in channels.items():
            setattr(row, channel, None if value == is_default(kind, channel) else value)
    for row in stored.values():
        await _keep_exceptions(session, row)


async def _keep_exceptions(session: AsyncSession, row: Preference) -> None:
    if any(getattr(row, channel) is not None for channel in CHANNELS):
        session.add(row)
    elif row in session:
        await session.delete(row)


async def set_switch(
    session: AsyncSession, user: User, type: str, channel: str, *, wanted: bool
) -> None:
    """Have events of this type come on this channel, or not. Raises Invalid as `change` does."""
    await change(session, user, {"preferences": {type: {channel: wanted}}})


async def set_timezone(session: AsyncSession, user: User, name: str) -> None:
    """Live in the zone of this IANA name from now on. Raises Invalid for `timezone`."""
    await change(session, user, {"timezone": name})


async def reset(session: AsyncSession, user: User) -> None:
    """Every switch as the catalogue has it."""
    await session.execute(delete(Preference).where(Preference.user_id == user.id))


async def set_pushes_always(session: AsyncSession, user: User, *, wanted: bool) -> None:
    """Have pushes sent also while a page is being looked at, or spared then."""
    account = await session.get_one(User, user.id)
    account.pushes_always = wanted
