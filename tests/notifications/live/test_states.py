"""Every transition of a stream is taken, no other is possible, and no order of them loses a frame."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

import pytest

from app.notifications.live.frames import bye_frame, frame
from app.notifications.live.hub import Hub
from app.notifications.live.states import TRANSITIONS, State
from app.notifications.live.stream import FRAMES_HELD, HTML, JSON, EventStream, Format, Opening
from tests.notifications._connection import A_SESSION, ALICE, OPENING, Connection

LISTED = [(before, after) for before, afters in TRANSITIONS.items() for after in afters]


class Recording(EventStream):
    """Remembers the transitions it went through."""

    __slots__ = ("taken",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.taken: list[tuple[State, State]] = []

    def _become(self, state: State) -> None:
        before = self.state
        super()._become(state)
        self.taken.append((before, state))


class Stage:
    """One stream of alice's in a hub of its own, and what can happen to it."""

    def __init__(self) -> None:
        self.hub, self.connection = Hub(), Connection()
        self.openings = [Opening(OPENING)]
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.stream = Recording(self.hub, ALICE, A_SESSION, self.read_opening)

    async def read_opening(self, _user_id: int, _position: int) -> Opening:
        await self.may_open.wait()
        return self.openings.pop()

    async def until(self, state: State) -> None:
        async with asyncio.timeout(5):
            while self.stream.state is not state:  # noqa: ASYNC110
                await asyncio.sleep(0)

    def publish(self, frames: int) -> None:
        for number in range(frames):
            self.hub.send(ALICE, frame(f"news {number}"))

    def end(self) -> None:
        self.stream.end(bye_frame())

    async def break_off(self) -> None:
        self.connection.disconnect()
        await self.connection.until_served()

    # How a stream gets into a state

    async def to_opening(self) -> None:
        self.may_open.clear()
        self.connection.open(self.stream)
        await self.until(State.OPENING)

    async def to_live(self) -> None:
        self.connection.open(self.stream)
        await self.until(State.LIVE)

    async def to_behind(self) -> None:
        """A first frame waits for the reader, a second one is held."""
        await self.to_live()
        self.connection.pause()
        self.publish(2)

    async def to_stale(self) -> None:
        """More was published than is held, while the reader is paused."""
        await self.to_behind()
        self.publish(FRAMES_HELD)


async def opens(stage: Stage) -> None:
    await stage.to_opening()


async def ends_while_stale(stage: Stage) -> None:
    await stage.to_stale()
    stage.end()


async def breaks_off_while_stale(stage: Stage) -> None:
    await stage.to_stale()
    await stage.break_off()


async def has_read_a_part(stage: Stage) -> None:
    stage.openings.append(Opening(b"one, ", is_part=True))
    await stage.to_live()


async def has_sent_its_opening(stage: Stage) -> None:
    await stage.to_live()


async def ends_while_opening(stage: Stage) -> None:
    await stage.to_opening()
    stage.end()


async def breaks_off_while_opening(stage: Stage) -> None:
    async def broken(message: object) -> None:
        raise OSError("The cable is cut.")

    await stage.to_opening()
    stage.stream._send = broken
    stage.may_open.set()
    await stage.until(State.ENDED)


async def catches_up(stage: Stage) -> None:
    await stage.to_behind()
    stage.connection.resume()
    await stage.until(State.LIVE)


async def falls_far_behind(stage: Stage) -> None:
    await stage.to_stale()


async def ends_while_behind(stage: Stage) -> None:
    await stage.to_behind()
    stage.end()


async def breaks_off_while_behind(stage: Stage) -> None:
    await stage.to_behind()
    await stage.break_off()


async def falls_behind(stage: Stage) -> None:
    await stage.to_behind()


async def ends_while_live(stage: Stage) -> None:
    await stage.to_live()
    stage.end()


async def sends_its_last_frame(stage: Stage) -> None:
    await stage.to_behind()
    stage.end()
    stage.connection.resume()
    await stage.until(State.ENDED)


STORIES: dict[tuple[State, State], Callable[[Stage], Awaitable[None]]] = {
    (State.STALE, State.OPENING): opens,
    (State.STALE, State.ENDING): ends_while_stale,
    (State.STALE, State.ENDED): breaks_off_while_stale,
    (State.OPENING, State.STALE): has_read_a_part,
    (State.OPENING, State.BEHIND): has_sent_its_opening,
    (State.OPENING, State.ENDING): ends_while_opening,
    (State.OPENING, State.ENDED): breaks_off_while_opening,
    (State.BEHIND, State.LIVE): catches_up,
    (State.BEHIND, State.STALE): falls_far_behind,
    (State.BEHIND, State.ENDING): ends_while_behind,
    (State.BEHIND, State.ENDED): breaks_off_while_behind,
    (State.LIVE, State.BEHIND): falls_behind,
    (State.LIVE, State.ENDED): ends_while_live,
    (State.ENDING, State.ENDED): sends_its_last_frame,
}


def _id(state: State) -> str:
    return state.name.lower()


@pytest.mark.parametrize(("before", "after"), LISTED, ids=_id)
async def test_every_listed_transition_is_taken(before: State, after: State) -> None:
    stage = Stage()

    await STORIES[before, after](stage)

    assert (before, after) in stage.stream.taken
    assert stage.hub.count == (stage.stream.state not in (State.ENDING, State.ENDED))


OTHERS = [pair for pair in product(State, State) if pair not in LISTED]


@pytest.mark.parametrize(("before", "after"), OTHERS, ids=_id)
async def test_no_other_transition_is_possible(before: State, after: State) -> None:
    stream = Stage().stream
    stream.state = before

    with pytest.raises(RuntimeError, match=f"cannot go from {before.name} to {after.name}"):
        stream._become(after)

    assert stream.state is before


@dataclass
class Reader:
    """A client that reconnects with the position of the last change it received."""

    hub: Hub
    format: Format
    random: Random
    received: list[int] = field(default_factory=list)
    read_up_to: int = 0
    connection: Connection = field(default_factory=Connection)

    async def connect(self) -> None:
        self.read_up_to = len(self.received)
        self.connection = Connection()
        self.connection.open(EventStream(self.hub, ALICE, A_SESSION, self.read, self.format))
        await self.connection.until(lambda: self.connection.status == 200)

    async def read(self, _user_id: int, position: int) -> Opening:
        """The missed changes: as the present state in HTML, in parts of up to 7 changes in JSON."""
        await take_a_moment(self.random)
        if self.format is HTML:
            return Opening(frame(f"state {position}"))
        missed = range(self.read_up_to + 1, min(position, self.read_up_to + 7) + 1)
        self.read_up_to += len(missed)
        frames = b"".join(frame(f"change {each}") for each in missed)
        return Opening(frames, is_part=self.read_up_to < position)

    async def leave(self) -> None:
        """Frames on their way to the client sometimes get lost."""
        self.connection.disconnect()
        self.connection.resume()
        await self.connection.until_served()
        if self.random.random() < 0.5:
            self.take()

    def take(self) -> None:
        for kind, number in re.findall(
            r"data: (state|change) (\d+)", self.connection.body.decode()
        ):
            known = len(self.received) if kind == "state" else int(number) - 1
            self.received += range(known + 1, int(number) + 1)
        self.connection.body = b""


async def take_a_moment(random: Random) -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


async def happen(what: str, hub: Hub, reader: Reader) -> None:
    match what:
        case "publish":
            last = hub.position
            hub.position += reader.random.choice([1, 3, FRAMES_HELD + 2])
            await take_a_moment(reader.random)
            for position in range(last + 1, hub.position + 1):
                hub.send(ALICE, frame(f"change {position}"), reader.format, position)
        case "pause":
            reader.connection.pause()
        case "resume":
            reader.connection.resume()
        case "end":
            hub.close({A_SESSION})
            reader.connection.resume()
            await reader.connection.until_served()
        case "leave":
            await reader.leave()


WHAT_HAPPENS = [*["publish"] * 10, *["pause", "resume"] * 5, "end", "leave"]


@pytest.mark.parametrize("format", [HTML, JSON], ids=lambda format: format.name)
@pytest.mark.parametrize("seed", range(60))
async def test_whatever_happens_each_change_is_received_once_and_in_order(
    format: Format, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    hub, random = Hub(), Random(seed)
    reader = Reader(hub, format, random)
    await reader.connect()

    for _ in range(200):
        await happen(random.choice(WHAT_HAPPENS), hub, reader)
        await take_a_moment(random)
        if not hub.count:
            await reader.leave()
            await reader.connect()
    await reader.leave()
    await reader.connect()
    await happen("publish", hub, reader)
    await reader.connection.until_received(b" %d\n" % hub.position)
    reader.take()

    assert reader.received == list(range(1, hub.position + 1))
    assert caplog.text == ""
