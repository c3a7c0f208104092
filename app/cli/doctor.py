"""Checks the settings by trying each one, and reports the result of each in one sentence.

python -m app doctor [--mail ADDRESS]
"""

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app import clock
from app.broker import open_broker
from app.database import Database
from app.database.keys import SECRET_KEY, read_keys
from app.database.migrations import revisions
from app.faults import fault_of
from app.installation import check_servers
from app.mail.composing import compose, render_mail
from app.notifications import channels
from app.notifications.channels.base import ERROR, OK, WARNING, CheckResult, Undelivered
from app.notifications.channels.email.channel import Email, transport
from app.notifications.delivery.explanations import explain_failure
from app.operations.health import has_worker
from app.process.private_files import is_private
from app.projects.video.ffmpeg import CompilationError, is_confined
from app.settings import SettingError, Settings, authority_of, is_loopback
from app.values.email_addresses import is_email_address
from app.web.forwarding import ProxiesSeen
from app.web.reachability import explanation
from app.zones import server_zone, zone_names

MIN_FREE_BYTES = 500 * 2**20
CONNECTIONS = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
count(*) FILTER (WHERE backend_type = 'client backend' AND application_name <> 'clippyfront')
FROM pg_stat_activity
"""


async def run_checks(
    settings: Settings, *, mail_to: str = "", timeout: float = 10
) -> list[CheckResult]:
    """Runs every check. `timeout` is in seconds, for each step with the mail server."""
    checks: dict[str, Callable[[], Awaitable[tuple[str, str]]]] = {
        "data folder": lambda: _check_folder("DATA_DIR", settings.data_dir),
        "media folder": lambda: _check_folder("MEDIA_DIR", settings.media_dir),
        "database": lambda: _check_database(settings),
        "connections": lambda: _check_connections(settings),
        "queue and relay": lambda: _check_queue(settings),
        "address": lambda: _check_address(settings),
        "reachability": lambda: _check_reachability(settings),
        "confirmed addresses": lambda: _check_confirmation(settings),
        "registration": lambda: _check_registration(settings),
        "proxy": lambda: _check_proxy(settings),
        "time zone": lambda: _check_time_zone(settings),
        "ffmpeg": lambda: _check_ffmpeg(settings),
    }
    results = [CheckResult(name, *await check()) for name, check in checks.items()]
    for channel in channels.CHANNELS:
        results += await channel.check(settings, timeout)
    if mail_to:
        sent = await _send_test_mail(settings, mail_to, timeout)
        results.append(CheckResult("test mail", *sent))
    return results


def report(results: Sequence[CheckResult]) -> str:
    return "\n".join(f"{one.status:7}  {one.check}: {one.sentence}" for one in results)


async def _check_folder(name: str, folder: Path) -> tuple[str, str]:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        return ERROR, f"{name} {folder} is not writable ({error.strerror})."
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        return ERROR, f"The disk of {name} {folder} has only {free >> 20} MB left."
    if name == "DATA_DIR" and not is_private(folder):
        return WARNING, f"Other users can read files in {folder}. The next start makes it private."
    return OK, f"{folder} is writable and has {free >> 30} GB left."


async def _check_database(settings: Settings) -> tuple[str, str]:
    if settings.is_sqlite and not settings.sqlite_path.exists():
        return WARNING, f"{settings.sqlite_path} does not exist yet; the first start creates it."
    try:
        check_servers(settings)
    except SettingError as error:
        return ERROR, str(error)
    db = Database(settings.database_url)
    try:
        present, newest = await revisions(db)
        version = await db.server_version()
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", error))
        return ERROR, f"The database at DATABASE_URL cannot be opened ({cause})."
    finally:
        await db.close()
    if present is None:
        return WARNING, f"{version} has no schema yet; the first start creates it."
    if present != newest:
        return ERROR, f"The schema is {present}, not {newest}. Run `python -m app migrate`."
    return OK, f"{version} has the newest schema ({newest})."


async def _check_connections(settings: Settings) -> tuple[str, str]:
    """Whether the processes of this machine can have all connections that they may open."""
    if settings.is_sqlite:
        return OK, "SQLite needs none."
    db = Database(settings.database_url)
    try:
        async with db.read() as session:
            free, others = (await session.execute(text(CONNECTIONS))).one()
    except DBAPIError as error:
        return ERROR, f"The connections of the server cannot be counted ({error.orig})."
    finally:
        await db.close()
    each, processes = settings.db_pool_size, settings.web_concurrency + 1
    share = settings.connections
    sentence = (
        f"Each process opens at most {each} (database {share.database}, queue {share.queue}, relay "
        f"{share.relay}), so web and worker here at most {each * processes}. The server has {free} "
        f"for all hosts; other programs use {others}."
    )
    return OK if each * processes + others <= free else WARNING, sentence


async def _check_queue(settings: Settings) -> tuple[str, str]:
    try:
        if await _is_empty(settings):  # connecting would make the queue's tables there
            return WARNING, "The first start makes the queue."
        secret_key = settings.secret_key or read_keys(settings).get(SECRET_KEY, "")
        broker = open_broker(replace(settings, secret_key=secret_key))
        try:
            await broker.connect()
            is_served = await has_worker(broker)
        finally:
            await broker.disconnect()
    except (SettingError, OSError) as error:
        return ERROR, str(error)
    except Exception as error:
        if not (fault := fault_of(error)):
            raise
        return ERROR, str(fault)
    if not is_served:
        return WARNING, "No worker has reported in the last minute. Run `python -m app worker`."
    server = "Redis" if settings.redis_url else "SQLite" if settings.is_sqlite else "PostgreSQL"
    return OK, f"Both are available, on {server}, and a worker is running."


async def _is_empty(settings: Settings) -> bool:
    """Whether DATABASE_URL names a PostgreSQL database before the first start."""
    if settings.is_sqlite:
        return False
    db = Database(settings.database_url)
    try:
        present, _newest = await revisions(db)
    finally:
        await db.close()
    return present is None


async def _check_address(settings: Settings) -> tuple[str, str]:
    url = settings.base_url
    authority = authority_of(url)
    host = authority.host
    if is_loopback(host) and not settings.is_loopback:
        sentence = (
            "makes links in mail point to the reader's own machine. Set it to the public URL."
        )
        return ERROR, f"BASE_URL {url} {sentence}"
    if not settings.answers_to(str(authority)):
        return ERROR, f"ALLOWED_HOSTS does not contain {host}, so its pages are refused."
    if not settings.is_https and not is_loopback(host):
        sentence = "browsers offer neither push nor one live stream for all tabs."
        return WARNING, f"{url} is not encrypted: anyone on the way reads passwords, and {sentence}"
    return OK, f"Links start with {url}."


async def _check_reachability(settings: Settings) -> tuple[str, str]:
    is_open = settings.is_reachable and settings.rate_limits is False
    return WARNING if is_open else OK, explanation(settings)


async def _check_confirmation(settings: Settings) -> tuple[str, str]:
    if settings.sends_mail:
        return OK, "A mailed link confirms each address."
    if not settings.is_reachable:
        return OK, "Without SMTP_HOST, every address counts as confirmed."
    sentence = "so anyone can claim another person's address. Set SMTP_HOST."
    return WARNING, f"Without SMTP_HOST, every address counts as confirmed, {sentence}"


async def _check_registration(settings: Settings) -> tuple[str, str]:
    if settings.registration == "closed":
        return OK, "REGISTRATION is closed: nobody can create an account."
    if settings.registration == "invited":
        return OK, "REGISTRATION is invited: an account can be created by invitation only."
    if not settings.is_reachable:
        return OK, "REGISTRATION is open: anyone on this machine can create an account."
    sentence = (
        "can create an account, upload clips and send invitations by mail. To decide who joins, "
        "set it to invited or closed."
    )
    return WARNING, f"REGISTRATION is open: anyone who can reach {settings.base_url} {sentence}"


async def _check_proxy(settings: Settings) -> tuple[str, str]:
    if problems := ProxiesSeen(settings).problems():
        return WARNING, " ".join(problems)
    trusted = ", ".join(settings.trusted_proxies)
    is_remote = settings.is_https and not settings.is_loopback
    if is_remote and all(is_loopback(one.partition("/")[0]) for one in settings.trusted_proxies):
        sentence = "Name the proxy that speaks https in TRUSTED_PROXIES if it runs elsewhere."
        return WARNING, f"Only proxies on this machine are trusted. {sentence}"
    return OK, f"X-Forwarded-For is believed from {trusted}."


async def _check_time_zone(settings: Settings) -> tuple[str, str]:
    if not zone_names():
        return ERROR, "No time zones are installed. Run `pip install tzdata`."
    now = clock.now().astimezone(server_zone(settings.time_zone))
    return OK, f"The time is {now:%H:%M} ({now:%Z}). The nightly clean-up runs at 00:00."


async def _check_ffmpeg(settings: Settings) -> tuple[str, str]:
    try:
        with tempfile.NamedTemporaryFile(dir=settings.data_dir) as file:
            file.write(b"x")
            file.flush()
            holds = await is_confined(Path(file.name))
    except (OSError, CompilationError) as error:
        return ERROR, f"ffmpeg could not be started ({error})."
    if not holds:
        sentence = "Landlock is missing (Linux 5.13 or newer), so a hostile clip that takes over"
        return WARNING, f"{sentence} ffmpeg could read every file of this user."
    return OK, "It runs, and sees only its input, its output and the system's libraries."


async def _send_test_mail(settings: Settings, address: str, timeout: float) -> tuple[str, str]:
    if not is_email_address(address):
        return ERROR, f"{address!r} is not an email address."
    try:
        mail = render_mail("test", {"base_url": settings.base_url})
        content = compose(settings, mail, address=address, name=f"test-{token_hex(8)}")
        async with transport(settings, timeout) as mailer:
            await mailer.send(address, content)
    except Undelivered as error:
        reply = explain_failure(error.outcome.failure, Email.words)
        return ERROR, f"The mail to {address} was refused. {reply}"
    except ValueError as error:
        return ERROR, f"The mail to {address} could not be written ({error})."
    where = "was sent" if settings.sends_mail else f"was written to {settings.mail_dir}"
    return OK, f"The mail to {address} {where}."
