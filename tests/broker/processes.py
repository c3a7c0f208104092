"""Other processes, for the tests: `python -m tests.broker.processes <part> <path>`."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from saq import Worker
from saq.types import Context

from app.broker import Broker, open_broker
from app.broker.relay import LocalRelay
from app.broker.sqlite.queue import SqliteQueue
from app.settings import load

NEVER = 3600.0  # seconds: only a poke gets these workers to look for a job
TIMERS: Any = {"schedule": 5, "worker_info": 10, "sweep": 1, "abort": 1}


async def greet(_context: Context) -> str:
    return "Hello"


async def hang(_context: Context) -> None:
    print("begun", flush=True)
    await asyncio.Event().wait()


async def work(data_dir: Path) -> None:
    """Work until SIGTERM like the application's worker: both queues in one process."""
    broker = open_broker(load({"DATA_DIR": str(data_dir)}))
    for queue in (broker.queue, broker.compilations):
        assert isinstance(queue, SqliteQueue)
        queue._poll_seconds = NEVER
    await broker.connect()
    try:
        await run_workers(broker)
    finally:
        await broker.disconnect()


async def run_workers(broker: Broker) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    functions = [greet, hang]
    workers: list[Worker[Context]] = [
        Worker(broker.queue, functions, timers=TIMERS),
        Worker(broker.compilations, functions, timers=TIMERS, concurrency=1),
    ]
    for worker in workers:
        worker.SIGNALS = []  # each would replace the other's handlers
    running = [asyncio.create_task(worker.start()) for worker in workers]
    print("ready", flush=True)
    await stop.wait()
    await asyncio.gather(*(worker.stop() for worker in workers), *running)


async def listen(directory: Path) -> None:
    """Print each poke that arrives."""
    relay = LocalRelay(directory, None)
    await relay.connect()
    relay.listen("changes", lambda: print("changes", flush=True))
    print("ready", flush=True)
    await asyncio.Event().wait()


PARTS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "work": work,
    "listen": listen,
}


async def main(part: str, path: str) -> None:
    await PARTS[part](Path(path))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
