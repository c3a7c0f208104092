"""The channels: ways of reaching users outside the app. Add a channel to the REGISTRY."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.mail.transactional import TransactionalMails
from app.models import Event
from app.notifications.channels.base import Channel
from app.notifications.channels.email.channel import Email
from app.notifications.channels.push.channel import Push
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.events.catalogue import EventType
from app.notifications.preferences.channels import ChannelDescription
from app.security import Signer
from app.settings import Settings

Channels = Mapping[str, Channel]


@dataclass(frozen=True)
class Parts:
    """The parts of the installation that a channel may be made of."""

    settings: Settings
    signer: Signer
    vapid_keys: VapidKeys
    transactional_mails: TransactionalMails


REGISTRY: Mapping[ChannelDescription, Callable[[Parts], Channel]] = {
    Email.description: lambda of: Email(of.settings, of.signer, of.transactional_mails),
    Push.description: lambda of: Push(of.settings, of.vapid_keys),
}


def open_channels(
    settings: Settings, signer: Signer, keys: VapidKeys, mails: TransactionalMails
) -> Channels:
    """Every channel by its name. Raises SettingError for a setting that cannot be right."""
    parts = Parts(settings, signer, keys, mails)
    return {description.name: make(parts) for description, make in REGISTRY.items()}


def channels_of(session: AsyncSession) -> Channels:
    """The channels of the installation that opened this session."""
    channels: Channels = session.info["channels"]
    return channels


async def add_deliveries(session: AsyncSession, event: Event, event_type: EventType) -> None:
    """Add a row for each recipient, channel and address that is wanted."""
    for channel in channels_of(session).values():
        await channel.add_deliveries(session, event, event_type)
