"""Another request, asked over and over from a process of its own while a server is busy."""

import asyncio
import multiprocessing
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import monotonic

PAUSE = 0.002


@dataclass
class Probe:
    """The longest that the other request took, once the block is left; in seconds."""

    worst: float = 0.0


@asynccontextmanager
async def probing(port: int, request: bytes) -> AsyncIterator[Probe]:
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_ask_on, args=(port, request, theirs), daemon=True)
    process.start()
    await asyncio.to_thread(ours.recv)
    probe = Probe()
    yield probe
    ours.send("enough")
    probe.worst = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(process.join)


def _ask_on(port: int, request: bytes, pipe: Connection) -> None:
    """The first answer only warms up."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        _ask(line, request)
        pipe.send("ready")
        worst = _ask(line, request)
        while not pipe.poll(PAUSE):
            worst = max(worst, _ask(line, request))
    pipe.send(worst)


def _ask(line: socket.socket, request: bytes) -> float:
    asked_at = monotonic()
    line.sendall(request)
    answer = b""
    while not answer.endswith((b"}", b'"', b"ok")):
        answer += line.recv(65536)
    return monotonic() - asked_at
