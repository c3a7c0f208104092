"""The mail that is due, delivered in this process."""

from app.database import Database
from app.notifications import outbox
from app.notifications.catalogue import EMAIL
from app.notifications.channels import CHANNELS
from app.settings import Settings


async def deliver_mail(db: Database, settings: Settings) -> int:
    """Returns how many deliveries were settled."""
    return await outbox.deliver(db, settings, CHANNELS[EMAIL])
