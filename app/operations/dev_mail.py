"""/dev/mail: the mail that a machine without SMTP_HOST has written, for whoever sits at it.

It holds links that open accounts, so it answers only where nobody else can come: the server
listens on a loopback address, says that it lives there, and no proxy stands in front.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.errors import NotFound
from app.http import AnyRequest
from app.layout import page
from app.settings import Settings, is_loopback

MOST_SHOWN = 100
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
# Another's HTML: it may be looked at and its links followed, nothing more.
SANDBOX = (
    "sandbox allow-popups allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


@dataclass(frozen=True)
class KeptMail:
    name: str
    subject: str
    to: str
    date: datetime
    text: str
    html: str


@get("/dev/mail")
async def mailbox(request: AnyRequest, settings: NamedDependency[Settings]) -> Response[Any]:
    require_private(request, settings)
    mails = await asyncio.to_thread(_newest, settings.mail_dir)
    return await page(request, "dev/mailbox.html", mails=mails)


@get("/dev/mail/{name:str}")
async def mail_page(
    request: AnyRequest, settings: NamedDependency[Settings], name: FromPath[str]
) -> Response[Any]:
    require_private(request, settings)
    mail = await asyncio.to_thread(_find, settings.mail_dir, name)
    return await page(request, "dev/mail.html", mail=mail)


@get("/dev/mail/{name:str}/html")
async def mail_html(
    request: AnyRequest, settings: NamedDependency[Settings], name: FromPath[str]
) -> Response[str]:
    require_private(request, settings)
    mail = await asyncio.to_thread(_find, settings.mail_dir, name)
    headers = {"Content-Security-Policy": SANDBOX, "Cache-Control": "no-store"}
    return Response(mail.html, media_type=MediaType.HTML, headers=headers)


def require_private(request: AnyRequest, settings: Settings) -> None:
    """Raises NotFound when anyone but a person at this machine could be asking."""
    own = urlsplit(settings.base_url).hostname or ""
    is_private = settings.is_loopback and is_loopback(own) and not settings.sends_mail
    if not is_private or any(name in request.headers for name in FORWARDED):
        raise NotFound


def _newest(folder: Path) -> list[KeptMail]:
    return [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)[:MOST_SHOWN]]


def _find(folder: Path, name: str) -> KeptMail:
    for path in folder.glob("*.eml"):
        if path.name == name:
            return _read(path)
    raise NotFound


def _read(path: Path) -> KeptMail:
    message = message_from_bytes(path.read_bytes(), policy=default)
    return KeptMail(
        name=path.name,
        subject=message["Subject"],
        to=message["To"],
        date=message["Date"].datetime,
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


routes = [mailbox, mail_page, mail_html]
