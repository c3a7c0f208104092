"""Devices on which the cast has enabled push, and what is due to them delivered in this process."""

from collections.abc import Callable
from dataclasses import replace

from app.database import Database
from app.models import PushSubscription, User
from app.notifications import channels
from app.notifications.channels import browser_push
from app.notifications.channels.push import devices
from app.notifications.channels.push.channel import Push
from app.notifications.delivery import outbox
from app.settings import Settings
from tests.push_service import Browser, PushService


def allowing(settings: Settings, service: PushService, *, delay: int = 0) -> Settings:
    """These settings, under which the service may be used; both channels know them."""
    chosen = replace(settings, push_allowed_hosts=(service.host,), push_delay_seconds=delay)
    channels.configure(chosen)
    return chosen


async def enable_push(db: Database, user: User, browser: Browser) -> PushSubscription:
    given = browser.subscription
    async with db.write() as session:
        return await devices.subscribe(
            session,
            user,
            endpoint=browser.endpoint,
            keys=devices.read_keys(browser_push.services, browser.endpoint, **given["keys"]),
            vapid_key=browser_push.public_key,
            name="Firefox on Linux",
            session_id=None,
        )


async def deliver_pushes(
    db: Database,
    settings: Settings,
    *,
    seconds: float = 5,
    is_over: Callable[[], bool] = lambda: False,
) -> int:
    """Wait `seconds` for each answer; returns how many deliveries were settled or put off."""
    channel = Push(seconds=seconds)
    channel.configure(settings)
    try:
        return await outbox.deliver(db, settings, channel, is_over=is_over)
    finally:
        channel.close()
