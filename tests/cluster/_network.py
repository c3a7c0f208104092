"""Hosts made of network namespaces: each with its own loopback and link, joined by a bridge."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from app.settings import ROOT
from tests.servers import run

BRIDGE = "clippybr"
NETWORK, GATEWAY = "10.213.77.0/24", "10.213.77.1"
ADDRESSES = "10.213.77.11", "10.213.77.12", "10.213.77.13"


@dataclass(frozen=True)
class Host:
    name: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command on it."""
        return "ip", "netns", "exec", self.name

    async def forward(self, port: int) -> None:
        """From its loopback to the same port of the gateway, until the host dies."""
        await asyncio.create_subprocess_exec(
            *(*self.prefix, sys.executable, "-m", "tests.cluster._forwarding", str(port), GATEWAY),
            cwd=ROOT,
            start_new_session=True,
        )

    async def unplug(self) -> None:
        """Cuts its link without closing any connection."""
        await run("ip", "-n", self.name, "link", "set", "eth0", "down")

    async def plug_in(self) -> None:
        await run("ip", "-n", self.name, "link", "set", "eth0", "up")

    async def kill_all(self) -> None:
        """Every process on it, at once."""
        for pid in (await run("ip", "netns", "pids", self.name)).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


@asynccontextmanager
async def hosts() -> AsyncIterator[list[Host]]:
    """One for each of ADDRESSES. Needs the rights of root."""
    made = [Host(f"clippy{number}", address) for number, address in enumerate(ADDRESSES, 1)]
    try:
        await run("ip", "link", "add", BRIDGE, "type", "bridge")
        await run("ip", "address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
        await run("ip", "link", "set", BRIDGE, "up")
        for number, host in enumerate(made):
            await _connect(host, f"{BRIDGE}{number}")
        yield made
    finally:
        for host in made:
            with suppress(RuntimeError):
                await host.kill_all()
                await run("ip", "netns", "delete", host.name)
        with suppress(RuntimeError):
            await run("ip", "link", "delete", BRIDGE)


async def _connect(host: Host, plug: str) -> None:
    await run("ip", "netns", "add", host.name)
    inside = ("name", "eth0", "netns", host.name)
    await run("ip", "link", "add", plug, "type", "veth", "peer", *inside)
    await run("ip", "link", "set", plug, "master", BRIDGE, "up")
    await run("ip", "-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
    for link in ("lo", "eth0"):
        await run("ip", "-n", host.name, "link", "set", link, "up")
