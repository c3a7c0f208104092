"""Explains to an operator why mail cannot be sent, and how to fix it."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPTimeoutError,
)

from app.notifications.channels.base import ERROR, OK, WARNING, CheckResult, Undelivered
from app.notifications.channels.email.smtp import Smtp
from app.settings import Settings, is_loopback

USUAL = "usually 587 with SMTP_TLS=starttls, 465 with implicit, 25 with none"


async def check_mail(settings: Settings, timeout: float) -> CheckResult:
    """Whether mail can be sent with these settings, for the doctor."""
    return CheckResult("mail", *await _check(settings, timeout))


async def _check(settings: Settings, timeout: float) -> tuple[str, str]:
    if not settings.sends_mail:
        sentence = f"mail is written to {settings.mail_dir}, and addresses count as confirmed."
        return WARNING, f"SMTP_HOST is not set: {sentence}"
    if trouble := await find_trouble(settings, timeout=timeout):
        return ERROR, trouble
    server, sender = _server(settings), settings.smtp_from_email
    if is_loopback(sender.rpartition("@")[2]):
        sentence = "but other servers will refuse it. Set SMTP_FROM_EMAIL to a real address."
        return ERROR, f"{server} accepts mail from {sender}, {sentence}"
    if settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        return WARNING, f"{server} accepts mail from {sender}, without encryption."
    return OK, f"{server} accepts mail from {sender}."


async def find_trouble(settings: Settings, *, timeout: float = 10) -> str:
    """Connect, encrypt, log in, and begin a mail from our address, which is then not sent.

    Returns what is wrong and how to fix it, or "". `timeout` is for each step, in seconds.
    """
    try:
        async with Smtp(settings, timeout=timeout) as mailer:
            await mailer.offer()
    except Undelivered as failure:
        error = failure.__cause__ or failure
        if isinstance(error, SMTPTimeoutError) and await _speaks_tls(settings, timeout):
            return f"{_server(settings)} expects TLS from the first byte: set SMTP_TLS=implicit."
        return _explain(settings, error)
    return ""


async def _speaks_tls(settings: Settings, timeout: float) -> bool:
    """Whether the server expects TLS from the start; its certificate does not matter here."""
    if settings.smtp_tls == "implicit":
        return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(timeout):
            _reader, writer = await asyncio.open_connection(
                settings.smtp_host, settings.smtp_port, ssl=context
            )
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _explain(settings: Settings, error: BaseException) -> str:
    server = _server(settings)
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return f"There is no host named {settings.smtp_host!r}: check SMTP_HOST."
        if isinstance(cause, ConnectionRefusedError):
            return f"Nothing listens at {server}: check SMTP_HOST and SMTP_PORT ({USUAL})."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"The certificate of {server} cannot be trusted ({cause.verify_message}): name the "
                "server in SMTP_HOST as its certificate does, or let SSL_CERT_FILE name the file "
                "of the authority that signed it."
            )
        if isinstance(cause, ssl.SSLError):
            return f"{server} does not begin with TLS: set SMTP_TLS=starttls ({USUAL})."
    return _explain_answer(settings, error) or f"{server} cannot be used: {_said(error)}."


def _explain_answer(settings: Settings, error: BaseException) -> str:
    server, said = _server(settings), _said(error)
    if isinstance(error, SMTPAuthenticationError):
        return f"{server} refuses SMTP_USERNAME with this SMTP_PASSWORD ({said})."
    if isinstance(error, SMTPConnectResponseError):
        return f"{server} turns this machine away ({said})."
    if isinstance(error, SMTPSenderRefused):
        return _explain_refusal(settings, error)
    if isinstance(error, SMTPResponseException) and error.code < 0:
        return f"What answers at {server} is no mail server: check SMTP_PORT ({USUAL})."
    if isinstance(error, SMTPTimeoutError):
        return f"{server} does not answer: check SMTP_HOST, SMTP_PORT ({USUAL}) and firewalls."
    if isinstance(error, SMTPException) and "STARTTLS" in said:
        return (
            f"{server} offers no STARTTLS: set SMTP_TLS=implicit and its port (usually 465), or none "
            "if the network in between is trusted."
        )
    if isinstance(error, SMTPException) and "AUTH" in said:
        return (
            f"{server} offers no login: unset SMTP_USERNAME and SMTP_PASSWORD, or encrypt first by "
            "SMTP_TLS."
        )
    return ""


def _explain_refusal(settings: Settings, error: SMTPSenderRefused) -> str:
    server, said = _server(settings), _said(error)
    if "STARTTLS" in said.upper():
        return f"{server} wants encryption first: set SMTP_TLS=starttls ({said})."
    if error.code == 530:
        return f"{server} wants a login: set SMTP_USERNAME and SMTP_PASSWORD ({said})."
    return f"{server} takes no mail from SMTP_FROM_EMAIL={settings.smtp_from_email} ({said})."


def _server(settings: Settings) -> str:
    return f"{settings.smtp_host}:{settings.smtp_port}"


def _said(error: BaseException) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}".strip()
    return str(error).rstrip(".") or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
