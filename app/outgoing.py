"""The only HTTP client for outgoing requests: pinned addresses, no redirects, no cookies, limits.

Users register the URLs that we connect to, so this client resolves each host name once for each
connection and connects only to addresses that the caller allows. aiohttp calls no resolver for a
host that is a literal address; callers must refuse those first.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

SECONDS = 10.0
SECONDS_TO_CONNECT = 3.0  # to each address, so that a dead one leaves time for the next
# An idle connection may be dead without notice: after a suspend, or where a router forgot it.
SECONDS_KEPT = 30.0
REPLY_BYTES = 8 * 1024
TIMEOUT, NOT_HTTP, UNREACHABLE = "timeout", "not_http", "unreachable"
# No push service or webhook needs aiohttp's own headers.
UNSENT_HEADERS = ("Accept", "Accept-Encoding", "User-Agent")

# IPv4 inside IPv6, as gateways translate it (RFC 6052); `ipaddress` knows the other forms.
_translated = IPv6Network("64:ff9b::/96")
# Private ranges that `ipaddress` calls global: translation (RFC 8215, RFC 2765), the old form of
# IPv4 inside IPv6 (RFC 4291, 2.5.5.1), site-local addresses (RFC 3879).
_private = [IPv6Network(net) for net in ("64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96", "fec0::/10")]

# (host, address) -> whether a connection to this address may be made for this host.
MayReach = Callable[[str, str], bool]


class Unanswered(Exception):
    """No HTTP reply came. `code` is TIMEOUT (`detail` is the number of seconds), NOT_HTTP, or
    UNREACHABLE (`detail` is what the system said).
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


class AddressRefused(Exception):
    """The host resolves only to addresses that may not be connected to."""


@dataclass(frozen=True)
class Reply:
    """`retry_after` is the value of the header, "" if there was none."""

    status: int
    retry_after: str


class Outgoing:
    """Keeps connections open between requests. Belongs to the event loop it is first used on."""

    def __init__(self, may_reach: MayReach, *, seconds: float = SECONDS) -> None:
        """`seconds` is how long one request may take in total."""
        self._may_reach = may_reach
        self._seconds = seconds

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """POST once; a kept connection that turns out closed is replaced by another.

        Raises AddressRefused, or Unanswered after at most `seconds`.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(URL(url, encoded=True), headers, body)
        except TimeoutError:
            raise Unanswered(TIMEOUT, f"{self._seconds:g}") from None
        except (
            aiohttp.ClientResponseError
        ) as error:  # its message quotes the URL, which is a secret
            raise Unanswered(NOT_HTTP) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unanswered(UNREACHABLE, str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if "_session" in self.__dict__:
            await self._session.close()

    async def _post(self, url: URL, headers: Mapping[str, str], body: bytes) -> Reply:
        connection = SimpleNamespace(is_kept=True)
        while connection.is_kept:
            connection.is_kept = False
            try:
                return await self._post_once(url, headers, body, connection)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not connection.is_kept:
                    raise
        raise AssertionError("unreachable")

    async def _post_once(
        self, url: URL, headers: Mapping[str, str], body: bytes, connection: SimpleNamespace
    ) -> Reply:
        async with self._session.post(
            url, headers=headers, data=body, allow_redirects=False, trace_request_ctx=connection
        ) as response:
            await _skip_body(response)
            return Reply(response.status, response.headers.get("Retry-After", ""))

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_Resolver(self._may_reach),
                ssl=ssl.create_default_context(),
                limit=0,
                keepalive_timeout=SECONDS_KEPT,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=SECONDS_TO_CONNECT),
            skip_auto_headers=UNSENT_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[_noting_kept_connections()],
        )


async def _skip_body(response: aiohttp.ClientResponse) -> None:
    """Read a short body, so that the connection can be kept; drop the connection of a long one."""
    read = 0
    try:
        while read <= REPLY_BYTES and (chunk := await response.content.read(REPLY_BYTES)):
            read += len(chunk)
    except aiohttp.ClientError:
        response.close()
    if read > REPLY_BYTES:
        response.close()


def _noting_kept_connections() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def note(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.is_kept = True

    trace.on_connection_reuseconn.append(note)
    return trace


class _Resolver(AbstractResolver):
    """Resolves a host to those of its addresses that may be connected to."""

    def __init__(self, may_reach: MayReach) -> None:
        self._may_reach = may_reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError if the name does not resolve, AddressRefused if no address is allowed."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        results = [_as_result(host, port, entry) for entry in found]
        if not (allowed := [one for one in results if self._may_reach(host, one["host"])]):
            raise AddressRefused(f"{host} resolves only to addresses that are not allowed.")
        return allowed

    async def close(self) -> None:
        """Holds nothing."""


def _as_result(host: str, port: int, entry: tuple[object, ...]) -> ResolveResult:
    family, _type, protocol, _name, address = entry
    return ResolveResult(
        hostname=host,
        host=str(address[0]),  # type: ignore[index]
        port=port,
        family=int(family),  # type: ignore[call-overload]
        proto=int(protocol),  # type: ignore[call-overload]
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def is_public(address: str) -> bool:
    """Whether the address is on the public internet, even if it wraps an IPv4 address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and (inner := _wrapped(found)):
        found = inner
    is_private = isinstance(found, IPv6Address) and any(found in net for net in _private)
    return found.is_global and not found.is_multicast and not is_private


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address in _translated:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
