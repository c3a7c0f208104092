"""Mail in tests: what makes it wait, has it delivered in this process, and looks at the rows."""

from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from sqlalchemy import insert, select, update

from app import clock
from app.database import Database
from app.installation import TRANSACTIONAL_MAILS
from app.mail.transactional import add_transactional_mail
from app.models import Delivery, Event, Notification, Team, User
from app.notifications.channels.base import Channel
from app.notifications.channels.email.channel import Email
from app.notifications.delivery import outbox
from app.notifications.events.catalogue import PROJECT_SHARED
from app.notifications.notify import notify
from app.settings import Settings
from tests.factories import SIGNER


async def deliver_mail(db: Database, settings: Settings, channel: Channel | None = None) -> int:
    """Returns how many deliveries were settled."""
    return await outbox.deliver(db, channel or email(settings))


def email(settings: Settings, *, timeout: float = 20) -> Email:
    """The channel; a mail server may take `timeout` seconds for one command."""
    return Email(settings, SIGNER, TRANSACTIONAL_MAILS, timeout=timeout)


def token_of(mail: Delivery, name: str = "token") -> str:
    """The token or link in a transactional mail, as it would be made when it is sent."""
    return str(TRANSACTIONAL_MAILS[str(mail.transactional)].links(SIGNER, facts_of(mail))[name])


def facts_of(mail: Delivery) -> dict[str, Any]:
    """What a transactional mail is made from when it is sent."""
    return {"address": mail.address, **(mail.context or {}), "user_id": mail.user_id}


async def share(db: Database, actor: User, team: Team, project: str = "Highlight Reel") -> None:
    """An ordinary event: everyone else in the team has a mail waiting that may join others."""
    async with db.act() as session:
        await notify(session, PROJECT_SHARED, actor=actor, team=team, project_name=project)


async def repeat(db: Database, user: User, times: int) -> None:
    """The newest event of all, once more so often, told to this user alone, each with a mail."""
    async with db.write() as session:
        newest = select(Event).order_by(Event.id.desc()).limit(1)
        event = (await session.scalars(newest)).one()
        facts = {"type": event.type, "team_id": event.team_id, "context": event.context}
        ids = range(event.id + 1, event.id + 1 + times)
        await session.execute(insert(Event), [{"id": id, **facts} for id in ids])
        row = {"user_id": user.id, "type": event.type, "hidden": False}
        rows = [{"event_id": id, **row} for id in ids]
        told = await session.scalars(insert(Notification).returning(Notification.id), rows)
        mail = {"user_id": user.id, "channel": "email", "address": user.email}
        mail |= {"bundling": "bundle", "due_at": clock.now()}
        await session.execute(insert(Delivery), [{"notification_id": id, **mail} for id in told])


async def write(db: Database, *addresses: str, **facts: Any) -> None:
    """A transactional mail to each address, due at once."""
    facts = {"name": "address_changed", "username": "alice", "email": "new@example.com"} | facts
    async with db.write() as session:
        for address in addresses or ("alice@example.com",):
            await add_transactional_mail(session, address=address, **facts)


async def deliveries(db: Database) -> Sequence[Delivery]:
    async with db.read() as session:
        return (await session.scalars(select(Delivery).order_by(Delivery.id))).all()


async def change_deliveries(db: Database, *which: Any, **values: Any) -> None:
    async with db.write() as session:
        await session.execute(update(Delivery).where(*which).values(**values))


async def make_due(db: Database) -> None:
    """The time that everything still waits for has come."""
    await change_deliveries(db, Delivery.state == "pending", due_at=clock.now())


def kept(settings: Settings) -> list[EmailMessage]:
    """The mails in the folder, in the order in which they were written."""
    files = sorted(settings.mail_dir.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]
