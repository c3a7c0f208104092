"""What every queue must do, whichever database stores its jobs.

A store's tests inherit from `QueueCase` and give it one fixture, `open_queue`: it opens
connected queues on one empty store and closes them afterwards.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from saq import CronJob, Job, Queue, Status, Worker
from saq.queue.base import JobError
from saq.types import Context
from saq.utils import now

from app.broker.relay import ProcessRelay

OpenQueue = Callable[..., Awaitable[Queue]]
NewWorker = Callable[..., Worker[Context]]

NEVER = 3600.0  # seconds: only a poke, or a job that is due, ends a wait
LATER = 2**31
SOON = 0.01

caller: ContextVar[str] = ContextVar("caller", default="nobody")


async def greet(_context: Context, *, name: str = "nobody") -> str:
    return f"Hello, {name}"


async def fail(_context: Context) -> None:
    raise ValueError("no such clip")


async def take_time(_context: Context, seconds: float = 60) -> None:
    await asyncio.sleep(seconds)


def name_caller(_context: Context) -> str:
    return caller.get()


async def count_down(context: Context, *, n: int) -> list[str]:
    queue = context["queue"]
    rest = await queue.apply("count_down", n=n - 1, poll_interval=SOON) if n else []
    return [caller.get(), *rest]


FUNCTIONS: list[Any] = [greet, fail, take_time, name_caller, count_down]


class Endless:
    """A job's function that runs until it is cancelled, then takes a moment to tidy up."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.has_tidied_up = False

    async def run(self, _context: Context) -> None:
        self.has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(SOON)
            self.has_tidied_up = True


@asynccontextmanager
async def opening(new_queue: Callable[..., Queue]) -> AsyncIterator[OpenQueue]:
    """Connects what `new_queue(name, relay, **options)` makes, and closes it in the end."""
    relay = ProcessRelay()
    opened: list[Queue] = []

    async def open_queue(name: str = "default", **options: Any) -> Queue:
        opened.append(new_queue(name, relay, **options))
        await opened[-1].connect()
        return opened[-1]

    yield open_queue
    for queue in opened:
        await queue.disconnect()
    await relay.disconnect()


class QueueCase:
    @pytest.fixture
    async def queue(self, open_queue: OpenQueue) -> Queue:
        return await open_queue()

    @pytest.fixture
    async def new_worker(self, queue: Queue) -> AsyncIterator[NewWorker]:
        """Makes workers of `queue` that wait a moment for a job; all are stopped in the end."""
        made: list[Worker[Context]] = []

        def new_worker(**options: Any) -> Worker[Context]:
            defaults: dict[str, Any] = {"functions": FUNCTIONS, "dequeue_timeout": 0.1}
            made.append(Worker(queue, **defaults | options))
            return made[-1]

        yield new_worker
        for worker in made:
            await worker.stop()

    @pytest.fixture
    async def worker(self, new_worker: NewWorker) -> Worker[Context]:
        return new_worker()

    @pytest.fixture
    async def running_worker(self, new_worker: NewWorker) -> AsyncIterator[Worker[Context]]:
        worker = new_worker(dequeue_timeout=0)
        task = asyncio.create_task(worker.start())
        yield worker
        await worker.stop()
        await task

    # Putting in

    async def test_an_enqueued_job_waits_and_is_found_by_its_key(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", name="alice")
        found = await queue.job(job.key)
        assert found == job
        assert found
        assert (found.function, found.kwargs) == ("greet", {"name": "alice"})
        assert found.status is Status.QUEUED
        assert await counts(queue) == (1, 0, 1)

    async def test_job_options_are_separated_from_arguments(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", name="alice", timeout=1)
        assert job.kwargs == {"name": "alice"}
        assert (job.timeout, job.heartbeat) == (1, 0)

    async def test_a_key_waits_only_once(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", key="welcome-alice")
        assert await queue.enqueue("greet", key="welcome-alice") is None
        assert await queue.enqueue(job) is None
        assert await counts(queue) == (1, 0, 1)

    async def test_a_job_put_in_twice_learns_what_became_of_the_first(self, queue: Queue) -> None:
        await enqueued(queue, "greet", key="welcome", name="alice")
        second = Job("greet", {"name": "bob"}, queue=queue, key="welcome")
        await second.enqueue()
        assert second.kwargs == {"name": "alice"}

    async def test_a_key_that_has_ended_may_run_again(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", key="welcome", name="alice")
        await dequeued(queue)
        await job.finish(Status.COMPLETE)
        assert await queue.enqueue("greet", key="welcome", name="bob")
        assert (await dequeued(queue)).kwargs == {"name": "bob"}

    async def test_a_key_enqueued_for_an_earlier_time_is_moved_up(self, queue: Queue) -> None:
        first = await enqueued(queue, "greet", key="welcome", name="alice", scheduled=LATER)

        assert await queue.enqueue("greet", key="welcome", name="bob") is None
        taken = await dequeued(queue)
        assert (taken, taken.kwargs) == (first, {"name": "alice"})
        await taken.retry(None)
        assert await counts(queue) == (1, 0, 1)

    async def test_a_waiting_retry_keeps_its_attempts_when_it_is_moved_up(
        self, queue: Queue
    ) -> None:
        job = await enqueued(queue, "greet", key="welcome", retries=9, retry_delay=100)
        taken = await dequeued(queue)
        taken.attempts = 3
        await taken.retry("no such clip")

        await queue.enqueue("greet", key="welcome")
        again = await dequeued(queue)
        assert (again.attempts, again.error) == (3, "no such clip")
        assert again == job

    async def test_a_key_enqueued_for_a_later_time_stays_where_it_is(self, queue: Queue) -> None:
        await enqueued(queue, "greet", key="welcome")
        assert await queue.enqueue("greet", key="welcome", scheduled=LATER) is None
        assert await counts(queue) == (1, 0, 1)

    async def test_a_job_stays_with_its_queue(self, queue: Queue, open_queue: OpenQueue) -> None:
        job = await enqueued(queue, "greet")
        other = await open_queue("other")
        with pytest.raises(ValueError, match="different queue"):
            await other.enqueue(job)
        with pytest.raises(ValueError, match="wrong queue"):
            other.deserialize(job.to_dict())

    async def test_queues_of_one_store_do_not_mix(
        self, queue: Queue, open_queue: OpenQueue
    ) -> None:
        other = await open_queue("other")
        await enqueued(queue, "greet")
        await enqueued(other, "fail")
        assert await counts(other) == (1, 0, 1)
        assert (await dequeued(other)).function == "fail"
        assert await counts(queue) == (1, 0, 1)

    async def test_a_registered_callback_sees_jobs_before_they_are_enqueued(
        self, queue: Queue
    ) -> None:
        seen = []

        async def see(job: Job) -> None:
            seen.append(job.function)

        queue.register_before_enqueue(see)
        await enqueued(queue, "greet")
        queue.unregister_before_enqueue(see)
        await enqueued(queue, "fail")
        assert seen == ["greet"]

    async def test_a_batch_that_fails_takes_its_jobs_back(self, queue: Queue) -> None:
        with suppress(ValueError):
            async with queue.batch():
                job = await enqueued(queue, "greet")
                raise ValueError("changed my mind")
        assert job.status is Status.ABORTED
        assert await counts(queue) == (0, 0, 0)

    # Taking out

    async def test_a_job_taken_out_is_active(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        assert await queue.dequeue() == job
        assert await counts(queue) == (0, 1, 1)

    async def test_jobs_are_taken_in_the_order_they_came(self, queue: Queue) -> None:
        jobs = [await enqueued(queue, "greet", name=name) for name in ("alice", "bob", "carol")]
        assert [await dequeued(queue) for _ in jobs] == jobs

    async def test_waiting_ends_when_a_job_comes(self, queue: Queue) -> None:
        waiting = asyncio.create_task(dequeued(queue))
        await asyncio.sleep(SOON)
        job = await enqueued(queue, "greet")
        assert await asyncio.wait_for(waiting, 10) == job

    async def test_waiting_ends_when_a_job_comes_from_elsewhere(
        self, queue: Queue, open_queue: OpenQueue
    ) -> None:
        waiting = asyncio.create_task(dequeued(queue))
        await asyncio.sleep(SOON)
        job = await enqueued(await open_queue(), "greet")
        assert await asyncio.wait_for(waiting, 10) == job

    async def test_waiting_ends_after_its_timeout(self, queue: Queue) -> None:
        assert await queue.dequeue(timeout=0.05) is None
        assert await counts(queue) == (0, 0, 0)

    async def test_each_job_is_taken_by_one_waiting_worker(
        self, queue: Queue, open_queue: OpenQueue
    ) -> None:
        takers = [queue, await open_queue()] * 4
        waiting = [asyncio.create_task(dequeued(taker)) for taker in takers]
        await asyncio.sleep(SOON)
        jobs = {(await enqueued(queue, "greet")).key for _ in takers}
        assert {job.key for job in await asyncio.gather(*waiting)} == jobs

    async def test_a_job_for_later_waits_until_then(self, queue: Queue) -> None:
        later = await enqueued(queue, "greet", scheduled=LATER)
        due = await enqueued(queue, "greet", scheduled=1)
        await queue.schedule()
        assert await counts(queue) == (1, 0, 2)
        assert await dequeued(queue) == due
        assert await queue.dequeue(timeout=0.05) is None
        assert await queue.job(later.key) == later

    # Ending

    async def test_a_finished_job_keeps_its_result(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        await dequeued(queue)
        await queue.finish(job, Status.COMPLETE, result={"said": ["hello"]})
        stored = await stored_job(job)
        assert stored.status is Status.COMPLETE
        assert (stored.result, stored.progress) == ({"said": ["hello"]}, 1.0)
        assert await counts(queue) == (0, 0, 0)

    async def test_a_finished_job_may_be_deleted_at_once(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", ttl=-1)
        await dequeued(queue)
        await job.finish(Status.COMPLETE)
        assert await queue.job(job.key) is None

    async def test_a_finished_job_is_deleted_after_its_ttl(self, queue: Queue) -> None:
        brief, lasting = [await enqueued(queue, "greet", ttl=ttl) for ttl in (1, 0)]
        await brief.finish(Status.COMPLETE)
        await lasting.finish(Status.COMPLETE)
        await asyncio.sleep(1.1)
        await queue.sweep()
        assert await queue.jobs([brief.key, lasting.key]) == [None, lasting]

    async def test_a_retried_job_waits_again(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=2)
        await dequeued(queue)
        await queue.retry(job, "no such clip")
        assert queue.retried == 1
        assert await counts(queue) == (1, 0, 1)
        again = await dequeued(queue)
        assert again == job
        assert again.error == "no such clip"

    async def test_a_retry_may_be_delayed(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=2, retry_delay=100)
        await dequeued(queue)
        await job.retry(None)
        assert await counts(queue) == (0, 0, 1)
        assert await queue.dequeue(timeout=0.05) is None

    async def test_an_aborted_job_that_waits_never_runs(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=2)
        await job.abort("not needed")
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.ABORTED, "not needed")
        assert await counts(queue) == (0, 0, 0)
        assert await queue.dequeue(timeout=0.05) is None

    async def test_an_aborted_job_that_runs_is_asked_to_end(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=2)
        await dequeued(queue)
        await job.abort("not needed")
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.ABORTING, "not needed")
        assert await counts(queue) == (0, 0, 0)
        assert await queue.enqueue(job) is None

    # Looking on

    async def test_jobs_are_found_in_the_order_asked_for(self, queue: Queue) -> None:
        first, second = [await enqueued(queue, "greet") for _ in range(2)]
        assert await queue.jobs([second.key, "missing", first.key]) == [second, None, first]

    async def test_all_jobs_can_be_walked_through(self, queue: Queue) -> None:
        keys = {(await enqueued(queue, "greet")).key for _ in range(5)}
        async for job in queue.iter_jobs(batch_size=1):
            await job.update(status=Status.ACTIVE)
            break
        for size in (1, 2, 5, 100):
            assert {job.key async for job in queue.iter_jobs(batch_size=size)} == keys
        assert len([job async for job in queue.iter_jobs(statuses=[Status.ACTIVE])]) == 1
        assert len([job async for job in queue.iter_jobs(statuses=[Status.QUEUED])]) == 4

    async def test_an_update_does_not_change_the_stored_status(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        job.status = Status.ACTIVE
        await queue.update(job, progress=0.5)
        assert job.status is Status.ACTIVE
        stored = await stored_job(job)
        assert (stored.status, stored.progress) == (Status.QUEUED, 0.5)

    async def test_an_update_survives_a_refresh_at_the_same_time(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        refreshing = asyncio.create_task(job.refresh())
        await job.update()
        await refreshing
        assert (await stored_job(job)).touched > 0

    async def test_a_listener_is_called_after_updates(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        heard = []

        def hear(key: str, status: Status) -> bool:
            heard.append((key, status))
            return status is Status.ACTIVE

        listening = asyncio.create_task(queue.listen([job.key], hear, timeout=10))
        await asyncio.sleep(SOON)
        await job.update(status=Status.ACTIVE)
        await listening
        assert heard[-1] == (job.key, Status.ACTIVE)

    async def test_a_listener_may_be_a_coroutine_function(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")

        async def decide(_key: str, status: Status) -> bool:
            await asyncio.sleep(0)
            return status is Status.ACTIVE

        listening = asyncio.create_task(queue.listen([job.key], decide, timeout=10))
        await asyncio.sleep(SOON)
        await job.update(status=Status.ACTIVE)
        await listening

    async def test_listening_ends_after_its_timeout(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        with pytest.raises(TimeoutError):
            await queue.listen([job.key], lambda _key, _status: False, timeout=0.05)

    async def test_a_job_that_is_gone_cannot_be_refreshed(self, queue: Queue) -> None:
        with pytest.raises(RuntimeError, match="doesn't exist"):
            await Job("greet", queue=queue).refresh()

    async def test_a_refresh_can_wait_for_the_end(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        job = await enqueued(queue, "take_time", seconds=0.1)
        await job.refresh(until_complete=5)
        assert job.status is Status.COMPLETE
        assert job.worker_id == running_worker.id

    async def test_info_has_jobs_and_workers(
        self, queue: Queue, open_queue: OpenQueue, new_worker: NewWorker
    ) -> None:
        worker = new_worker(metadata={"host": "cutting-room"})
        assert await queue.info(jobs=True) == {
            "workers": {},
            "name": queue.name,
            "queued": 0,
            "active": 0,
            "scheduled": 0,
            "jobs": [],
        }
        job = await enqueued(queue, "greet")
        await enqueued(await open_queue(), "greet", scheduled=LATER)
        await worker.worker_info(ttl=1)

        info = await queue.info(jobs=True)
        assert (info["queued"], info["active"], info["scheduled"]) == (1, 0, 1)
        assert job.key in [shown["key"] for shown in info["jobs"]]
        [(worker_id, seen)] = info["workers"].items()
        assert worker_id == worker.id
        assert seen["metadata"] == {"host": "cutting-room"}
        assert seen["queue_key"] == queue.name
        await eventually(lambda: forgot_workers(queue))

    async def test_a_queue_counts_what_became_of_its_jobs(
        self, queue: Queue, worker: Worker[Context]
    ) -> None:
        for end in (Status.ABORTED, Status.FAILED, Status.FAILED, Status.COMPLETE):
            job = await enqueued(queue, "greet")
            await dequeued(queue)
            await job.finish(end)
        await job.retry(None)
        stats = (await worker.worker_info())["stats"]
        assert stats
        assert (stats["aborted"], stats["failed"], stats["complete"]) == (1, 2, 1)
        assert stats["retried"] == 1
        assert stats["uptime"] >= 0

    # Asking for results

    async def test_a_result_can_be_waited_for(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        assert running_worker
        assert await queue.apply("greet", name="alice", poll_interval=SOON) == "Hello, alice"
        assert await queue.apply("greet", ttl=-1, poll_interval=SOON) is None
        with pytest.raises(JobError, match="no such clip"):
            await queue.apply("fail", poll_interval=SOON)

    async def test_results_come_in_the_order_asked_for(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        assert running_worker
        people = [{"name": "alice"}, {}]
        assert await queue.map("greet", [], poll_interval=SOON) == []
        assert await queue.map("greet", people, poll_interval=SOON, name="bob", timeout=5) == [
            "Hello, alice",
            "Hello, bob",
        ]

    async def test_one_failure_among_many_is_raised_or_returned(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        assert running_worker
        with pytest.raises(JobError):
            await queue.map("fail", [{}, {}], poll_interval=SOON)
        results = await queue.map("fail", [{}, {}], return_exceptions=True, poll_interval=SOON)
        assert [type(result) for result in results] == [JobError, JobError]

    async def test_a_key_already_waiting_gives_its_own_result(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        assert running_worker
        await enqueued(queue, "greet", key="welcome", name="alice", scheduled=LATER)
        asked = [{"key": "welcome", "name": "bob"}]
        assert await queue.map("greet", asked, poll_interval=SOON) == ["Hello, alice"]

    async def test_waiting_for_results_ends_after_its_timeout(self, queue: Queue) -> None:
        with pytest.raises(TimeoutError):
            await queue.map("greet", [{}], timeout=0.05, poll_interval=SOON)

    # Running

    async def test_a_worker_runs_a_job_and_notes_how_it_went(
        self, queue: Queue, worker: Worker[Context]
    ) -> None:
        job = await enqueued(queue, "greet", name="alice")
        assert (job.started, job.completed) == (0, 0)
        await worker.process()
        await job.refresh()
        assert (job.status, job.result) == (Status.COMPLETE, "Hello, alice")
        assert (job.attempts, job.worker_id) == (1, worker.id)
        assert 0 < job.queued <= job.started <= job.completed

    async def test_a_failing_job_is_retried_up_to_its_limit(
        self, queue: Queue, worker: Worker[Context]
    ) -> None:
        job = await enqueued(queue, "fail", retries=2)
        await worker.process()
        first = await stored_job(job)
        assert (first.status, first.attempts, first.started) == (Status.QUEUED, 1, 0)
        await worker.process()
        second = await stored_job(job)
        assert (second.status, second.attempts) == (Status.FAILED, 2)
        assert "no such clip" in (second.error or "")

    async def test_a_failing_job_is_retried_after_its_delay(
        self, queue: Queue, worker: Worker[Context]
    ) -> None:
        job = await enqueued(queue, "fail", retries=2, retry_delay=100)
        await worker.process()
        await worker.process()
        assert (await stored_job(job)).status is Status.QUEUED

    async def test_a_job_that_takes_too_long_fails(
        self, queue: Queue, worker: Worker[Context]
    ) -> None:
        job = await enqueued(queue, "take_time", timeout=0.05, retries=2)
        await worker.process()
        await worker.process()
        stored = await stored_job(job)
        assert (stored.status, stored.attempts) == (Status.FAILED, 2)
        assert "TimeoutError" in (stored.error or "")

    async def test_a_stopped_worker_puts_its_job_back(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        endless = Endless()
        worker = new_worker(functions=[("endless", endless.run)])
        running = asyncio.create_task(worker.start())
        job = await enqueued(queue, "endless")
        await endless.has_begun.wait()
        await worker.stop()
        await running
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.QUEUED, "cancelled")
        assert (stored.started, stored.completed, stored.attempts) == (0, 0, 1)

    async def test_a_worker_can_be_cancelled_and_started_again(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        worker = new_worker()
        for name in ("alice", "bob"):
            running = asyncio.create_task(worker.start())
            job = await enqueued(queue, "greet", name=name)
            await job.refresh(until_complete=5)
            assert job.result == f"Hello, {name}"
            running.cancel()
            await running

    async def test_a_job_for_later_runs_when_it_is_due(
        self, queue: Queue, running_worker: Worker[Context]
    ) -> None:
        assert running_worker
        due = int(now() / 1000) + 1
        job = await enqueued(queue, "greet", scheduled=due)
        await job.refresh(until_complete=5)
        assert job.started >= due * 1000

    async def test_hooks_run_around_every_job(self, queue: Queue, new_worker: NewWorker) -> None:
        calls = []

        async def note(context: Context) -> None:
            calls.append(f"{context['job'].function} {context['job'].status.value}")

        def note_in_a_thread(context: Context) -> None:
            calls.append(f"thread {context['job'].status.value}")

        worker = new_worker(before_process=note, after_process=[note, note_in_a_thread])
        for function in ("greet", "fail"):
            await enqueued(queue, function)
            await worker.process()
        await worker.process()
        assert calls == [
            *("greet active", "greet complete", "thread complete"),
            *("fail active", "fail failed", "thread failed"),
        ]

    async def test_shutdown_hooks_run_after_the_jobs_have_ended(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        calls, endless = [], Endless()

        def note(_context: Context) -> None:
            calls.append(endless.has_tidied_up)

        worker = new_worker(
            functions=[("endless", endless.run)], startup=[note], shutdown=[note, note]
        )
        running = asyncio.create_task(worker.start())
        await enqueued(queue, "endless")
        await endless.has_begun.wait()
        await worker.stop()
        await running
        assert calls == [False, True, True]

    async def test_a_function_may_be_an_ordinary_one(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        async def name_alice(_context: Context) -> None:
            caller.set("alice")

        worker = new_worker(before_process=name_alice)
        job = await enqueued(queue, "name_caller")
        await worker.process()
        assert (await stored_job(job)).result == "alice"

    async def test_a_job_may_wait_for_jobs_of_its_own(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        async def send_caller(job: Job) -> None:
            job.meta["caller"] = caller.get()

        async def receive_caller(context: Context) -> None:
            context["queue"] = queue
            caller.set(context["job"].meta["caller"])

        queue.register_before_enqueue(send_caller)
        running = asyncio.create_task(new_worker(before_process=receive_caller).start())
        caller.set("alice")
        assert await queue.apply("count_down", n=2, poll_interval=SOON) == ["alice"] * 3
        running.cancel()
        await running

    # Aborting what runs

    async def test_a_worker_ends_an_aborted_job(self, queue: Queue, new_worker: NewWorker) -> None:
        endless = Endless()
        ends = []

        async def note(context: Context) -> None:
            ends.append(context["job"].status)

        worker = new_worker(functions=[("endless", endless.run)], after_process=note)
        job = await enqueued(queue, "endless", retries=2)
        processing = asyncio.create_task(worker.process())
        await endless.has_begun.wait()

        await job.abort("not needed")
        await job.enqueue()
        assert await counts(queue) == (0, 0, 0)

        await worker.abort(0)
        await processing
        assert endless.has_tidied_up
        assert ends == [Status.ABORTED]
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.ABORTED, "not needed")

        await job.enqueue()
        assert await counts(queue) == (1, 0, 1)

    async def test_a_thread_can_see_that_its_job_was_aborted(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        has_begun, may_look, may_end, seen = (
            asyncio.Event(),
            threading.Event(),
            threading.Event(),
            [],
        )
        loop = asyncio.get_running_loop()

        def look(context: Context) -> None:
            loop.call_soon_threadsafe(has_begun.set)
            may_look.wait(20)
            asyncio.run_coroutine_threadsafe(context["job"].refresh(), loop).result(20)
            seen.append(context["job"].status)
            may_end.wait(20)

        async def was_told_to_end() -> bool:
            return any(running["aborted"] for running in worker.job_task_contexts.values())

        worker = new_worker(functions=[("look", look)])
        job = await enqueued(queue, "look")
        processing = asyncio.create_task(worker.process())
        await has_begun.wait()
        await job.abort("not needed")
        may_look.set()
        aborting = asyncio.create_task(worker.abort(0))
        await eventually(was_told_to_end)
        may_end.set()
        await asyncio.gather(aborting, processing)
        assert seen == [Status.ABORTING]
        assert (await stored_job(job)).status is Status.ABORTED

    # Sweeping

    async def test_a_job_past_its_timeout_is_retried(self, queue: Queue) -> None:
        job = await abandoned(queue, timeout=1)
        assert await queue.sweep(abort=SOON) == [job.id]
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.QUEUED, "swept")
        assert await counts(queue) == (1, 0, 1)

    async def test_a_job_without_a_heartbeat_is_retried(self, queue: Queue) -> None:
        job = await abandoned(queue, timeout=0, heartbeat=0.02)
        await asyncio.sleep(0.05)
        assert await queue.sweep(abort=SOON) == [job.id]
        assert (await stored_job(job)).status is Status.QUEUED

    async def test_a_job_that_may_not_be_retried_is_aborted(self, queue: Queue) -> None:
        job = await abandoned(queue, timeout=1, retries=0)
        await queue.sweep(abort=SOON)
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.ABORTED, "swept")

    async def test_jobs_within_their_limits_are_left_alone(self, queue: Queue) -> None:
        for limits in ({"timeout": 90}, {"timeout": 90, "heartbeat": 60}, {"timeout": 0}):
            await abandoned(queue, **limits)
        assert await queue.sweep(abort=SOON) == []
        assert await counts(queue) == (0, 3, 3)

    async def test_a_worker_lets_go_of_a_job_that_is_swept(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        endless = Endless()
        worker = new_worker(functions=[("endless", endless.run)])
        job = await enqueued(queue, "endless", heartbeat=0.02, timeout=0, retries=2)
        processing = asyncio.create_task(worker.process())
        await endless.has_begun.wait()
        await asyncio.sleep(0.05)

        sweeping = asyncio.create_task(queue.sweep(abort=5))
        await eventually(lambda: has_status(job, Status.ABORTING))
        await worker.abort(0)
        await asyncio.gather(sweeping, processing)
        assert endless.has_tidied_up
        assert await queue.count("active") == 0

    # Waiting, and what must not be overwritten

    async def test_waiting_ends_when_a_job_is_due(self, open_queue: OpenQueue) -> None:
        queue = await open_queue(poll_seconds=NEVER)
        waiting = asyncio.create_task(dequeued(queue))
        await asyncio.sleep(SOON)
        due = time.time() + 0.2
        job = await enqueued(queue, "greet", scheduled=due)
        assert await waiting == job
        assert time.time() >= due

    async def test_a_delayed_retry_comes_back_by_itself(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=2, retry_delay=0.2)
        await dequeued(queue)
        await job.retry(None)
        assert await counts(queue) == (0, 0, 1)
        assert await dequeued(queue) == job

    async def test_growing_delays_stay_below_their_limit(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet", retries=9, retry_delay=100, retry_backoff=0.1)
        for _ in range(3):
            taken = await dequeued(queue)
            taken.attempts += 1
            await taken.retry(None)
        assert (await stored_job(job)).scheduled <= time.time() + 0.1

    async def test_a_cancelled_wait_takes_no_job(self, queue: Queue) -> None:
        jobs = [await enqueued(queue, "greet") for _ in range(20)]
        for step in range(1, 20):
            waiting = asyncio.create_task(queue.dequeue())
            for _ in range(step):
                await asyncio.sleep(0)
            waiting.cancel()
            if await waiting is not None:
                jobs.pop(0)
            assert await counts(queue) == (len(jobs), 20 - len(jobs), 20)
        assert [await dequeued(queue) for _ in jobs] == jobs

    async def test_an_abort_is_not_undone_by_the_start_of_the_job(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        taken = await dequeued(queue)
        await job.abort("not needed")
        await taken.update(status=Status.ACTIVE)
        assert (await stored_job(job)).status is Status.ABORTING

    async def test_an_abort_that_comes_too_late_changes_nothing(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")
        await (await dequeued(queue)).finish(Status.COMPLETE, result="Hello")
        await job.abort("not needed")
        stored = await stored_job(job)
        assert (stored.status, stored.result) == (Status.COMPLETE, "Hello")

    async def test_a_swept_job_is_retried_however_late_its_worker_lets_go(
        self, queue: Queue
    ) -> None:
        job = await abandoned(queue, timeout=1)
        await queue.sweep(abort=SOON)
        await queue.finish_abort(job)
        assert (await stored_job(job)).status is Status.QUEUED

    async def test_a_job_that_ends_while_it_is_swept_stays_ended(self, queue: Queue) -> None:
        job = await abandoned(queue, timeout=1)
        sweeping = asyncio.create_task(queue.sweep(abort=5))
        await eventually(lambda: has_status(job, Status.ABORTING))
        await job.finish(Status.COMPLETE, result="Hello")
        await sweeping
        assert (await stored_job(job)).status is Status.COMPLETE

    async def test_a_job_that_ends_and_is_deleted_while_it_is_swept_stays_deleted(
        self, queue: Queue
    ) -> None:
        job = await abandoned(queue, timeout=1, ttl=-1)
        sweeping = asyncio.create_task(queue.sweep(abort=0.2))
        await eventually(lambda: has_status(job, Status.ABORTING))
        await job.finish(Status.COMPLETE)
        await sweeping
        assert await queue.job(job.key) is None

    async def test_an_aborted_job_is_not_retried_when_it_is_swept(self, queue: Queue) -> None:
        job = await abandoned(queue, timeout=1, retries=9)
        await job.abort("not needed")
        assert await queue.sweep(abort=SOON) == [job.id]
        stored = await stored_job(job)
        assert (stored.status, stored.error) == (Status.ABORTED, "not needed")

    async def test_a_job_that_was_just_claimed_is_not_swept(self, queue: Queue) -> None:
        await enqueued(queue, "greet", timeout=1, heartbeat=1)
        taken = await dequeued(queue)
        assert now() - 1000 < taken.started <= now()
        assert await queue.sweep() == []

    async def test_one_queue_sweeps_until_its_lock_expires(
        self, queue: Queue, open_queue: OpenQueue
    ) -> None:
        other = await open_queue()
        assert await queue.sweep(lock=60) == []
        job = await abandoned(queue, timeout=1)
        assert await other.sweep(abort=SOON) == []
        assert await queue.sweep(lock=0, abort=SOON) == [job.id]
        job = await abandoned(queue, timeout=1)
        assert await other.sweep(abort=SOON) == [job.id]

    async def test_a_job_that_is_not_json_is_refused(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="JSON compliant"):
            await queue.enqueue("greet", name=float("nan"))
        assert await counts(queue) == (0, 0, 0)

    async def test_a_listener_notices_the_end_of_a_job_without_polling(self, queue: Queue) -> None:
        job = await enqueued(queue, "greet")

        def has_ended(_key: str, status: Status) -> bool:
            return status is Status.COMPLETE

        listening = asyncio.create_task(queue.listen([job.key], has_ended, poll_interval=60))
        await asyncio.sleep(SOON)
        await job.finish(Status.COMPLETE)
        await asyncio.wait_for(listening, 10)

    # Clockwork

    async def test_a_cron_line_must_be_one(self, new_worker: NewWorker) -> None:
        with pytest.raises(ValueError, match="Cron is invalid"):
            new_worker(cron_jobs=[CronJob(greet, cron="at noon")])

    async def test_a_cron_job_waits_once_however_many_workers_there_are(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        workers = [new_worker(cron_jobs=[CronJob(greet, cron="0 0 1 1 *")]) for _ in range(2)]
        for worker in workers * 2:
            await worker.schedule()
        assert await counts(queue) == (0, 0, 1)

    async def test_cron_keeps_to_its_own_time_zone(
        self, queue: Queue, new_worker: NewWorker
    ) -> None:
        line = CronJob(greet, cron="0 12 * * *", kwargs={"name": "alice"})
        worker = new_worker(cron_jobs=[line], cron_tz=timezone(timedelta(hours=-3)))
        await worker.schedule()
        [job] = [job async for job in queue.iter_jobs()]
        assert datetime.fromtimestamp(job.scheduled, UTC).hour == 15
        assert job.kwargs == {"name": "alice"}

    async def test_a_single_worker_keeps_the_clock_going(self, new_worker: NewWorker) -> None:
        ticks: asyncio.Queue[int] = asyncio.Queue()

        async def tick(context: Context) -> None:
            await ticks.put(context["job"].scheduled)

        every_second = CronJob(tick, cron="* * * * * *")
        worker = new_worker(functions=[], cron_jobs=[every_second], concurrency=1)
        running = asyncio.create_task(worker.start())
        first, second = [await asyncio.wait_for(ticks.get(), 5) for _ in range(2)]
        assert first < second
        running.cancel()
        await running

    # Working until there is nothing left to do

    @pytest.mark.parametrize("poll_interval", [0.0, 0.05])
    async def test_a_burst_ends_when_nothing_is_left(
        self, queue: Queue, new_worker: NewWorker, poll_interval: float
    ) -> None:
        jobs = [await enqueued(queue, "greet") for _ in range(3)]
        options = {"concurrency": 1, "poll_interval": poll_interval, "dequeue_timeout": 1}
        await asyncio.wait_for(new_worker(burst=True, **options).start(), 20)
        assert [(await stored_job(job)).status for job in jobs] == [Status.COMPLETE] * 3

    async def test_a_burst_may_be_limited(self, queue: Queue, new_worker: NewWorker) -> None:
        jobs = [await enqueued(queue, "greet") for _ in range(2)]
        worker = new_worker(burst=True, max_burst_jobs=1, dequeue_timeout=5)
        await asyncio.wait_for(worker.start(), 20)
        ends = [(await stored_job(job)).status for job in jobs]
        assert ends == [Status.COMPLETE, Status.QUEUED]

    async def test_a_burst_needs_to_know_how_long_to_wait(self, new_worker: NewWorker) -> None:
        with pytest.raises(ValueError, match="dequeue_timeout"):
            new_worker(burst=True, dequeue_timeout=0)


async def enqueued(queue: Queue, function: str, **options: Any) -> Job:
    job = await queue.enqueue(function, **options)
    assert job
    return job


async def dequeued(queue: Queue) -> Job:
    job = await queue.dequeue(timeout=10)
    assert job
    return job


async def abandoned(queue: Queue, **limits: Any) -> Job:
    """A job taken a minute ago, by a worker that has not been heard of since."""
    await enqueued(queue, "greet", **limits)
    job = await dequeued(queue)
    job.started = now() - 60_000
    await job.update(status=Status.ACTIVE)
    return job


async def stored_job(job: Job) -> Job:
    stored = await job.get_queue().job(job.key)
    assert stored
    return stored


async def counts(queue: Queue) -> tuple[int, int, int]:
    """How many are queued (due), active, and incomplete (with those not yet due)."""
    return (
        await queue.count("queued"),
        await queue.count("active"),
        await queue.count("incomplete"),
    )


async def forgot_workers(queue: Queue) -> bool:
    return not (await queue.info())["workers"]


async def has_status(job: Job, status: Status) -> bool:
    return (await stored_job(job)).status is status


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - stores have no event for this
            await asyncio.sleep(SOON)
