"""How `python -m app web` serves."""

import signal
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.cli import commands
from app.web.server import BoundedProtocol
from tests.journeys.running import serving


def test_the_web_processes_serve_within_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEMO", "0")
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: served.update(options))
    monkeypatch.setattr(signal, "signal", lambda *_handler: None)

    commands.web([])

    assert served["http"].func is BoundedProtocol
    assert served["http"].args[0].limits.connections_per_address == 256


async def test_processes_that_are_asked_to_stop_say_that_all_went_well(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for program in site.programs:
            await program.stop()

        statuses = {one.command: one.process and one.process.returncode for one in site.programs}

    assert statuses == {"web": 0, "worker": 0}
