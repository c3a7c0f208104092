"""The same with sse-starlette, written the way its README does: a generator and a queue each."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Queue = asyncio.Queue[dict[str, str]]
queues: dict[int, set[Queue]] = {}


async def open_stream(request: Request) -> EventSourceResponse:
    opening = "o" * int(request.query_params.get("opening", "0"))
    return EventSourceResponse(_events(request.path_params["user_id"], opening))


async def tell_everyone(request: Request) -> JSONResponse:
    told_at = monotonic()
    text, own = "x" * int(request.query_params["size"]), request.query_params["own"] == "true"
    for user_id, mine in queues.items():
        for queue in mine:
            queue.put_nowait({"data": f"{text} for {user_id if own else 'everyone'}."})
    return JSONResponse(told_at)


async def tell_one(request: Request) -> JSONResponse:
    told_at = monotonic()
    user_id, text = request.path_params["user_id"], "x" * int(request.query_params["size"])
    for queue in queues[user_id]:
        queue.put_nowait({"data": f"{text} for {user_id}."})
    return JSONResponse(told_at)


async def healthz(_request: Request) -> JSONResponse:
    return JSONResponse("ok")


async def _events(user_id: int, opening: str) -> AsyncIterator[dict[str, str]]:
    queue: Queue = asyncio.Queue()
    queues.setdefault(user_id, set()).add(queue)
    try:
        yield {"event": "hello", "data": f"{opening}hello {user_id}"}
        while True:
            yield await queue.get()
    finally:
        queues[user_id].discard(queue)


app = Starlette(
    routes=[
        Route("/healthz", healthz),
        Route("/streams/{user_id:int}", open_stream),
        Route("/everyone", tell_everyone, methods=["POST"]),
        Route("/people/{user_id:int}", tell_one, methods=["POST"]),
    ]
)
