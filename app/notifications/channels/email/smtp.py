"""Sending over SMTP (RFC 5321): one connection, kept while mails follow each other."""

import asyncio
import re
import socket
from functools import cache
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientRefused, SMTPResponseException

from app.notifications.channels.base import (
    REFUSED,
    UNAVAILABLE,
    DeliveryFailure,
    Failed,
    Undelivered,
)
from app.outgoing import UNREACHABLE
from app.process.cancellation import end
from app.settings import Settings
from app.values.email_addresses import ascii_address

# A server that scans for spam replies late. If we hung up before its reply, it could still accept
# the mail, and our next attempt would deliver it again.
DATA_TIMES = 6
GOODBYE_SECONDS = 2
# Such a reply refuses the session, not this mail: 421 and the codes of RFC 4954.
ABOUT_THE_SESSION = {421, 454, 500, 502, 503, 530, 534, 535, 538}
# The failure of an address that cannot be written in a command.
INVALID_ADDRESS = "invalid_address"
# RFC 3463: a mailbox that does not exist, rather than one that is full or refuses this mail.
NO_SUCH_MAILBOX = re.compile(r"5\.(1\.(1|2|3|6|10)|2\.1)\b")
ANY_STATUS = re.compile(r"5\.\d+\.\d+\b")


class Smtp:
    """`async with Smtp(settings) as mailer:` and `await mailer.send(address, content)` for each mail.

    `timeout` is how many seconds a server may take for one command.
    """

    def __init__(self, settings: Settings, *, timeout: float = 20) -> None:
        self._settings, self._timeout = settings, timeout
        self._client: aiosmtplib.SMTP | None = None
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._opening:
            await end(self._opening, again_after=1)
            if not self._opening.cancelled():
                self._opening.exception()  # retrieved, so that asyncio does not log it as unhandled
        await self._hang_up(in_peace=kind is None or kind is GeneratorExit)

    def announce(self, address: str) -> None:
        """Begin the next mail, to `address`, in the background."""
        self._opening = asyncio.create_task(self._open(address))

    async def retract(self) -> None:
        """The announced mail will not be sent."""
        opening, self._opening = self._opening, None
        if opening:
            await asyncio.gather(opening, return_exceptions=True)
            await self._start_over()

    async def send(self, address: str, content: bytes) -> None:
        """Returns when the server has accepted the mail. Raises Undelivered.

        If an address was announced, `address` must be the same.
        """
        opening, self._opening = self._opening, None
        await (opening or self._open(address))
        await self._hand_over(content)

    async def offer(self) -> None:
        """Begin a mail and abandon it, to see whether the server would accept it from us.

        Raises Undelivered, whose cause is the error of the SMTP library.
        """
        client = await self._connected()
        try:
            await client.mail(self._settings.smtp_from_email)
        except (SMTPException, OSError, ValueError) as error:
            raise self._unreachable(error) from error
        await self._start_over()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None or not self._client.is_connected:
            client = _client(self._settings, await asyncio.to_thread(_own_name), self._timeout)
            try:
                await client.connect()
            except (SMTPException, OSError, ValueError) as error:
                raise self._unreachable(error) from error
            self._client = client
        return self._client

    async def _open(self, address: str) -> None:
        """Begin a mail; a kept connection that was closed meanwhile is replaced by a new one."""
        is_kept = self._client is not None
        try:
            await self._begin(address)
        except Undelivered as failure:
            if not (is_kept and failure.outcome.is_outage):
                raise
            await self._begin(address)

    async def _begin(self, address: str) -> None:
        client = await self._connected()
        try:
            await client.mail(self._settings.smtp_from_email)
        except (SMTPException, OSError, ValueError) as error:
            await self._hang_up()
            raise self._unreachable(error) from error
        try:
            await client.rcpt(ascii_address(address))
        except SMTPRecipientRefused as refusal:
            await self._start_over(refusal)
            raise self._refused_recipient(refusal) from refusal
        except (SMTPException, OSError) as error:
            await self._hang_up()
            raise self._broken_off(error) from error
        except ValueError as error:
            await self._start_over()
            failure = DeliveryFailure(INVALID_ADDRESS, detail=str(error))
            raise Undelivered(Failed(failure, is_final=True)) from error

    async def _hand_over(self, content: bytes) -> None:
        assert self._client
        try:
            await self._client.data(content, timeout=self._timeout * DATA_TIMES)
        except SMTPResponseException as refusal:
            await self._start_over(refusal)
            raise Undelivered(self._refused(refusal)) from refusal
        except (SMTPException, OSError) as error:
            await self._hang_up()
            raise self._broken_off(error) from error

    async def _start_over(self, refusal: SMTPResponseException | None = None) -> None:
        """Abandon the mail that was begun, and the session if that is what the server refused."""
        if refusal and refusal.code in ABOUT_THE_SESSION:
            await self._hang_up()
        elif self._client:
            try:
                await self._client.rset()
            except (SMTPException, OSError):
                await self._hang_up()

    async def _hang_up(self, *, in_peace: bool = False) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if in_peace:
                await client.quit(timeout=GOODBYE_SECONDS)
        except (SMTPException, OSError):
            pass
        finally:
            client.close()

    def _unreachable(self, error: Exception) -> Undelivered:
        return Undelivered(Failed(self._failure(error), is_outage=True, is_unreachable=True))

    def _broken_off(self, error: Exception) -> Undelivered:
        return Undelivered(Failed(self._failure(error), is_outage=True))

    def _refused_recipient(self, refusal: SMTPRecipientRefused) -> Undelivered:
        """Prefers the status of RFC 3463, which is more precise than the reply code."""
        outcome = self._refused(refusal)
        is_vague = refusal.code in (550, 551, 553) and not ANY_STATUS.match(refusal.message)
        is_gone = is_vague or bool(NO_SUCH_MAILBOX.match(refusal.message))
        return Undelivered(outcome, is_gone=outcome.is_final and is_gone)

    def _refused(self, refusal: SMTPResponseException) -> Failed:
        """A permanent or temporary refusal, or one of the session, after which every mail is
        refused.
        """
        is_session = refusal.code in ABOUT_THE_SESSION
        is_final = refusal.code >= 500 and not is_session
        return Failed(self._failure(refusal), is_final=is_final, is_outage=is_session)

    def _failure(self, error: Exception) -> DeliveryFailure:
        host = self._settings.smtp_host
        if isinstance(error, SMTPResponseException):
            is_refusal = error.code >= 500
            return DeliveryFailure(
                REFUSED if is_refusal else UNAVAILABLE, host, error.code, error.message
            )
        return DeliveryFailure(UNREACHABLE, host, detail=str(error) or type(error).__name__)


def _client(settings: Settings, own_name: str, timeout: float) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username or None,
        password=settings.smtp_password or None,
        local_hostname=own_name,
        use_tls=settings.smtp_tls == "implicit",
        start_tls=settings.smtp_tls == "starttls",
        timeout=timeout,
    )


@cache
def _own_name() -> str:
    """Looked up only once, because a slow resolver takes seconds."""
    return socket.getfqdn()
