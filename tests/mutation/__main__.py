"""Mutates modules with mutmut, runs their tests against each mutant, and prints what survives.

python -m tests.mutation [MODULE ...]    every module of modules.py, or those whose path matches

Needs the extra `mutation`: INSTALL below. mutmut does not mutate constants of
a module and decorated functions. Exits with 1 if a mutant survives that is not in equivalents.py.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from app.settings import ROOT
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.modules import MODULES, NOT_MUTATED

INSTALL = ".venv/bin/pip install --no-build-isolation --require-hashes -r requirements/mutation.txt"
MUTMUT = Path(sys.executable).with_name("mutmut")
FOLDERS = ("app", "tests", "templates", "static", "migrations")
FILES = ("pyproject.toml", "Procfile", "README.md")
KILLED = {"killed", "timeout", "segfault", "caught by type check"}
SENTENCE = re.compile(r"\b(?:_|N_|ngettext)\([^()]*\)")
TIMEOUT = 2 * 60 * 60  # seconds for a module
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


class MutmutFailed(Exception):
    """With the end of what mutmut printed: usually a test that fails without any mutant."""


@dataclass(frozen=True)
class Report:
    """`survivors` are changes that no test noticed, `unused` those of EQUIVALENT that are killed now
    or do not exist any more. `equivalents` counts what survives but does not matter.
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


def main(arguments: Sequence[str]) -> int:
    if not MUTMUT.exists():
        sys.exit(f"mutmut is missing: {INSTALL}")
    chosen = [m for m in MODULES if not arguments or any(each in m for each in arguments)]
    try:
        reports = asyncio.run(_examine_all(chosen))
    except ExceptionGroup as failed:
        sys.exit("\n".join(map(str, failed.exceptions)))
    except asyncio.CancelledError:
        sys.exit("Stopped by a signal.")
    return int(any(report.survivors or report.unused for report in reports))


async def _examine_all(modules: Sequence[str]) -> list[Report]:
    """One module per core at a time. Prints each report as soon as it is there."""
    cores = asyncio.Semaphore(os.cpu_count() or 1)
    this = asyncio.current_task()
    assert this
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)

    async def examine(module: str) -> Report:
        async with cores, asyncio.timeout(TIMEOUT):
            report = await _examine(module)
        print(report, flush=True)
        return report

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(examine(module)) for module in modules]
    return [task.result() for task in tasks]


async def _examine(module: str) -> Report:
    with _working_copy(module) as folder:
        await _mutmut(folder, "run", "--max-children", "1")
        status_of = await _statuses(folder)
        left = [name for name, status in status_of.items() if status not in KILLED]
        changes = [await _change(folder, name) for name in left]
    known = [each.change.strip() for each in EQUIVALENT.get(module, [])]
    survivors = [each for each in changes if each not in known and not _is_wording(each)]
    return Report(
        module=module,
        mutants=len(status_of),
        equivalents=len(changes) - len(survivors),
        survivors=survivors,
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


async def _statuses(folder: Path) -> dict[str, str]:
    """The status of each mutant by its name."""
    printed = await _mutmut(folder, "results", "--all", "True")
    lines = [line.strip() for line in printed.splitlines() if "__mutmut_" in line]
    return {name: status for name, _colon, status in (line.partition(": ") for line in lines)}


async def _change(folder: Path, name: str) -> str:
    """The lines that the mutant removes and adds."""
    diff = (await _mutmut(folder, "show", name)).splitlines()
    changed = [line for line in diff if re.match(r"[-+](?![-+]{2})", line)]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def _is_wording(change: str) -> bool:
    """Only a sentence for users was changed. Tests quote the sentences that must stay."""
    removed, _newline, added = change.partition("\n")
    without = partial(SENTENCE.sub, "")
    return SENTENCE.search(removed) is not None and without(removed[1:]) == without(added[1:])


async def _mutmut(folder: Path, *arguments: str) -> str:
    """Runs mutmut and returns what it prints. None of its processes outlives this one."""
    process = await asyncio.create_subprocess_exec(
        MUTMUT,
        *arguments,
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "MIGRATED_IN": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        printed = (await process.communicate())[0].decode(errors="replace")
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        raise MutmutFailed(f"mutmut {' '.join(arguments)} failed:\n{printed[-5_000:]}")
    return printed


def _indented(title: str, text: str) -> str:
    return "\n".join([f"  {title}", *(f"    {line}" for line in text.splitlines())])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
