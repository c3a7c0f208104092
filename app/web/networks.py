"""Which addresses count as one client."""

from ipaddress import IPv4Address, ip_address


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address, all of which usually belongs to one client.

    Sockets for both versions write IPv4 addresses as IPv6 (RFC 4291, 2.5.5.2), all in one /64.
    """
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped) if known.ipv4_mapped else known.exploded[:19]
