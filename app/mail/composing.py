"""Compose a mail: its parts rendered from templates, its headers, its bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime, formataddr
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import clock
from app.language import _, ngettext
from app.mail.mime import Picture, compose_mime
from app.rendering import render
from app.settings import ROOT, Settings
from app.values.email_addresses import ascii_address
from app.values.names import isolate, to_text


@dataclass(frozen=True)
class MailContent:
    subject: str
    text: str
    html: str
    pictures: Sequence[Picture] = ()


def render_mail(name: str, context: Mapping[str, Any]) -> MailContent:
    """The three parts of `templates/email/<name>` in the current language."""
    subject = _text().get_template(f"email/{name}/subject.txt").render(context)
    text = _text().get_template(f"email/{name}/body.txt").render(context)
    return MailContent(
        subject=to_text(" ".join(subject.split())),
        text=to_text(text.strip()) + "\n",
        html=render(f"email/{name}/body.html", dict(context)),
    )


@cache
def _text() -> Environment:
    """Plain text is not escaped: names with & or ' must arrive unchanged."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(_=_, ngettext=ngettext, isolate=isolate)
    return environment


def compose(
    settings: Settings,
    mail: MailContent,
    *,
    address: str,
    name: str,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A message whose id depends only on `name`, so that one sent twice is shown once (RFC 5322,
    3.6.4). Raises ValueError when an address cannot be written in a header.
    """
    return compose_mime(
        {
            "From": formataddr(("ClippyFront", settings.smtp_from_email)),
            "To": ascii_address(address),
            "Subject": mail.subject,
            "Date": format_datetime(clock.now()),
            "Message-ID": message_id(settings, name),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **(headers or {}),
        },
        mail.text,
        mail.html,
        mail.pictures,
    )


def unsubscribe_headers(url: str) -> dict[str, str]:
    """One-click unsubscribing (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def message_id(settings: Settings, name: str) -> str:
    """`<name.digest@domain>`: the same for the same name, and unguessable."""
    digest = hashlib.sha256(f"{name}.{settings.secret_key}".encode()).hexdigest()[:16]
    return f"<{name}.{digest}@{domain_of(settings)}>"


def domain_of(settings: Settings) -> str:
    return settings.smtp_from_email.rpartition("@")[2]
