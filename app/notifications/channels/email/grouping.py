"""From deliveries to mails: what is still to be sent, and which go as one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.mail.transactional import (
    TransactionalMails,
    language_of,
    skip_reason,
    write_letter,
)
from app.notifications.channels.base import Claimed
from app.notifications.channels.email.notification_mail import write_mail
from app.notifications.delivery.decision import DELETED, GONE, UNCONFIRMED, read_claimed
from app.notifications.events.catalogue import EMAIL
from app.security import Signer
from app.settings import Settings


@dataclass(frozen=True)
class Mail:
    """Deliveries that go as one mail; `write` makes it, and may raise whatever goes wrong there."""

    address: str
    deliveries: Sequence[Claimed]
    write: Callable[[], bytes]

    @property
    def ids(self) -> list[int]:
        return [one.id for one in self.deliveries]


@dataclass(frozen=True)
class Writer:
    """Writes the mails of one installation; `mails` are the transactional ones."""

    settings: Settings
    signer: Signer
    mails: TransactionalMails

    def transactional(self, delivery: Claimed, language: str) -> bytes:
        return write_letter(self.settings, self.signer, self.mails, delivery, language)

    def notification(self, rows: Sequence[Row[Any]], *, name: str, is_digest: bool) -> bytes:
        return write_mail(self.settings, self.signer, rows, name=name, is_digest=is_digest)


Refused = Mapping[str, list[int]]


async def sort_out(
    session: AsyncSession, writer: Writer, claimed: Sequence[Claimed]
) -> tuple[Refused, list[Mail]]:
    """The ids of what is not to be sent any more, by reason; and mails of the rest, in order."""
    told = [one.id for one in claimed if one.notification_id]
    rows = {row.delivery_id: row for row in await read_claimed(session, EMAIL, told)}
    refused: dict[str, list[int]] = {}
    mails: list[Mail] = []
    for _mail, some in groupby(claimed, lambda one: one.bundle_id or one.id):
        wanted = []
        for one in some:
            if reason := await _reason(session, writer, one, rows):
                refused.setdefault(reason, []).append(one.id)
            else:
                wanted.append(one)
        if wanted:
            mails.append(await _mail_of(session, writer, wanted, rows))
    return refused, mails


async def _reason(
    session: AsyncSession, writer: Writer, delivery: Claimed, rows: Mapping[int, Row[Any]]
) -> str | None:
    if delivery.letter:
        return await skip_reason(session, writer.mails, delivery)
    row = rows.get(delivery.id)
    if row is None:
        return DELETED
    if row.reason:
        return str(row.reason)
    if row.User.email_gone_at:
        return GONE
    return None if row.User.is_confirmed else UNCONFIRMED


async def _mail_of(
    session: AsyncSession,
    writer: Writer,
    deliveries: Sequence[Claimed],
    rows: Mapping[int, Row[Any]],
) -> Mail:
    """The `name` makes its Message-ID: the same each time that it is attempted."""
    first = deliveries[0]
    if first.letter:
        language = await language_of(session, first)
        return Mail(first.address, deliveries, partial(writer.transactional, first, language))
    chosen = [rows[one.id] for one in deliveries]
    write = partial(
        writer.notification,
        chosen,
        name=f"notice-{first.bundle_id or first.id}",
        is_digest=first.gathering == "digest",
    )
    return Mail(chosen[0].User.email, deliveries, write)
