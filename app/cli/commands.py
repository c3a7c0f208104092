"""The commands of `python -m app`."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, cast

import uvicorn
import uvloop
from sqlalchemy import update

from app import worker
from app.accounts.validation import DEMO_PASSWORD
from app.backup.moved import require_here
from app.backup.progress import Progress
from app.broker.runtime_directory import runtime_directory
from app.cli import backups, demo
from app.cli.doctor import report, run_checks
from app.cli.file_lock import locked
from app.cli.listening import check_listening
from app.cli.supervisor import Supervisor, end_with_supervisor, read_procfile
from app.database import Database
from app.database.migrations import migrate
from app.database.preparing import alone
from app.installation import check, check_servers, install
from app.language import _
from app.models import User
from app.notifications.channels.base import ERROR
from app.notifications.channels.push.vapid_keys import fresh_pair
from app.notifications.search import index
from app.process.private_files import create_private_files, make_private
from app.projects.media_adoption import adopt_media
from app.settings import ROOT, SettingError, Settings, load
from app.telemetry import logs, metrics
from app.telemetry.security_log import record
from app.web.reachability import explanation
from app.web.server import Limits, bounded_protocol

JOURNEYS = "tests/journeys"
SHUTDOWN_SECONDS = 1
# A web process (of several) that does not respond for this long is killed and restarted. With
# uvicorn's default of 5 seconds, a busy machine kills them while they start and never serves.
SILENT_SECONDS = 60
# How long a supervised process waits for PostgreSQL and Redis, which restart in less time.
SERVERS_SECONDS = 120


def run(_arguments: list[str]) -> None:
    """Prepares the database and starts every process of the Procfile."""
    settings = _settings(check_listening, check_servers, require_here)
    asyncio.run(_prepare(settings))
    print(f"\nClippyFront is starting at {settings.base_url}", flush=True)
    if settings.demo and not settings.is_reachable:
        print(demo.logins(DEMO_PASSWORD), flush=True)
    environ = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PATH": _path()}
    commands = read_procfile(ROOT / "Procfile")
    sys.exit(asyncio.run(Supervisor(commands, environ, ROOT).run()))


def web(_arguments: list[str]) -> None:
    """Starts the web processes. Each open stream needs a file descriptor."""
    seconds = SERVERS_SECONDS if end_with_supervisor() else 0
    settings = _settings(check_listening, _within(seconds), require_here)
    asyncio.run(_prepare(settings))
    print(explanation(settings), flush=True)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # Once uvicorn has stopped gracefully, it raises the signal again, which would count as a failure.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    uvicorn.run(
        "app.asgi:serve",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        loop="uvloop",
        http=cast(Any, bounded_protocol(Limits(trusts=settings.trusts))),
        ws="none",
        access_log=False,
        proxy_headers=False,  # app/web/forwarding.py reads them, as TRUSTED_PROXIES says
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=SILENT_SECONDS,
    )


def run_worker(_arguments: list[str]) -> None:
    """Exits with 1 if a part of the worker ended by itself."""
    seconds = SERVERS_SECONDS if end_with_supervisor() else 0
    settings = _settings(_within(seconds), require_here)
    logs.configure(settings)
    metrics.share(runtime_directory(settings.data_dir, "metrics"))
    asyncio.run(_prepare(settings))
    sys.exit(not uvloop.run(_run_worker(settings)))


async def _run_worker(settings: Settings) -> bool:
    return await worker.run(install(settings))


def migrate_database(_arguments: list[str]) -> None:
    asyncio.run(_prepare(_settings(check_servers, require_here)))


def admin(arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m app admin")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--remove", action="store_true", help="NAME is no longer an administrator")
    given = parser.parse_args(arguments)
    settings = _settings(check_servers, require_here)
    logs.configure(settings)
    if not asyncio.run(_set_admin(settings, given.name, is_admin=not given.remove)):
        sys.exit(f"There is no user named {given.name!r}.")
    print(f"{given.name} is {'no longer' if given.remove else 'now'} an administrator.")


def backup(arguments: list[str]) -> None:
    backups.backup(_settings(check_servers), arguments)


def restore(arguments: list[str]) -> None:
    backups.restore(_settings(check_servers), arguments)


def move(arguments: list[str]) -> None:
    backups.move(_settings(check_servers), arguments)


def print_vapid_keys(_arguments: list[str]) -> None:
    """Prints a new key pair, as lines for `.env`."""
    public, private = fresh_pair()
    print(f"VAPID_PUBLIC_KEY={public}\nVAPID_PRIVATE_KEY={private}")


def test(arguments: list[str]) -> None:
    """Runs the suite on every core, then the browser journeys alone, because they wait for pages
    that must appear within a time limit.
    """
    runs = [arguments] if arguments else [["-n", "auto", f"--ignore={JOURNEYS}"], [JOURNEYS]]
    sys.exit(max([_pytest(run) for run in runs]))


def _pytest(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


def doctor(arguments: list[str]) -> None:
    """Checks the settings and exits with 1 if any check fails."""
    parser = ArgumentParser(prog="python -m app doctor")
    parser.add_argument("--mail", metavar="ADDRESS", default="", help="send a test mail to ADDRESS")
    results = asyncio.run(run_checks(_settings(), mail_to=parser.parse_args(arguments).mail))
    print(report(results))
    sys.exit(any(result.status == ERROR for result in results))


async def _prepare(settings: Settings) -> None:
    """Migrates the database, completes its index, loads the demo data into a new one, and closes the
    demo's logins where others can reach the server.
    """
    db = Database(settings.database_url)
    try:
        # Web and worker may start at the same moment, on PostgreSQL also on several hosts: one
        # prepares, the others wait.
        with locked(settings.data_dir / ".preparing"):
            make_private(settings.data_dir)
            adopt_media(settings)
            async with alone(db):
                is_new = await migrate(db, settings)
                await _fill_index(db)
                await _prepare_demo(settings, is_new=is_new)
    finally:
        await db.close()


async def _fill_index(db: Database) -> None:
    """Builds the search index if it is missing or incomplete: after an upgrade to the first version
    that has one, after a restore, or after an interrupted run.
    """
    if not await index.is_complete(db):
        progress = Progress()
        progress.say(_("Preparing the search in notifications …"))
        await progress.adding("search", index.fill(db), unit="events")


async def _prepare_demo(settings: Settings, *, is_new: bool) -> None:
    db = install(settings).db
    try:
        if is_new and settings.demo:
            await demo.load(db, settings)
        if settings.is_reachable:
            await demo.close_logins(db)
    finally:
        await db.close()


async def _set_admin(settings: Settings, name: str, *, is_admin: bool) -> bool:
    """Returns whether there is such a user. A new administrator is restored if suspended."""
    db = install(settings).db
    values = {"is_admin": True, "suspended_at": None} if is_admin else {"is_admin": False}
    named = update(User).where(User.username_key == name.casefold()).values(values)
    async with db.write() as session:
        username = await session.scalar(named.returning(User.username))
    await db.close()
    if username:
        record("admin_named" if is_admin else "admin_dismissed", account=username)
    return username is not None


def _settings(*check_more: Callable[[Settings], None]) -> Settings:
    """Loads and checks the settings. Exits with an error message before anything has started."""
    create_private_files()

    def check_all(settings: Settings) -> None:
        for each in (check, *check_more):
            each(settings)

    try:
        return load(check=check_all)
    except SettingError as error:
        sys.exit(str(error))


def _within(seconds: float) -> Callable[[Settings], None]:
    """Checks the servers repeatedly for this long. For a process that the supervisor restarts while
    they are unreachable: it gives up on a process that fails every few seconds.
    """

    def check_repeatedly(settings: Settings) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                return check_servers(settings)
            except SettingError:
                if time.monotonic() > until:
                    raise
            time.sleep(1)

    return check_repeatedly


def _path() -> str:
    """PATH with this Python first, so that the Procfile's `python` is the same one."""
    return f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ.get('PATH', '')}"


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "run": run,
    "test": test,
    "web": web,
    "worker": run_worker,
    "migrate": migrate_database,
    "admin": admin,
    "backup": backup,
    "restore": restore,
    "move": move,
    "doctor": doctor,
    "vapid-keys": print_vapid_keys,
}
