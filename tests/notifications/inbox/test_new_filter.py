import subprocess
import sys
from pathlib import Path

from app.settings import ROOT

HERE = Path(__file__).parent


def test_a_new_filter_is_one_entry_and_works_everywhere(tmp_path: Path) -> None:
    """In a process of its own, because the JSON API makes its shapes when it is imported."""
    plugin = f"{__package__}._sender_filter"
    command = [sys.executable, "-m", "pytest", "-p", plugin, "--basetemp", str(tmp_path / "cases")]

    cases = subprocess.run(
        [*command, str(HERE / "_sender_filter_cases.py")], cwd=ROOT, capture_output=True, text=True
    )

    assert cases.returncode == 0, cases.stdout + cases.stderr
