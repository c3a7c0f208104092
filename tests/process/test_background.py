"""No error ends a background task."""

import asyncio
import logging

import pytest

from app.process import background
from app.process.background import repeat
from app.process.cancellation import end


async def test_a_step_that_fails_is_logged_and_called_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "RETRY_SECONDS", 0)
    errors, succeeded = [ValueError("a bug"), OSError("a disk")], asyncio.Event()

    async def step() -> None:
        await asyncio.sleep(0)
        if errors:
            raise errors.pop()
        succeeded.set()

    task = asyncio.create_task(repeat(step, "The step failed."))
    async with asyncio.timeout(5):
        await succeeded.wait()
    await end(task)

    logged = [(entry.levelno, entry.getMessage()) for entry in caplog.records]
    assert logged == [(logging.ERROR, "The step failed.")] * 2


async def test_after_a_failure_there_is_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "RETRY_SECONDS", 3600)
    calls = []

    async def step() -> None:
        calls.append("call")
        raise ValueError

    task = asyncio.create_task(repeat(step, "The step failed."))
    for _turn in range(10):
        await asyncio.sleep(0)
    await end(task)

    assert calls == ["call"]
