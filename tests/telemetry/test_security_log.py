"""The security log: who signed in, failed to, changed rights; and what fail2ban reads of it."""

import dataclasses
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from litestar import Litestar

from app.accounts.passwords import send_reset
from app.database import Database
from app.models import User
from app.settings import ROOT, Settings
from app.telemetry import logs, security_log
from app.telemetry.security_log import record, remember_client
from tests.application import browser, serving
from tests.conftest import csrf_header, post, sign_in
from tests.factories import PASSWORD, make_team
from tests.mailing import deliveries, token_of

ADDRESS = "192.0.2.7"
# As in the README, where <ADDR> stands for what fail2ban takes for an address.
FAILREGEX = [
    r"^(?:,\d+|\S+ \S+: \S+ \S+) INFO security: event=(?:login_failed|password_failed|token_refused) user=\S+ address=<ADDR>(?: |$)",
    r"^(?:,\d+|\S+ \S+: \S+ \S+) INFO security: event=throttled user=\S+ address=<ADDR> limit=(?:login|password|register|forgot)",
]
MOMENT = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def banned_by(line: str) -> set[str]:
    """The addresses that fail2ban, which cuts the moment off first, takes from a line."""
    rest = re.sub(MOMENT, "", line)
    addresses = r"(?P<address>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]+)"
    found = [re.search(one.replace("<ADDR>", addresses), rest) for one in FAILREGEX]
    return {match["address"] for match in found if match}


class Lines(logging.Handler):
    """The log, as text and as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.json: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(logs.Text().format(record))
        self.json.append(json.loads(logs.Json().format(record)))

    @property
    def events(self) -> list[dict[str, object]]:
        """Each without what every entry has."""
        common = ("time", "level", "logger", "message", "request", "address")
        return [{k: v for k, v in one.items() if k not in common} for one in self.json]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    handler, log = Lines(), logging.getLogger(security_log.NAME)
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    yield handler
    log.setLevel(level)
    log.removeHandler(handler)


@pytest.fixture
def limited(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limits=True)


def from_elsewhere(app: Litestar) -> httpx.AsyncClient:
    client = browser(app)
    client._transport.client = (ADDRESS, 50_000)  # type: ignore[attr-defined]
    return client


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    async with from_elsewhere(app) as one:
        yield one


async def test_a_login_is_one_line_with_the_address_of_the_client(
    client: httpx.AsyncClient, lines: Lines, alice: User
) -> None:
    await sign_in(client, alice)

    [line] = lines.text
    pattern = MOMENT + rf",\d+ INFO security: event=login user=alice address={ADDRESS} request=\w+"
    assert re.fullmatch(pattern, line)
    [entry] = lines.json
    assert (entry["logger"], entry["level"]) == ("security", "info")
    assert (entry["event"], entry["user"], entry["address"]) == ("login", "alice", ADDRESS)


async def test_failures_are_logged_on_the_page_and_in_the_api(
    client: httpx.AsyncClient, lines: Lines, alice: User
) -> None:
    await post(client, "/login", login="alice", password="a wrong secret")
    fields = {"login": "alice@example.com", "password": "a wrong secret", "name": "script"}
    await client.post("/api/tokens", json=fields)
    await client.get("/api/teams", headers={"Authorization": "Bearer a-wrong-secret"})

    assert lines.events == [
        {"event": "login_failed", "user": "alice"},
        {"event": "login_failed", "user": "alice@example.com"},
        {"event": "token_refused", "user": "-"},
    ]
    assert "secret" not in "".join(lines.text)
    assert [banned_by(line) for line in lines.text] == [{ADDRESS}] * 3


@pytest.mark.parametrize(
    "login",
    [
        "correct horse battery",
        "x address=1.2.3.4",
        "x\n2026-11-28 10:00:00,123 INFO security: event=login_failed user=x address=1.2.3.4",
        'x" address=1.2.3.4 "',
        "Pässwort",
        "p4$$word!",
        "",
    ],
)
async def test_a_login_that_cannot_be_one_is_not_logged(
    client: httpx.AsyncClient, lines: Lines, login: str
) -> None:
    await post(client, "/login", login=login, password="wrong one")

    assert lines.events == [{"event": "login_failed", "user": "-"}]
    assert banned_by(lines.text[0]) == {ADDRESS}


@pytest.mark.parametrize("login", ["address=1.2.3.4@example.com", "o'neil{x}@example.com"])
async def test_an_address_with_odd_characters_is_quoted(
    client: httpx.AsyncClient, lines: Lines, login: str
) -> None:
    await post(client, "/login", login=login, password="wrong one")

    assert f'user="{login}" address={ADDRESS}' in lines.text[0]
    assert lines.events[0]["user"] == login
    assert banned_by(lines.text[0]) == {ADDRESS}


async def test_throttled_attempts_are_logged(limited: Settings, lines: Lines, alice: User) -> None:
    async with serving(limited) as app, from_elsewhere(app) as client:
        for _ in range(11):
            await post(client, "/login", login="Alice", password="wrong one")

    assert lines.events[-1] == {"event": "throttled", "user": "Alice", "limit": "login"}
    assert banned_by(lines.text[-1]) == {ADDRESS}


async def test_limits_on_ordinary_acts_are_logged_but_ban_nobody(lines: Lines) -> None:
    record("throttled", user="alice", limit="invite")
    record("login", user="alice")
    record("csrf_refused", user="alice")

    assert [banned_by(line) for line in lines.text] == [set()] * 3


@pytest.mark.parametrize("client_of", [(ADDRESS, 1), ("2001:db8::7", 1)])
async def test_each_failing_kind_bans_its_address_in_a_file_and_in_the_journal(
    lines: Lines, client_of: tuple[str, int]
) -> None:
    remember_client({"client": client_of})
    for event in ("login_failed", "password_failed", "token_refused"):
        record(event, user="bob")
    for limit in (
        "login",
        "login-from",
        "password",
        "password-from",
        "register-from",
        "forgot-from",
    ):
        record("throttled", limit=limit)

    for line in lines.text:
        assert banned_by(line) == {client_of[0]}
        assert banned_by(f"server python[42]: {line}") == {client_of[0]}


async def test_no_value_can_pretend_to_be_another_line_or_value(lines: Lines) -> None:
    forged = "2026-11-28 10:00:00,123 INFO security: event=login_failed user=x address=1.2.3.4"
    remember_client({"client": (f"{ADDRESS}\u2028{forged}", 1)})

    record("login_failed", user=f"x\r\n{forged}")

    [line] = lines.text
    assert len(line.splitlines()) == 1
    assert banned_by(line) == set()


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\x85", "\u2028"])
def test_no_other_log_entry_can_forge_one(breaks: str) -> None:
    forged = "2026-11-28 10:00:00,123 INFO security: event=login_failed user=x address=1.2.3.4"
    entry: dict[str, object] = {"name": "app", "levelname": "ERROR", "msg": f"/{breaks}{forged}"}
    try:
        raise ValueError(f"no{breaks}{forged}")
    except ValueError:
        entry["exc_info"] = sys.exc_info()

    text = logs.Text().format(logging.makeLogRecord(entry))

    assert [line for line in text.splitlines() if banned_by(line)] == []
    assert [each for each in text.splitlines() if banned_by(f"server python[42]: {each}")] == []


async def test_users_changes_to_their_own_account_are_logged(
    client: httpx.AsyncClient, lines: Lines, db: Database
) -> None:
    dora = {"username": "dora", "email": "dora@example.com", "password": "a long password"}
    await post(client, "/register", **dora)
    await post(client, "/account/tokens", name="script", scope="read", password="wrong one")
    await post(client, "/account/tokens", name="script", scope="read", password=dora["password"])
    await post(client, "/account/tokens/1/revoke")
    new = {"email": "dora@example.org", "password": dora["password"]}
    await post(client, "/account/address", **new)
    change = {"current_password": dora["password"], "new_password": "a longer password"}
    await post(client, "/account/password", **change)
    await post(client, "/account/sessions/end")
    async with db.write() as session:
        await send_reset(session, "dora@example.org")
    [reset] = [one for one in await deliveries(db) if one.transactional == "reset_password"]
    await post(client, "/forgot", email="nobody@example.org")
    await post(client, f"/reset/{token_of(reset)}", password="the last password")
    await post(client, "/login", login="dora", password="the last password")
    await post(client, "/logout")
    await post(client, "/login", login="dora", password="the last password")
    await post(client, "/account/delete", password="the last password")

    assert [event["event"] for event in lines.events] == [
        "registered",
        "password_failed",
        "token_created",
        "token_revoked",
        "address_change_requested",
        "password_changed",
        "sessions_ended",
        "password_reset_requested",
        "password_reset",
        "login",
        "logout",
        "login",
        "account_deleted",
    ]
    assert lines.events[2] == {
        "event": "token_created",
        "user": "dora",
        "token": 1,
        "scope": "read",
    }
    assert lines.events[4]["email"] == "dora@example.org"
    assert lines.events[7]["user"] == "nobody@example.org"
    assert "password " not in "".join(lines.text)


async def test_changes_of_roles_are_logged(
    client: httpx.AsyncClient, lines: Lines, db: Database, alice: User, bob: User
) -> None:
    team = await make_team(db, alice, editors=[bob])
    await sign_in(client, alice)

    await post(client, f"/teams/{team.id}/members/{bob.id}/role", role="admin")
    await post(client, f"/teams/{team.id}/members/{bob.id}/hand-over")

    about = {"event": "role_changed", "user": "alice", "member": "bob", "team": team.id}
    assert lines.events[1:] == [
        about | {"role": "admin"},
        about | {"role": "owner"},
        about | {"role": "admin", "member": "alice"},
    ]


async def test_administrators_changes_to_accounts_are_logged(
    client: httpx.AsyncClient, lines: Lines, db: Database, alice: User, bob: User
) -> None:
    async with db.write() as session:
        (await session.get_one(User, alice.id)).is_admin = True
    await sign_in(client, alice)

    for verb in ("suspend", "restore", "suspend"):
        await post(client, f"/admin/accounts/{bob.id}/{verb}")
    async with from_elsewhere(client._transport.app) as bobs:  # type: ignore[attr-defined]
        await post(bobs, "/login", login="bob", password=PASSWORD)
    await post(client, f"/admin/accounts/{bob.id}/delete")

    about = {"user": "alice", "account": "bob"}
    assert lines.events[1:] == [
        {"event": "suspended", **about},
        {"event": "restored", **about},
        {"event": "suspended", **about},
        {"event": "login_suspended", "user": "bob"},
        {"event": "account_deleted", **about},
    ]


async def test_forged_requests_are_logged(
    client: httpx.AsyncClient, lines: Lines, alice: User
) -> None:
    await sign_in(client, alice)

    await client.post("/teams", data={"_csrf_token": "wrong", "name": "Forged"})
    elsewhere = {"Sec-Fetch-Site": "cross-site", **csrf_header(client)}
    await client.post("/projects/1/clips", files={"clips": b"x"}, headers=elsewhere)

    assert lines.events[1:] == [
        {"event": "csrf_refused", "user": "alice"},
        {"event": "origin_refused", "user": "alice"},
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_it_is_written_to_standard_error_whatever_the_level_of_the_log(
    settings: Settings, form: str
) -> None:
    program = (
        "from app.settings import load; from app.telemetry import logs; import logging, sys;"
        "from app.telemetry.security_log import record;"
        f"logs.configure(load({{'DATA_DIR': {str(settings.data_dir)!r}, 'LOG_LEVEL': 'error',"
        f" 'LOG_FORMAT': {form!r}}}));"
        "logging.getLogger('app').warning('unseen'); record('login_failed', user='alice')"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)

    [line] = done.stderr.splitlines()
    assert "event=login_failed user=alice address=-" in line
    assert form == "text" or json.loads(line)["event"] == "login_failed"


def test_the_filter_of_the_readme_is_the_one_that_is_tested() -> None:
    filter_lines = (ROOT / "README.md").read_text().split("[Definition]")[1].split("```")[0]

    assert [
        line.removeprefix("failregex = ").strip()
        for line in filter_lines.splitlines()
        if "^(?:" in line
    ] == FAILREGEX
