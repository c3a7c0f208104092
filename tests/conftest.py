"""Fixtures: a fresh database, the cast, and the application in this process."""

import asyncio
import functools
import inspect
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvloop
from argon2 import PasswordHasher
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncSession

from app import security
from app.accounts import passwords
from app.accounts.sign_in_places import remember
from app.database import Database
from app.database.migrations import migrate
from app.installation import Installation, install
from app.models import Team, User
from app.settings import Settings, load
from tests.application import browser, serving
from tests.certificates import Authority, make_authority
from tests.factories import PASSWORD, PASSWORD_HASH, SECRET_KEY, make_account, make_team
from tests.postoffice import PostOffice, open_office
from tests.setups import SETUPS, Servers, missing_server

# Puts an empty database of the newest schema into a folder, or onto the server that the run is for,
# and returns the settings that name both.
NewInstallation = Callable[[Path], dict[str, str]]

# pytest-timeout ends the whole process, this many seconds after the test was to end by itself: an
# exception raised from a signal never comes out of uvloop.
LAST_RESORT = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on", choices=SETUPS, default=SETUPS[0], help="what the suite runs on")


def pytest_sessionstart(session: pytest.Session) -> None:
    setup = session.config.getoption("--on")
    if missing := missing_server(setup):
        pytest.exit(f"Nothing is run on {setup}: {missing} does not answer.", returncode=0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On servers, only tests that have a database are run again."""
    setup = config.getoption("--on")
    if setup == SETUPS[0]:
        return
    chosen = [item for item in items if _is_for_any_server(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


def _is_for_any_server(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return "servers" in fixtures and not any(map(item.get_closest_marker, ("sqlite", "browser")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Ends a test that hangs, and only the test: its fixtures end as usual."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        marker = item.get_closest_marker("timeout")
        seconds = float(marker.args[0] if marker else item.config.getini("timeout"))
        item.obj = _limited(item.obj, seconds - LAST_RESORT)


def _limited(test: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    @functools.wraps(test)
    async def limited(*arguments: Any, **fixtures: Any) -> None:
        async with asyncio.timeout(seconds):
            await test(*arguments, **fixtures)

    return limited


@pytest.fixture(scope="session")
def event_loop_policy() -> uvloop.EventLoopPolicy:
    """The loop on which web and worker run.

    The hook that is to replace this fixture makes a loop for each journey, and with it the browser
    and the large world, which are there for all.
    """
    return uvloop.EventLoopPolicy()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest schema, made once and copied for each test.

    Many runs in a row share it in the folder MIGRATED_IN, as the mutation run does.
    """
    folder = os.environ.get("MIGRATED_IN") or tmp_path_factory.mktemp("migrated")
    settings = load({"DATA_DIR": str(folder), "SECRET_KEY": SECRET_KEY})

    async def make() -> None:
        db = Database(settings.database_url)
        await migrate(db, settings)
        await db.close()

    if not settings.sqlite_path.exists():
        asyncio.run(make())
    return settings.sqlite_path


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest, migrated: Path) -> Iterator[Servers]:
    """What `--on` names."""
    servers = Servers(request.config.getoption("--on"), migrated)
    yield servers
    servers.close()


@pytest.fixture
def new_installation(servers: Servers) -> Iterator[NewInstallation]:
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(servers.installation(folder))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """It vouches for localhost, and is trusted where SSL_CERT_FILE names its `path`."""
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as it should be takes longer than all the rest; the tests of passwords have it so."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(security, "_hasher", cheap)
    monkeypatch.setattr(passwords, "DECOY", PASSWORD_HASH)


@pytest.fixture
def settings(tmp_path: Path, new_installation: NewInstallation) -> Settings:
    environ = new_installation(tmp_path) | {
        "SECRET_KEY": SECRET_KEY,
        "BASE_URL": "http://testserver",
        "ALLOWED_HOSTS": "testserver",
        "RATE_LIMITS": "0",
    }
    return load(environ)


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_office() as office:
        yield office


@pytest.fixture
def mailing(settings: Settings, office: PostOffice) -> Settings:
    """An installation that sends its mail to `office`."""
    return office.settings(settings)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    async with serving(settings) as application:
        yield application


@pytest.fixture
async def installation(settings: Settings) -> AsyncIterator[Installation]:
    """The parts that verbs need, without a connection to the broker."""
    parts = install(settings)
    yield parts
    for channel in parts.channels.values():
        await channel.close()
    await parts.db.close()


@pytest.fixture
def db(installation: Installation) -> Database:
    return installation.db


@pytest.fixture
async def session(db: Database) -> AsyncIterator[AsyncSession]:
    async with db.act() as act:
        yield act


@pytest.fixture
async def alice(db: Database) -> User:
    return await make_account(db, "alice")


@pytest.fixture
async def bob(db: Database) -> User:
    return await make_account(db, "bob")


@pytest.fixture
async def carol(db: Database) -> User:
    """An outsider: in no team of the others."""
    return await make_account(db, "carol")


@pytest.fixture
async def video_squad(db: Database, alice: User) -> Team:
    return await make_team(db, alice, "Video Squad")


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app) as one:
        yield one


async def sign_in(client: httpx.AsyncClient, account: User) -> None:
    """In a browser that the account has used before, so that nobody is notified of it."""
    await be_known(client, account)
    answer = await post(client, "/login", login=account.username, password=PASSWORD)
    assert answer.status_code == 303, answer.text


async def be_known(client: httpx.AsyncClient, account: User) -> None:
    transport = cast(Any, client._transport)
    async with transport.app.state.db.write() as session:
        await remember(session, account, device="a known browser", host=transport.client[0])
    host = client.base_url.host
    domain = host if "." in host else f"{host}.local"
    client.cookies.set("device", "a known browser", domain=domain)


async def post(client: httpx.AsyncClient, url: str, /, **fields: object) -> httpx.Response:
    """Post a form with its token, as a browser without scripts does."""
    if "csrftoken" not in client.cookies:
        await client.get("/login")
    return await client.post(url, data={"_csrf_token": client.cookies["csrftoken"], **fields})


def csrf_header(client: httpx.AsyncClient) -> dict[str, str]:
    """The header that scripts send: the token of the session."""
    return {"X-CSRF-Token": client.cookies["csrftoken"]}


def text_of(answer: httpx.Response) -> str:
    """A page's words, without its markup."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"</?bdi>", "", answer.text))
    return re.sub(r"\s+", " ", words)
