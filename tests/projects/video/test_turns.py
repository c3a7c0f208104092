"""Whose turn it is at ffmpeg, within a process and between processes."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from app.projects.video import turns
from app.projects.video.ffmpeg import run
from app.projects.video.turns import Turns, number_of_slots, turn

ALICE, BOB, CAROL = 1, 2, 3
GIB = 1024**3
SHORT = ["-f", "lavfi", "-i", "testsrc2=size=32x32:duration=0.1", "-f", "null", "-"]


class Work:
    """Notes who had a turn, in order."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.running = self.most = 0

    async def take(self, turns: Turns, user_id: int) -> None:
        with turns.of(user_id):
            async with turn():
                self.order.append(user_id)
                self.running += 1
                self.most = max(self.most, self.running)
                await asyncio.sleep(0.01)
                self.running -= 1


async def begin(*work: Awaitable[None]) -> asyncio.Future[list[None]]:
    """Each waits for its turn when this returns; the first one may have it."""
    begun = asyncio.gather(*work)
    await asyncio.sleep(0.005)
    return begun


async def test_one_persons_work_is_next_after_the_flood_of_another(tmp_path: Path) -> None:
    turns, work = Turns(tmp_path, 1), Work()

    flood = await begin(*(work.take(turns, ALICE) for _ in range(12)))
    await work.take(turns, BOB)
    await flood

    assert work.order[:3] == [ALICE, BOB, ALICE]
    assert work.order.count(ALICE) == 12


async def test_two_who_come_back_at_once_do_not_keep_out_a_third(tmp_path: Path) -> None:
    turns, work = Turns(tmp_path, 1), Work()

    async def again_and_again(user_id: int) -> None:
        for _ in range(4):
            await work.take(turns, user_id)

    flood = await begin(*(work.take(turns, ALICE) for _ in range(4)))
    await asyncio.gather(again_and_again(BOB), again_and_again(CAROL))
    await flood

    assert work.order == [ALICE, BOB, CAROL] * 4


async def test_no_more_run_at_once_than_there_are_slots(tmp_path: Path) -> None:
    turns, work = Turns(tmp_path, 2), Work()

    await asyncio.gather(*(work.take(turns, user_id) for user_id in (ALICE, BOB) * 3))

    assert work.most == 2


async def test_processes_share_the_slots(tmp_path: Path) -> None:
    web, worker, work = Turns(tmp_path, 1), Turns(tmp_path, 1), Work()

    await asyncio.gather(*(work.take(each, ALICE) for each in (web, worker) * 3))

    assert work.most == 1


async def test_a_process_that_leaves_a_slot_does_not_overtake_another(tmp_path: Path) -> None:
    web, worker, work = Turns(tmp_path, 1), Turns(tmp_path, 1), Work()

    flood = await begin(*(work.take(worker, ALICE) for _ in range(5)))
    await work.take(web, BOB)
    await flood

    assert work.order[:2] == [ALICE, BOB]


async def test_a_cancelled_wait_takes_no_turn(tmp_path: Path) -> None:
    turns, work = Turns(tmp_path, 1), Work()
    running = await begin(work.take(turns, ALICE))
    impatient = asyncio.create_task(work.take(turns, BOB))
    await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.gather(running, work.take(turns, CAROL))

    assert work.order == [ALICE, CAROL]


async def test_a_turn_that_fails_frees_its_slot(tmp_path: Path) -> None:
    turns, work = Turns(tmp_path, 1), Work()

    with pytest.raises(LookupError):
        async with turns.take(ALICE):
            raise LookupError
    await work.take(turns, BOB)

    assert work.order == [BOB]


async def test_ffmpeg_starts_when_its_turn_has_come(tmp_path: Path) -> None:
    turns = Turns(tmp_path, 1)

    async with turns.take(ALICE):
        with turns.of(BOB):
            waiting = asyncio.create_task(run(*SHORT, seconds=60))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done

    assert (await waiting).frames


@pytest.mark.parametrize(
    ("memory", "slots"), [(2 * GIB, 1), (4 * GIB - 1, 1), (4 * GIB, 2), (64 * GIB, 2)]
)
def test_a_machine_below_four_gib_has_one_slot(
    monkeypatch: pytest.MonkeyPatch, memory: int, slots: int
) -> None:
    monkeypatch.setattr(turns, "_memory", lambda: memory)
    monkeypatch.setattr("os.cpu_count", lambda: 1)

    assert number_of_slots() == slots


@pytest.mark.parametrize(("limit", "is_small"), [("2147483648\n", True), ("max\n", False)])
def test_the_memory_of_a_container_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, is_small: bool
) -> None:
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(turns, "CGROUP_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr("os.sysconf", lambda _name: 1 << 17)

    assert turns._memory() == (2 * GIB if is_small else 1 << 34)
