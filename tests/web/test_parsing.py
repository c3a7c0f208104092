"""Forms are limited in size, and neither they nor cookies stay in memory."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from litestar._kwargs.extractors import create_query_default_dict
from litestar._parsers import (
    parse_cookie_string,
    parse_query_string,
    parse_url_encoded_form_data,
)

from app.models import User
from app.web.parsing import fields_before_files, parse_cookies, parse_form
from tests.conftest import post, sign_in, text_of
from tests.factories import PASSWORD

TOO_LARGE = "This is more than we accept in one request."
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
PART = '--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    "body",
    [b"a=&" * 3_000_000, b"%x=1&" * 20_000, b"login=" + b"x" * 65_536],
    ids=["10 MB", "escapes", "a long field"],
)
async def test_a_form_over_64_kib_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/login", content=body, headers=URLENCODED)

    assert answer.status_code == 413
    assert TOO_LARGE in text_of(answer)


async def test_a_form_without_a_length_over_64_kib_is_refused(client: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b"a=&" * 1_000

    answer = await client.post("/login", content=body(), headers=URLENCODED)

    assert answer.status_code == 413
    assert TOO_LARGE in text_of(answer)


async def test_a_form_of_more_than_2000_fields_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", content=b"&".join([b"a=1"] * 2_001), headers=URLENCODED)

    assert answer.status_code == 413
    assert TOO_LARGE in text_of(answer)


async def test_a_multipart_form_over_64_kib_is_refused(client: httpx.AsyncClient) -> None:
    body = (PART % ("login", '; filename="x"', "x" * 100_000) + "--x--").encode()

    answer = await client.post("/login", content=body, headers=MULTIPART)

    assert answer.status_code == 413
    assert TOO_LARGE in text_of(answer)


async def test_a_small_multipart_form_is_read_and_its_files_are_not(
    client: httpx.AsyncClient, alice: User
) -> None:
    await client.get("/login")
    fields = {"_csrf_token": client.cookies["csrftoken"], "login": "älice", "password": PASSWORD}
    parts = [PART % (name, "", value) for name, value in fields.items()]
    parts.append(PART % ("next", '; filename="next.txt"', "/teams"))
    body = ("".join(parts) + "--x--").encode()

    answer = await client.post("/login", content=body, headers=MULTIPART)

    assert answer.status_code == 422
    assert 'value="älice"' in answer.text
    assert "/teams" not in answer.text


async def test_the_body_of_a_get_is_not_read(client: httpx.AsyncClient) -> None:
    body = b"a=&" * 4_000_000

    answer = await client.request("GET", "/login", content=body, headers=URLENCODED)

    assert answer.status_code == 200


async def test_neither_passwords_nor_sessions_stay_in_a_cache(
    client: httpx.AsyncClient, alice: User
) -> None:
    before = _cached()

    await sign_in(client, alice)
    await post(client, "/teams", name="Video Squad")
    await client.get("/teams")

    assert _cached() == before


@pytest.mark.parametrize("path", ["/login", "/api/teams"])
async def test_a_long_query_does_not_stay_in_a_cache(
    client: httpx.AsyncClient, alice: User, path: str
) -> None:
    await sign_in(client, alice)

    await client.get(path, params={f"a{number}": "b" * 100 for number in range(50)})

    assert _queries_kept() == 0


def test_cookies_are_parsed_as_browsers_send_them() -> None:
    assert parse_cookies("session=a-b_c; csrftoken=1=2;;flash=%C3%A4") == {
        "session": "a-b_c",
        "csrftoken": "1=2",
        "": "",
        "flash": "ä",
    }


async def test_of_two_sessions_in_one_request_the_first_counts_everywhere(
    client: httpx.AsyncClient, alice: User
) -> None:
    """The second was set for the whole domain, by a page of a neighbouring host."""
    await sign_in(client, alice)
    ours = f"session={client.cookies['session']}; csrftoken={client.cookies['csrftoken']}"
    cookies = {"Cookie": f"{ours}; session=planted; csrftoken=planted"}
    client.cookies.clear()

    answer = await client.get("/account", headers=cookies)

    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)


def _cached() -> list[Any]:
    parsers: list[Callable[..., Any]] = [parse_url_encoded_form_data, parse_cookie_string]
    return [parse.cache_info() for parse in parsers]  # type: ignore[attr-defined]


def _queries_kept() -> int:
    parsers: list[Any] = [parse_query_string, create_query_default_dict]
    return sum(parse.cache_info().currsize for parse in parsers)


def test_a_request_without_a_body_has_no_fields_whatever_its_content_type_says() -> None:
    assert parse_form(("multipart/form-data", {"boundary": "of-the-form-before"}), b"") == []


OPENING = PART % ("a", "", "1") + PART % ("b", "", "") + PART % ("é", "", "ü")
FILE = PART % ("picture", '; filename="a.png"', "content")
LATER = PART % ("c", "", "3") + "--x--\r\n"


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_of_an_upload_only_the_fields_before_its_file_are_read(size: int) -> None:
    body = (OPENING + FILE + "x" * 2_000 + LATER).encode()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    messages = deque[Any]({"body": piece, "more_body": True} for piece in pieces)
    messages.append({"body": b"", "more_body": False})

    async def receive() -> Any:
        return messages.popleft()

    fields, receive_again = await fields_before_files(receive, "x")
    left = len(messages)
    again: list[Any] = [await receive_again() for _number in range(len(pieces) + 1)]

    assert fields == [("a", "1"), ("b", ""), ("é", "ü")]
    assert left > 0
    assert b"".join(message["body"] for message in again) == body


@pytest.mark.parametrize(
    ("boundary", "body", "fields"),
    [
        ("", OPENING, []),
        ("y", OPENING, []),
        ("x", OPENING + "nonsense", [("a", "1"), ("b", "")]),
        ("x", OPENING + "--x--\r\n", [("a", "1"), ("b", ""), ("é", "ü")]),
        ("x", "", []),
    ],
    ids=["no boundary", "another boundary", "cut short", "no file", "nothing"],
)
async def test_of_a_malformed_upload_the_fields_before_the_fault_count(
    boundary: str, body: str, fields: list[tuple[str, str]]
) -> None:
    async def receive() -> Any:
        return {"body": body.encode(), "more_body": False}

    assert (await fields_before_files(receive, boundary))[0] == fields


async def test_fields_that_go_on_for_long_are_not_read_to_their_end() -> None:
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"body": (PART % ("a", "", "x" * 10_000)).encode(), "more_body": True}

    await fields_before_files(receive, "x")

    assert asked < 10
