"""Other processes for the tests: `python -m tests.broker.processes <part> <path>`."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from saq import Worker
from saq.types import Context

from app.broker import Broker, open_broker
from app.broker.relay import LocalRelay
from app.settings import load

TIMERS: Any = {"schedule": 5, "worker_info": 10, "sweep": 1, "abort": 1}
IDLE_SECONDS = 1


async def note_arrival(_context: Context) -> float:
    return time.time()


async def hang(_context: Context) -> None:
    print("begun", flush=True)
    await asyncio.Event().wait()


async def work(data_dir: Path) -> None:
    """Work until told to stop, as the application's worker does: both queues in one process."""
    broker = open_broker(load({"DATA_DIR": str(data_dir)}))
    await broker.connect()
    try:
        await run_workers(broker)
    finally:
        await broker.disconnect()


async def run_workers(broker: Broker) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    functions = [note_arrival, hang]
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


async def idle(data_dir: Path) -> None:
    """Say how much of a core a worker takes that has nothing to do."""
    working = asyncio.create_task(work(data_dir))
    await asyncio.sleep(0.5)
    before = time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    print((time.process_time() - before) / IDLE_SECONDS, flush=True)
    await working


async def listen(directory: Path) -> None:
    """Say when a poke arrived."""
    relay = LocalRelay(directory, None)
    await relay.connect()
    relay.listen("changes", lambda: print(time.time(), flush=True))
    print("ready", flush=True)
    await asyncio.Event().wait()


PARTS: dict[str, Callable[[Path], Awaitable[None]]] = {
    "work": work,
    "idle": idle,
    "listen": listen,
}


async def main(part: str, path: str) -> None:
    await PARTS[part](Path(path))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
