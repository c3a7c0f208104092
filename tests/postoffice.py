"""A real SMTP server (aiosmtpd) that answers as a test wants it to, also over TLS and with logins."""

import asyncio
import dataclasses
import ssl
import warnings
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from app.settings import Settings

# What stands where an answer might: nothing is said, the line goes dead, or the mail is taken
# and the line goes dead. GARBLED: the line goes dead while the mail is being read.
HANG, DROP, TAKE_AND_DROP, GARBLED = "hang", "drop", "take and drop", "garbled"
USERNAME, PASSWORD = "clippyfront", "open sesame"


@dataclass
class PostOffice:
    """`answers` says what is said to a command (MAIL, RCPT, DATA) in place of yes: one after
    the other, the last one for ever. A `context` makes it speak TLS, from the first byte if
    `is_implicit`. With `wants_login` nothing goes without a login. `envelopes` are the addresses
    that the mails were taken for, whatever stands in them.
    """

    context: ssl.SSLContext | None = None
    is_implicit: bool = False
    wants_login: bool = False
    answers: dict[str, list[str]] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set["_Line"] = field(default_factory=set)

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=default) for content in self.taken]

    @property
    def ids(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(mail["Message-ID"] for mail in self.mails)

    @property
    def recipients(self) -> list[str]:
        return [mail["To"] for mail in self.mails]

    def settings(self, settings: Settings, **more: Any) -> Settings:
        """The same settings, with this for a mail server."""
        tls = ("implicit" if self.is_implicit else "starttls") if self.context else "none"
        mine: dict[str, Any] = {"smtp_host": "localhost", "smtp_port": self.port, "smtp_tls": tls}
        if self.wants_login:
            mine |= {"smtp_username": USERNAME, "smtp_password": PASSWORD}
        return dataclasses.replace(settings, **{**mine, **more})

    async def start(self) -> None:
        """On the port it had before, if it had one."""
        loop = asyncio.get_running_loop()
        context = self.context if self.is_implicit else None
        self._server = await loop.create_server(
            lambda: _Line(self), "127.0.0.1", self.port, ssl=context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Kills it at once."""
        if self._server:
            self._server.close()
            for line in list(self._open):
                line.drop()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 1)
            self._server = None

    def answer(self, command: str) -> str:
        waiting = self.answers.get(command, [])
        return (waiting.pop(0) if len(waiting) > 1 else waiting[0]) if waiting else "250 OK"

    async def handle_MAIL(
        self, line: Any, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        return await self._say("MAIL", line, lambda: setattr(envelope, "mail_from", address))

    async def handle_RCPT(
        self, line: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        return await self._say("RCPT", line, lambda: envelope.rcpt_tos.append(address))

    async def handle_DATA(self, line: Any, _session: Any, envelope: Any) -> str:
        def take() -> None:
            self.taken.append(envelope.content)
            self.envelopes.extend(envelope.rcpt_tos)

        return await self._say("DATA", line, take)

    async def _say(self, command: str, line: "_Line", agree: Any) -> str:
        answer = self.answer(command)
        if answer == HANG:
            await asyncio.sleep(3600)
        if answer.startswith("25") or answer == TAKE_AND_DROP:
            agree()
        if answer in (DROP, TAKE_AND_DROP):
            line.drop()
        return answer


class _Line(SMTP):
    """One connection."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office
        with warnings.catch_warnings(action="ignore"):  # of logins without encryption
            self._begin(office)

    def _begin(self, office: PostOffice) -> None:
        super().__init__(
            office,
            tls_context=None if office.is_implicit else office.context,
            require_starttls=office.context is not None and not office.is_implicit,
            authenticator=_check,
            auth_required=office.wants_login,
            auth_require_tls=office.context is not None and not office.is_implicit,
        )

    def connection_made(self, transport: Any) -> None:
        self._office.connections += 1
        self._office._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._office._open.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        if self._office.answers.get("DATA", [""])[0] == GARBLED:
            self._office.answer("DATA")
            await self.push("354 Go on")
            await self._reader.readline()
            self.drop()
            return
        await super().smtp_DATA(arg)

    def drop(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abort()


def _check(_line: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=given == right, handled=False)


@asynccontextmanager
async def open_office(**options: Any) -> AsyncIterator[PostOffice]:
    office = PostOffice(**options)
    await office.start()
    yield office
    await office.stop()
