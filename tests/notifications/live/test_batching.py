import asyncio
from collections.abc import Callable, Sequence

import pytest

from app.notifications.live.batching import Batcher


class Numbers:
    """Answers with the doubles of even keys, when it may."""

    def __init__(self) -> None:
        self.calls: list[set[int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def answer(self, keys: Sequence[int]) -> dict[int, int]:
        assert len(keys) == len(set(keys))
        self.calls.append(set(keys))
        await self.may_answer.wait()
        if 13 in keys:
            raise ValueError("13 brings bad luck")
        return {key: 2 * key for key in keys if key % 2 == 0}


@pytest.fixture
def numbers() -> Numbers:
    return Numbers()


async def test_a_single_caller_is_served_at_once(numbers: Numbers) -> None:
    batcher = Batcher(numbers.answer, most=10)

    assert await batcher.load(2) == 4
    assert await batcher.load(4) == 8
    assert numbers.calls == [{2}, {4}]


async def test_a_key_without_a_value_is_none(numbers: Numbers) -> None:
    assert await Batcher(numbers.answer, most=10).load(3) is None


async def test_keys_wait_together_while_a_call_runs(numbers: Numbers) -> None:
    batcher = Batcher(numbers.answer, most=10)
    numbers.may_answer.clear()
    first = asyncio.create_task(batcher.load(2))
    await until(lambda: numbers.calls == [{2}])

    others = [asyncio.create_task(batcher.load(key)) for key in (4, 6, 4)]
    await asyncio.sleep(0)
    calls_meanwhile = list(numbers.calls)
    numbers.may_answer.set()

    assert await asyncio.gather(first, *others) == [4, 8, 12, 8]
    assert calls_meanwhile == [{2}]
    assert numbers.calls == [{2}, {4, 6}]


async def test_a_call_gets_a_limited_number_of_keys(numbers: Numbers) -> None:
    batcher = Batcher(numbers.answer, most=2)

    values = await asyncio.gather(*(batcher.load(key) for key in (2, 4, 6, 8, 10)))

    assert values == [4, 8, 12, 16, 20]
    assert numbers.calls == [{2, 4}, {6, 8}, {10}]


async def test_other_tasks_run_between_two_calls(numbers: Numbers) -> None:
    batcher, seen = Batcher(numbers.answer, most=1), []

    async def count_calls() -> None:
        for _ in range(4):
            seen.append(len(numbers.calls))
            await asyncio.sleep(0)

    await asyncio.gather(*(batcher.load(key) for key in (2, 4, 6)), count_calls())

    assert seen == [0, 1, 2, 3]


async def test_an_error_reaches_the_callers_of_its_batch_only(numbers: Numbers) -> None:
    batcher = Batcher(numbers.answer, most=2)

    values = await asyncio.gather(
        *(batcher.load(key) for key in (12, 13, 14)), return_exceptions=True
    )

    assert [type(value) for value in values] == [ValueError, ValueError, int]
    assert await batcher.load(2) == 4


@pytest.mark.parametrize("key", [4, 13], ids=["answered", "failed"])
async def test_a_caller_that_is_cancelled_does_not_harm_the_others(
    numbers: Numbers, key: int
) -> None:
    batcher = Batcher(numbers.answer, most=10)
    numbers.may_answer.clear()
    cancelled, other = [asyncio.create_task(batcher.load(key)) for _ in range(2)]
    await until(lambda: bool(numbers.calls))

    cancelled.cancel()
    numbers.may_answer.set()
    async with asyncio.timeout(5):
        [value] = await asyncio.gather(other, return_exceptions=True)

    assert value == 8 or isinstance(value, ValueError)
    assert await asyncio.wait_for(batcher.load(2), 5) == 4


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)
