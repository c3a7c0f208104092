"""Mail as a channel: one delivery for each recipient with a confirmed address."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any

from sqlalchemy import Select, and_, case, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.language import N_
from app.mail.transactional import TransactionalMails
from app.models import Delivery, Event, Notification, User
from app.notifications.channels.base import SENT, Claimed, Outcome, Settled, Undelivered, skipped
from app.notifications.channels.email.grouping import Mail, Writer, sort_out
from app.notifications.channels.email.mail_folder import Folder
from app.notifications.channels.email.smtp import Smtp
from app.notifications.events.catalogue import EMAIL, EventType
from app.notifications.preferences.channels import ChannelDescription
from app.notifications.preferences.switches import wants
from app.security import Signer
from app.settings import Settings

_log = logging.getLogger(__name__)

MOMENT = Delivery.__table__.c.due_at.type
COLUMNS = [
    "notification_id",
    "user_id",
    "channel",
    "address",
    "gathering",
    "due_at",
    "state",
    "attempts",
    "created_at",
]


class Email:
    """`timeout` is how many seconds a mail server may take for one command."""

    name = EMAIL
    description = ChannelDescription(EMAIL, N_("Mail"), "bi-envelope")
    # After the n-th failed attempt; together about a day.
    pauses = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 240, 360, 720))
    at_once = 100
    gathers = True

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        mails: TransactionalMails,
        *,
        timeout: float = 20,
    ) -> None:
        self.delay = timedelta(seconds=settings.email_delay_seconds)
        self._writer = Writer(settings, signer, mails)
        self._timeout = timeout

    async def add_deliveries(self, session: AsyncSession, event: Event, kind: EventType) -> None:
        rows = insert(Delivery).from_select(COLUMNS, _deliveries(event, kind, self.delay))
        await session.execute(rows)

    async def send(
        self,
        db: Database,
        settings: Settings,
        claimed: Sequence[Claimed],
        is_over: Callable[[], bool],
    ) -> AsyncGenerator[Settled]:
        """One at a time: no mail leaves before the outcome of the last one is recorded. While it is,
        the server hears of the next.
        """
        async with db.read() as session:
            refused, mails = await sort_out(session, self._writer, claimed)
        for reason, ids in refused.items():
            yield ids, skipped(reason)
        async with way_out(settings, self._timeout) as way:
            for mail, following in zip_longest(mails, mails[1:]):
                if is_over():
                    return
                outcome = await _attempt(db, way, mail)
                if following and not outcome.is_outage:
                    way.announce(following.address)
                yield mail.ids, outcome

    async def answers(self, settings: Settings) -> bool:
        if not settings.sends_mail:
            return True
        try:
            async with Smtp(settings, timeout=self._timeout) as way:
                await way.offer()
        except Undelivered:
            return False
        return True

    async def close(self) -> None:
        """Each batch hangs up by itself."""


def way_out(settings: Settings, timeout: float) -> Smtp | Folder:
    """To the mail server if there is one, else to a folder."""
    if settings.sends_mail:
        return Smtp(settings, timeout=timeout)
    return Folder(settings.mail_dir)


def _deliveries(event: Event, kind: EventType, delay: timedelta) -> Select[Any]:
    """What the digest does not gather waits a moment for being read in the app first."""
    now = clock.now()
    soon = literal(now if kind.is_high else now + delay, MOMENT)
    in_digest = and_(User.digest_is_on, User.digest_due_at.is_not(None))
    return (
        select(
            Notification.id,
            Notification.user_id,
            literal(EMAIL),
            User.email,
            literal("alone") if kind.is_high else case((in_digest, "digest"), else_="bundle"),
            soon if kind.is_high else case((in_digest, User.digest_due_at), else_=soon),
            literal("pending"),
            literal(0),
            literal(now, MOMENT),
        )
        .join(User, User.id == Notification.user_id)
        .where(
            Notification.event_id == event.id,
            User.email_confirmed_at.is_not(None),
            User.email_gone_at.is_(None),
            wants(Notification.user_id, kind, EMAIL),
        )
    )


async def _attempt(db: Database, way: Smtp | Folder, mail: Mail) -> Outcome:
    """One mail; one that cannot be written, for whatever reason, must not hold up the others."""
    try:
        content = mail.write()
    except Exception as error:
        _log.exception("Delivery %s could not be written.", mail.ids[0])
        await way.retract()
        return Outcome("failed", error=repr(error))
    try:
        await way.send(mail.address, content)
    except Undelivered as failure:
        if failure.gone:
            await _remember_gone(db, mail)
        return failure.outcome
    return SENT


async def _remember_gone(db: Database, mail: Mail) -> None:
    """No further mail goes to a person's address that was refused for good, until they mend it."""
    refused = update(User).where(User.id == mail.deliveries[0].user_id, User.email == mail.address)
    async with db.write() as session:
        await session.execute(refused.values(email_gone_at=clock.now()))
