"""Limits on transactional mails: to one mailbox, by one sender, and to all mailboxes together.

Anyone can make us write to an address by typing it into a form. So these mails are counted by
recipient and by sender, whatever RATE_LIMITS says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import TooMany
from app.language import N_, _
from app.models import Mailing, User
from app.values.email_addresses import mailbox_of


@dataclass(frozen=True)
class Limit:
    """At most `to_one` mails to one mailbox, and `to_all` to all of them together, in any `window`.

    One sender may cause a twentieth of `to_all`, so that a few accounts cannot use it up.
    """

    to_one: int
    to_all: int
    window: timedelta

    @property
    def by_one(self) -> int:
        return self.to_all // 20


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Every transactional mail that a stranger can cause, by its name.
LIMITS: Mapping[str, Limit] = {
    "invitation": Limit(to_one=3, to_all=5_000, window=DAY),
    "confirm_address": Limit(to_one=5, to_all=5_000, window=DAY),
    "address_in_use": Limit(to_one=1, to_all=5_000, window=DAY),
    # A link works for an hour, so a user who is refused another one still has one that works.
    "reset_password": Limit(to_one=5, to_all=5_000, window=HOUR),
}
# No limit counts mailings that are older than this.
KEPT = max(limit.window for limit in LIMITS.values())

# Why a mail may not be sent: which of its limits is used up.
BY_RECIPIENT, BY_SENDER, BY_ALL = "too_many_mails", "too_many_by_sender", "too_many_in_total"
SENTENCES = {
    BY_RECIPIENT: N_("This address was emailed several times already. Please try again later."),
    BY_SENDER: N_("You have sent as many of these emails as one user can. Please try again later."),
    BY_ALL: N_("This server has reached its limit for these emails. Please try again later."),
}


async def mail_refusal(
    session: AsyncSession, name: str, address: str, *, sender: User | None
) -> str | None:
    """Why the mail `name`, which `sender` causes, may not go to `address` now: a key of SENTENCES.

    None if it may; then it is counted.
    """
    limit, mailbox = LIMITS[name], mailbox_of(address)
    lately = and_(Mailing.name == name, Mailing.mailed_at > clock.now() - limit.window)
    if await _count(session, and_(lately, Mailing.mailbox == mailbox)) >= limit.to_one:
        return BY_RECIPIENT
    sender_id = sender.id if sender else None
    by_sender = and_(lately, Mailing.sender_id == sender_id)
    if sender and await _count(session, by_sender) >= limit.by_one:
        return BY_SENDER
    if await _count(session, lately) >= limit.to_all:
        return BY_ALL
    session.add(Mailing(name=name, mailbox=mailbox, sender_id=sender_id))
    return None


def too_many(name: str, refusal: str) -> TooMany:
    """The error for a user who asked for the mail `name` and got this `refusal`."""
    return TooMany(refusal_sentence(refusal), int(LIMITS[name].window.total_seconds()))


def refusal_sentence(refusal: str) -> str:
    return _(SENTENCES[refusal])


async def _count(session: AsyncSession, which: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).select_from(Mailing).where(which)) or 0
