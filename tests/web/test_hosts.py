"""Host names and ports as browsers, proxies and operators write them."""

from dataclasses import replace

import httpx
import pytest
from litestar import Litestar

from app.database import Database
from app.models import User
from app.settings import Settings, load, read
from app.web.hosts import Authority, normal_host, read_authority, read_origin
from tests.application import browser, serving
from tests.conftest import sign_in
from tests.setups import environ_of
from tests.web.test_csrf import fields_of, names_of_teams

PORTED, IDN = "https://clips.example.test:8225", "https://bücher.example"
A_LABEL = "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Clips.Example.COM.", "clips.example.com"),
        ("BÜCHER.example", A_LABEL),
        ("bücher。example", A_LABEL),
        ("xn--BCHER-kva.example.", A_LABEL),
        ("straße.example", "xn--strae-oqa.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("clips_web", "clips_web"),
    ],
)
def test_a_host_has_one_form(text: str, host: str) -> None:
    assert normal_host(text) == host


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "a b", "-a", "a-", "a/b", "300.1.1.1", "1.2.3", "a" * 64, "a\x00", "❤"],
)
def test_other_text_is_no_host(text: str) -> None:
    assert normal_host(text) in ("", "xn--qei")


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("a.example", Authority("a.example")),
        ("a.example:", Authority("a.example")),
        ("a.example:8000", Authority("a.example", 8000)),
        ("[::1]:8000", Authority("::1", 8000)),
        ("[::1]", Authority("::1")),
        ("::1", None),
        ("[a.example]", None),
        ("a:0", None),
        ("a:65536", None),
        ("a:b", None),
        ("user@a", None),
        ("[", None),
        ("a" * 100_000, None),
    ],
)
def test_an_authority_is_a_host_and_perhaps_a_port(text: str, authority: Authority | None) -> None:
    assert read_authority(text) == authority


@pytest.mark.parametrize("text", ["null", "", "https://", "ftp://a", "https://a/b", "a.example"])
def test_an_invalid_origin_is_none(text: str) -> None:
    assert read_origin(text) is None


@pytest.mark.parametrize(
    ("base_url", "host", "is_answered"),
    [
        (PORTED, "clips.example.test:8225", True),
        (PORTED, "clips.example.test", True),
        (PORTED, "clips.example.test:443", True),
        (PORTED, "CLIPS.Example.Test:8225", True),
        (PORTED, "clips.example.test.", True),
        (PORTED, "clips.example.test.:8225", True),
        (PORTED, "localhost:8000", True),
        (PORTED, "[::1]:8000", True),
        (PORTED, "clips.example.test:1", False),
        (PORTED, "evil.example", False),
        (PORTED, "clips.example.test.evil.example", False),
        (PORTED, "evil.example:8225", False),
        (PORTED, "", False),
        (IDN, A_LABEL, True),
        (IDN, "XN--BCHER-KVA.EXAMPLE.", True),
        (IDN, "bücher.example", True),
        (IDN, "BÜCHER.example.:443", True),
        (f"https://{A_LABEL}", "bücher.example", True),
        ("https://Bücher.example", A_LABEL, True),
        (IDN, "bucher.example", False),
    ],
)
async def test_the_host_of_base_url_is_answered_to_in_every_form(
    settings: Settings, base_url: str, host: str, is_answered: bool
) -> None:
    environ = environ_of(settings) | {"BASE_URL": base_url}
    async with serving(load(environ)) as app, browser(app) as client:
        request = client.build_request("GET", "/healthz")
        request.headers = httpx.Headers([(b"host", host.encode())])
        answer = await client.send(request)

    assert answer.status_code == (200 if is_answered else 400), answer.text


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/1/app.css", "/api/nowhere"])
async def test_no_address_is_answered_under_another_name(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"Host": "evil.example"})

    assert (answer.status_code, "does not answer to the host name" in answer.text) == (400, True)


async def test_two_hosts_are_none(app: Litestar, client: httpx.AsyncClient) -> None:
    request = client.build_request("GET", "/healthz")
    request.headers = httpx.Headers([("Host", "testserver"), ("Host", "testserver")])

    assert (await client.send(request)).status_code == 400


@pytest.mark.parametrize(
    ("allowed", "host", "is_answered"),
    [
        ("*", "anything.example", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "evilexample.com", False),
        ("a.example:9000", "A.example:9000", True),
        ("a.example:9000", "a.example", False),
        ("bücher.example", A_LABEL, True),
    ],
)
def test_allowed_hosts_are_patterns(allowed: str, host: str, is_answered: bool) -> None:
    assert read({"ALLOWED_HOSTS": allowed}).answers_to(host) is is_answered


@pytest.mark.parametrize(
    ("base_url", "origin", "host", "is_ours"),
    [
        (PORTED, PORTED, "clips.example.test", True),
        (PORTED, PORTED, "CLIPS.example.test.:8225", True),
        (PORTED, "https://clips.example.test.:8225", "clips.example.test:8225", True),
        (PORTED, "https://clips.example.test", "clips.example.test", True),
        (PORTED, "https://clips.example.test:9", "clips.example.test:8225", False),
        (PORTED, "https://evil.example:8225", "clips.example.test:8225", False),
        (PORTED, "null", "clips.example.test:8225", False),
        (IDN, f"https://{A_LABEL}", "bücher.example", True),
        (IDN, f"https://{A_LABEL}", f"{A_LABEL}:443", True),
        ("http://127.0.0.1:8000", "http://localhost:8000", "localhost:8000", True),
    ],
)
def test_an_origin_is_ours_in_every_form(
    base_url: str, origin: str, host: str, is_ours: bool
) -> None:
    assert read({"BASE_URL": base_url}).is_own_origin(origin, host) is is_ours


async def test_a_form_is_taken_where_the_proxy_writes_the_host_in_another_way(
    settings: Settings, alice: User, db: Database
) -> None:
    public = replace(settings, base_url="http://testserver:8225")
    async with serving(public) as app, browser(app) as client:
        await sign_in(client, alice)
        fields = await fields_of(client) | {"name": "Video Squad"}
        headers = {"Origin": "http://testserver:8225", "Host": "TESTSERVER."}
        await client.post("/teams", data=fields, headers=headers)

    assert await names_of_teams(db) == ["Video Squad"]
