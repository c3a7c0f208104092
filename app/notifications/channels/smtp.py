"""The way out for mail: one SMTP connection kept for a batch, or a folder of `.eml` files.

With SMTP_HOST mail goes there; without, it lies in `DATA_DIR/mail` for /dev/mail to show.
"""

import asyncio
import os
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

import aiosmtplib

from app import clock
from app.notifications.channels.base import Undelivered
from app.settings import Settings

TIMEOUT = 20  # seconds for each SMTP command, so that a delivery ends within its lease


class Post:
    """`async with Post(settings) as post:` and `await post.send(message)` for each."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._hang_up()

    async def send(self, message: EmailMessage) -> None:
        """Hand over to the SMTP server, or write a file where there is none. Raises Undelivered."""
        if not self._settings.sends_mail:
            await asyncio.to_thread(_keep, self._settings.mail_dir, message)
            return
        client = await self._connected()
        try:
            await client.send_message(message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if not client.is_connected or _is_broken(error):
                await self._hang_up()
            raise _undelivered(error) from error

    async def connect(self) -> None:
        """Connect and log in, to see whether that works. Raises Undelivered."""
        await self._connected()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None:
            client = _client(self._settings)
            try:
                await client.connect()
            except (aiosmtplib.SMTPException, OSError, ValueError) as error:
                client.close()
                raise Undelivered(_words(error), outage=True) from error
            self._client = client
        return self._client

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            client.close()


def _client(settings: Settings) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password or None,
        use_tls=settings.smtp_tls == "implicit",
        start_tls=settings.smtp_tls == "starttls",
        timeout=TIMEOUT,
    )


def _is_broken(error: Exception) -> bool:
    return isinstance(
        error, (OSError, aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError)
    )


def _undelivered(error: Exception) -> Undelivered:
    """Which refusals are for good, which are the recipient's, and which are the server's trouble."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [refusal.code for refusal in error.recipients]
        return Undelivered(_words(error), gone=min(codes, default=0) >= 500)
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return Undelivered(_words(error), outage=True)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Undelivered(_words(error), permanent=error.code >= 500)
    if isinstance(error, (aiosmtplib.SMTPTimeoutError, TimeoutError)):
        return Undelivered(_words(error), outage=True)
    return Undelivered(_words(error), permanent=isinstance(error, ValueError))


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return "; ".join(f"{one.code} {one.message}" for one in error.recipients)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__


def _keep(folder: Path, message: EmailMessage) -> None:
    """Written whole before it gets its name, and for the owner's eyes: it may hold a reset link."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = message["Message-ID"].strip("<>").partition("@")[0]
    path = folder / f"{clock.now():%Y%m%d-%H%M%S}-{stem}.eml"
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    draft.replace(path)
