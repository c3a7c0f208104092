"""Each setting is tried for real: what is wrong is told apart, with what to do about it."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from app.broker import open_broker
from app.cli import doctor
from app.database import Database
from app.notifications.channels.base import NOTE, RIGHT, WRONG, Finding
from app.settings import ROOT, SettingError, Settings, load
from tests.certificates import Authority
from tests.mailing import kept
from tests.postoffice import PostOffice, open_office

SENDER = {"smtp_from_email": "clips@example.com"}


async def find(settings: Settings, about: str, *, mail_to: str = "") -> Finding:
    findings = await doctor.examine(settings, mail_to=mail_to, timeout=0.5)
    return next(one for one in findings if one.about == about)


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with open_office() as office:
        yield office


@asynccontextmanager
async def saying(line: bytes) -> AsyncIterator[int]:
    """Something that is no mail server; its port."""
    server = await asyncio.start_server(lambda _reader, writer: writer.write(line), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_fresh_installation_is_all_right(settings: Settings) -> None:
    findings = await doctor.examine(settings)

    assert [one for one in findings if one.level == WRONG] == []
    assert {one.about for one in findings} >= {"data folder", "database", "mail", "time zone"}


async def test_a_mail_server_that_takes_mail_is_right(
    settings: Settings, office: PostOffice
) -> None:
    finding = await find(office.settings(settings, **SENDER), "mail")

    assert (finding.level, finding.sentence) == (
        RIGHT,
        f"localhost:{office.port} takes mail from clips@example.com.",
    )
    assert office.taken == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"smtp_host": "no.such.host.invalid"}, "There is no host named 'no.such.host.invalid'"),
        ({"smtp_port": 1}, "Nothing listens at localhost:1"),
        ({"smtp_tls": "starttls"}, "offers no STARTTLS"),
        ({"smtp_tls": "implicit"}, "does not begin with TLS: set SMTP_TLS=starttls"),
        ({"smtp_from_email": "clippyfront@localhost"}, "set SMTP_FROM_EMAIL"),
    ],
)
async def test_a_wrong_host_port_or_mode_is_told_apart(
    settings: Settings, office: PostOffice, wrong: dict[str, object], words: str
) -> None:
    finding = await find(office.settings(settings, **(SENDER | wrong)), "mail")

    assert finding.level == WRONG
    assert words in finding.sentence


@pytest.mark.parametrize("mode", ["starttls", "none"])
async def test_a_server_that_expects_tls_at_once_is_recognized(
    settings: Settings, authority: Authority, mode: str
) -> None:
    async with open_office(context=authority.server, is_implicit=True) as office:
        finding = await find(office.settings(settings, smtp_tls=mode), "mail")

    assert finding.sentence.endswith("expects TLS from the first byte: set SMTP_TLS=implicit.")


@pytest.mark.parametrize("is_implicit", [False, True])
async def test_a_certificate_is_checked_and_may_be_vouched_for(
    settings: Settings,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    is_implicit: bool,
) -> None:
    async with open_office(context=authority.server, is_implicit=is_implicit) as office:
        mailing = office.settings(settings, **SENDER)
        before = await find(mailing, "mail")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        after = await find(mailing, "mail")

    assert (before.level, after.level) == (WRONG, RIGHT)
    assert "SSL_CERT_FILE" in before.sentence


async def test_a_server_that_wants_encryption_says_so(
    settings: Settings, authority: Authority
) -> None:
    async with open_office(context=authority.server) as office:
        finding = await find(office.settings(settings, smtp_tls="none"), "mail")

    assert "wants encryption first: set SMTP_TLS=starttls" in finding.sentence


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({"smtp_password": "wrong"}, "refuses SMTP_USERNAME with this SMTP_PASSWORD (535"),
        ({"smtp_username": "", "smtp_password": ""}, "wants a login: set SMTP_USERNAME"),
    ],
)
async def test_a_wrong_password_and_none_are_told_apart(
    settings: Settings, login: dict[str, str], words: str
) -> None:
    async with open_office(wants_login=True) as office:
        finding = await find(office.settings(settings, **login), "mail")

    assert finding.level == WRONG
    assert words in finding.sentence


async def test_a_sender_that_is_not_welcome_is_told(settings: Settings, office: PostOffice) -> None:
    office.answers["MAIL"] = ["550 5.7.1 Not yours"]

    finding = await find(office.settings(settings, **SENDER), "mail")

    assert "takes no mail from SMTP_FROM_EMAIL=clips@example.com (550" in finding.sentence


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no mail server: check SMTP_PORT"),
        (b"554 No service for you\r\n", "turns this machine away (554"),
        (b"", "does not answer"),
    ],
)
async def test_what_is_no_open_mail_server_is_told(
    settings: Settings, line: bytes, words: str
) -> None:
    async with saying(line) as port:
        mailing = dataclasses.replace(
            settings, smtp_host="localhost", smtp_port=port, smtp_tls="none"
        )
        finding = await find(mailing, "mail")

    assert finding.level == WRONG
    assert words in finding.sentence


async def test_a_test_mail_arrives(settings: Settings, office: PostOffice) -> None:
    finding = await find(office.settings(settings, **SENDER), "test mail", mail_to="me@example.com")

    assert finding.level == RIGHT
    [mail] = office.mails
    assert (mail["To"], mail["Subject"]) == ("me@example.com", "A test from ClippyFront")


async def test_without_a_server_the_test_mail_is_a_file(settings: Settings) -> None:
    finding = await find(settings, "test mail", mail_to="me@example.com")

    assert finding.level == RIGHT
    assert [mail["To"] for mail in kept(settings)] == ["me@example.com"]


@pytest.mark.parametrize("address", ["nobody@example.com", "not an address"])
async def test_a_test_mail_that_is_refused_is_wrong(
    settings: Settings, office: PostOffice, address: str
) -> None:
    office.answers["RCPT"] = ["550 5.1.1 No such person"]

    finding = await find(office.settings(settings, **SENDER), "test mail", mail_to=address)

    assert finding.level == WRONG


async def test_an_old_schema_is_wrong_and_a_missing_one_only_a_note(
    settings: Settings, tmp_path: Path
) -> None:
    db = Database(settings.database_url)
    async with db.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    await db.close()
    elsewhere = load({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": "x"})

    old, missing = await find(settings, "database"), await find(elsewhere, "database")

    assert (old.level, missing.level) == (WRONG, NOTE)
    assert "python -m app migrate" in old.sentence


async def test_a_damaged_database_is_wrong(settings: Settings) -> None:
    settings.sqlite_path.write_bytes(b"this is no database" * 100)

    finding = await find(settings, "database")

    assert (finding.level, "file is not a database" in finding.sentence) == (WRONG, True)


async def test_a_worker_that_is_missing_is_told(settings: Settings) -> None:
    assert (await find(settings, "queue and relay")).level == NOTE
    broker = open_broker(settings)
    await broker.connect()
    await broker.queue.worker_info("a worker", queue_key=broker.queue.name)

    finding = await find(settings, "queue and relay")

    await broker.disconnect()
    assert finding.level == RIGHT


@pytest.mark.parametrize(
    ("settings_of", "level"),
    [
        ({"BASE_URL": "http://127.0.0.1:8000"}, RIGHT),
        ({"BASE_URL": "https://clips.example.com"}, RIGHT),
        ({"BASE_URL": "http://clips.example.com"}, NOTE),
        ({"BASE_URL": "clips.example.com"}, WRONG),
        ({"BASE_URL": "https://clips.example.com/app"}, WRONG),
        ({"HOST": "0.0.0.0"}, WRONG),
        ({"BASE_URL": "https://clips.example.com", "ALLOWED_HOSTS": "example.com"}, WRONG),
    ],
)
async def test_an_address_that_leads_nobody_here_is_wrong(
    tmp_path: Path, settings_of: dict[str, str], level: str
) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "x"} | settings_of)

    assert (await find(settings, "address")).level == level


@pytest.mark.parametrize(("name", "level"), [("Europe/Berlin", RIGHT), ("Middle/Earth", WRONG)])
async def test_a_zone_that_does_not_exist_is_wrong(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, level: str
) -> None:
    monkeypatch.setenv("TZ", name)

    assert (await find(settings, "time zone")).level == level


async def test_push_keys_that_do_not_fit_are_wrong(settings: Settings) -> None:
    broken = dataclasses.replace(settings, vapid_private_key="short")

    finding = await find(broken, "push keys")

    assert (finding.level, "VAPID_PRIVATE_KEY" in finding.sentence) == (WRONG, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_FROM_EMAIL", "Clips <clips@example.com>"),
        ("SMTP_FROM_EMAIL", "clips"),
        ("SMTP_PORT", "smtp"),
        ("SMTP_TLS", "ssl"),
        ("DATA_DIR", "/dev/null/data"),
    ],
)
def test_what_cannot_be_right_refuses_to_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "x", name: value})


@pytest.mark.parametrize(("port", "status"), [("", 0), ("1", 1)])
def test_the_command_ends_with_1_when_something_is_wrong(
    settings: Settings, port: str, status: int
) -> None:
    environ = {"DATA_DIR": str(settings.data_dir), "SECRET_KEY": "x", "PATH": ""}
    environ |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": port} if port else {}

    ended = subprocess.run(
        [sys.executable, "-m", "app", "doctor"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (status, "")
    assert ("WRONG  mail: Nothing listens at 127.0.0.1:1" in ended.stdout) is bool(port)
