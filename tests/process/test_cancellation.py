"""Tasks end when they are to end, also those that lose a cancellation."""

import asyncio
from contextlib import suppress
from threading import Event

import pytest

from app.faults import BUSY_SECONDS
from app.process.cancellation import AGAIN_SECONDS, end, to_thread


async def test_a_task_has_returned_what_it_held_when_it_has_ended() -> None:
    returned = []

    async def hold() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            returned.append("a connection")

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)
    await end(task)
    assert returned == ["a connection"]


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    async def lose_one() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(lose_one())
    await asyncio.sleep(0)
    await end(task, again_after=0.01)
    assert task.cancelled()


async def test_a_task_that_is_cancelled_ends_after_its_thread() -> None:
    may_end, interrupted = Event(), Event()
    task = asyncio.create_task(to_thread(may_end.wait, interrupted.set))
    for _time in range(2):
        await asyncio.sleep(0.01)
        task.cancel()
    await asyncio.sleep(0.01)
    has_waited = not task.done()
    may_end.set()
    await asyncio.wait([task])

    assert has_waited
    assert interrupted.is_set()
    assert task.cancelled()


def test_a_transaction_has_the_time_to_roll_back() -> None:
    assert AGAIN_SECONDS > BUSY_SECONDS


async def test_the_error_of_an_ended_task_is_for_the_caller() -> None:
    async def fail() -> None:
        raise ValueError("a bad clip")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end(task)
    with pytest.raises(ValueError, match="a bad clip"):
        task.result()
