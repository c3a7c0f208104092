"""/dev/mail shows the mails that an installation without SMTP_HOST writes to files.

They contain links that open accounts, so the page exists only on a local installation.
"""

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.errors import NotFound
from app.http import AnyRequest
from app.layout import page
from app.operations.local_access import require_local_installation
from app.settings import Settings

SHOWN_MAILS = 100
# The HTML of a mail is untrusted: it may be displayed and its links work, but nothing else.
SANDBOX = (
    "sandbox allow-popups allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


@dataclass(frozen=True)
class MailFile:
    """`name` is the name of the file."""

    name: str
    subject: str
    to: str
    date: datetime
    text: str
    html: str


@get()
async def mailbox(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[Any]:
    require_local_installation(settings)
    mails = await asyncio.to_thread(_newest, settings.mail_dir)
    return await page(request, "dev/mailbox.html", mails=mails)


@get()
async def mail_page(
    request: AnyRequest, settings: NamedDependency[Settings], name: FromPath[str]
) -> Response[Any]:
    require_local_installation(settings)
    mail = await asyncio.to_thread(_find, settings.mail_dir, name)
    return await page(request, "dev/mail.html", mail=mail)


@get()
async def mail_html(settings: NamedDependency[Settings], name: FromPath[str]) -> Response[str]:
    require_local_installation(settings)
    mail = await asyncio.to_thread(_find, settings.mail_dir, name)
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": "no-store"}
    return Response(mail.html, media_type=MediaType.HTML, headers=headers)


def _newest(folder: Path) -> list[MailFile]:
    return [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)[:SHOWN_MAILS]]


def _find(folder: Path, name: str) -> MailFile:
    for path in folder.glob("*.eml"):
        if path.name == name:
            return _read(path)
    raise NotFound


def _read(path: Path) -> MailFile:
    message = message_from_bytes(path.read_bytes(), policy=default)
    return MailFile(
        name=path.name,
        subject=message["Subject"],
        to=message["To"],
        date=message["Date"].datetime,
        text=_part(message, "plain"),
        html=_with_pictures(message, _part(message, "html")),
    )


def _with_pictures(message: EmailMessage, html: str) -> str:
    """Replaces `cid:` URLs by the attached pictures, as a mail program does."""
    for part in message.walk():
        if part.get_content_maintype() == "image" and (cid := part["Content-ID"]):
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            url = f"data:{part.get_content_type()};base64,{b64encode(content).decode()}"
            html = html.replace(f"cid:{cid.strip('<>')}", url)
    return html


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
