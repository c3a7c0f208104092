"""What every benchmark answers: lines of one table, each with its peer and the aim.

A benchmark is a module with `async def measure() -> list[Line]`, which also runs alone.
"""

import argparse
import inspect
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import uvloop

WIDTHS = (46, 16, 44, 8, 12)
# A machine on which others work: every time is then too long, and only ratios say anything.
QUIET_LOAD = 0.5


class Unmeasurable(Exception):
    """Something that the benchmark needs is not installed here; the sentence says what."""


@dataclass(frozen=True)
class Aim:
    """The least or the most that the ratio to the peer should be, or without `of_peer` our figure."""

    number: float
    is_least: bool
    of_peer: bool

    def is_met(self, line: "Line") -> bool:
        reached = line.ratio if self.of_peer else line.ours
        if reached is None:
            return False
        return reached >= self.number if self.is_least else reached <= self.number

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.number:,g}{' ×' if self.of_peer else ''}"


def at_most(number: float) -> Aim:
    return Aim(number, is_least=False, of_peer=False)


def at_least(number: float) -> Aim:
    return Aim(number, is_least=True, of_peer=False)


def at_most_times(number: float) -> Aim:
    """So many times the peer's figure."""
    return Aim(number, is_least=False, of_peer=True)


def at_least_times(number: float) -> Aim:
    return Aim(number, is_least=True, of_peer=True)


@dataclass(frozen=True)
class Line:
    """`ours` and `theirs` are in the same `unit`; `peer` names what ran in the same minute."""

    what: str
    ours: float
    unit: str = "ms"
    peer: str = ""
    theirs: float | None = None
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    def __str__(self) -> str:
        peer = "" if self.theirs is None else f"{self.peer}: {_short(self.theirs)}"
        ratio = "" if self.ratio is None else f"{self.ratio:,.2f} ×"
        aim = f"{self.aim} {'✓' if self.aim.is_met(self) else '✗'}" if self.aim else ""
        return _row(self.what, f"{_short(self.ours)} {self.unit}", peer, ratio, aim)


def head() -> str:
    titles = _row("what", "ours", "peer or limit in the same run", "ratio", "to reach")
    return f"{titles}\n{'─' * len(titles)}"


def machine() -> str:
    """The cores and the load; read before anything is measured."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    quiet = "quiet" if load < QUIET_LOAD else "NOT QUIET: times are too long, only ratios count"
    return f"{cores} cores, load {load:.2f} at the start: {quiet}"


def run(name: str) -> list[Line]:
    """The lines of one benchmark."""
    lines: list[Line] = uvloop.run(import_module(f"tests.benchmarks.{name}").measure())
    return lines


def alone(measure: Callable[..., Coroutine[Any, Any, list[Line]]]) -> None:
    """Run one benchmark from the command line: its parameters, with their defaults, are options."""
    parser = argparse.ArgumentParser(
        description=inspect.getmodule(measure).__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, parameter in inspect.signature(measure).parameters.items():
        parser.add_argument(f"--{name}", type=type(parameter.default), default=parameter.default)
    options, start = vars(parser.parse_args()), machine()
    lines = uvloop.run(measure(**options))
    print(f"\n{start}\n\n{head()}")
    print(*lines, sep="\n")


def _row(*cells: str) -> str:
    what, ours, peer, ratio, aim = WIDTHS
    padded = zip(cells, (f"<{what}", f">{ours}", f"<{peer}", f">{ratio}", f">{aim}"), strict=True)
    return "  ".join(format(cell, width) for cell, width in padded)


def _short(number: float) -> str:
    """Three digits that count."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
