"""A person at 127.0.0.1 who signs in, gets a live notification, and uploads on a slow line."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import httpx

from app.accounts.validation import DEMO_PASSWORD as PASSWORD
from tests import clips

SECONDS_AT_MOST = 20
BYTES_A_SECOND = 200 * 1024
CHUNK = 20 * 1024
PART = b'--x\r\nContent-Disposition: form-data; name="clips"; filename="long.mp4"\r\n\r\n'
STREAM = {"Accept": "text/event-stream"}


@asynccontextmanager
async def signed_in(url: str, name: str) -> AsyncIterator["Person"]:
    """Raises httpx.HTTPError or AssertionError where an answer is late, missing or wrong."""
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS_AT_MOST) as client:
        person = Person(name, client)
        await person.post("/login", page="/login", login=name, password=PASSWORD)
        yield person


class Person:
    def __init__(self, name: str, client: httpx.AsyncClient) -> None:
        self.name = name
        self._client = client

    async def get(self, path: str) -> httpx.Response:
        answer = await self._client.get(path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code}"
        return answer

    async def post(self, path: str, *, page: str, **fields: str) -> httpx.Response:
        """Sends a form with the token of the page it is on."""
        fields["_csrf_token"] = await self._token(page)
        answer = await self._client.post(path, data=fields)
        assert answer.status_code == 303, f"POST {path}: {answer.status_code}"
        return answer

    async def is_added_by(self, other: "Person", team: str) -> float:
        """How many seconds after the other has asked for it an open page shows the notice."""
        made = await other.post("/teams", page="/teams", name=team)
        path = f"{made.headers['Location']}/members/add"
        async with (
            asyncio.timeout(3 * SECONDS_AT_MOST),
            self._client.stream("GET", "/notifications/stream", headers=STREAM) as stream,
        ):
            assert stream.status_code == 200, f"the stream: {stream.status_code}"
            heard, lines = "", stream.aiter_lines()
            while "data:" not in heard:
                heard += await anext(lines)
            begun = monotonic()
            await other.post(path, page=path, login=self.name, role="viewer")
            while team not in heard:
                heard += await anext(lines)
            return monotonic() - begun

    async def uploads(self, size: int) -> None:
        """A clip of `size` bytes, at 200 KiB a second."""
        project = await self.post("/projects", page="/projects", name="Attacked")
        path = project.headers["Location"]
        content = PART + _clip(size) + b"\r\n--x--\r\n"
        headers = {
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Length": str(len(content)),
            "X-CSRF-Token": await self._token(path),
        }
        answer = await self._client.post(f"{path}/clips", content=_slowly(content), headers=headers)
        assert answer.status_code == 303, f"the upload: {answer.status_code}"
        assert "long.mp4" in (await self.get(path)).text

    async def _token(self, page: str) -> str:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await self.get(page)).text)
        assert found, f"{page} has no token"
        return found[1]


def _clip(size: int) -> bytes:
    """A real clip, padded by a box that players skip (ISO/IEC 14496-12, 8.1.2)."""
    clip = clips.make("mp4").read_bytes()
    padding = size - len(clip)
    return clip + padding.to_bytes(4) + b"free" + bytes(padding - 8)


async def _slowly(content: bytes) -> AsyncIterator[bytes]:
    begun = monotonic()
    for start in range(0, len(content), CHUNK):
        await asyncio.sleep(begun + start / BYTES_A_SECOND - monotonic())
        yield content[start : start + CHUNK]
