"""Bodies, addresses and queries that make no sense: refused or passed over, never a crash."""

import httpx
import pytest

from tests.contract.doors import doors
from tests.contract.forms import FORMS, MARKUP
from tests.contract.world import World

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
# A stream goes on for ever, and without a worker the application is not ready.
ENDLESS_OR_BUSY = ("/notifications/stream", "/readyz")
QUERIES = {
    "type": MARKUP,
    "status": MARKUP,
    "date_range": "\x00",
    "page": "9" * 5_000,
    "q": MARKUP + "%_\\\x00",
    "since": "9" * 5_000,
    "next": "//evil.example",
    "undo": MARKUP,
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

    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:40])
async def test_a_number_nothing_has_is_not_found(world: World, number: object) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET", "POST"):
            for name in numbers_in(door.path):
                url = world.url(door.path, **{name: number})
                fields = world.right(door.path)
                answer = await alice.request(door.method, url, data=fields, headers=PARTIAL)

                assert answer.status_code == 404, (door.name, name, answer)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word[:20])
async def test_a_word_nothing_is_called_is_not_found(world: World, word: str) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET", "POST"):
            if ":str}" in door.path:
                url = world.url(door.path, token=word, name=word, field=word, do=word)
                answer = await alice.request(door.method, url, headers=PARTIAL)

                assert answer.status_code == 404, (door.name, answer)


async def test_a_query_that_makes_no_sense_harms_no_page(world: World) -> None:
    async with world.visitor() as alice:
        await world.sign_in(alice, world.alice)
        for door in doors(world.app, "GET"):
            if door.path not in ENDLESS_OR_BUSY:
                answer = await alice.get(world.url(door.path), params=QUERIES)

                assert_harmless(answer, door.name)


def numbers_in(path: str) -> list[str]:
    return [part[1:-5] for part in path.split("/") if part.endswith(":int}")]


def assert_harmless(answer: httpx.Response, about: str) -> None:
    assert answer.status_code < 500, about
    assert MARKUP not in answer.text, about
