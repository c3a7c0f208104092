"""Letters: mail about an account or an invitation. The act adds a row, a worker delivers it.

A letter `x` is the templates `templates/email/x/{subject.txt,body.txt,body.html}`. Its row holds
ids and facts but nothing that opens a door: signed links are made at delivery, by `LETTERS[x]`.
With SMTP_HOST mail goes there; without, it lies as `.eml` files in `DATA_DIR/mail`.
"""

import asyncio
import hashlib
import logging
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from functools import cache
from pathlib import Path
from typing import Any

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.database import Database
from app.language import _, ngettext, speaking
from app.models import Account, Delivery
from app.rendering import render
from app.settings import ROOT, Settings

log = logging.getLogger(__name__)

Letter = Callable[[Mapping[str, Any]], Mapping[str, Any]]
LETTERS: dict[str, Letter] = {}

LEASE = timedelta(seconds=60)
TIMEOUT = 20  # seconds for each SMTP command, so that a delivery ends within its lease
MOST_ATTEMPTS = 8
# After the n-th failed attempt; together about a day.
PAUSES = [timedelta(minutes=m) for m in (1, 5, 30, 120, 240, 360, 720)]


@dataclass(frozen=True)
class Mail:
    subject: str
    text: str
    html: str


async def add_letter(
    session: AsyncSession, letter: str, *, address: str, user_id: int | None = None, **context: Any
) -> None:
    """Have `letter` sent to `address`, in the language of the account `user_id` if there is one.

    `context` is JSON. Enqueue `deliver` after the commit, so that it leaves at once.
    """
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


async def deliver_letters(db: Database, settings: Settings) -> int:
    """Deliver the letters that are due, each once however many workers run; returns their number."""
    count = 0
    while delivery := await _claim(db):
        await _settle(db, delivery, await _deliver(db, settings, delivery))
        count += 1
    return count


async def _claim(db: Database) -> Delivery | None:
    """Take one due letter for the length of a lease: a worker that dies leaves it to the next."""
    now = clock.now()
    due = (
        select(Delivery.id)
        .where(
            Delivery.channel == "email",
            Delivery.letter.is_not(None),
            Delivery.state == "pending",
            Delivery.due_at <= now,
        )
        .order_by(Delivery.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claim = (
        update(Delivery)
        .where(Delivery.id.in_(due.scalar_subquery()))
        .values(due_at=now + LEASE, attempts=Delivery.attempts + 1)
        .returning(Delivery)
        .execution_options(synchronize_session=False)
    )
    async with db.write() as session:
        return (await session.execute(claim)).scalar_one_or_none()


async def _deliver(db: Database, settings: Settings, delivery: Delivery) -> dict[str, Any]:
    """Send one letter; returns what its row becomes. One that fails must not hold up the others."""
    try:
        mail = await _write(db, settings, delivery)
        name = f"{delivery.letter}-{delivery.id}"
        message = compose(settings, mail, address=delivery.address, name=name)
        await send(settings, message)
    except Exception as error:
        log.warning("Letter %s was not delivered: %r", delivery.id, error)
        return _after_failure(delivery, error)
    return {"state": "sent", "error": None}


async def _write(db: Database, settings: Settings, delivery: Delivery) -> Mail:
    letter, facts = str(delivery.letter), delivery.context or {}
    async with db.read() as session:
        chosen = select(Account.language).where(Account.id == delivery.user_id)
        language = await session.scalar(chosen) or str(facts.get("language", ""))
    context = LETTERS.get(letter, dict)(facts)
    with speaking(language):
        return render_mail(letter, {**facts, **context, "base_url": settings.base_url})


def render_mail(name: str, context: Mapping[str, Any]) -> Mail:
    """The three parts of `templates/email/<name>` in the language being spoken."""
    subject = _text().get_template(f"email/{name}/subject.txt").render(context)
    return Mail(
        subject=" ".join(subject.split()),
        text=_text().get_template(f"email/{name}/body.txt").render(context).strip() + "\n",
        html=render(f"email/{name}/body.html", dict(context)),
    )


@cache
def _text() -> Environment:
    """Plain text is not escaped: names with & or ' must arrive as they are."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(_=_, ngettext=ngettext)
    return environment


def compose(settings: Settings, mail: Mail, *, address: str, name: str) -> EmailMessage:
    """A message whose id depends on `name` alone, so that one sent twice shows once (RFC 5322 3.6.4).

    Raises ValueError when an address cannot stand in a header.
    """
    domain = settings.smtp_from_email.rpartition("@")[2]
    digest = hashlib.sha256(f"{name}.{settings.secret_key}".encode()).hexdigest()[:16]
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr(("ClippyFront", settings.smtp_from_email))
    message["To"] = address
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{name}.{digest}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


async def send(settings: Settings, message: EmailMessage) -> None:
    """Hand over to the SMTP server, or write a file where there is none.

    Raises OSError, aiosmtplib.SMTPException.
    """
    if not settings.sends_mail:
        await asyncio.to_thread(_keep, settings.mail_dir, message)
        return
    await aiosmtplib.send(
        message,
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password or None,
        use_tls=settings.smtp_tls == "implicit",
        start_tls=settings.smtp_tls == "starttls",
        timeout=TIMEOUT,
    )


def _keep(folder: Path, message: EmailMessage) -> None:
    """Written whole before it gets its name, and for the owner's eyes: it may hold a reset link."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = message["Message-ID"].strip("<>").partition("@")[0]
    path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{stem}.eml"
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    draft.replace(path)


def _after_failure(delivery: Delivery, error: Exception) -> dict[str, Any]:
    if _is_permanent(error):
        return {"state": "failed", "error": str(error)}
    if delivery.attempts >= MOST_ATTEMPTS:
        return {"state": "dead", "error": str(error)}
    pause = PAUSES[delivery.attempts - 1] * random.uniform(1, 1.2)  # noqa: S311
    return {"due_at": clock.now() + pause, "error": str(error)}


def _is_permanent(error: Exception) -> bool:
    """Whether no further attempt can help: the address or the letter itself is refused."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refusal.code >= 500 for refusal in error.recipients)
    if isinstance(error, aiosmtplib.SMTPDataError):
        return error.code >= 500
    return isinstance(error, (ValueError, TemplateError))


async def _settle(db: Database, delivery: Delivery, outcome: dict[str, Any]) -> None:
    """Record the outcome of this very attempt; a later one of another worker is left alone."""
    if "state" in outcome:
        outcome = outcome | {"settled_at": clock.now()}
    row = (Delivery.id == delivery.id, Delivery.attempts == delivery.attempts)
    async with db.write() as session:
        await session.execute(update(Delivery).where(*row).values(outcome))
