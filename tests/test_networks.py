"""Which addresses count as one client, however they are written."""

import pytest

from app.networks import network_of, plain


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a socket", ""),
    ],
)
def test_a_client_is_an_address_of_ipv4_and_a_64_of_ipv6(host: str, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
    ],
)
def test_a_larger_network_may_be_asked_for(host: str, network: str) -> None:
    assert network_of(host, ipv4_bits=24, ipv6_bits=48) == network


@pytest.mark.parametrize(
    ("host", "written"),
    [("::ffff:203.0.113.7", "203.0.113.7"), ("2001:DB8::1", "2001:db8::1"), ("a socket",) * 2],
)
def test_an_address_is_written_in_its_usual_form(host: str, written: str) -> None:
    assert plain(host) == written
