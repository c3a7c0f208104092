"""A push service on loopback that trusts nobody: it checks the signature (RFC 8292), decrypts what
came (RFC 8291) for the browsers that belong to it, and answers as it is told.
"""

import asyncio
import base64
import json
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from app.notifications.channels.push.base64url import decode, encode

MOST_BYTES = 4096


@dataclass(frozen=True)
class Answer:
    """`silence` sends no response; `raw` is sent instead of a response; `pause` is in seconds."""

    status: int = 201
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    silence: bool = False
    raw: bytes = b""
    pause: float = 0


SILENCE = Answer(silence=True)


@dataclass(frozen=True)
class Pushed:
    """One message as it arrived; `payload` is what was in it, `body` as it came."""

    payload: dict[str, Any]
    headers: Mapping[str, str]
    body: bytes


class Browser:
    """One browser's subscription: its keys, what was pushed to it, and what is answered next."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.pushed: list[Pushed] = []
        self.answers: list[Answer] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` gives."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": encode(point), "auth": encode(self._auth)},
        }

    def decrypt(self, body: bytes) -> dict[str, Any]:
        text = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        return dict(json.loads(text))


class PushService:
    """`complaints` is what was wrong with requests; whoever sent them was told 400."""

    def __init__(self) -> None:
        self.origin = ""
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.arrived = asyncio.Condition()
        self._browsers: dict[str, Browser] = {}

    @property
    def host(self) -> str:
        """As PUSH_ALLOWED_HOSTS takes it."""
        return self.origin.removeprefix("http://")

    def browser(self, *answers: Answer) -> Browser:
        """A new one, for which the first pushes are answered like this; the others with 201."""
        path = f"/push/{len(self._browsers)}-{base64.urlsafe_b64encode(os.urandom(9)).decode()}"
        browser = self._browsers[path] = Browser(self.origin + path)
        browser.answers += answers
        return browser

    async def next_push(self, browser: Browser, count: int = 1, *, seconds: float = 60) -> Pushed:
        """The last of the first `count` pushes to a browser, when they have arrived."""
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(lambda: len(browser.pushed) >= count)
        return browser.pushed[count - 1]

    async def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append(path)
        browser = self._browsers.get(path)
        if browser is None:
            return Answer(404)
        try:
            self._check(headers, body)
            pushed = Pushed(browser.decrypt(body), headers, body)
        except Exception as error:
            self.complaints.append(repr(error))
            return Answer(400)
        answer = browser.answers.pop(0) if browser.answers else Answer()
        async with self.arrived:
            browser.pushed.append(pushed)
            self.arrived.notify_all()
        return answer

    def _check(self, headers: Mapping[str, str], body: bytes) -> None:
        assert headers["content-encoding"] == "aes128gcm"
        assert len(body) <= MOST_BYTES, "the body is too long"
        assert 0 < int(headers["ttl"]) <= 28 * 86_400
        assert headers["urgency"] in ("very-low", "low", "normal", "high")
        assert re.fullmatch(r"[\w-]{1,32}", headers["topic"], re.ASCII)
        assert Vapid02.verify(headers["authorization"]), "the signature is wrong"
        claims = claims_of(headers["authorization"])
        assert claims["aud"] == self.origin
        assert time.time() < claims["exp"] <= time.time() + 86_400
        assert claims["sub"].startswith(("mailto:", "https://"))


def claims_of(authorization: str) -> dict[str, Any]:
    token = re.search(r"t=([^,]+)", authorization)
    assert token
    return dict(json.loads(decode(token[1].split(".")[1])))


@asynccontextmanager
async def serving_push(port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[PushService]:
    """The service, on a free port where none is given.

    Its address is one of loopback in any case: from another `host` a relay leads to it.
    """
    service = PushService()
    serve = _Serving(service)
    server = await asyncio.start_server(serve, host, port)
    service.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield service
    server.close()
    serve.hang_up()


class _Serving:
    """HTTP/1.1, as much of it as a push service needs."""

    def __init__(self, service: PushService) -> None:
        self._service = service
        self._open: set[asyncio.StreamWriter] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        for writer in self._open:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = await self._service.answer(request.split()[1], headers, body)
        await asyncio.sleep(answer.pause)
        if answer.silence:
            await reader.read()
            return False
        writer.write(answer.raw or _written(answer))
        await writer.drain()
        return not answer.raw


def _written(answer: Answer) -> bytes:
    headers = {"Content-Length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} So", *(f"{name}: {v}" for name, v in headers.items())]
    return "\r\n".join([*lines, "\r\n"]).encode() + answer.body
