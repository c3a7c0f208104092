"""The commands of `python -m app`."""

import asyncio
import os
import resource
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, cast

import uvicorn
import uvloop
from honcho.environ import parse_procfile
from honcho.manager import Manager
from sqlalchemy import update

from app import worker
from app.accounts.validation import DEMO_PASSWORD
from app.cli import demo
from app.cli.doctor import report, run_checks
from app.cli.file_lock import locked
from app.database.migrations import migrate
from app.installation import check, install
from app.models import User
from app.notifications.channels.base import ERROR
from app.notifications.channels.push.vapid_keys import fresh_pair
from app.private_files import create_private_files, make_private
from app.reachability import explanation
from app.security_log import record
from app.server import Limits, bounded_protocol
from app.settings import ROOT, SettingError, Settings, load
from app.telemetry import logs, metrics

JOURNEYS = "tests/journeys"
SHUTDOWN_SECONDS = 1
# A web process (of several) that does not respond for this long is killed and restarted. With
# uvicorn's default of 5 seconds, a busy machine kills them while they start and never serves.
SILENT_SECONDS = 60


def run(_arguments: list[str]) -> None:
    """Prepares the database and starts every process of the Procfile."""
    settings = _settings()
    asyncio.run(_prepare(settings))
    print(f"\nClippyFront is running at {settings.base_url}", flush=True)
    if settings.demo and not settings.is_reachable:
        print(demo.logins(DEMO_PASSWORD), flush=True)
    manager = Manager()
    environment = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PATH": _path()}
    for name, line in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        manager.add_process(name, f"exec {line}", env=environment, cwd=str(ROOT))
    manager.loop()
    sys.exit(manager.returncode)


def web(_arguments: list[str]) -> None:
    """Starts the web processes. Each open stream needs a file descriptor."""
    settings = _settings()
    asyncio.run(_prepare(settings))
    print(explanation(settings), flush=True)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
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
        proxy_headers=False,  # app/forwarding.py reads them, as TRUSTED_PROXIES says
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=SILENT_SECONDS,
    )


def run_worker(_arguments: list[str]) -> None:
    settings = _settings()
    logs.configure(settings)
    metrics.share(settings.data_dir)
    asyncio.run(_prepare(settings))
    uvloop.run(_run_worker(settings))


async def _run_worker(settings: Settings) -> None:
    await worker.run(install(settings))


def migrate_database(_arguments: list[str]) -> None:
    asyncio.run(_prepare(_settings()))


def admin(arguments: list[str]) -> None:
    parser = ArgumentParser(prog="python -m app admin")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--remove", action="store_true", help="NAME is no longer an administrator")
    given = parser.parse_args(arguments)
    settings = _settings()
    logs.configure(settings)
    if not asyncio.run(_set_admin(settings, given.name, is_admin=not given.remove)):
        sys.exit(f"There is no user named {given.name!r}.")
    print(f"{given.name} is {'no longer' if given.remove else 'now'} an administrator.")


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
    """Migrates the database, loads the demo data into a new one, and closes the demo's logins where
    others can reach the server.
    """
    db = install(settings).db
    try:
        # Web and worker may start at the same moment: one prepares, the other waits.
        with locked(settings.data_dir / ".preparing"):
            make_private(settings.data_dir)
            if await migrate(db, settings) and settings.demo:
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


def _settings() -> Settings:
    """Loads and checks the settings. Exits with an error message before anything has started."""
    create_private_files()
    try:
        return load(check=check)
    except SettingError as error:
        sys.exit(str(error))


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
    "doctor": doctor,
    "vapid-keys": print_vapid_keys,
}
