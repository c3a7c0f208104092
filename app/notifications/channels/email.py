"""Mail as a channel: one delivery for each recipient with a confirmed address."""

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from itertools import groupby
from typing import Any

from jinja2 import TemplateError
from sqlalchemy import Row, Select, and_, case, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.mail import write_letter
from app.models import Account, Delivery, Event, Notification, Preference
from app.notifications.catalogue import EMAIL, EventType
from app.notifications.channels.base import SENT, Outcome, Settled, Undelivered, skipped
from app.notifications.channels.smtp import Post
from app.notifications.decision import read_claimed
from app.notifications.letters import write_mail
from app.notifications.preferences import wants
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
    name = EMAIL
    # After the n-th failed attempt; together about a day.
    pauses = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 240, 360, 720))
    at_once = 100
    delay = timedelta(seconds=120)

    def configure(self, settings: Settings) -> None:
        self.delay = timedelta(seconds=settings.email_delay_seconds)

    async def add_deliveries(self, session: AsyncSession, event: Event, kind: EventType) -> None:
        rows = insert(Delivery).from_select(COLUMNS, _deliveries(event, kind, self.delay))
        await session.execute(rows)

    async def send(
        self, db: Database, settings: Settings, claimed: Sequence[Delivery]
    ) -> AsyncGenerator[Settled]:
        rows = await _rows_of(db, claimed)
        left = [one.id for one in claimed]
        async with Post(settings) as post:
            for deliveries in _bundles(claimed):
                for ids, reason in _refusals(deliveries, rows):
                    left = [id for id in left if id not in ids]
                    yield ids, skipped(reason)
                wanted = [one for one in deliveries if one.id in left]
                if not wanted:
                    continue
                outcome = await _attempt(db, settings, post, wanted, rows)
                ids = left if outcome.is_outage else [one.id for one in wanted]
                left = [id for id in left if id not in ids]
                yield ids, outcome
                if outcome.is_outage:
                    return

    def close(self) -> None:
        """Each batch hangs up by itself."""


def _deliveries(event: Event, kind: EventType, delay: timedelta) -> Select[Any]:
    """What the digest does not gather waits a moment for being read in the app first."""
    now = clock.now()
    soon = literal(now if kind.is_high else now + delay, MOMENT)
    in_digest = and_(Account.digest_is_on, Account.digest_due_at.is_not(None))
    return (
        select(
            Notification.id,
            Notification.user_id,
            literal(EMAIL),
            Account.email,
            literal("alone") if kind.is_high else case((in_digest, "digest"), else_="bundle"),
            soon if kind.is_high else case((in_digest, Account.digest_due_at), else_=soon),
            literal("pending"),
            literal(0),
            literal(now, MOMENT),
        )
        .join(Account, Account.id == Notification.user_id)
        .join(
            Preference,
            and_(Preference.user_id == Account.id, Preference.type == kind.name),
            isouter=True,
        )
        .where(
            Notification.event_id == event.id,
            Account.email_confirmed_at.is_not(None),
            Account.email_gone_at.is_(None),
            wants(kind, EMAIL),
        )
    )


Rows = Mapping[int, Row[Any]]


async def _rows_of(db: Database, claimed: Sequence[Delivery]) -> Rows:
    ids = [one.id for one in claimed if one.notification_id]
    async with db.read() as session:
        return {row.delivery_id: row for row in await read_claimed(session, EMAIL, ids)}


def _bundles(claimed: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    for _mail, deliveries in groupby(claimed, lambda one: one.bundle_id or one.id):
        yield list(deliveries)


def _refusals(deliveries: Sequence[Delivery], rows: Rows) -> Iterator[tuple[list[int], str]]:
    """What is not to be sent any more, by reason."""
    by_reason: dict[str, list[int]] = {}
    for one in deliveries:
        if one.id in rows and (reason := _reason(rows[one.id])):
            by_reason.setdefault(reason, []).append(one.id)
    yield from ((ids, reason) for reason, ids in by_reason.items())


def _reason(row: Row[Any]) -> str | None:
    if row.reason:
        return str(row.reason)
    if row.Account.email_gone_at:
        return "gone"
    return None if row.Account.is_confirmed else "unconfirmed"


async def _attempt(
    db: Database, settings: Settings, post: Post, deliveries: Sequence[Delivery], rows: Rows
) -> Outcome:
    """One mail; one that cannot be written must not hold up the others."""
    try:
        await post.send(await _write(db, settings, deliveries, rows))
    except Undelivered as failure:
        if failure.gone:
            await _remember_gone(db, deliveries[0])
        return failure.outcome
    except (TemplateError, ValueError, LookupError) as error:
        _log.exception("Delivery %s could not be written.", deliveries[0].id)
        return Outcome("failed", error=repr(error))
    return SENT


async def _write(
    db: Database, settings: Settings, deliveries: Sequence[Delivery], rows: Rows
) -> EmailMessage:
    first = deliveries[0]
    if first.letter:
        async with db.read() as session:
            return await write_letter(session, settings, first)
    name = f"notice-{first.bundle_id or first.id}"
    chosen = [rows[one.id] for one in deliveries]
    return write_mail(settings, chosen, name=name, is_digest=first.gathering == "digest")


async def _remember_gone(db: Database, delivery: Delivery) -> None:
    """No further mail goes to a person's address that was refused for good, until they mend it."""
    refused = and_(Account.id == delivery.user_id, Account.email == delivery.address)
    async with db.write() as session:
        await session.execute(update(Account).where(refused).values(email_gone_at=clock.now()))
