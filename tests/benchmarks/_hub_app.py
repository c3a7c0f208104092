"""The smallest application around the hub: it opens streams and publishes on request."""

import asyncio
import gc
from time import monotonic

from litestar import Litestar, get, post
from litestar.params import FromPath, FromQuery

from app.notifications.live.frames import frame
from app.notifications.live.hub import Hub
from app.notifications.live.stream import HTML, JSON, SESSION, EventStream, Opening

FORMATS = {format.name: format for format in (HTML, JSON)}
hub = Hub()


@get("/streams/{user_id:int}")
async def open_stream(user_id: FromPath[int], format: FromQuery[str] = "html") -> EventStream:
    return EventStream(hub, user_id, (SESSION, str(user_id)), hello, FORMATS[format])


async def hello(user_id: int, _position: int) -> Opening:
    return Opening(frame(f"hello {user_id}", event="hello", retry=3000))


@post("/everyone")
async def tell_everyone(
    size: FromQuery[int], own: FromQuery[bool], format: FromQuery[str] = "html"
) -> float:
    """Tell all, each the same or each their own; answers when that began, in monotonic seconds."""
    told_at = monotonic()
    people = list(hub.connected(FORMATS[format]))
    shared = frame("x" * size + " for everyone.")
    before, after = frame("x" * size + " for {name}.").split(b"{name}")
    await hub.broadcast(
        ((user_id, b"%b%d%b" % (before, user_id, after) if own else shared) for user_id in people),
        FORMATS[format],
    )
    return told_at


@post("/people/{user_id:int}")
async def tell_one(user_id: FromPath[int], size: FromQuery[int]) -> float:
    told_at = monotonic()
    hub.send(user_id, frame("x" * size + f" for {user_id}."))
    return told_at


@get("/healthz")
async def healthz() -> str:
    return "ok"


@get("/state")
async def state() -> dict[str, int]:
    gc.collect()
    objects = sum(isinstance(each, EventStream) for each in gc.get_objects())
    return {"streams": hub.count, "objects": objects, "tasks": len(asyncio.all_tasks())}


app = Litestar([open_stream, tell_everyone, tell_one, healthz, state], lifespan=[hub.running])
