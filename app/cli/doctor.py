"""Are the settings right? Each is tried for real, and answered for in one sentence.

python -m app doctor [--mail ADDRESS]
"""

import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.broker import open_broker
from app.database import Database
from app.database.migrations import revisions
from app.mail.composing import compose, render_mail
from app.notifications import channels
from app.notifications.channels.base import NOTE, RIGHT, WRONG, Finding, Undelivered
from app.notifications.channels.email.channel import Email, transport
from app.notifications.delivery.explanations import explain_failure
from app.operations.health import has_worker
from app.settings import SettingError, Settings, is_loopback
from app.worker import local_zone
from app.zones import zone_names

LITTLE_SPACE = 500 * 2**20


async def examine(settings: Settings, *, mail_to: str = "", timeout: float = 10) -> list[Finding]:
    """Try everything; `timeout` is for each step with the mail server, in seconds."""
    checks: dict[str, Callable[[], Awaitable[tuple[str, str]]]] = {
        "data folder": lambda: _folder(settings),
        "database": lambda: _database(settings),
        "queue and relay": lambda: _queue(settings),
        "address": lambda: _address(settings),
        "time zone": _zone,
    }
    findings = [Finding(about, *await check()) for about, check in checks.items()]
    for channel in channels.CHANNELS:
        findings += await channel.examine(settings, timeout)
    if mail_to:
        findings.append(Finding("test mail", *await _send(settings, mail_to, timeout)))
    return findings


def report(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{one.level:5}  {one.about}: {one.sentence}" for one in findings)


async def _folder(settings: Settings) -> tuple[str, str]:
    folder = settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        return WRONG, f"DATA_DIR {folder} cannot be written to ({error.strerror})."
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        return WRONG, f"The disk of DATA_DIR {folder} is nearly full: {free >> 20} MB are left."
    return RIGHT, f"{folder} can be written to, and {free >> 30} GB are free."


async def _database(settings: Settings) -> tuple[str, str]:
    if settings.is_sqlite and not settings.sqlite_path.exists():
        return NOTE, f"{settings.sqlite_path} is not there yet; the first start makes it."
    db = Database(settings.database_url)
    try:
        present, newest = await revisions(db)
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", error))
        return WRONG, f"DATABASE_URL cannot be reached ({cause})."
    finally:
        await db.close()
    if present != newest:
        return WRONG, f"Its schema is {present}, not {newest}: run `python -m app migrate`."
    return RIGHT, f"It answers, and has the newest schema ({newest})."


async def _queue(settings: Settings) -> tuple[str, str]:
    try:
        broker = open_broker(settings)
        await broker.connect()
    except (SettingError, OSError) as error:
        return WRONG, str(error)
    try:
        is_served = await has_worker(broker)
    finally:
        await broker.disconnect()
    if not is_served:
        return NOTE, "No worker gave a sign of life in the last minute: `python -m app worker`."
    return RIGHT, "Both answer, and a worker is there."


async def _address(settings: Settings) -> tuple[str, str]:
    url, parts = settings.base_url, urlsplit(settings.base_url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query:
        return WRONG, f"BASE_URL must be like https://clips.example.com, not {url!r}."
    if is_loopback(host) and not settings.is_loopback:
        sentence = "leads readers of a mail to their own machine: set it to what browsers open."
        return WRONG, f"BASE_URL {url} {sentence}"
    if host not in settings.allowed_hosts and "*" not in settings.allowed_hosts:
        return WRONG, f"{host} is missing in ALLOWED_HOSTS, so that its pages are refused."
    if not settings.is_https and not is_loopback(host):
        return NOTE, f"{url} is not encrypted; browsers offer push and live tabs over https alone."
    return RIGHT, f"Links begin with {url}."


async def _zone() -> tuple[str, str]:
    if not zone_names():
        return WRONG, "No time zones are installed: `pip install tzdata`."
    name = os.environ.get("TZ", "").lstrip(":")
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return WRONG, f"TZ is {name!r}, which is no zone like Europe/Berlin."
    now = clock.now().astimezone(local_zone())
    return RIGHT, f"It is {now:%H:%M} here ({now:%Z}); the nightly cleaning is at 00:00."


async def _send(settings: Settings, address: str, timeout: float) -> tuple[str, str]:
    try:
        mail = render_mail("test", {"base_url": settings.base_url})
        content = compose(settings, mail, address=address, name=f"test-{token_hex(8)}")
        async with transport(settings, timeout) as way:
            await way.send(address, content)
    except Undelivered as error:
        problem = explain_failure(error.outcome.failure, Email.words)
        return WRONG, f"The mail to {address} was not accepted. {problem}"
    except ValueError as error:
        return WRONG, f"The mail to {address} could not be written ({error})."
    where = "is on its way" if settings.sends_mail else f"lies in {settings.mail_dir}"
    return RIGHT, f"The mail to {address} {where}."
