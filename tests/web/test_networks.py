"""What counts as one client, for limits on connections and attempts."""

from app.web.networks import network_of


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::2:3") != network_of("2001:db8:0:1::1")


def test_ipv4_addresses_count_alone_also_when_written_as_ipv6() -> None:
    assert network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")


def test_an_invalid_address_is_counted_literally() -> None:
    assert network_of("testclient") == "testclient"
