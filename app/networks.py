"""Which addresses count as one client."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def plain(host: str) -> str:
    """The address as it is usually written: a socket that takes IPv4 and IPv6 writes 192.0.2.1 as
    ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2). What is no address stays as it is.
    """
    address = _parsed(host)
    return str(address) if address else host


def network_of(host: str, *, ipv4_bits: int = 32, ipv6_bits: int = 64) -> str:
    """The network that the address is in, "" for what is no address. All of an IPv6 /64 usually
    belongs to one client.
    """
    address = _parsed(host)
    if address is None:
        return ""
    bits = ipv4_bits if address.version == 4 else ipv6_bits
    return str(ip_network((address, bits), strict=False)).removesuffix("/32")


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        address = ip_address(host)
        return getattr(address, "ipv4_mapped", None) or address
    return None
