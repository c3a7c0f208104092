"""Mutates modules with mutmut, runs their tests against each mutant, and prints what survives.

python -m tests.mutation [MODULE ...]    every module of modules.py, or those whose path matches

Needs the extra `mutation`: pip install -e '.[test,mutation]'. mutmut does not mutate constants of
a module and decorated functions. Exits with 1 if a mutant survives that is not in equivalents.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from app.settings import ROOT
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.modules import MODULES, NOT_MUTATED

MUTMUT = Path(sys.executable).with_name("mutmut")
FOLDERS = ("app", "tests", "templates", "static", "migrations")
FILES = ("pyproject.toml", "Procfile", "README.md")
KILLED = {"killed", "timeout", "segfault", "caught by type check"}
MODULE_TIMEOUT = 2 * 60 * 60
CONFIG = """
[tool.mutmut]
source_paths = ["app"]
only_mutate = {module}
do_not_mutate_patterns = {patterns}
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
timeout_constant = 5.0
timeout_multiplier = 5.0
use_git_change_detection = false
"""


@dataclass(frozen=True)
class Report:
    """`survivors` are changes that no test noticed; `unused` those of EQUIVALENT that did not
    survive or do not exist any more.
    """

    module: str
    mutants: int
    equivalents: int
    survivors: list[str]
    unused: list[str]

    def __str__(self) -> str:
        relevant = self.mutants - self.equivalents
        killed = relevant - len(self.survivors)
        score = f"{100 * killed / relevant:.0f} %" if relevant else "no mutants"
        lines = [f"{self.module}: {score} ({killed} of {relevant}; {self.equivalents} equivalent)"]
        lines += [_indented("survived:", change) for change in self.survivors]
        lines += [_indented("remove from equivalents.py:", change) for change in self.unused]
        return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if not MUTMUT.exists():
        sys.exit("mutmut is missing: pip install -e '.[test,mutation]'")
    chosen = [m for m in MODULES if not arguments or any(each in m for each in arguments)]
    reports = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for report in pool.map(examine, chosen):
            print(report, flush=True)
            reports.append(report)
    return int(any(report.survivors or report.unused for report in reports))


def examine(module: str) -> Report:
    with _working_copy(module) as folder:
        _run_mutants(folder)
        status_of = _statuses(folder)
        left = [name for name, status in status_of.items() if status not in KILLED]
        changes = list(map(partial(_change, folder), left))
    known = [each.change.strip() for each in EQUIVALENT.get(module, [])]
    return Report(
        module=module,
        mutants=len(status_of),
        equivalents=sum(change in known for change in changes),
        survivors=[change for change in changes if change not in known],
        unused=[change for change in known if change not in changes],
    )


@contextmanager
def _working_copy(module: str) -> Iterator[Path]:
    """A copy of the tree, because mutmut is configured by its pyproject.toml and writes into it."""
    with TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        for each in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / each, folder / each, ignore=ignored)
        for each in FILES:
            shutil.copy(ROOT / each, folder)
        with (folder / "pyproject.toml").open("a") as file:
            file.write(_config(module))
        yield folder


def _config(module: str) -> str:
    values = {
        "module": [module],
        "patterns": NOT_MUTATED,
        "copied": [each for each in (*FOLDERS, *FILES) if each != "app"],
        "tests": MODULES[module],
    }
    # Lists of strings are written alike in JSON and TOML.
    return CONFIG.format(**{name: json.dumps(value) for name, value in values.items()})


def _run_mutants(folder: Path) -> None:
    ended = _mutmut(folder, "run", "--max-children", "1")
    if ended.returncode:
        sys.exit(f"{ended.stdout[-5_000:]}\n{ended.stderr[-5_000:]}\nmutmut failed.")


def _statuses(folder: Path) -> dict[str, str]:
    """The status of each mutant by its name."""
    printed = _mutmut(folder, "results", "--all", "True").stdout
    lines = [line.strip() for line in printed.splitlines() if "__mutmut_" in line]
    return {name: status for name, _colon, status in (line.partition(": ") for line in lines)}


def _change(folder: Path, name: str) -> str:
    """The lines that the mutant removes and adds."""
    diff = _mutmut(folder, "show", name).stdout.splitlines()
    changed = [line for line in diff if re.match(r"[-+](?![-+]{2})", line)]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def _mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MUTMUT), *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=MODULE_TIMEOUT,
    )


def _indented(title: str, text: str) -> str:
    return "\n".join([f"  {title}", *(f"    {line}" for line in text.splitlines())])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
