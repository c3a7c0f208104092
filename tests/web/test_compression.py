"""What is compressed, how, and for whom."""

import gzip
from collections.abc import AsyncIterator
from typing import Any, cast

import brotli
import httpx
import pytest
from litestar import asgi
from litestar.types import Receive, Scope, Send

from app.models import User
from app.web.compression import SHORTEST, CompressingLitestar, chosen_encoding
from app.web.static_files import asset
from tests.conftest import sign_in

BROWSER = "gzip, deflate, br, zstd"
DECODED = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        (BROWSER, "br"),
        ("gzip", "gzip"),
        ("GZIP ; Q=0.5, BR;q=0.1", "gzip"),
        ("br;q=0.5, gzip;q=0.5", "br"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0.000, br;q=0.0", ""),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("*;q=0", ""),
        ("identity", ""),
        ("deflate, zstd", ""),
        ("gzip;q=nonsense, br;q=2", ""),
        ("", ""),
    ],
)
def test_the_encoding_is_the_one_that_the_client_prefers(accepted: str, encoding: str) -> None:
    assert chosen_encoding(accepted) == encoding


async def raw(client: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """The response, and its body as it was sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", path, headers={"Accept-Encoding": BROWSER, **named}) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize("accepted", [BROWSER, "gzip", "identity"])
@pytest.mark.parametrize("path", ["/login", "/api/openapi.json"])
async def test_pages_and_json_are_compressed(
    client: httpx.AsyncClient, path: str, accepted: str
) -> None:
    answer, body = await raw(client, path, Accept_Encoding=accepted)

    encoding = answer.headers.get("Content-Encoding", "")
    assert encoding == chosen_encoding(accepted)
    assert answer.headers["Content-Length"] == str(len(body))
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(DECODED[encoding](body)) > SHORTEST


@pytest.mark.parametrize("accepted", [BROWSER, "gzip", "identity"])
@pytest.mark.parametrize("path", ["app.css", "icons.svg", "bell.js", "vendor/htmx.min.js"])
async def test_static_files_are_compressed_and_each_form_has_its_own_tag(
    client: httpx.AsyncClient, path: str, accepted: str
) -> None:
    plain, content = await raw(client, asset(path), Accept_Encoding="identity")
    answer, body = await raw(client, asset(path), Accept_Encoding=accepted)
    tag = answer.headers["ETag"]
    again, nothing = await raw(client, asset(path), Accept_Encoding=accepted, If_None_Match=tag)

    encoding = answer.headers.get("Content-Encoding", "")
    assert encoding == chosen_encoding(accepted)
    assert DECODED[encoding](body) == content
    assert (tag == plain.headers["ETag"]) is (encoding == "")
    assert (again.status_code, nothing, again.headers["ETag"]) == (304, b"", tag)
    assert answer.headers["Vary"] == again.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_the_tag_of_one_form_does_not_stand_for_another(client: httpx.AsyncClient) -> None:
    plain, _content = await raw(client, asset("app.css"), Accept_Encoding="identity")

    answer, body = await raw(client, asset("app.css"), If_None_Match=plain.headers["ETag"])

    assert (answer.status_code, bool(body)) == (200, True)


@pytest.mark.parametrize(
    ("path", "accepted", "encoding"),
    [(asset("app.css"), BROWSER, "br"), ("/login", "identity", None)],
    ids=["a style sheet", "a page"],
)
async def test_head_has_the_length_and_encoding_of_what_get_would_send(
    client: httpx.AsyncClient, path: str, accepted: str, encoding: str | None
) -> None:
    """A page masks its token anew each time, so that only its plain length is always the same."""
    head = await client.head(path, headers={"Accept-Encoding": accepted})
    got, body = await raw(client, path, Accept_Encoding=accepted)

    assert [one.headers.get("Content-Encoding") for one in (head, got)] == [encoding, encoding]
    assert head.headers["Content-Length"] == str(len(body))


async def test_images_and_short_answers_are_sent_as_they_are(client: httpx.AsyncClient) -> None:
    image, _content = await raw(client, asset("icons/192.png"))
    short, body = await raw(client, "/healthz")

    assert "Content-Encoding" not in image.headers
    assert ("Content-Encoding" in short.headers, len(body) < SHORTEST) == (False, True)


async def test_a_page_that_the_browser_has_is_not_sent_again(
    client: httpx.AsyncClient, alice: User
) -> None:
    await sign_in(client, alice)
    first, _body = await raw(client, "/notifications/bell", HX_Request_Type="partial")
    tag = first.headers["ETag"]

    again, body = await raw(client, "/notifications/bell", If_None_Match=tag)

    assert tag.startswith("W/") is ("Content-Encoding" in first.headers)
    assert (again.status_code, body) == (304, b"")


@pytest.mark.parametrize(
    ("site", "query", "is_compressed"),
    [
        ("cross-site", "?next=/teams", False),
        ("same-site", "?next=/teams", False),
        ("cross-site", "", True),
        ("same-origin", "?next=/teams", True),
        ("none", "?next=/teams", True),
    ],
)
async def test_another_site_cannot_probe_a_page_by_its_length(
    client: httpx.AsyncClient, site: str, query: str, is_compressed: bool
) -> None:
    """BREACH: it would put a guess into the query and compare lengths."""
    answer, _body = await raw(client, f"/login{query}", Sec_Fetch_Site=site)

    assert ("Content-Encoding" in answer.headers) is is_compressed


@asgi("/", is_mount=True, copy_scope=True)
async def send_what_is_named(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends the media type in the path, in the way that the query names."""
    query = scope["query_string"].decode()
    headers = {
        "content-type": scope["path"].strip("/"),
        "content-encoding": "br" if query == "encoded" else "",
        "cache-control": "no-cache, no-transform" if query == "frozen" else "",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items() if value]
    status = 206 if query == "part" else 200
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    number = {"head": 0, "parts": 2}.get(query, 1)
    for left in reversed(range(number)):
        await send({"type": "http.response.body", "body": b"x" * 5_000, "more_body": left > 0})


@pytest.fixture
async def sender() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(cast(Any, CompressingLitestar([send_what_is_named])))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "is_compressed"),
    [
        ("/text/html", True),
        ("/application/problem+json", True),
        ("/text/html?parts", False),
        ("/text/html?part", False),
        ("/text/html?encoded", False),
        ("/text/html?frozen", False),
        ("/text/event-stream", False),
        ("/video/mp4", False),
        ("/image/jpeg", False),
    ],
)
async def test_only_a_whole_body_of_text_is_compressed(
    sender: httpx.AsyncClient, path: str, is_compressed: bool
) -> None:
    answer, body = await raw(sender, path)

    assert (len(body) < 5_000) is is_compressed
    assert ("Vary" in answer.headers) is is_compressed


async def test_the_head_of_a_stream_is_not_held_back() -> None:
    """Its body begins after the application has returned."""
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    application = CompressingLitestar([send_what_is_named])
    path = {"path": "/text/event-stream", "raw_path": b"", "query_string": b"head"}
    await application({"type": "http", "method": "GET", "headers": [], **path}, None, send)

    assert sent == ["http.response.start"]
