"""A channel as preferences, logs and pages see it, without how it sends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.language import N_
from app.notifications.events.event_type import IN_APP


@dataclass(frozen=True)
class ChannelDescription:
    """`name` is used in rows and JSON; `label` is shown to users, translated; `icon` is in the
    sprite.
    """

    name: str
    label: str
    icon: str


class Described(Protocol):
    @property
    def description(self) -> ChannelDescription: ...


# Bell and inbox: they need no deliveries, but can be switched off like any other channel.
IN_APP_CHANNEL = ChannelDescription(IN_APP, N_("In app"), "bi-bell")


def descriptions_of(opened: AsyncSession | Database) -> Sequence[ChannelDescription]:
    """Every channel of the installation that opened this session or database, the app itself first."""
    others: Iterable[Described] = opened.info["channels"].values()
    return [IN_APP_CHANNEL, *(one.description for one in others)]


def channel_names(opened: AsyncSession | Database) -> Sequence[str]:
    return [one.name for one in descriptions_of(opened)]
