"""/admin for administrators, /metrics for Prometheus."""

import asyncio
from hmac import compare_digest
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from app.accounts.access import require_admin
from app.broker import Broker
from app.database import Database
from app.errors import NotFound
from app.http import AnyRequest
from app.layout import page
from app.models import User
from app.operations.health import check
from app.operations.statistics import read_statistics, readings
from app.settings import Settings
from app.telemetry.metrics import exposition
from app.web.reachability import others_can_reach

# Prometheus' text format, version 0.0.4.
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


@get()
async def admin(
    request: AnyRequest,
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
    user: NamedDependency[User],
) -> Response[str]:
    require_admin(user)
    return await page(
        request,
        "operations/admin.html",
        statistics=await read_statistics(db, broker),
        checks=await check(db, broker),
    )


@get()
async def metrics(
    request: AnyRequest,
    settings: NamedDependency[Settings],
    db: NamedDependency[Database],
    broker: NamedDependency[Broker],
) -> Response[Any]:
    _require_reader(request, settings)
    # In a thread, since it waits for the other processes.
    text = await asyncio.to_thread(exposition, await readings(db, broker))
    return Response(text, media_type=EXPOSITION)


def _require_reader(request: AnyRequest, settings: Settings) -> None:
    """Raises NotFound without METRICS_TOKEN or, if none is set, if others can reach the server."""
    if settings.metrics_token:
        sent = request.headers.get("Authorization", "").partition(" ")[2]
        is_allowed = compare_digest(sent.encode(), settings.metrics_token.encode())
    else:
        is_allowed = not others_can_reach()
    if not is_allowed:
        raise NotFound
