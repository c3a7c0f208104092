"""Parses forms and cookies within limits, and caches nothing that may be secret or large.

Litestar's own parsers accept any number of fields, and each caches the last 1,024 inputs: bodies
with passwords, cookie headers with sessions, queries of hundreds of fields.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from litestar import Litestar
from litestar._kwargs.extractors import create_query_default_dict
from litestar._parsers import parse_query_string
from litestar.datastructures import Headers
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Empty, Receive
from litestar.utils.scope.state import ScopeState
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

MAX_FORM_BYTES = 65_536
MAX_FORM_FIELDS = 2_000
# Of an upload, the bytes before its first file.
MAX_OPENING_BYTES = 65_536
# In bytes. Litestar may cache shorter queries: that cache stays small.
LONGEST_QUERY_KEPT = 500

Fields = list[tuple[str, str]]


class FileField(NamedTuple):
    """The file field of an upload form. A handler with this option, `file_field`, reads its own
    body: the CSRF middleware reads no further than the first file.
    """

    name: str
    takes_many: bool = False


class ForgetfulLitestar(Litestar):
    """A Litestar that caches neither cookies, which are parsed before it sees the request, nor long
    queries, which are forgotten after it.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            cookies_of(scope)
        try:
            await super().__call__(scope, receive, send)
        finally:
            if len(scope.get("query_string", b"")) > LONGEST_QUERY_KEPT:
                _forget_queries()


def _forget_queries() -> None:
    parse_query_string.cache_clear()
    create_query_default_dict.cache_clear()


def cookies_of(scope: Any) -> dict[str, str]:
    """The cookies of an ASGI request, parsed once."""
    state = ScopeState.from_scope(scope)
    if state.cookies is Empty:
        state.cookies = parse_cookies(Headers.from_scope(scope).get("cookie", ""))
    return state.cookies


def parse_cookies(header: str) -> dict[str, str]:
    """The `Cookie` header (RFC 6265, 5.4). Our own values need no quotes.

    Of several cookies with one name, the first wins: of those with our path, browsers send the
    oldest first, so one that a page of a neighbouring host sets later for the whole domain does not
    take the place of ours. Under HTTPS the prefix `__Host-` of the session's cookie excludes others
    altogether (app.accounts.cookies).
    """
    pairs = [pair.partition("=") for pair in header.split(";")]
    return {name.strip(): unquote(value.strip()) for name, _equals, value in reversed(pairs)}


def parse_form(content_type: tuple[str, Mapping[str, str]], body: bytes) -> Fields:
    """The text fields of a body of at most MAX_FORM_BYTES; empty if the body is not a form.

    Raises RequestEntityTooLarge for more than MAX_FORM_FIELDS fields, ClientException for a body
    that cannot be parsed.
    """
    if not body:  # some clients repeat a form's Content-Type when they follow its redirect
        return []
    kind, options = content_type
    if kind == RequestEncodingType.URL_ENCODED:
        return _parse_urlencoded(body)
    if kind == RequestEncodingType.MULTI_PART:
        return list(_parse_multipart(body, options.get("boundary", "")))
    return []


def _parse_urlencoded(body: bytes) -> Fields:
    if body.count(b"&") >= MAX_FORM_FIELDS:
        raise RequestEntityTooLarge
    return parse_qsl(body.decode(errors="replace"), keep_blank_values=True)


def parse_file(boundary: str, body: bytes, field: str) -> bytes:
    """The content of the file in `field` of a form (multipart/form-data); empty if there is none.

    Raises ClientException for a body that cannot be parsed.
    """
    parts = list(_parts(body, boundary))
    files = [content for name, is_file, content in parts if is_file and name == field]
    return files[0] if files else b""


async def fields_before_files(receive: Receive, boundary: str) -> tuple[Fields, Receive]:
    """The text fields that come before the first file of an upload (multipart/form-data), and a
    `receive` that gives the whole body again.

    Reads no further than the first file, or MAX_OPENING_BYTES. Of a malformed body, the fields are
    those before the fault.
    """
    opening, seen, arrived = _Opening(boundary), deque[Any](), 0
    while opening.goes_on and arrived <= MAX_OPENING_BYTES:
        message: Any = await receive()
        seen.append(message)
        chunk = message.get("body", b"")
        arrived += len(chunk)
        opening.read(chunk)
        if not message.get("more_body"):
            break

    async def receive_again() -> Any:
        return seen.popleft() if seen else await receive()

    return opening.fields, receive_again


class _Opening:
    """`goes_on` until the first file, the end or a fault has come."""

    def __init__(self, boundary: str) -> None:
        self.fields: Fields = []
        self.goes_on = True
        self._name, self._value = "", bytearray()
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=MAX_FORM_FIELDS)
        except MultipartError:
            self.goes_on = False

    def read(self, chunk: bytes) -> None:
        try:
            self.goes_on = not chunk or all(map(self._take, self._parser.parse(chunk)))
        except MultipartError:
            self.goes_on = False

    def _take(self, found: MultipartSegment | bytes | bytearray | None) -> bool:
        """Whether it belongs to a text field."""
        if isinstance(found, MultipartSegment):
            self._name, self._value = found.name, bytearray()
            return found.filename is None
        if found:
            self._value += found
        else:
            self.fields.append((self._name, _text(bytes(self._value))))
        return True


def _parse_multipart(body: bytes, boundary: str) -> Iterator[tuple[str, str]]:
    """Files are left out: the routes for uploads read their bodies themselves."""
    for name, is_file, content in _parts(body, boundary):
        if not is_file:
            yield name, _text(content)


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, bool, bytes]]:
    """The name of each part (RFC 7578), whether it is a file that was chosen, and its content."""
    try:
        part, value = None, bytearray()
        with PushMultipartParser(boundary, max_segment_count=MAX_FORM_FIELDS) as parser:
            for found in parser.parse(body):
                if isinstance(found, MultipartSegment):
                    part, value = found, bytearray()
                elif found:
                    value += found
                elif part:
                    yield part.name, bool(part.filename), bytes(value)
    except MultipartError as error:
        raise ClientException(detail="The form could not be read.") from error


def _text(content: bytes) -> str:
    """In UTF-8. Of the charsets that a client may name, some take Python seconds to decode."""
    return content.decode(errors="replace")
