"""Letters: mail about an account or an invitation. The act adds a row, the outbox delivers it.

A letter `x` is the templates `templates/email/x/{subject.txt,body.txt,body.html}`. Its row holds
ids and facts but nothing that opens a door: signed links are made at delivery, by `LETTERS[x]`,
unless `WHY_NOT[x]` finds that it is of no use any more.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime, formataddr
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.language import _, ngettext, speaking
from app.mail.mime import compose_mime
from app.models import Delivery, User
from app.rendering import render
from app.settings import ROOT, Settings

Facts = Mapping[str, Any]
LETTERS: dict[str, Callable[[Facts], Facts]] = {}
# Asked when a letter is to leave: why it need not, a key of `decision.REASONS`, or None.
WHY_NOT: dict[str, Callable[[AsyncSession, Facts], Awaitable[str | None]]] = {}


@dataclass(frozen=True)
class Mail:
    subject: str
    text: str
    html: str


async def add_letter(
    session: AsyncSession, letter: str, *, address: str, user_id: int | None = None, **context: Any
) -> None:
    """Have `letter` sent to `address`, in the language of the account `user_id` if there is one.

    `context` is JSON. Poke the relay after the commit, so that it leaves at once.
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


async def why_not(session: AsyncSession, delivery: Row[Any]) -> str | None:
    """Why the letter is of no use any more, or None."""
    ask = WHY_NOT.get(str(delivery.letter))
    return await ask(session, _facts_of(delivery)) if ask else None


async def language_of(session: AsyncSession, delivery: Row[Any]) -> str:
    """The language of its reader, or that of whoever caused the letter to a stranger."""
    chosen = select(User.language).where(User.id == delivery.user_id)
    return await session.scalar(chosen) or str((delivery.context or {}).get("language", ""))


def write_letter(settings: Settings, delivery: Row[Any], language: str) -> bytes:
    """Raises TemplateError or ValueError when it cannot be written."""
    letter, facts = str(delivery.letter), _facts_of(delivery)
    with speaking(language):
        context = LETTERS.get(letter, dict)(facts)
        mail = render_mail(letter, {**facts, **context, "base_url": settings.base_url})
    name = f"{letter}-{delivery.id}"
    return compose(settings, mail, address=delivery.address, name=name)


def _facts_of(delivery: Row[Any]) -> Facts:
    return {**(delivery.context or {}), "user_id": delivery.user_id}


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


def compose(
    settings: Settings,
    mail: Mail,
    *,
    address: str,
    name: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A message whose id depends on `name` alone, so that one sent twice shows once (RFC 5322 3.6.4).

    Raises ValueError when an address cannot stand in a header.
    """
    return compose_mime(
        {
            "From": formataddr(("ClippyFront", settings.smtp_from_email)),
            "To": address,
            "Subject": mail.subject,
            "Date": format_datetime(clock.now()),
            "Message-ID": message_id(settings, name),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **(headers or {}),
        },
        mail.text,
        mail.html,
    )


def message_id(settings: Settings, name: str) -> str:
    """`<name.digest@domain>`: the same for the same name, and not to be guessed."""
    digest = hashlib.sha256(f"{name}.{settings.secret_key}".encode()).hexdigest()[:16]
    return f"<{name}.{digest}@{domain_of(settings)}>"


def domain_of(settings: Settings) -> str:
    return settings.smtp_from_email.rpartition("@")[2]
