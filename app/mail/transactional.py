"""Transactional mail, about an account or an invitation. A verb adds a row, and the outbox sends
it. The mail `x` is rendered from the templates
`templates/email/x/{subject.txt,body.txt,body.html}`. Its row holds ids and facts but no secret:
links are signed when it is sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.broker.relay import CHANGES
from app.database import poke_after_commit
from app.language import in_language
from app.mail.composing import compose, render_mail, unsubscribe_headers
from app.models import Delivery
from app.security import Signer
from app.settings import Settings

MailFacts = Mapping[str, Any]


async def _never_obsolete(_session: AsyncSession, _facts: MailFacts) -> str | None:
    return None


@dataclass(frozen=True)
class TransactionalMail:
    """`links` makes the signed tokens that the templates need besides the row's facts, among which
    is the `address`. `stop_path` is where the mail can be stopped, "" if nobody can stop it.
    `skip_reason` is called before the mail is sent and returns a reason not to send it, or None.
    """

    name: str
    links: Callable[[Signer, MailFacts], MailFacts] = lambda _signer, _facts: {}
    skip_reason: Callable[[AsyncSession, MailFacts], Awaitable[str | None]] = _never_obsolete
    stop_path: Callable[[MailFacts], str] = lambda _facts: ""


TransactionalMails = Mapping[str, TransactionalMail]


async def add_transactional_mail(
    session: AsyncSession, name: str, *, address: str, user_id: int | None = None, **context: Any
) -> None:
    """Have the mail `name` sent to `address`, in the language of the user if there is one.

    `context` is JSON. The relay is poked after the commit, so that the mail leaves at once.
    Where strangers can cause it, ask `mail_refusal` (app/mail/limits.py) first.
    """
    poke_after_commit(session, CHANGES)
    session.add(
        Delivery(
            channel="email",
            address=address,
            transactional=name,
            user_id=user_id,
            context=context,
            due_at=clock.now(),
        )
    )


async def skip_reason(
    session: AsyncSession, mails: TransactionalMails, delivery: Row[Any]
) -> str | None:
    """Why this mail is no longer useful, or None."""
    return await _mail_of(mails, delivery).skip_reason(session, _facts_of(delivery))


def write_transactional_mail(
    settings: Settings, signer: Signer, mails: TransactionalMails, delivery: Row[Any]
) -> bytes:
    """Raises TemplateError or ValueError if the mail cannot be composed."""
    name, facts = str(delivery.transactional), _facts_of(delivery)
    kind, message_name = _mail_of(mails, delivery), f"{name}-{delivery.delivery_id}"
    with in_language(_language_of(delivery)):
        context = {**facts, **kind.links(signer, facts), "base_url": settings.base_url}
        mail = render_mail(name, context)
    path = kind.stop_path(context)
    headers = unsubscribe_headers(settings.base_url + path) if path else {}
    return compose(settings, mail, address=delivery.address, name=message_name, headers=headers)


def _language_of(delivery: Row[Any]) -> str:
    """The language of the recipient or, without an account, of the user who caused the mail."""
    chosen = delivery.User.language if delivery.User else ""
    return str(chosen or (delivery.facts or {}).get("language", ""))


def _mail_of(mails: TransactionalMails, delivery: Row[Any]) -> TransactionalMail:
    name = str(delivery.transactional)
    return mails.get(name) or TransactionalMail(name)


def _facts_of(delivery: Row[Any]) -> MailFacts:
    return {"address": delivery.address, **(delivery.facts or {}), "user_id": delivery.user_id}
