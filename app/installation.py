"""Everything one installation is made of, built once for web, worker, doctor and tests alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.accounts.addresses import CONFIRM_MAIL
from app.accounts.passwords import RESET_MAIL
from app.broker import Broker, open_broker, require_supported
from app.database import Database
from app.database.keys import SECRET_KEY, kept_key, random_key
from app.language import _
from app.notifications.channels import open_channels
from app.notifications.channels.base import Channels, Parts
from app.notifications.channels.push import vapid_keys
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.vapid_keys import VapidKeys, read_keys
from app.notifications.inbox.tallies import TalliedLists
from app.notifications.inbox.totals import CountedInboxes
from app.projects.video.turns import Turns, number_of_slots
from app.security import Signer
from app.settings import SettingError, Settings
from app.teams.invitation_mail import INVITATION_MAIL

# The transactional mails whose links, or whose relevance, are determined when they are sent.
TRANSACTIONAL_MAILS = {mail.name: mail for mail in (RESET_MAIL, CONFIRM_MAIL, INVITATION_MAIL)}


@dataclass(frozen=True)
class Installation:
    settings: Settings
    signer: Signer
    vapid_keys: VapidKeys
    channels: Channels
    broker: Broker
    db: Database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect on entry; close every connection on exit."""
        try:
            await self.broker.connect()
            yield
        finally:
            for channel in self.channels.values():
                await channel.close()
            await self.broker.disconnect()
            await self.db.close()


def check(settings: Settings) -> None:
    """Raises SettingError for a setting that only its part can judge, before anything is written."""
    vapid_keys.check_settings(settings)
    PushServices(settings.push_allowed_hosts)


def check_servers(settings: Settings) -> None:
    """Raises SettingError if DATABASE_URL or REDIS_URL names a server, or a database there, that cannot
    be used. Writes nothing.
    """
    require_supported(settings)
    if not settings.is_sqlite:
        _check_postgresql(settings)


def _check_postgresql(settings: Settings) -> None:
    try:
        from app.database.server_check import check_server
    except ImportError:
        sentence = _(
            "DATABASE_URL needs the driver of PostgreSQL. Run `pip install '.[postgres]'`."
        )
        raise SettingError(sentence) from None
    check_server(settings)


def install(settings: Settings) -> Installation:
    """Build the parts. Connects nothing, and writes only generated keys. To keep those, the database
    must have been migrated.

    Raises SettingError for an invalid setting.
    """
    secret_key = settings.secret_key or kept_key(settings, SECRET_KEY, random_key)
    settings = replace(settings, secret_key=secret_key)
    signer = Signer(secret_key)
    keys = read_keys(settings)
    channels = open_channels(Parts(settings, signer, TRANSACTIONAL_MAILS))
    broker = open_broker(settings)
    turns = Turns(settings.data_dir / "ffmpeg", number_of_slots())
    info = {
        "signer": signer,
        "vapid_keys": keys,
        "channels": channels,
        "turns": turns,
        "counted_inboxes": CountedInboxes(),
        "tallied_lists": TalliedLists(),
    }
    db = Database(
        settings.database_url,
        poke=broker.relay.poke,
        info=info,
        connections=settings.connections.database,
    )
    return Installation(settings, signer, keys, channels, broker, db)
