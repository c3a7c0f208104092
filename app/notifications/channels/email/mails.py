"""Groups deliveries into mails: all deliveries of a bundle become one mail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from app.mail.transactional import TransactionalMails, write_transactional_mail
from app.notifications.channels.email.notification_mail import write_mail
from app.security import Signer
from app.settings import Settings


@dataclass(frozen=True)
class Mail:
    """Deliveries that become one mail. `write` composes it, from all or some of them, and may raise
    any exception.
    """

    address: str
    deliveries: Sequence[Row[Any]]
    write: Callable[[Sequence[Row[Any]]], bytes]

    @property
    def ids(self) -> list[int]:
        return [one.delivery_id for one in self.deliveries]


@dataclass(frozen=True)
class MailWriter:
    """Writes the mails of one installation."""

    settings: Settings
    signer: Signer
    transactional_mails: TransactionalMails

    def transactional(self, deliveries: Sequence[Row[Any]]) -> bytes:
        [delivery], mails = deliveries, self.transactional_mails
        return write_transactional_mail(self.settings, self.signer, mails, delivery)

    def notification(self, rows: Sequence[Row[Any]], *, name: str, is_digest: bool) -> bytes:
        return write_mail(self.settings, self.signer, rows, name=name, is_digest=is_digest)


def mails_of(writer: MailWriter, deliveries: Sequence[Row[Any]]) -> list[Mail]:
    """The mails to send, in the order of `deliveries`, where those of a bundle are adjacent."""
    mails = groupby(deliveries, lambda one: one.bundle_id or one.delivery_id)
    return [_mail_of(writer, list(some)) for _mail, some in mails]


def _mail_of(writer: MailWriter, deliveries: Sequence[Row[Any]]) -> Mail:
    """The `name` makes the Message-ID, so that each attempt sends the same one."""
    first = deliveries[0]
    if first.transactional:
        return Mail(first.address, deliveries, writer.transactional)
    write = partial(
        writer.notification,
        name=f"notice-{first.bundle_id or first.delivery_id}",
        is_digest=first.bundling == "digest",
    )
    return Mail(first.address, deliveries, write)
