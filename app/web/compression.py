"""Compresses pages, fragments and JSON: brotli or gzip, as the client prefers (RFC 9110, 12.5.3).

A whole body is compressed at once. A body that comes in parts, such as a stream or a video, is sent
as it is. Static files are compressed once, in `app/web/static_files.py`, which chooses here.

The length of a compressed page tells an eavesdropper whether text that an attacker chose also
occurs elsewhere in the page (BREACH). For that, the attacker makes a browser request pages with the
text in the query; so responses to requests from other sites that have a query are not compressed.
"""

import gzip
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import brotli
from litestar import Litestar
from litestar.datastructures import Headers

Send = Callable[[Any], Awaitable[None]]

# Shorter bodies fit into one packet anyway.
SHORTEST = 1_000
# Level 5 takes 1 ms of processor time for a page of 110 KB. Level 4 takes half of that, but makes
# the page 5% longer; higher levels gain little.
DYNAMIC: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}
ONCE: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=11),
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
COMPRESSIBLE = (
    "text/",
    "application/json",
    "application/problem+json",
    "image/svg+xml",
    "application/manifest+json",
)
STREAM = "text/event-stream"
OTHER_SITES = ("cross-site", "same-site")
# Without a body, or with a part of one.
NOT_WHOLE = (204, 206, 304)


def chosen_encoding(accepted: str) -> str:
    """`br` or `gzip`, whichever this `Accept-Encoding` header prefers; "" if it takes neither."""
    wanted: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _semicolon, parameter = part.partition(";")
        wanted[name.strip()] = _quality(parameter)
    qualities = {name: wanted.get(name, wanted.get("*", 0.0)) for name in DYNAMIC}
    best = max(qualities, key=qualities.__getitem__)  # of equal ones the first, brotli
    return best if qualities[best] > 0 else ""


def _quality(parameter: str) -> float:
    """RFC 9110, 12.4.2. A malformed weight counts as 0, so that nothing unwanted is sent."""
    if not parameter.strip():
        return 1.0
    weight = re.fullmatch(r"q=([01](?:\.\d{0,3})?)", parameter.strip())
    return float(weight[1]) if weight else 0.0


def is_compressible(media_type: str) -> bool:
    return media_type.startswith(COMPRESSIBLE) and not media_type.startswith(STREAM)


class CompressingLitestar(Litestar):
    """A Litestar that compresses whole bodies. It is inside the one that detaches streams, so that
    a stream keeps none of its state in memory.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        response = _Response(scope, send)
        await super().__call__(scope, receive, response.send)
        await response.send_start()


def _encoding_for(scope: Any) -> str:
    headers = Headers.from_scope(scope)
    is_chosen_elsewhere = headers.get("Sec-Fetch-Site") in OTHER_SITES and scope["query_string"]
    return "" if is_chosen_elsewhere else chosen_encoding(headers.get("Accept-Encoding", ""))


class _Response:
    """Holds the head back until the first part of the body shows whether there is another one."""

    def __init__(self, scope: Any, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Any = None

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start and message["type"] == "http.response.body" and not message.get("more_body"):
            message = self._encoded(message)
        await self.send_start()
        await self._send(message)

    async def send_start(self) -> None:
        if start := self._start:
            self._start = None
            await self._send(start)

    def _encoded(self, message: Any) -> Any:
        """The last part of the body, which is also the first. Adapts the head."""
        if self._start["status"] in NOT_WHOLE:
            return message
        given, body = self._start["headers"], message.get("body", b"")
        present = {name.lower(): value for name, value in given}
        if not _may_be_encoded(present):
            return message
        added = [(b"vary", _with_encoding(present.get(b"vary", b"")))]
        if len(body) >= SHORTEST and (encoding := _encoding_for(self._scope)):
            body = DYNAMIC[encoding](body)
            added += [
                (b"content-encoding", encoding.encode()),
                (b"content-length", b"%d" % len(body)),
                *[(b"etag", _weak(etag)) for etag in [present.get(b"etag")] if etag],
            ]
        replaced = {name for name, _value in added}
        kept = [pair for pair in given if pair[0].lower() not in replaced]
        self._start = {**self._start, "headers": kept + added}
        return {**message, "body": body}


def _may_be_encoded(headers: Mapping[bytes, bytes]) -> bool:
    media_type = headers.get(b"content-type", b"").decode("latin-1")
    is_encoded = b"content-encoding" in headers
    is_frozen = b"no-transform" in headers.get(b"cache-control", b"")
    return not (is_encoded or is_frozen) and is_compressible(media_type)


def _with_encoding(vary: bytes) -> bytes:
    if b"accept-encoding" in vary.lower():
        return vary
    return b", ".join(filter(None, [vary, b"Accept-Encoding"]))


def _weak(etag: bytes) -> bytes:
    """Equal as a page, but not byte by byte (RFC 9110, 8.8.3)."""
    return etag if etag.startswith(b"W/") else b"W/" + etag
