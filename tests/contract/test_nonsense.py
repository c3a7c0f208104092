"""Bodies, addresses and queries that make no sense: refused or passed over, never a crash."""

from urllib.parse import unquote_to_bytes, urlencode

import httpx
import pytest

from tests.contract.doors import doors, every_door
from tests.contract.forms import FORMS, MARKUP, PASSWORD
from tests.contract.world import World, take_token

pytestmark = pytest.mark.asyncio(loop_scope="session")
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
PART = '--x\r\nContent-Disposition: form-data; name="name"{more}\r\n\r\n{value}\r\n--x--\r\n'
BODIES = {
    "no UTF-8": (URLENCODED, b"name=\xff\xfe&email=\xed\xa0\x80"),
    "no UTF-8, escaped": (URLENCODED, b"name=%FF%FE&email=%ED%A0%80"),
    "half an escape": (URLENCODED, b"%&%zz=&=&&name=%"),
    "many fields": (URLENCODED, "&".join(f"ids={n}" for n in range(3_000)).encode()),
    "no boundary": ("multipart/form-data", b"--x"),
    "an odd boundary": ("multipart/form-data; boundary=\x01", b"--\x01"),
    "cut off": (MULTIPART, PART[:50].encode()),
    "an unknown charset": (
        MULTIPART,
        PART.format(more="\r\nContent-Type: text/plain; charset=klingon", value="x").encode(),
    ),
    "half a letter": (
        MULTIPART,
        PART.format(more="\r\nContent-Type: text/plain; charset=utf-7", value="+2AA-").encode(),
    ),
    "a file for a text": (
        MULTIPART,
        PART.format(more='; filename="name.txt"', value="x").encode(),
    ),
    "JSON": ("application/json", b'{"name": ["x"], "role": {}}'),
    "broken JSON": ("application/json", b"{"),
    "broken MessagePack": ("application/vnd.msgpack", b"\xc1"),
    "no type": ("", b"name=x"),
}
NUMBERS = (0, 2**63, -(2**63) - 1, "9" * 5_000)
WORDS = ("%00", "%FF", "x" * 3_000, "%ED%A0%80", "..%2F..%2Fetc", "👩‍🎬")
# An answer without the page around it is sooner made.
PARTIAL = {"HX-Request-Type": "partial"}
PAGE_THAT_ASKS = ("Referer", "HX-Current-URL")
NO_URLS = ("http://[", "http://[x]/", "http://localhost:port/", "//[")
# A stream goes on for ever, and without a worker the application is not ready.
ENDLESS_OR_BUSY = ("/notifications/stream", "/api/notifications/stream", "/readyz", "/static/")
NAMES = [
    *("q", "next", "page", "per_page", "limit", "offset", "type", "status", "date_range", "since"),
    *(
        "undo",
        "ids",
        "user",
        "view",
        "actor",
        "team",
        "project",
        "priority",
        "group_key",
        "grouped",
    ),
    *("seen", "up_to", "up_to_position", "do", "back", "token", "unread_only"),
]
ODD = {
    "markup": MARKUP + "%_\\\x00",
    "an essay": "x" * 55_000,
    "wildcards": "%_" * 9_000,
    "a path in emoji": "/🎉",
    "a path that is no UTF-8": b"/\xff\xfe",
    "a path of a surrogate": b"/\xed\xa0\x80",
    "another site": "//evil.example",
    "a line break": "/\r\nSet-Cookie: session=x",
    "NUL": "/\x00",
    "a huge number": "9" * 40,
    "a negative number": "-1",
    "nothing": "",
}
QUERIES = {
    name: urlencode([(one, value) for one in (NAMES if len(value) < 100 else NAMES[:1])])
    for name, value in ODD.items()
} | {
    "digits": urlencode(
        [(one, "9" * 5_000) for one in ("page", "limit", "since", "up_to", "type")]
    ),
    "no query": "&&=&%&%zz=%&;?#",
    "many fields": "ids=1&type=x&" * 3_000,
    "one twice": "&".join(f"{name}=1&{name}=a" for name in NAMES),
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_makes_no_sense_crashes_no_form(world: World, body: str) -> None:
    kind, content = BODIES[body]
    for path in [path for path, form in FORMS.items() if form.fields]:
        async with world.visitor() as alice:
            await world.sign_in(alice, world.alice)
            headers = {"Content-Type": kind} | PARTIAL

            answer = await alice.post(world.url(path), content=content, headers=headers)

            assert_harmless(answer, path)


@pytest.mark.parametrize("body", BODIES)
async def test_nor_does_it_get_past_the_search_for_the_token(world: World, body: str) -> None:
    kind, content = BODIES[body]
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        del alice.headers["X-CSRF-Token"]

        answer = await alice.post("/teams", content=content, headers={"Content-Type": kind})

    assert answer.status_code in (400, 403, 413)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:40])
async def test_an_unknown_id_is_not_found(world: World, number: object) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET", "POST"):
            for name in numbers_in(door.path):
                url = world.url(door.path, **{name: number})
                fields = world.right(door.path)
                answer = await alice.request(door.method, url, data=fields, headers=PARTIAL)

                assert answer.status_code == 404, (door.name, name, answer)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word[:20])
async def test_an_unknown_word_in_an_address_is_not_found(world: World, word: str) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET", "POST"):
            if ":str}" in door.path:
                url = world.url(door.path, token=word, name=word, field=word, do=word, step=word)
                answer = await alice.request(door.method, url, headers=PARTIAL)

                assert answer.status_code == 404, (door.name, answer)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_that_makes_no_sense_crashes_no_address(world: World, query: str) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in every_door(world.app):
            if door.method == "GET" and not door.path.startswith(ENDLESS_OR_BUSY):
                answer = await alice.get(f"{world.url(door.path)}?{QUERIES[query]}")

                assert_harmless(answer, door.name)


@pytest.mark.parametrize("query", ["an essay", "a path that is no UTF-8", "one twice"])
async def test_nor_does_it_crash_a_form(world: World, query: str) -> None:
    async with world.visitor() as alice:
        for door in every_door(world.app):
            if door.method != "GET":
                await world.sign_in(alice, world.alice)
                url = f"{world.url(door.path)}?{QUERIES[query]}"
                answer = await alice.request(door.method, url, headers=PARTIAL)

                assert_harmless(answer, door.name)


@pytest.mark.parametrize("url", NO_URLS)
@pytest.mark.parametrize("header", PAGE_THAT_ASKS)
async def test_a_page_that_is_no_url_crashes_no_form(world: World, header: str, url: str) -> None:
    async with world.visitor() as alice:
        for door in doors(world.app, "POST"):
            await world.sign_in(alice, world.alice)
            fields = world.right(door.path)
            answer = await alice.post(
                world.url(door.path, do="snooze"), data=fields, headers=PARTIAL | {header: url}
            )

            assert_harmless(answer, door.name)


@pytest.mark.parametrize("url", NO_URLS)
@pytest.mark.parametrize("header", PAGE_THAT_ASKS)
@pytest.mark.parametrize("others", [{}, {"X-User": "1"}], ids=["nobody's", "a user's"])
async def test_nor_does_it_crash_one_that_a_visitor_sends(
    world: World, header: str, url: str, others: dict[str, str]
) -> None:
    async with world.visitor() as visitor:
        for door in doors(world.app, "POST"):
            headers = {"Accept": "text/html", header: url} | others
            answer = await visitor.post(world.url(door.path), headers=headers)

            assert_harmless(answer, door.name)


@pytest.mark.parametrize("path", ["/login", "/register"])
@pytest.mark.parametrize("odd", ODD)
async def test_a_visitor_with_an_odd_address_to_go_to_gets_a_page(
    world: World, path: str, odd: str
) -> None:
    async with world.visitor() as visitor:
        answer = await visitor.get(f"{path}?{urlencode({'next': ODD[odd]})}")

    assert answer.status_code == 200
    assert_harmless(answer, path)


@pytest.mark.parametrize("query", ["an essay", "a path in emoji", "a path that is no UTF-8"])
async def test_an_odd_query_of_a_visitor_crashes_no_address(world: World, query: str) -> None:
    async with world.visitor() as visitor:
        for door in every_door(world.app):
            if door.method == "GET" and not door.path.startswith(ENDLESS_OR_BUSY):
                answer = await visitor.get(f"{world.url(door.path)}?{QUERIES[query]}")

                assert_harmless(answer, door.name)


@pytest.mark.parametrize("address", ["/🎉", "/teams?q=Zoë ✓", "/%ff%fe", "/a|b<c>"])
async def test_a_login_leads_to_any_address(world: World, address: str) -> None:
    async with world.visitor() as alice:
        await take_token(alice)
        fields = {"login": "alice", "password": PASSWORD, "next": address}
        answer = await alice.post("/login", data=fields)

    assert answer.status_code == 303
    assert unquote_to_bytes(answer.headers["Location"]) == unquote_to_bytes(address)


async def test_a_link_too_long_to_come_back_to_leads_to_the_dashboard(world: World) -> None:
    async with world.visitor() as visitor:
        answer = await visitor.get("/teams", params={"q": "x" * 55_000})

    assert answer.headers["Location"] == "/login?next=/"


async def test_an_overlong_search_for_members_finds_nobody(world: World) -> None:
    team = world.ids["team_id"]
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        page = await alice.get(f"/teams/{team}", params={"q": "x" * 55_000})
        found = await alice.get(f"/api/teams/{team}", params={"q": "x" * 55_000})

    assert page.status_code == 200
    assert found.json()["members"] == []


def numbers_in(path: str) -> list[str]:
    return [part[1:-5] for part in path.split("/") if part.endswith(":int}")]


def assert_harmless(answer: httpx.Response, about: str) -> None:
    assert answer.status_code < 500, about
    assert MARKUP not in answer.text, about
