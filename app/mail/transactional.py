"""Transactional mail: about an account or an invitation. The act adds a row, the outbox sends it.

The mail `x` is the templates `templates/email/x/{subject.txt,body.txt,body.html}`. Its row holds
ids and facts but no secret: signed links are made when it is sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker.relay import CHANGES
from app.database import poke_after_commit
from app.language import in_language
from app.mail.composing import compose, render_mail
from app.models import Delivery, User
from app.security import Signer
from app.settings import Settings

Facts = Mapping[str, Any]


async def _always_useful(_session: AsyncSession, _facts: Facts) -> str | None:
    return None


@dataclass(frozen=True)
class TransactionalMail:
    """`links` makes what the templates need beyond the row's facts: signed tokens.

    `skip_reason` is asked before the mail is sent: a key of `decision.REASONS`, or None.
    """

    name: str
    links: Callable[[Signer, Facts], Facts] = lambda _signer, _facts: {}
    skip_reason: Callable[[AsyncSession, Facts], Awaitable[str | None]] = _always_useful


TransactionalMails = Mapping[str, TransactionalMail]


async def add_letter(
    session: AsyncSession, letter: str, *, address: str, user_id: int | None = None, **context: Any
) -> None:
    """Have `letter` sent to `address`, in the language of the account `user_id` if there is one.

    `context` is JSON. The relay is poked after the commit, so that the mail leaves at once.
    """
    poke_after_commit(session, CHANGES)
    session.add(
        Delivery(
            channel="email",
            address=address,
            letter=letter,
            user_id=user_id,
            context=context,
            due_at=clock.now(),
        )
    )


async def skip_reason(
    session: AsyncSession, mails: TransactionalMails, delivery: Row[Any]
) -> str | None:
    """Why this mail is no longer of use, or None."""
    return await _mail_of(mails, delivery).skip_reason(session, _facts_of(delivery))


async def language_of(session: AsyncSession, delivery: Row[Any]) -> str:
    """The language of its reader, or that of whoever caused the letter to a stranger."""
    chosen = select(User.language).where(User.id == delivery.user_id)
    return await session.scalar(chosen) or str((delivery.context or {}).get("language", ""))


def write_letter(
    settings: Settings,
    signer: Signer,
    mails: TransactionalMails,
    delivery: Row[Any],
    language: str,
) -> bytes:
    """Raises TemplateError or ValueError when it cannot be written."""
    letter, facts = str(delivery.letter), _facts_of(delivery)
    with in_language(language):
        context = _mail_of(mails, delivery).links(signer, facts)
        mail = render_mail(letter, {**facts, **context, "base_url": settings.base_url})
    name = f"{letter}-{delivery.id}"
    return compose(settings, mail, address=delivery.address, name=name)


def _mail_of(mails: TransactionalMails, delivery: Row[Any]) -> TransactionalMail:
    name = str(delivery.letter)
    return mails.get(name) or TransactionalMail(name)


def _facts_of(delivery: Row[Any]) -> Facts:
    return {**(delivery.context or {}), "user_id": delivery.user_id}
