"""Whether the application and everything it depends on is available, for load balancers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import text

from app.broker import Broker
from app.database import Database

# Load balancers wait only a few seconds; without a limit, a lost server would go unnoticed for
# longer.
CHECK_SECONDS = 3

_log = logging.getLogger(__name__)


@get(sync_to_thread=False)
def healthz() -> dict[str, str]:
    """200 while the process can answer requests."""
    return {"status": "ok"}


@get()
async def readyz(
    db: NamedDependency[Database], broker: NamedDependency[Broker]
) -> Response[dict[str, object]]:
    """200 if the database, the queue, the relay and a worker are available, else 503. The body
    names each.
    """
    checks = await check(db, broker)
    is_ready = set(checks.values()) == {"ok"}
    body: dict[str, object] = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return Response(body, status_code=200 if is_ready else 503)


async def check(db: Database, broker: Broker) -> dict[str, str]:
    """`ok` or `unavailable` for each part. The reasons are only logged, because anyone can read the
    response.
    """

    async def relay() -> bool:
        return broker.relay.is_connected

    parts: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": lambda: _can_query(db),
        "queue": lambda: _can_count(broker),
        "relay": relay,
        "worker": lambda: has_worker(broker),
    }
    states = await asyncio.gather(*(_state(name, part) for name, part in parts.items()))
    return dict(zip(parts, states, strict=True))


async def _state(name: str, part: Callable[[], Awaitable[bool]]) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return "ok" if await part() else "unavailable"
    except TimeoutError:
        _log.warning("The %s has not answered within %s seconds.", name, CHECK_SECONDS)
    except Exception:
        _log.warning("The health check of the %s failed.", name, exc_info=True)
    return "unavailable"


async def _can_query(db: Database) -> bool:
    async with db.read() as session:
        return bool(await session.scalar(text("SELECT 1")))


async def _can_count(broker: Broker) -> bool:
    return await broker.queue.count("queued") >= 0


async def has_worker(broker: Broker) -> bool:
    """Whether a worker has reported in the last minute. Each reports every ten seconds."""
    return bool((await broker.queue.info())["workers"])
