"""Marks notifications as read when their page is visited: opening is reading (CONTRACT §5).

This happens before the page is rendered, so that only what existed by then is marked, and the bell
on the page no longer counts it.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from litestar.utils import normalize_path

from app.database import Database
from app.faults import fault_of
from app.http import AnyRequest, is_api
from app.notifications.inbox.opening import open_page, open_shown

# How many seconds a page waits for another writer. After that it is rendered with the old count,
# which the stream corrects once the notifications are marked.
MARKING_SECONDS = 1.0
# Sent when htmx refreshes an open page or when a browser prefetches one; older browsers mark a
# prefetch by the last two.
FETCHED = ("HX-Request", "Sec-Purpose", "Purpose", "X-Moz")

_log = logging.getLogger(__name__)


class Visits:
    """Marks notifications as read. A page never fails because that does."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._marking = set[asyncio.Task[None]]()

    async def note(self, request: AnyRequest, page: str | None = None) -> None:
        """Mark as read what this page opens, if the request is a visit.

        `page` is the path of the request by default, in the one form in which notifications store it:
        the router serves it with more slashes as well. Pass another one if that contains a secret.
        """
        if request.scope.get("user") and is_visit(request):
            path = page or normalize_path(request.url.path)
            await self._mark(open_page(self._db, request.user.id, path))

    async def note_shown(self, user_id: int, ids: Sequence[int]) -> None:
        """Mark as read the notifications that the reading pane shows."""
        await self._mark(open_shown(self._db, user_id, ids))

    async def _mark(self, opening: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._attempt(opening))
        self._marking.add(task)
        task.add_done_callback(self._marking.discard)
        await asyncio.wait([task], timeout=MARKING_SECONDS)

    async def _attempt(self, opening: Coroutine[Any, Any, None]) -> None:
        try:
            await opening
        except Exception as error:
            # Without the path, which may contain a secret.
            _log.warning("A visit could not be noted: %s", fault_of(error) or repr(error))


async def note_visit(request: AnyRequest) -> None:
    """Runs before every handler."""
    await request.app.state.visits.note(request)


def is_visit(request: AnyRequest) -> bool:
    """Whether a person opens a page: neither htmx refreshes an open one nor the browser fetches it
    ahead (`Sec-Purpose`).
    """
    if request.method != "GET" or is_api(request.scope):
        return False
    is_fetched = any(name in request.headers for name in FETCHED)
    return not is_fetched and _is_navigation(request)


def _is_navigation(request: AnyRequest) -> bool:
    """By Fetch Metadata (W3C). A client that does not send it navigates."""
    mode = request.headers.get("Sec-Fetch-Mode")
    destination = request.headers.get("Sec-Fetch-Dest")
    if mode is None:
        return destination in (None, "document")
    # A service worker that passes a navigation on makes its destination empty.
    return mode == "navigate" and destination in (None, "document", "empty")
