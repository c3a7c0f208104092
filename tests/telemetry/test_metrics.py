"""The metrics that Prometheus fetches."""

import dataclasses
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest

from app.broker.runtime_directory import runtime_directory
from app.database import Database
from app.models import Team, User
from app.notifications.events.catalogue import TEAM_UPDATED
from app.notifications.live.hub import Hub
from app.notifications.live.stream import EventStream
from app.notifications.notify import notify
from app.settings import ROOT, Settings
from app.telemetry import metrics
from tests.application import browser, serving
from tests.notifications._connection import A_SESSION, OPENING, Connection, present_state


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """On an address that only this machine can reach."""
    return dataclasses.replace(settings, base_url="http://127.0.0.1:8000")


async def value_of(client: httpx.AsyncClient, name: str) -> float:
    """The sum of the samples whose line starts like this; 0 if there is none yet."""
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def test_requests_are_counted_by_route_not_by_path(
    client: httpx.AsyncClient,
) -> None:
    sample = 'clippyfront_request_seconds_count{method="GET",route="/teams/{team_id'
    before = await value_of(client, sample)

    await client.get("/teams/1")
    await client.get("/teams/2")

    assert await value_of(client, sample) == before + 2


async def test_the_fan_out_is_timed(
    client: httpx.AsyncClient, db: Database, alice: User, video_squad: Team
) -> None:
    sample = 'clippyfront_fan_out_seconds_count{type="team_updated"'
    before = await value_of(client, sample)

    async with db.act() as session:
        await notify(session, TEAM_UPDATED, actor=alice, team=video_squad, old_name="A")

    assert await value_of(client, sample) == before + 1


async def test_waiting_deliveries_and_jobs_are_read_on_demand(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/metrics")).text

    assert 'clippyfront_deliveries_due{channel="email"} 0.0' in answer
    assert 'clippyfront_jobs{queue="compilations",state="queued"} 0.0' in answer


@pytest.mark.parametrize(
    ("sent", "status"), [("", 404), ("Bearer wrong", 404), ("Bearer secret", 200)]
)
async def test_a_token_that_is_set_is_required(settings: Settings, sent: str, status: int) -> None:
    guarded = dataclasses.replace(settings, metrics_token="secret")
    async with serving(guarded) as app, browser(app) as client:
        answer = await client.get("/metrics", headers={"Authorization": sent})

    assert answer.status_code == status


async def test_without_a_token_requests_through_a_proxy_are_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"})

    assert answer.status_code == 404


async def test_open_streams_are_counted(client: httpx.AsyncClient, alice: User) -> None:
    """On a hub without session checks: the application's would end an unknown session's stream."""
    sample, stream = "clippyfront_open_streams", Connection()
    before = await value_of(client, sample)

    stream.open(EventStream(Hub(), alice.id, A_SESSION, present_state))
    await stream.until_received(OPENING)
    while_open = await value_of(client, sample)
    stream.disconnect()
    await stream.until_served()

    assert while_open == before + 1
    assert await value_of(client, sample) == before


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """The directory in which this process and others answer for their counters."""
    directory = runtime_directory(tmp_path, "m")
    metrics.share(directory)
    yield directory
    metrics._metrics().peers = None


@contextmanager
def another_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """It has counted two mails, and lives for as long as the block."""
    program = f"""
from pathlib import Path
from app.telemetry import metrics
metrics.share(Path({str(directory)!r}))
metrics.count_deliveries("carrier pigeon", "sent", 2)
print("ready", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


SENT_BY_PIGEON = 'clippyfront_deliveries_total{channel="carrier pigeon",outcome="sent"}'


async def test_one_process_answers_for_all(client: httpx.AsyncClient, shared: Path) -> None:
    before = await value_of(client, SENT_BY_PIGEON)
    metrics.count_deliveries("carrier pigeon", "sent", 1)

    with another_process(shared):
        assert await value_of(client, SENT_BY_PIGEON) == before + 3


async def test_a_process_that_died_is_forgotten(client: httpx.AsyncClient, shared: Path) -> None:
    before = await value_of(client, SENT_BY_PIGEON)
    with another_process(shared):
        sockets = set(os.listdir(shared))

    assert await value_of(client, SENT_BY_PIGEON) == before
    assert len(sockets) == 2
    assert len(set(os.listdir(shared))) == 1


def test_a_process_short_of_files_answers_again_once_it_has_some(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Done(Exception):
        """Ends the loop."""

    ours, theirs = socket.socketpair()
    accept = Mock(side_effect=[OSError(errno.EMFILE, "Too many open files"), (ours, ""), Done])
    monkeypatch.setattr(metrics, "PAUSE_SECONDS", 0)
    theirs.settimeout(5)

    with theirs, theirs.makefile("rb") as answer, ThreadPoolExecutor(1) as reader:
        read = reader.submit(answer.read)
        with pytest.raises(Done):
            metrics._answer_forever(Mock(accept=accept))

    assert b"clippyfront_open_streams" in read.result()
    assert "Too many open files" in caplog.text


def test_counting_touches_no_file(shared: Path) -> None:
    """A file mapped into memory ends its process when the disk is full."""
    with another_process(shared) as process:
        mapped = Path(f"/proc/{process.pid}/maps").read_text()

    assert str(shared) not in mapped
    assert all(path.is_socket() for path in shared.iterdir())
