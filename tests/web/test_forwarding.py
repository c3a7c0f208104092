"""The client's address, for which only trusted proxies are believed."""

import logging
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models import Throttle
from app.settings import Settings, load
from app.web.forwarding import client_address
from tests.application import browser, serving
from tests.conftest import post


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),  # the first is invented
        ("127.0.0.1", ["203.0.113.5", "10.0.0.7"], "203.0.113.5"),  # by a second trusted proxy
        ("127.0.0.1", ["10.0.0.8", "10.0.0.7"], "10.0.0.8"),
        ("127.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("127.0.0.1", ["2001:db8::5"], "2001:db8::5"),
        ("127.0.0.1", ["[2001:db8::5]:443"], "2001:db8::5"),
        ("127.0.0.1", ["203.0.113.5", "unknown"], "127.0.0.1"),
        ("127.0.0.1", ["<script>"], "127.0.0.1"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_is_the_clients(
    settings: Settings, peer: str, forwarded_for: list[str], address: str
) -> None:
    trusting = replace(settings, trusted_proxies=("127.0.0.1/32", "10.0.0.0/8"))

    assert client_address(trusting, peer, forwarded_for) == address


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("127.0.0.2", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_by_default_only_this_machine_is_trusted(
    settings: Settings, address: str, is_trusted: bool
) -> None:
    assert settings.trusts(address) is is_trusted


def test_addresses_and_networks_can_be_trusted(settings: Settings) -> None:
    trusted = "10.1.0.0/16, 192.0.2.7,2001:db8::/32"
    read = load({"DATA_DIR": str(settings.data_dir), "TRUSTED_PROXIES": trusted})

    assert read.trusted_proxies == ("10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32")
    assert (read.trusts("10.1.2.3"), read.trusts("127.0.0.1")) == (True, False)


@pytest.mark.parametrize(
    ("trusted", "counted"), [("127.0.0.1/32", "203.0.113.5"), ("192.0.2.7/32", "127.0.0.1")]
)
async def test_throttles_count_the_client_only_if_the_proxy_is_trusted(
    settings: Settings, db: Database, trusted: str, counted: str
) -> None:
    limited = replace(settings, rate_limits=True, trusted_proxies=(trusted,))
    async with serving(limited) as app, browser(app) as client:
        client.headers["X-Forwarded-For"] = "203.0.113.5"
        await post(client, "/login", login="nobody", password="wrong")

    async with db.read() as session:
        keys = (await session.scalars(select(Throttle.key))).all()
    assert f"login-from:{counted}" in keys


@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:203.0.113.6"])
async def test_clients_of_ipv4_are_counted_one_by_one_also_by_a_socket_for_both(
    settings: Settings, db: Database, peer: str
) -> None:
    """It writes their addresses as IPv6 addresses of one /64 network."""
    async with serving(replace(settings, rate_limits=True)) as app:
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            client.headers["X-Forwarded-For"] = "::ffff:203.0.113.5"
            await post(client, "/login", login="nobody", password="wrong")

    async with db.read() as session:
        keys = (await session.scalars(select(Throttle.key))).all()
    counted = "203.0.113.6" if peer.endswith("6") else "203.0.113.5"
    assert f"login-from:{counted}" in keys


@pytest.mark.parametrize("path", ["/nowhere", "/login", "/api/nowhere"])
@pytest.mark.parametrize("host", ["a:b", "a:99999", "a@b:c", "testserver:1\tx", "["])
async def test_a_malformed_host_is_no_crash(settings: Settings, host: str, path: str) -> None:
    async with serving(settings) as app, browser(app) as client:
        answer = await client.get(path, headers={"Host": host})

    assert answer.status_code in (400, 404), answer.text


async def test_an_untrusted_proxy_is_logged_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    wary = replace(settings, trusted_proxies=("192.0.2.7/32",))
    caplog.set_level(logging.WARNING)
    async with serving(wary) as app, browser(app) as client:
        for _ in range(2):
            await client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.5"})

    (line,) = [one.message for one in caplog.records if one.name == "app.web.forwarding"]
    assert line.startswith("127.0.0.1 forwards requests, but TRUSTED_PROXIES does not name it")
