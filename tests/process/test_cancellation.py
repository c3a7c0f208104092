"""Tasks end when they are to end, also those that lose a cancellation."""

import asyncio
from contextlib import suppress

import pytest

from app.process import cancellation
from app.process.cancellation import end


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


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lose_one() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    monkeypatch.setattr(cancellation, "AGAIN_SECONDS", 0.01)
    task = asyncio.create_task(lose_one())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()


async def test_the_error_of_an_ended_task_is_for_the_caller() -> None:
    async def fail() -> None:
        raise ValueError("a bad clip")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end(task)
    with pytest.raises(ValueError, match="a bad clip"):
        task.result()
