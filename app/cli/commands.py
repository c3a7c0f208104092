"""What the commands of `python -m app` do."""

import asyncio
import os
import resource
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress

import uvicorn
import uvloop
from honcho.environ import parse_procfile
from honcho.manager import Manager
from sqlalchemy import update

from app import worker
from app.cli import demo
from app.cli.doctor import examine, report
from app.database.migrations import migrate
from app.installation import install
from app.models import User
from app.notifications.channels.base import WRONG
from app.notifications.channels.push.vapid_keys import fresh_pair
from app.settings import ROOT, SettingError, Settings, load
from app.telemetry import logs, metrics

JOURNEYS = "tests/journeys"
SHUTDOWN_SECONDS = 1
# One of several web processes that says nothing for so long is killed and begun anew. With the
# server's own 5 seconds a busy machine kills them while they still start, and never serves.
SILENT_SECONDS = 60


def run(_arguments: list[str]) -> None:
    """Everything: the database, the demo cast, and what the Procfile names."""
    settings = _settings()
    asyncio.run(_prepare(settings))
    print(f"\nClippyFront is at {settings.base_url}", flush=True)
    if settings.demo:
        print(demo.LOGINS, flush=True)
    manager = Manager()
    environment = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PATH": _path()}
    for name, line in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        manager.add_process(name, f"exec {line}", env=environment, cwd=str(ROOT))
    manager.loop()
    sys.exit(manager.returncode)


def web(_arguments: list[str]) -> None:
    """The web processes; the stream's connections need many open files."""
    settings = _settings()
    asyncio.run(_prepare(settings))
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvicorn.run(
        "app.asgi:serve",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=SILENT_SECONDS,
    )


def work(_arguments: list[str]) -> None:
    settings = _settings()
    logs.configure(settings)
    metrics.share(settings.data_dir)
    asyncio.run(_prepare(settings))
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    await worker.run(install(settings))


def migrate_database(_arguments: list[str]) -> None:
    asyncio.run(_prepare(_settings()))


def admin(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit("Whom? python -m app admin NAME")
    if not asyncio.run(_make_admin(_settings(), arguments[0])):
        sys.exit(f"There is no account named {arguments[0]!r}.")
    print(f"{arguments[0]} is an administrator now.")


def print_vapid_keys(_arguments: list[str]) -> None:
    """A fresh pair, as lines for `.env`."""
    public, private = fresh_pair()
    print(f"VAPID_PUBLIC_KEY={public}\nVAPID_PRIVATE_KEY={private}")


def test(arguments: list[str]) -> None:
    """The whole suite: on every core, and then the journeys by themselves, as they hold the
    application to promises of time.
    """
    runs = [arguments] if arguments else [["-n", "auto", f"--ignore={JOURNEYS}"], [JOURNEYS]]
    sys.exit(max([_pytest(run) for run in runs]))


def _pytest(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


def doctor(arguments: list[str]) -> None:
    """Try the settings; 1 when something is wrong."""
    parser = ArgumentParser(prog="python -m app doctor")
    parser.add_argument("--mail", metavar="ADDRESS", default="", help="send a test mail there")
    findings = asyncio.run(examine(_settings(), mail_to=parser.parse_args(arguments).mail))
    print(report(findings))
    sys.exit(any(one.level == WRONG for one in findings))


async def _prepare(settings: Settings) -> None:
    """Newest schema; and the demo cast where the database is new."""
    db = install(settings).db
    try:
        with _lock(settings):
            is_new = await migrate(db, settings)
            if is_new and settings.demo:
                await demo.load(db, settings)
    finally:
        await db.close()


class _lock:
    """Web and worker may start at the same moment: one prepares, the other waits."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data_dir / ".preparing"

    def __enter__(self) -> None:
        import fcntl

        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            self._path.unlink()


async def _make_admin(settings: Settings, name: str) -> bool:
    db = install(settings).db
    async with db.write() as session:
        named = update(User).where(User.username_key == name.casefold()).values(is_admin=True)
        found = (await session.execute(named)).rowcount  # type: ignore[attr-defined]
    await db.close()
    return bool(found)


def _settings() -> Settings:
    """Whatever cannot be right ends here, before anything is begun."""
    try:
        settings = load()
        install(settings)
    except SettingError as error:
        sys.exit(str(error))
    return settings


def _path() -> str:
    """Where the Procfile's `python` is the one that runs this."""
    return f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ.get('PATH', '')}"


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "run": run,
    "test": test,
    "web": web,
    "worker": work,
    "migrate": migrate_database,
    "admin": admin,
    "doctor": doctor,
    "vapid-keys": print_vapid_keys,
}
