"""Where pushes may go: an endpoint is chosen by a stranger."""

import pytest

from app.notifications.channels.push.allowed_services import NotAllowed, PushServices
from app.settings import SettingError

NAMED = PushServices(
    [
        "push.example.org",
        "unified.example.org:8443",
        "127.0.0.1:9000",
        "[::1]:9001",
        "Bücher.example.",
        "push.local",
        "192.168.0.8",
    ]
)


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
        "http://[::1]:9001/push/1",
        "https://xn--bcher-kva.example/up",
        "https://push.local/up",
        "https://192.168.0.8/up",
    ],
)
def test_known_services_and_those_the_settings_name_are_found(endpoint: str) -> None:
    service, target = NAMED.find(endpoint)

    assert endpoint.lower().startswith(str(service))
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
        "http://push.local/up",
        "http://192.168.0.8/up",
        "https://192.168.0.8:9000/up",
        "https://xn--bcher-kva.example./up",
        "https://bücher.example/up",
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
        "[::1",
        "::1:9000",
        "[127.0.0.1]",
        "a..b",
        "xn--",
    ],
)
def test_a_name_that_is_none_refuses_to_start(name: str) -> None:
    with pytest.raises(SettingError, match="PUSH_ALLOWED_HOSTS"):
        PushServices([name])


def test_a_known_name_that_resolves_to_a_private_address_is_not_reached() -> None:
    private = ("127.0.0.1", "10.0.0.1", "::ffff:192.168.0.1")

    assert not any(NAMED.may_reach("fcm.googleapis.com", one) for one in private)
    assert NAMED.may_reach("fcm.googleapis.com", "142.250.74.10")


def test_naming_a_host_does_not_let_it_resolve_to_a_private_address() -> None:
    assert not NAMED.may_reach("push.example.org", "192.168.0.7")
    assert not NAMED.may_reach("push.local", "192.168.0.7")
    assert not NAMED.may_reach("push.local", "10.0.0.1")


def test_a_service_in_our_own_network_is_reached_if_its_name_and_its_address_are_listed() -> None:
    assert NAMED.may_reach("push.local", "192.168.0.8")
    assert NAMED.may_reach("push.local", "142.250.74.10")
    assert not NAMED.may_reach("fcm.googleapis.com", "192.168.0.8")
    assert not NAMED.may_reach("elsewhere.local", "192.168.0.8")


def test_localhost_is_reached_on_this_machine_alone() -> None:
    assert NAMED.may_reach("localhost", "127.0.0.1")
    assert not NAMED.may_reach("localhost", "142.250.74.10")
