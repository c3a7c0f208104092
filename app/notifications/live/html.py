"""The bells of open pages. A stream starts with the bell, and gets it again after every change that
is more than the arrival of a notification.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from time import monotonic

from app.database import Database
from app.notifications.live.batching import Batcher
from app.notifications.live.frames import frame
from app.notifications.live.html_rendering import BellRenderer
from app.notifications.live.queries import read_bells, read_events, read_positions
from app.notifications.live.stream import Opening
from app.notifications.live.variants import renderable

# How many bells are read in one go, before other requests are served.
BELLS_AT_ONCE = 50
# How long bells are rendered in one go. A row that is not cached takes a hundred times longer.
TURN_SECONDS = 0.01
NEVER = -1
# Makes the page fetch itself once, because changes before the stream opened were not sent to it.
OPENED = frame("{}", event="stream-opened")

# A user's id, and the position up to which their page is up to date.
BellKey = tuple[int, int]

_log = logging.getLogger(__name__)


class Bells:
    """Renders the bells of many users at once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._openings = Batcher(self._read_due, BELLS_AT_ONCE)

    async def opening(self, user_id: int, _position: int, *, since: int = NEVER) -> Opening:
        """The whole present state of the bell, unless nothing happened to it after `since`."""
        bell = await self._openings.load((user_id, since))
        return Opening(OPENED + (bell or b""))

    async def read(self, users: Collection[int]) -> dict[int, bytes]:
        """The frames of each user who exists, at most BELLS_AT_ONCE. A user whose bell cannot be
        rendered is left out, and logged.
        """
        if not users:
            return {}
        bells = await read_bells(self._db, users)
        events = {row.event_id for rows in bells.values() for row in rows} - {None}
        renderer = BellRenderer(renderable(await read_events(self._db, events)))
        frames = {}
        turn_ends_at = monotonic() + TURN_SECONDS  # the loop's own time stands still meanwhile
        for user_id, rows in bells.items():
            if monotonic() > turn_ends_at:
                await asyncio.sleep(0)
                turn_ends_at = monotonic() + TURN_SECONDS
            try:
                frames[user_id] = renderer.frames(rows)
            except Exception:
                _log.exception("The bell of user %s cannot be rendered.", user_id)
        return frames

    async def _read_due(self, keys: Sequence[BellKey]) -> dict[BellKey, bytes]:
        """Leaves out users who are up to date, as well as those whom `read` leaves out."""
        asking = {user_id for user_id, since in keys if since != NEVER}
        positions = await read_positions(self._db, asking) if asking else {}
        due = [
            (user_id, since)
            for user_id, since in keys
            if since == NEVER or positions.get(user_id, NEVER) > since
        ]
        bells = await self.read({user_id for user_id, _since in due})
        return {key: bells[key[0]] for key in due if key[0] in bells}
