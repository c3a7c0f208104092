"""Limits on transactional mails: to one mailbox, and to all mailboxes together.

Anyone can make us write to an address by typing it into a form. So these mails are counted by
recipient, whatever RATE_LIMITS says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import TooMany
from app.language import _
from app.models import Mailing
from app.values.email_addresses import mailbox_of


@dataclass(frozen=True)
class Limit:
    """At most `to_one` mails to one mailbox, and `to_all` to all of them together, in any `window`."""

    to_one: int
    to_all: int
    window: timedelta


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


async def may_mail(session: AsyncSession, name: str, address: str) -> bool:
    """Whether the mail `name` may go to `address` now. If so, it is counted."""
    limit, mailbox = LIMITS[name], mailbox_of(address)
    lately = and_(Mailing.name == name, Mailing.mailed_at > clock.now() - limit.window)
    to_one = await _count(session, and_(lately, Mailing.mailbox == mailbox))
    if to_one >= limit.to_one or await _count(session, lately) >= limit.to_all:
        return False
    session.add(Mailing(name=name, mailbox=mailbox))
    return True


def too_many(name: str) -> TooMany:
    """The error for a user who asked for the mail `name` too often."""
    sentence = _("This address was emailed several times already. Please try again later.")
    return TooMany(sentence, int(LIMITS[name].window.total_seconds()))


async def _count(session: AsyncSession, which: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).select_from(Mailing).where(which)) or 0
