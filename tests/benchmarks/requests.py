"""Requests a second of processor time: the API, pages and a fragment, one web process, by session
cookie, with eight connections.

    python -m tests.benchmarks.requests [--seconds 5] [--connections 8]

What a core can do follows from the processor time of a request, which other work on the machine does
not count towards. The peer is a bare Litestar with the same query by sqlite3. Needs wrk.
"""

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.settings import load
from tests.benchmarks._clippyfront import _cookie, _world
from tests.benchmarks._server import Server, serving, serving_clippyfront
from tests.benchmarks._table import (
    Aim,
    Line,
    Unmeasurable,
    alone,
    at_least,
    at_least_times,
)

PEOPLE = 50
WARM_UP_SECONDS = 1
COUNT = "/api/notifications/unread-count"
PEER = "bare Litestar, sqlite3"


@dataclass(frozen=True)
class Asked:
    """A request; if `is_known`, of a client that has the answer already."""

    name: str
    path: str
    aim: Aim | None = None
    headers: Sequence[str] = ()
    is_signed_in: bool = True
    is_known: bool = False


ASKED = (
    Asked("healthz", "/healthz", is_signed_in=False),
    Asked("unread-count", COUNT, at_least_times(0.25)),
    Asked("unread-count, 304", COUNT, at_least(3_846), is_known=True),
    Asked("list of 20, JSON", "/api/notifications?limit=20", at_least(1_000)),
    Asked("inbox page", "/notifications", at_least(300)),
    Asked(
        "bell fragment",
        "/notifications/bell",
        at_least(600),
        headers=("HX-Request: true", "HX-Request-Type: partial"),
    ),
    Asked("dashboard", "/", at_least(300)),
    Asked("login page", "/login", at_least(2_000), is_signed_in=False),
)


async def measure(seconds: int = 5, connections: int = 8) -> list[Line]:
    if not shutil.which("wrk"):
        raise Unmeasurable("wrk is not installed.")
    with TemporaryDirectory() as folder:
        environ = {
            "DATA_DIR": str(Path(folder)),
            "SECRET_KEY": "a secret of the benchmark",
            "DEMO": "0",
            "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": "1",
        }
        settings = load(environ)
        reader = (await _world(settings, PEOPLE)).people[-1]
        os.environ |= {"BARE_DATABASE": str(settings.sqlite_path), "BARE_USER_ID": str(reader)}
        lines = []
        async with (
            serving("tests.benchmarks._bare_app:app") as bare,
            serving_clippyfront(environ) as ours,
        ):
            peer = await _speed(bare, "/unread-count", [], seconds, connections)
            for asked in ASKED:
                headers = await _headers(ours, asked, reader)
                speed = await _speed(ours, asked.path, headers, seconds, connections)
                lines.append(Line(asked.name, speed, "/s", PEER, peer, asked.aim))
    return lines


async def _headers(server: Server, asked: Asked, reader: int) -> list[str]:
    """As a browser sends them that has been here before: with the cookies that it was given."""
    cookies = {"session": _cookie(reader).partition("=")[2]} if asked.is_signed_in else {}
    async with httpx.AsyncClient(base_url=server.base_url, cookies=cookies) as client:
        answer = (await client.get(asked.path)).raise_for_status()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    known = [f"If-None-Match: {answer.headers['etag']}"] if asked.is_known else []
    return [*asked.headers, *known, *([f"Cookie: {cookie}"] if cookie else [])]


async def _speed(
    server: Server, path: str, headers: Sequence[str], seconds: int, connections: int
) -> float:
    """Requests for each second of processor time that the server takes."""
    await _wrk(server, path, headers, WARM_UP_SECONDS, connections)
    before = server.processor_seconds()
    count = await _wrk(server, path, headers, seconds, connections)
    return count / (server.processor_seconds() - before)


async def _wrk(
    server: Server, path: str, headers: Sequence[str], seconds: int, connections: int
) -> int:
    """How many requests were answered."""
    options = ["-t1", f"-c{connections}", f"-d{seconds}"]
    options += [part for header in headers for part in ("-H", header)]
    wrk = await asyncio.create_subprocess_exec("wrk", *options, server.base_url + path, stdout=PIPE)
    output, _nothing = await wrk.communicate()
    report = output.decode()
    count = re.search(r"(\d+) requests in", report)
    if count is None or "Non-2xx" in report or "Socket errors" in report:
        raise RuntimeError(report)
    return int(count[1])


if __name__ == "__main__":
    alone(measure)
