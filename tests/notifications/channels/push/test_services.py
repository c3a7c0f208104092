"""Where pushes may go: an endpoint is chosen by a stranger."""

import asyncio
import socket
from typing import Any

import pytest

from app.notifications.channels.push.services import NotAllowed, PushServices, is_public
from app.settings import SettingError

NAMED = PushServices(["push.example.org", "unified.example.org:8443", "127.0.0.1:9000"])


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def-_",
        "https://fcm.googleapis.com:443/wp/abc",
        "https://FCM.googleapis.com/wp/abc",
        "https://jmt17.google.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/QAbc",
        "https://wns2-by3p.notify.windows.com/w/?token=BQ%3d%3d",
        "https://push.example.org/up?id=1",
        "https://unified.example.org:8443/up",
        "http://127.0.0.1:9000/push/1",
        "https://127.0.0.1:9000/push/1",
    ],
)
def test_known_services_and_those_the_settings_name_are_found(endpoint: str) -> None:
    service, target = NAMED.find(endpoint)

    assert endpoint.lower().startswith(service.origin.lower())
    assert endpoint.endswith(target)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "fcm.googleapis.com/abc",
        "http://fcm.googleapis.com/abc",
        "https://fcm.googleapis.com:8443/abc",
        "https://fcm.googleapis.com./abc",
        "https://evilfcm.googleapis.com.evil.com/abc",
        "https://notfcm.googleapis.com/abc",
        "https://googleapis.com/abc",
        "https://fcm.googleapis.com@evil.com/",
        "https://evil.com/fcm.googleapis.com",
        "https://evil.com?fcm.googleapis.com",
        "https://evil.com#.fcm.googleapis.com",
        "https://evil.com\\.fcm.googleapis.com/",
        "https://evil.com%2ffcm.googleapis.com/",
        "https://user:secret@fcm.googleapis.com/",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\r\nHost: evil.com",
        "https://fcm.googleapis.com/a\x00",
        "https://fcm.googleapis.com/é",
        "https://fcm.googleapis.com\t/abc",
        " https://fcm.googleapis.com/abc",
        "https://fcm.googleapis.com/" + "a" * 2048,
        "https://127.0.0.1/fcm.googleapis.com",
        "https://127.0.0.1:9001/",
        "http://127.0.0.1/",
        "http://localhost:9000/",
        "https://[::1]:9000/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/",
        "https://metadata.google.internal/",
        "https://a..b.fcm.googleapis.com/abc",
        "https://.fcm.googleapis.com/abc",
        "https://-a.fcm.googleapis.com/abc",
        f"https://{'a' * 64}.fcm.googleapis.com/abc",
        "http://push.example.org/up",
        "https://push.example.org:8443/up",
        "https://a.push.example.org/up",
        "https://unified.example.org/up",
        "ftp://fcm.googleapis.com/abc",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://fcm.googleapis.com/abc",
    ],
)
def test_anything_else_is_refused(endpoint: str) -> None:
    with pytest.raises(NotAllowed):
        NAMED.find(endpoint)


@pytest.mark.parametrize(
    "name",
    [
        "http://push.example.org",
        "push.example.org/",
        "a:b",
        "a:0",
        "a:70000",
        ":80",
        "a b",
        "*",
        "é",
    ],
)
def test_a_name_that_is_none_refuses_to_start(name: str) -> None:
    with pytest.raises(SettingError, match="PUSH_ALLOWED_HOSTS"):
        PushServices([name])


@pytest.mark.parametrize(
    ("address", "is_everybodys"),
    [
        ("142.250.74.10", True),
        ("2a00:1450:4001:829::200a", True),
        ("::ffff:142.250.74.10", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::8efa:4a0a", True),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("64:ff9b:1::7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("::7f00:1", False),
        ("fec0::1", False),
    ],
)
def test_only_everybodys_addresses_are_public(address: str, is_everybodys: bool) -> None:
    assert is_public(address) == is_everybodys


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name leads there from now on."""

    async def getaddrinfo(_loop: Any, *_given: Any, **_options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", getaddrinfo)


async def test_a_known_name_that_leads_inside_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, _target = NAMED.find("https://fcm.googleapis.com/abc")
    resolving(monkeypatch, "127.0.0.1", "10.0.0.1", "::ffff:192.168.0.1")

    with pytest.raises(NotAllowed):
        await NAMED.addresses(service)


async def test_of_several_addresses_only_the_public_ones_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, _target = NAMED.find("https://fcm.googleapis.com/abc")
    resolving(monkeypatch, "10.0.0.1", "142.250.74.10")

    assert await NAMED.addresses(service) == ["142.250.74.10"]


async def test_naming_a_host_does_not_let_it_lead_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    service, _target = NAMED.find("https://push.example.org/up")
    resolving(monkeypatch, "192.168.0.7")

    with pytest.raises(NotAllowed):
        await NAMED.addresses(service)


async def test_an_address_is_reached_where_the_settings_name_that_very_address() -> None:
    service, _target = NAMED.find("http://127.0.0.1:9000/push")

    assert await NAMED.addresses(service) == ["127.0.0.1"]


async def test_localhost_leads_nowhere_but_home(monkeypatch: pytest.MonkeyPatch) -> None:
    services = PushServices(["localhost:9000"])
    service, _target = services.find("http://localhost:9000/push")
    resolving(monkeypatch, "142.250.74.10", "127.0.0.1")

    assert await services.addresses(service) == ["127.0.0.1"]
