"""Generated keys are made once, also where several processes or hosts ask for them at once."""

import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest

from app.database import Database
from app.database.keys import SECRET_KEY, VAPID_PRIVATE_KEY, kept_key, read_keys, write_keys
from app.installation import install
from app.settings import Settings

HOSTS = 6


def ask(settings: Settings) -> Sequence[str]:
    """The keys of hosts that ask at once, each of which would generate a different one."""
    number = count()
    with ThreadPoolExecutor(HOSTS) as hosts:
        asked = [
            hosts.submit(kept_key, settings, SECRET_KEY, lambda: f"key {next(number)}")
            for _host in range(HOSTS)
        ]
        return [one.result() for one in asked]


@pytest.mark.sqlite
async def test_processes_that_ask_at_once_get_the_same_file(settings: Settings) -> None:
    assert len(set(ask(settings))) == 1
    mode = (settings.data_dir / SECRET_KEY).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_hosts_that_ask_at_once_get_the_same_row(
    on_server: Settings, shared: Database
) -> None:
    assert len(set(ask(on_server))) == 1
    assert list(on_server.data_dir.glob("*_key")) == []


async def test_all_hosts_sign_and_push_with_the_same_keys(
    on_server: Settings, shared: Database
) -> None:
    unset = replace(on_server, secret_key="")
    one, another = install(unset), install(unset)

    assert one.settings.secret_key == another.settings.secret_key != ""
    assert one.vapid_keys.public == another.vapid_keys.public
    for each in (one, another):
        await each.db.close()


@pytest.mark.sqlite
async def test_keys_can_be_moved_to_a_server_and_back(
    settings: Settings, on_server: Settings, shared: Database
) -> None:
    keys = {SECRET_KEY: "x" * 400, VAPID_PRIVATE_KEY: "y"}
    write_keys(settings, {SECRET_KEY: "before", VAPID_PRIVATE_KEY: "y"})
    write_keys(settings, keys)

    write_keys(on_server, {SECRET_KEY: "before"})
    write_keys(on_server, read_keys(settings))

    assert read_keys(on_server) == read_keys(settings) == keys
    assert kept_key(on_server, VAPID_PRIVATE_KEY, str) == "y"
    assert [path.name for path in settings.data_dir.glob(".*key*")] == []
