"""The channels: ways of reaching people outside the app. Add a channel to `open_channels`."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.mail.transactional import TransactionalMails
from app.models import Event
from app.notifications.channels.base import Channel
from app.notifications.channels.email.channel import Email
from app.notifications.channels.push.channel import Push
from app.notifications.channels.push.vapid_keys import VapidKeys
from app.notifications.events.catalogue import EventType
from app.security import Signer
from app.settings import Settings

Channels = Mapping[str, Channel]


def open_channels(
    settings: Settings, signer: Signer, keys: VapidKeys, mails: TransactionalMails
) -> Channels:
    """Every channel by its name. Raises SettingError for a setting that cannot be right."""
    channels: list[Channel] = [Email(settings, signer, mails), Push(settings, keys)]
    return {channel.name: channel for channel in channels}


def channels_of(session: AsyncSession) -> Channels:
    """The channels of the installation that opened this session."""
    channels: Channels = session.info["channels"]
    return channels


async def add_deliveries(session: AsyncSession, event: Event, kind: EventType) -> None:
    """Add a row for each recipient, channel and address that is wanted."""
    for channel in channels_of(session).values():
        await channel.add_deliveries(session, event, kind)
