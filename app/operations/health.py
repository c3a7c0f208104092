"""Is everything there that the application needs? For load balancers, and for people who wonder."""

import logging
from collections.abc import Awaitable, Callable

from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import text

from app.broker import Broker
from app.database import Database

_log = logging.getLogger(__name__)


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz")
async def readyz(
    db: NamedDependency[Database], broker: NamedDependency[Broker]
) -> Response[dict[str, object]]:
    """200 when database, queue, relay and a worker are there, else 503; each with its state."""
    checks = await check(db, broker)
    is_ready = set(checks.values()) == {"ok"}
    body: dict[str, object] = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return Response(body, status_code=200 if is_ready else 503)


async def check(db: Database, broker: Broker) -> dict[str, str]:
    """`ok` or `unavailable` for each part; reasons stand in the log, not in an open answer."""

    async def relay() -> bool:
        return broker.relay.is_connected

    parts: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": lambda: _answers(db),
        "queue": lambda: _counts(broker),
        "relay": relay,
        "worker": lambda: has_worker(broker),
    }
    return {name: await _state(part) for name, part in parts.items()}


async def _state(part: Callable[[], Awaitable[bool]]) -> str:
    try:
        return "ok" if await part() else "unavailable"
    except Exception:
        _log.warning("A part is not ready.", exc_info=True)
        return "unavailable"


async def _answers(db: Database) -> bool:
    async with db.read() as session:
        return bool(await session.scalar(text("SELECT 1")))


async def _counts(broker: Broker) -> bool:
    return await broker.queue.count("queued") >= 0


async def has_worker(broker: Broker) -> bool:
    """Whether a worker has given a sign of life in the last minute; each gives one in ten seconds."""
    return bool((await broker.queue.info())["workers"])


routes = [healthz, readyz]
