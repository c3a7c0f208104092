"""Every setting, with values that must be taken and values that must be refused."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.installation import check
from app.settings import NAMES, ROOT, SettingError, load, read, read_file
from tests.factories import SECRET_KEY

PUBLIC = "BMFvsrIHjP1LSSqbTnKpI0nHO15sEPuAmclrb2nALx8n_0Pg1EHuxDTAy6Nzy7CrpBWYzSglqmlF42b3QeIvDgY"
PRIVATE = "GCc0W3zik0xx9s5AhxKOzShTJog2bOeX2qzj8f4KyEI"
ANOTHER = "BECJO6GqVSQMVjL-cqAGUP4NBIhwzRU40nLgCHRI_4Hx79uUNSVqJ_gE1ekQoWi6a3af2Pkq3c55EmB3VcJ6dtc"  # of another pair
NO_WHOLE_NUMBERS = ["-1", "abc", "1.5", "1e3", "٣"]
WHOLE_NUMBERS = [*NO_WHOLE_NUMBERS, "99999999999"]

TAKEN: dict[str, list[str]] = {
    "DATA_DIR": ["var", "~/clips", "/srv/clips and more"],
    "MEDIA_DIR": ["/tmp"],
    "DATABASE_URL": ["sqlite+aiosqlite:////tmp/a.db", "sqlite+aiosqlite:////tmp/a.db?timeout=5"],
    "REDIS_URL": [],
    "DB_POOL_SIZE": ["6", "10", "100"],
    "SECRET_KEY": ["0123456789abcdef", "ein sehr langer Satz"],
    "HOST": ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "LOCALHOST.", "clips_web"],
    "PORT": ["1", "80", "65535"],
    "BASE_URL": [
        "http://localhost",
        "https://clips.example.com/",
        "https://clips.example.com:8225",
        "HTTPS://Clips.Example.COM.",
        "https://bücher.example",
        "https://[2001:db8::1]:8443",
    ],
    "TRUSTED_PROXIES": ["10.0.0.1", "10.0.0.0/8, ::1", "2001:db8::/32"],
    "ALLOWED_HOSTS": [
        "*",
        "*.example.com",
        "a.example, b.example:8000",
        "[::1]:80",
        "bücher.example",
    ],
    "WEB_CONCURRENCY": ["1", "64"],
    "DEMO": ["0", "1"],
    "RATE_LIMITS": ["0", "1"],
    "REGISTRATION": ["open", "invited", "CLOSED"],
    "MAX_UPLOAD_MB": ["1", "100000"],
    "UPLOAD_QUOTA_MB": ["1", "1000000"],
    "NOTIFICATION_RETENTION_DAYS": ["1", "36501", "9" * 30],
    "SMTP_HOST": ["mail.example.com", "localhost", "192.0.2.1", "2001:db8::1", "bücher.example"],
    "SMTP_PORT": ["25", "65535"],
    "SMTP_USERNAME": ["alice@example.com"],
    "SMTP_PASSWORD": ["with blanks and ünïcode"],
    "SMTP_FROM_EMAIL": ["clips@example.com", "clippyfront@localhost"],
    "SMTP_TLS": ["starttls", "implicit", "NONE"],
    "EMAIL_DELAY_SECONDS": ["0", "86400"],
    "PUSH_DELAY_SECONDS": ["0", "86400"],
    "PUSH_ALLOWED_HOSTS": ["push.example.com", "127.0.0.1:8080, push.example.com:443"],
    "VAPID_PUBLIC_KEY": [PUBLIC],
    "VAPID_PRIVATE_KEY": [PRIVATE],
    "VAPID_EMAIL": ["mailto:admin@example.com", "https://example.com/contact"],
    "LOG_LEVEL": ["debug", "INFO"],
    "LOG_FORMAT": ["text", "json"],
    "METRICS_TOKEN": ["abc.DEF-123_~+/=="],
    "TZ": ["Europe/Berlin", ":Europe/Berlin", "UTC", "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3"],
}
REFUSED: dict[str, list[str]] = {
    "DATA_DIR": ["/dev/null", "/dev/null/data", "/proc/data"],
    "MEDIA_DIR": ["/dev/null", "/no/such/folder", "/proc/media"],
    "DATABASE_URL": [
        "nonsense",
        "clippyfront.db",
        "sqlite:///a.db",
        "mysql://localhost/clips",
        "postgresql://localhost/clips",
        "postgresql+psycopg://localhost",
        "postgresql+psycopg://localhost:http/clips",
        "postgresql+asyncpg://localhost/clips",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:////tmp",
        "sqlite+aiosqlite:////no/such/folder/a.db",
        "sqlite+aiosqlite:////tmp/a.db?mode=memory",
    ],
    "REDIS_URL": ["nonsense", "http://localhost", "redis://localhost:http"],
    "DB_POOL_SIZE": ["5", "101", *WHOLE_NUMBERS],
    "SECRET_KEY": ["x", "fifteen letters"],
    "HOST": ["http://127.0.0.1", "127.0.0.1:80", "256.1.1.1", "1234", "a b", "a/b", "[::1]", "-a"],
    "PORT": ["0", "65536", *WHOLE_NUMBERS],
    "BASE_URL": [
        "nonsense",
        "clips.example.com",
        "ftp://clips.example.com",
        "https://",
        "https://clips example.com",
        "https://clips.example.com/app",
        "https://clips.example.com?a=1",
        "https://clips.example.com#a",
        "https://alice@clips.example.com",
        "https://alice:secret@clips.example.com",
        "https://clips.example.com:0",
        "https://clips.example.com:99999",
        "https://clips.example.com:http",
        "https://300.1.1.1",
        "https://[::1",
        "https://bü_-.example",
    ],
    "TRUSTED_PROXIES": ["nginx", "10.0.0.1/8", "10.0.0.1/33", "127.0.0.1 ::1", "http://10.0.0.1"],
    "ALLOWED_HOSTS": [
        "https://clips.example.com",
        "a.example/path",
        "a.example:port",
        "a.example b.example",
        "*example.com",
        "a.*.com",
    ],
    "WEB_CONCURRENCY": ["0", "65", *WHOLE_NUMBERS],
    "DEMO": ["2", "yes", "true"],
    "RATE_LIMITS": ["2", "on"],
    "REGISTRATION": ["friends"],
    "MAX_UPLOAD_MB": ["0", *WHOLE_NUMBERS],
    "UPLOAD_QUOTA_MB": ["0", *WHOLE_NUMBERS],
    "NOTIFICATION_RETENTION_DAYS": ["0", *NO_WHOLE_NUMBERS],
    "SMTP_HOST": [
        "mail example.com",
        "smtp://mail.example.com",
        "mail.example.com:25",
        "300.1.1.1",
    ],
    "SMTP_PORT": ["0", "65536", "smtp", *WHOLE_NUMBERS],
    "SMTP_USERNAME": ["alice\nEHLO"],
    "SMTP_PASSWORD": ["a\rb"],
    "SMTP_FROM_EMAIL": ["clips", "Clips <clips@example.com>", "a@b, c@d", "clips@"],
    "SMTP_TLS": ["ssl", "1", "true"],
    "EMAIL_DELAY_SECONDS": WHOLE_NUMBERS,
    "PUSH_DELAY_SECONDS": WHOLE_NUMBERS,
    "PUSH_ALLOWED_HOSTS": ["https://push.example.com", "push.example.com:0", "a b"],
    "VAPID_PUBLIC_KEY": ["short", ANOTHER],
    "VAPID_PRIVATE_KEY": ["short", "A" * 43, PUBLIC],
    "VAPID_EMAIL": ["nobody", "mailto:nobody", "admin@example.com", "http://example.com"],
    "LOG_LEVEL": ["loud", "10"],
    "LOG_FORMAT": ["xml"],
    "METRICS_TOKEN": ["two words", "ünïcode"],
    "TZ": ["Middle/Earth", "nonsense", "../etc/passwd"],
}
# A value that needs another setting beside it.
BESIDE = {
    "SMTP_USERNAME": {"SMTP_PASSWORD": "secret"},
    "SMTP_PASSWORD": {"SMTP_USERNAME": "alice"},
    "VAPID_PUBLIC_KEY": {"VAPID_PRIVATE_KEY": PRIVATE},
    "VAPID_PRIVATE_KEY": {},
}
SECRETS = ["SECRET_KEY", "SMTP_PASSWORD", "VAPID_PRIVATE_KEY", "METRICS_TOKEN"]


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_setting_is_in_both_tables() -> None:
    assert list(TAKEN) == list(REFUSED) == NAMES


@pytest.mark.parametrize(("name", "value"), pairs(TAKEN))
def test_valid_values_are_accepted(name: str, value: str) -> None:
    settings = read(BESIDE.get(name, {}) | {name: value})

    check(settings)


@pytest.mark.parametrize(("name", "value"), pairs(REFUSED))
def test_invalid_values_are_refused_by_name_and_nothing_is_written(
    tmp_path: Path, name: str, value: str
) -> None:
    folder = tmp_path / "data"
    environ = {"DATA_DIR": str(folder)} | BESIDE.get(name, {}) | {name: value}

    with pytest.raises(SettingError) as refusal:
        load(environ, check=check)

    sentence = str(refusal.value)
    assert sentence.startswith(name) or f" {name} " in sentence
    assert (sentence.endswith("."), "\n" in sentence) == (True, False)
    assert name not in SECRETS or value not in sentence or len(value) < 8
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql+psycopg://localhost/clips"),
        ("DATABASE_URL", "postgresql+psycopg:///clips?host=/run/postgresql"),
        ("REDIS_URL", "redis://localhost"),
        ("REDIS_URL", "rediss://:secret@redis.example.com:6380/2"),
        ("REDIS_URL", "unix:///run/redis.sock"),
    ],
)
def test_the_address_of_a_server_is_read(name: str, url: str) -> None:
    assert getattr(read({name: url}), name.lower()) == url


@pytest.mark.parametrize("url", ["postgresql+psycopg://a:hidden@b:c/d", "redis://:hidden@b:c"])
def test_a_refused_address_does_not_repeat_its_password(url: str) -> None:
    name = "REDIS_URL" if url.startswith("redis") else "DATABASE_URL"

    with pytest.raises(SettingError, match=name) as refusal:
        read({name: url})

    assert "hidden" not in str(refusal.value)


def test_queue_and_relay_share_the_connections_of_the_database() -> None:
    postgresql = {"DATABASE_URL": "postgresql+psycopg:///clips", "DB_POOL_SIZE": "12"}

    shared = read(postgresql).connections
    alone = read(postgresql | {"REDIS_URL": "redis://localhost"}).connections

    assert shared.database + shared.queue + shared.relay == 12
    assert (alone.database, alone.queue, alone.relay) == (11, 0, 1)


@pytest.mark.parametrize("name", NAMES)
def test_blanks_alone_count_as_unset(name: str) -> None:
    assert read({name: "  "}) == read({})


@pytest.mark.parametrize("name", ["SMTP_USERNAME", "SMTP_PASSWORD", "VAPID_PUBLIC_KEY"])
def test_half_of_a_pair_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        check(read({name: PUBLIC}))


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("run", "BASE_URL", "nonsense"),
        ("run", "HOST", "no-such-host.invalid"),
        ("web", "HOST", "203.0.113.7"),
        ("run", "DATABASE_URL", "postgresql+psycopg://127.0.0.1:1/clippyfront"),
        ("worker", "DATABASE_URL", "postgresql+psycopg://127.0.0.1:1/clippyfront"),
        ("migrate", "REDIS_URL", "redis://127.0.0.1:1"),
    ],
)
def test_the_start_ends_in_one_sentence_before_anything_is_printed_or_written(
    tmp_path: Path, command: str, name: str, value: str
) -> None:
    ended = run(command, {"DATA_DIR": str(tmp_path / "data"), name: value})

    assert (ended.returncode, ended.stdout) == (1, "")
    assert name in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_named(tmp_path: Path, taken_port: int) -> None:
    ended = run("run", {"DATA_DIR": str(tmp_path / "data"), "PORT": str(taken_port)})

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"PORT {taken_port} is in use on 127.0.0.1")
    assert not (tmp_path / "data").exists()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def run(command: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_misspelt_name_in_the_file_is_refused_with_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SMTP_HOTS=mail.example.com\n")

    with pytest.raises(SettingError, match=r"SMTP_HOTS in \.env .* Did you mean SMTP_HOST\?"):
        read_file(file)


def test_names_for_other_programs_may_stand_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("COMPOSE_PROJECT_NAME=clips\nPORT=9000\nHOST=\n")

    assert read_file(file) == {"COMPOSE_PROJECT_NAME": "clips", "PORT": "9000"}


def test_links_begin_with_the_ascii_form_of_base_url() -> None:
    assert read({"BASE_URL": "HTTPS://Bücher.Example.:443/"}).base_url == (
        "https://xn--bcher-kva.example"
    )


@pytest.mark.parametrize(
    ("environ", "demo"),
    [
        ({}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"BASE_URL": "https://clips.example.com"}, False),
        ({"HOST": "0.0.0.0", "DEMO": "1"}, True),
    ],
)
def test_the_demo_is_loaded_by_default_where_only_this_machine_can_reach_it(
    environ: dict[str, str], demo: bool
) -> None:
    assert read(environ | {"SECRET_KEY": SECRET_KEY}).demo is demo
