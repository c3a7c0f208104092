"""How `python -m app web` serves."""

from pathlib import Path
from typing import Any

import pytest
import uvicorn

from app.cli import commands
from app.server import BoundedProtocol


def test_the_web_processes_serve_within_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEMO", "0")
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: served.update(options))

    commands.web([])

    assert served["http"].func is BoundedProtocol
    assert served["http"].args[0].limits.connections_per_address == 256
