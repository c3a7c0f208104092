"""Devices on which the cast has enabled push; due pushes are delivered in this process."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from app.database import Database
from app.models import PushSubscription, User
from app.notifications.channels.push import devices
from app.notifications.channels.push.allowed_services import PushServices
from app.notifications.channels.push.channel import Push
from app.notifications.channels.push.vapid_keys import read_keys, vapid_keys_of
from app.notifications.delivery import outbox
from app.settings import Settings
from tests.push_service import Browser, PushService


def allowing(settings: Settings, service: PushService, *, delay: int = 0) -> Settings:
    """These settings, under which the service may be used."""
    return replace(settings, push_allowed_hosts=(service.host,), push_delay_seconds=delay)


async def enable_push(db: Database, user: User, browser: Browser) -> PushSubscription:
    given, services = browser.subscription, PushServices([urlsplit(browser.endpoint).netloc])
    async with db.write() as session:
        return await devices.subscribe(
            session,
            user,
            endpoint=browser.endpoint,
            keys=devices.read_keys(services, browser.endpoint, **given["keys"]),
            vapid_key=vapid_keys_of(session).public,
            name="Firefox on Linux",
            session_id=None,
        )


async def deliver_pushes(
    db: Database,
    settings: Settings,
    *,
    seconds: float = 5,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Wait `seconds` for each answer; returns how many deliveries were settled or put off."""
    channel = Push(settings, read_keys(settings), seconds=seconds)
    try:
        return await outbox.deliver(db, channel, is_stopping=is_stopping)
    finally:
        await channel.close()
