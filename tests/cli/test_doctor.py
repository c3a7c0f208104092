"""Each check names its problem and says what to do about it."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.broker import open_broker
from app.cli import doctor
from app.database import Database
from app.notifications.channels.base import ERROR, OK, WARNING, CheckResult
from app.process.private_files import make_private
from app.projects.video.cell import landlock_version
from app.settings import ROOT, Settings, load
from app.web.forwarding import ProxiesSeen
from tests.certificates import Authority
from tests.factories import SECRET_KEY
from tests.mailing import kept
from tests.postoffice import PostOffice, open_office
from tests.setups import environ_of

SENDER = {"smtp_from_email": "clips@example.com"}


async def run(settings: Settings, check: str, *, mail_to: str = "") -> CheckResult:
    results = await doctor.run_checks(settings, mail_to=mail_to, timeout=0.5)
    return next(one for one in results if one.check == check)


@asynccontextmanager
async def saying(line: bytes) -> AsyncIterator[int]:
    """A server that is not a mail server. Yields its port."""
    server = await asyncio.start_server(lambda _reader, writer: writer.write(line), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_new_installation_passes_every_check(settings: Settings) -> None:
    results = await doctor.run_checks(settings)

    assert [one for one in results if one.status == ERROR] == []
    assert {one.check for one in results} >= {"data folder", "database", "mail", "time zone"}


@pytest.mark.sqlite
async def test_files_that_other_users_can_read_are_a_warning(settings: Settings) -> None:
    settings.sqlite_path.chmod(0o640)
    readable = await run(settings, "data folder")
    make_private(settings.data_dir)
    private = await run(settings, "data folder")

    assert (readable.status, private.status) == (WARNING, OK)
    assert "Other users can read files in" in readable.sentence


async def test_a_media_folder_on_a_disk_that_is_full_or_gone_is_an_error(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await run(dataclasses.replace(settings, media_dir=tmp_path / "gone"), "media folder")
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=2**20))
    full = await run(settings, "media folder")

    assert (gone.status, full.status) == (ERROR, ERROR)
    assert (
        gone.sentence
        == f"MEDIA_DIR {tmp_path / 'gone'} is not writable (No such file or directory)."
    )
    assert full.sentence == f"The disk of MEDIA_DIR {settings.media_dir} has only 1 MB left."


@pytest.mark.parametrize(
    ("registration", "base_url", "status", "words"),
    [
        ("open", "http://127.0.0.1:8000", OK, "anyone on this machine"),
        ("open", "https://clips.example.com", WARNING, "anyone who can reach https://clips"),
        ("invited", "https://clips.example.com", OK, "by invitation only"),
        ("closed", "https://clips.example.com", OK, "nobody can create an account"),
    ],
)
async def test_it_says_who_can_create_an_account(
    settings: Settings, registration: str, base_url: str, status: str, words: str
) -> None:
    asked = dataclasses.replace(settings, registration=registration, base_url=base_url)

    result = await run(asked, "registration")

    assert result.status == status
    assert words in result.sentence


async def test_a_mail_server_that_accepts_mail_is_ok(
    settings: Settings, office: PostOffice
) -> None:
    result = await run(office.settings(settings, **SENDER), "mail")

    assert (result.status, result.sentence) == (
        OK,
        f"localhost:{office.port} accepts mail from clips@example.com.",
    )
    assert office.taken == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"smtp_host": "no.such.host.invalid"}, "There is no host named 'no.such.host.invalid'"),
        ({"smtp_port": 1}, "Nothing listens at localhost:1"),
        ({"smtp_tls": "starttls"}, "offers no STARTTLS"),
        ({"smtp_tls": "implicit"}, "does not begin with TLS: set SMTP_TLS=starttls"),
        ({"smtp_from_email": "clippyfront@localhost"}, "Set SMTP_FROM_EMAIL"),
    ],
)
async def test_a_wrong_host_port_or_mode_is_identified(
    settings: Settings, office: PostOffice, wrong: dict[str, object], words: str
) -> None:
    result = await run(office.settings(settings, **(SENDER | wrong)), "mail")

    assert result.status == ERROR
    assert words in result.sentence


@pytest.mark.parametrize("mode", ["starttls", "none"])
async def test_a_server_that_expects_tls_at_once_is_recognized(
    settings: Settings, authority: Authority, mode: str
) -> None:
    async with open_office(context=authority.server, is_implicit=True) as office:
        result = await run(office.settings(settings, smtp_tls=mode), "mail")

    assert result.sentence.endswith("expects TLS from the first byte: set SMTP_TLS=implicit.")


@pytest.mark.parametrize("is_implicit", [False, True])
async def test_a_certificate_is_checked_and_its_authority_can_be_named(
    settings: Settings,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    is_implicit: bool,
) -> None:
    async with open_office(context=authority.server, is_implicit=is_implicit) as office:
        mailing = office.settings(settings, **SENDER)
        before = await run(mailing, "mail")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        after = await run(mailing, "mail")

    assert (before.status, after.status) == (ERROR, OK)
    assert "SSL_CERT_FILE" in before.sentence


async def test_a_server_that_requires_encryption_is_recognized(
    settings: Settings, authority: Authority
) -> None:
    async with open_office(context=authority.server) as office:
        result = await run(office.settings(settings, smtp_tls="none"), "mail")

    assert "wants encryption first: set SMTP_TLS=starttls" in result.sentence


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({"smtp_password": "wrong"}, "refuses SMTP_USERNAME with this SMTP_PASSWORD (535"),
        ({"smtp_username": "", "smtp_password": ""}, "wants a login: set SMTP_USERNAME"),
    ],
)
async def test_a_wrong_password_and_a_missing_one_are_identified(
    settings: Settings, login: dict[str, str], words: str
) -> None:
    async with open_office(wants_login=True) as office:
        result = await run(office.settings(settings, **login), "mail")

    assert result.status == ERROR
    assert words in result.sentence


async def test_a_refused_sender_is_reported(settings: Settings, office: PostOffice) -> None:
    office.answers["MAIL"] = ["550 5.7.1 Not yours"]

    result = await run(office.settings(settings, **SENDER), "mail")

    assert "takes no mail from SMTP_FROM_EMAIL=clips@example.com (550" in result.sentence


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no mail server: check SMTP_PORT"),
        (b"554 No service for you\r\n", "turns this machine away (554"),
        (b"", "does not answer"),
    ],
)
async def test_a_server_that_is_not_an_open_mail_server_is_reported(
    settings: Settings, line: bytes, words: str
) -> None:
    async with saying(line) as port:
        mailing = dataclasses.replace(
            settings, smtp_host="localhost", smtp_port=port, smtp_tls="none"
        )
        result = await run(mailing, "mail")

    assert result.status == ERROR
    assert words in result.sentence


async def test_a_test_mail_arrives(settings: Settings, office: PostOffice) -> None:
    result = await run(office.settings(settings, **SENDER), "test mail", mail_to="me@example.com")

    assert result.status == OK
    [mail] = office.mails
    assert (mail["To"], mail["Subject"]) == ("me@example.com", "A test from ClippyFront")


async def test_without_a_server_the_test_mail_is_a_file(settings: Settings) -> None:
    result = await run(settings, "test mail", mail_to="me@example.com")

    assert result.status == OK
    assert [mail["To"] for mail in kept(settings)] == ["me@example.com"]


@pytest.mark.parametrize("address", ["nobody@example.com", "not an address"])
async def test_a_refused_test_mail_is_an_error(
    settings: Settings, office: PostOffice, address: str
) -> None:
    office.answers["RCPT"] = ["550 5.1.1 No such person"]

    result = await run(office.settings(settings, **SENDER), "test mail", mail_to=address)

    assert result.status == ERROR


async def test_an_old_schema_is_an_error_and_a_missing_one_a_warning(
    settings: Settings, tmp_path: Path
) -> None:
    db = Database(settings.database_url)
    async with db.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    await db.close()
    elsewhere = load({"DATA_DIR": str(tmp_path / "new"), "SECRET_KEY": SECRET_KEY})

    old, missing = await run(settings, "database"), await run(elsewhere, "database")

    assert (old.status, missing.status) == (ERROR, WARNING)
    assert "python -m app migrate" in old.sentence


@pytest.mark.sqlite
async def test_a_damaged_database_is_an_error(settings: Settings) -> None:
    settings.sqlite_path.write_bytes(b"this is no database" * 100)

    result = await run(settings, "database")

    assert (result.status, "file is not a database" in result.sentence) == (ERROR, True)


async def test_a_missing_worker_is_a_warning(settings: Settings) -> None:
    assert (await run(settings, "queue and relay")).status == WARNING
    broker = open_broker(settings)
    await broker.connect()
    await broker.queue.worker_info("a worker", queue_key=broker.queue.name)

    result = await run(settings, "queue and relay")

    await broker.disconnect()
    assert result.status == OK


@pytest.mark.parametrize(
    ("settings_of", "status"),
    [
        ({"BASE_URL": "http://127.0.0.1:8000"}, OK),
        ({"BASE_URL": "https://clips.example.com"}, OK),
        ({"BASE_URL": "http://clips.example.com"}, WARNING),
        ({"HOST": "0.0.0.0"}, ERROR),
        ({"BASE_URL": "https://clips.example.com", "ALLOWED_HOSTS": "example.com"}, ERROR),
    ],
)
async def test_an_address_that_does_not_lead_here_is_an_error(
    tmp_path: Path, settings_of: dict[str, str], status: str
) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "SECRET_KEY": SECRET_KEY} | settings_of)

    assert (await run(settings, "address")).status == status


PUBLIC = {"HOST": "0.0.0.0", "BASE_URL": "https://clips.example.com"}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "Only this machine can reach this server"),
        (
            {"BASE_URL": "https://clips.example.com"},
            "because BASE_URL is https://clips.example.com",
        ),
        ({"HOST": "0.0.0.0"}, "because HOST is 0.0.0.0"),
        ({"HOST": "::1", "BASE_URL": "http://localhost:8000"}, "Only this machine"),
    ],
)
async def test_it_says_who_can_reach_the_server(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    result = await run(load({"DATA_DIR": str(tmp_path)} | environ), "reachability")

    assert (result.status, words in result.sentence) == (OK, True)


@pytest.mark.parametrize(
    ("check", "environ", "words"),
    [
        ("reachability", {"RATE_LIMITS": "0"}, "rate limits are off, because RATE_LIMITS is 0"),
        ("confirmed addresses", {}, "every address counts as confirmed"),
        ("address", {"BASE_URL": "http://clips.example.com"}, "is not encrypted"),
        ("registration", {}, "can create an account"),
        ("proxy", {}, "in TRUSTED_PROXIES"),
    ],
)
async def test_settings_that_are_unsafe_in_public_are_a_warning(
    tmp_path: Path, check: str, environ: dict[str, str], words: str
) -> None:
    alone = await run(load({"DATA_DIR": str(tmp_path)}), check)
    result = await run(load({"DATA_DIR": str(tmp_path)} | PUBLIC | environ), check)

    assert (alone.status, result.status, words in result.sentence) == (OK, WARNING, True)


async def test_a_proxy_that_was_seen_and_is_not_trusted_is_a_warning(settings: Settings) -> None:
    ProxiesSeen(settings).note("10.0.0.7")

    before = await run(settings, "proxy")
    after = await run(dataclasses.replace(settings, trusted_proxies=("10.0.0.0/8",)), "proxy")

    assert (before.status, "10.0.0.7 forwards requests" in before.sentence) == (WARNING, True)
    assert (after.status, after.sentence) == (OK, "X-Forwarded-For is believed from 10.0.0.0/8.")


async def test_a_proxy_before_a_loopback_address_is_a_warning(settings: Settings) -> None:
    alone = dataclasses.replace(settings, base_url="http://127.0.0.1:8000")
    ProxiesSeen(alone).note("127.0.0.1")

    result = await run(alone, "proxy")

    assert (result.status, "Set BASE_URL" in result.sentence) == (WARNING, True)


async def test_the_time_is_shown_in_the_zone_of_the_server(settings: Settings) -> None:
    berlin = dataclasses.replace(settings, time_zone="Etc/GMT-9")

    assert "(+09)" in (await run(berlin, "time zone")).sentence


async def test_push_keys_that_do_not_match_are_an_error(settings: Settings) -> None:
    broken = dataclasses.replace(settings, vapid_private_key="short")

    result = await run(broken, "push keys")

    assert (result.status, "VAPID_PRIVATE_KEY" in result.sentence) == (ERROR, True)


@pytest.mark.parametrize(("port", "status"), [("", 0), ("1", 1)])
def test_the_command_exits_with_1_if_a_check_fails(
    settings: Settings, port: str, status: int
) -> None:
    environ = environ_of(settings) | {"SECRET_KEY": SECRET_KEY, "PATH": ""}
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
    assert ("ERROR    mail: Nothing listens at 127.0.0.1:1" in ended.stdout) is bool(port)


@pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")
async def test_ffmpeg_in_a_cell_that_holds_is_ok(settings: Settings) -> None:
    result = await run(settings, "ffmpeg")

    assert result.status == OK
    assert "sees only its input, its output" in result.sentence


async def test_ffmpeg_that_can_read_every_file_is_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_confined(_file: Path) -> bool:
        return False

    monkeypatch.setattr(doctor, "is_confined", is_confined)

    result = await run(settings, "ffmpeg")

    assert result.status == WARNING
    assert "Landlock is missing" in result.sentence
