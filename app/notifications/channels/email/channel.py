"""Mail as a channel: one delivery for each recipient with a confirmed address."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, Select, and_, case, literal, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.database.moments import moment
from app.language import N_
from app.mail.transactional import TransactionalMails, skip_reason
from app.models import Notification, User
from app.notifications.channels.base import (
    SENT,
    UNWRITABLE,
    Batch,
    Channel,
    CheckResult,
    DeliveryFailure,
    Failed,
    Outcome,
    Parts,
    Settled,
    Undelivered,
    rows_for,
)
from app.notifications.channels.email.mail_folder import Folder
from app.notifications.channels.email.mails import Mail, MailWriter, mails_of
from app.notifications.channels.email.smtp import INVALID_ADDRESS, Smtp
from app.notifications.channels.email.smtp_diagnosis import check_mail
from app.notifications.events.event_type import EMAIL, EventType
from app.notifications.events.notices import OWN, with_notice_facts
from app.notifications.preferences.channels import ChannelDescription
from app.security import Signer
from app.settings import Settings

UNCONFIRMED, GONE = "unconfirmed", "gone"

_log = logging.getLogger(__name__)


class Email(Channel):
    """`timeout` is how many seconds a mail server may take for one command."""

    description = ChannelDescription(EMAIL, N_("Email"), "bi-envelope")
    # Together about a day.
    pauses = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 240, 360, 720))
    bundles = True
    words = {  # noqa: RUF012
        UNCONFIRMED: N_("The address is not confirmed."),
        GONE: N_("Email to this address was permanently refused."),
        INVALID_ADDRESS: N_("No email can be sent to this address: {reply}"),
    }

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        transactional_mails: TransactionalMails,
        *,
        timeout: float = 20,
    ) -> None:
        self.delay = timedelta(seconds=settings.email_delay_seconds)
        self._settings = settings
        self._writer = MailWriter(settings, signer, transactional_mails)
        self._timeout = timeout

    @classmethod
    def open(cls, parts: Parts) -> Self:
        return cls(parts.settings, parts.signer, parts.transactional_mails)

    @classmethod
    async def check(cls, settings: Settings, timeout: float) -> Sequence[CheckResult]:
        return [await check_mail(settings, timeout)]

    def deliveries(self, event_type: EventType) -> Select[Any]:
        """Mail outside a digest waits briefly, in case its notice is read in the app first."""
        at_once = event_type.goes_at_once
        soon = moment(timedelta(0) if at_once else self.delay)
        in_digest = and_(User.digest_is_on, User.digest_due_at.is_not(None))
        alone = literal("alone")
        rows = rows_for(
            EMAIL,
            event_type,
            address=User.email,
            bundling=alone if at_once else case((in_digest, "digest"), else_="bundle"),
            due_at=soon if at_once else case((in_digest, User.digest_due_at), else_=soon),
        )
        return rows.join(User, User.id == Notification.user_id).where(
            User.email_confirmed_at.is_not(None), User.email_gone_at.is_(None)
        )

    def with_facts(self, rows: Select[Any]) -> Select[Any]:
        own = rows.add_columns(User, *OWN)
        return with_notice_facts(own)

    def address_problem(self) -> ColumnElement[Any]:
        is_notification = Notification.id.is_not(None)
        return case(
            (and_(is_notification, User.email_gone_at.is_not(None)), GONE),
            (and_(is_notification, User.email_confirmed_at.is_(None)), UNCONFIRMED),
        )

    async def find_obsolete(
        self, session: AsyncSession, transactional: Sequence[Row[Any]]
    ) -> Mapping[int, str]:
        mails = self._writer.transactional_mails
        reasons = {one.delivery_id: await skip_reason(session, mails, one) for one in transactional}
        return {id: reason for id, reason in reasons.items() if reason}

    def why_none(self, user: User) -> str:
        if not user.is_confirmed:
            return UNCONFIRMED
        return GONE if user.email_gone_at else super().why_none(user)

    async def send(self, db: Database, batch: Batch) -> AsyncGenerator[Settled]:
        """Sends one mail at a time, after the outcome of the previous one has been recorded. While
        that is recorded, the next mail is announced to the server.
        """
        mails = mails_of(self._writer, await batch.decide())
        async with transport(self._settings, self._timeout) as mailer:
            for mail, following in zip_longest(mails, mails[1:]):
                if batch.is_over():
                    return
                # In a thread, because it reads pictures from disk.
                content, unwritable = await asyncio.to_thread(_write, mail)
                for delivery_id, failed in unwritable.items():
                    yield [delivery_id], failed
                if content is None:
                    await mailer.retract()
                    continue
                outcome = await _attempt(db, mailer, mail, content)
                if following and not (isinstance(outcome, Failed) and outcome.is_outage):
                    mailer.announce(following.address)
                yield [one for one in mail.ids if one not in unwritable], outcome

    async def is_reachable(self) -> bool:
        if not self._settings.sends_mail:
            return await Folder(self._settings.mail_dir).has_room()
        try:
            async with Smtp(self._settings, timeout=self._timeout) as mailer:
                await mailer.offer()
        except Undelivered:
            return False
        return True


def transport(settings: Settings, timeout: float) -> Smtp | Folder:
    """Sends to the mail server if there is one, else to a folder."""
    if settings.sends_mail:
        return Smtp(settings, timeout=timeout)
    return Folder(settings.mail_dir)


def _write(mail: Mail) -> tuple[bytes | None, dict[int, Failed]]:
    """The mail, and the failures of deliveries that had to be left out, by their ids.

    A delivery that cannot be written must not hold up the rest of its bundle.
    """
    rest, unwritable = list(mail.deliveries), dict[int, Failed]()
    while rest:
        try:
            return mail.write(rest), unwritable
        except Exception as error:
            unwritable |= _find_unwritable(mail, rest) or _failures(rest, error)
        rest = [one for one in rest if one.delivery_id not in unwritable]
    return None, unwritable


def _find_unwritable(mail: Mail, deliveries: Sequence[Row[Any]]) -> dict[int, Failed]:
    """The deliveries that cannot be written even alone."""
    unwritable: dict[int, Failed] = {}
    for one in deliveries if len(deliveries) > 1 else ():
        try:
            mail.write([one])
        except Exception as error:
            unwritable |= _failures([one], error)
    return unwritable


def _failures(deliveries: Sequence[Row[Any]], error: Exception) -> dict[int, Failed]:
    for one in deliveries:
        _log.error("Delivery %s could not be written.", one.delivery_id, exc_info=error)
    failed = Failed(DeliveryFailure(UNWRITABLE, detail=repr(error)), is_final=True)
    return {one.delivery_id: failed for one in deliveries}


async def _attempt(db: Database, mailer: Smtp | Folder, mail: Mail, content: bytes) -> Outcome:
    try:
        await mailer.send(mail.address, content)
    except Undelivered as failure:
        if failure.is_gone:
            await _note_gone(db, mail)
        return failure.outcome
    return SENT


async def _note_gone(db: Database, mail: Mail) -> None:
    """Stop notification mail to a permanently refused address, until its user retries or changes
    it.
    """
    user_id = mail.deliveries[0].user_id
    refused = update(User).where(User.id == user_id, User.email == mail.address)
    async with db.exclusive() as session:
        await session.execute(refused.values(email_gone_at=clock.now()))
