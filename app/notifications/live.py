"""From the commit to the open page: what changed in the database becomes pieces on the streams.

One cursor per process. A poke makes it read the changes above the cursor once; a missed poke
costs a second. An event is rendered once per variant, language and zone, and split where the
personal parts stand, so that 10,000 people cost one rendering and 10,000 joins of bytes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.broker.relay import CHANGES, Relay
from app.database import Database
from app.language import SOURCE_LANGUAGE, speaking
from app.models import Account, Change, Event, Notification
from app.notifications.bell import read_bell
from app.notifications.feed import MOST_COUNTED, Notice, as_notice, notices_of, shown
from app.notifications.hub import Hub
from app.notifications.sse import frame
from app.notifications.stream import HTML
from app.rendering import render

CHANGES_AT_ONCE = 500
PEOPLE_AT_ONCE = 500
LOOK_SECONDS = 5.0
# Stands for the notice's id while a piece is rendered: no real id is ever this large.
ID = 2**53 - 1
LIST_CHANGED = frame("", event="notifications-changed")

_log = logging.getLogger(__name__)


@dataclass
class Live:
    """Follows the changes of `db` and writes them to the streams of `hub`."""

    db: Database
    relay: Relay
    hub: Hub

    @asynccontextmanager
    async def running(self, _app: object = None) -> AsyncIterator[None]:
        poked = asyncio.Event()
        cursor = await self._present()
        stop_listening = self.relay.listen(CHANGES, poked.set)
        following = asyncio.create_task(self._follow(cursor, poked))
        try:
            yield
        finally:
            stop_listening()
            following.cancel()
            # A read that is broken off still has to give its connection back.
            with suppress(asyncio.CancelledError):
                await following

    async def opening(self, person: Account) -> bytes:
        """The whole present state, first on every stream."""
        with speaking(person.language):
            return await self._state(person) + LIST_CHANGED

    async def _follow(self, cursor: int, poked: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await poked.wait()
            except TimeoutError:
                pass
            poked.clear()
            try:
                cursor = await self._catch_up(cursor)
            except Exception:
                _log.exception("Live updates stumbled; they are tried again.")
                await asyncio.sleep(1)
                poked.set()

    async def _present(self) -> int:
        async with self.db.read() as session:
            return int(
                (await session.execute(select(func.coalesce(func.max(Change.id), 0)))).scalar_one()
            )

    async def _catch_up(self, cursor: int) -> int:
        while changes := await self._changes_after(cursor):
            for is_event, some in groupby(changes, key=lambda change: change.kind == "event"):
                if is_event:
                    for change in some:
                        await self._tell_event(change.id)
                else:
                    await self._tell_states({change.user_id for change in some})
            cursor = changes[-1].id
        return cursor

    async def _changes_after(self, cursor: int) -> list[Row[Any]]:
        rows = select(Change.id, Change.kind, Change.user_id).where(Change.id > cursor)
        async with self.db.read() as session:
            return list(await session.execute(rows.order_by(Change.id).limit(CHANGES_AT_ONCE)))

    async def _tell_event(self, event_id: int) -> None:
        connected = set(self.hub.connected(HTML))
        if not connected:
            return
        async with self.db.read() as session:
            recipients = await _recipients(session, event_id, connected)
            if not recipients:
                return
            example = await _examples(session, event_id, recipients)
        await self.hub.broadcast(_frames(event_id, recipients, example))

    async def _tell_states(self, people: set[int]) -> None:
        """The whole bell once more, for those whose notices were read, deleted or restored."""
        connected = people & set(self.hub.connected(HTML))
        for person in await self._accounts(connected):
            with speaking(person.language):
                state = await self._state(person)
            self.hub.send(person.id, state + LIST_CHANGED)

    async def _accounts(self, ids: set[int]) -> list[Account]:
        if not ids:
            return []
        async with self.db.read() as session:
            return list(await session.scalars(select(Account).where(Account.id.in_(ids))))

    async def _state(self, person: Account) -> bytes:
        async with self.db.read() as session:
            bell = await read_bell(session, person.id)
        return frame(render("notifications/_update.html", {"bell": bell, "person": person}))


async def _recipients(session: AsyncSession, event_id: int, connected: set[int]) -> list[Row[Any]]:
    """(user_id, id, language, timezone, unread) of the connected who were told."""
    counted = (
        select(text("1"))
        .select_from(Notification.__table__.alias("mine"))
        .where(
            text(
                "mine.user_id = notification.user_id AND mine.read_at IS NULL"
                " AND mine.deleted_at IS NULL AND NOT mine.hidden"
            )
        )
        .limit(MOST_COUNTED)
        .correlate(Notification)
    )
    rows = (
        select(
            Notification.user_id,
            Notification.id,
            Account.language,
            Account.timezone,
            select(func.count()).select_from(counted.subquery()).scalar_subquery().label("unread"),
        )
        .join(Account, Account.id == Notification.user_id)
        .where(Notification.event_id == event_id, shown)
    )
    if len(connected) <= PEOPLE_AT_ONCE:
        rows = rows.where(Notification.user_id.in_(connected))
    return [row for row in await session.execute(rows) if row.user_id in connected]


async def _examples(
    session: AsyncSession, event_id: int, recipients: list[Row[Any]]
) -> dict[bool, Row[Any]]:
    """A full row for each variant of the sentence: for whom it happened to, and for the others."""
    affected = await session.scalar(select(Event.affected_id).where(Event.id == event_id))
    examples = {row.user_id == affected: row.user_id for row in recipients}
    return {
        is_affected: (
            await session.execute(notices_of(user_id).where(Notification.event_id == event_id))
        ).one()
        for is_affected, user_id in examples.items()
    }


def _frames(
    event_id: int, recipients: list[Row[Any]], examples: dict[bool, Row[Any]]
) -> Iterator[tuple[int, bytes]]:
    """Each recipient's own bytes: their count, and the notice under their own id."""
    affected = next(iter(examples.values())).affected_id
    counts: dict[tuple[str, int], bytes] = {}
    pieces: dict[tuple[bool, str, str], list[bytes]] = {}
    for person in recipients:
        count_key = (person.language, person.unread)
        if count_key not in counts:
            counts[count_key] = _count_frame(event_id, *count_key)
        key = (person.user_id == affected, person.language, person.timezone)
        if key not in pieces:
            pieces[key] = _arrival_frame(examples[key[0]], person).split(str(ID).encode())
        own = str(person.id).encode().join(pieces[key])
        yield person.user_id, counts[count_key] + own + LIST_CHANGED


def _count_frame(event_id: int, language: str, count: int) -> bytes:
    bell = SimpleNamespace(unread=count, position=event_id)
    with speaking(language):
        return frame(render("notifications/_count.html", {"bell": bell, "person": None}))


def _arrival_frame(row: Row[Any], reader: Row[Any]) -> bytes:
    with speaking(reader.language or SOURCE_LANGUAGE):
        notice = _under_placeholder(as_notice(row))
        return frame(render("notifications/_arrival.html", {"notice": notice, "person": reader}))


def _under_placeholder(notice: Notice) -> Notice:
    own = f"/notifications/{notice.id}/"
    actions = [
        replace(one, url=one.url.replace(own, f"/notifications/{ID}/")) for one in notice.actions
    ]
    return replace(notice, id=ID, actions=actions)
