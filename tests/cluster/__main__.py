"""Runs many processes on one installation, does to them what happens, and compares what was told
with what was done: nothing lost, nothing twice.

Prints what was seen and exits with 1 if anything that must hold did not. PostgreSQL and Redis are
started by the run itself.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks._server import raise_file_limit
from tests.cluster import _hosts, _idle, _kills, _restarts, _soak, _upgrade
from tests.cluster._site import SETUPS

RUNS = {
    "hosts": _hosts.run,
    "restarts": _restarts.run,
    "kills": _kills.run,
    "soak": _soak.run,
    "idle": _idle.run,
    "upgrade": _upgrade.run,
}
STREAMS = {"hosts": 120, "restarts": 1_000, "kills": 100, "soak": 2_000, "idle": 0, "upgrade": 60}


async def main(given: argparse.Namespace) -> bool:
    """Whether all went well."""
    raise_file_limit()
    went_well = True
    for setup in given.on or SETUPS:
        print(f"-- {given.name} on {setup}", flush=True)
        with TemporaryDirectory() as folder:
            findings = await RUNS[given.name](setup, Path(folder), given)
        for what, holds in findings.held.items():
            went_well &= holds
            print(f"{'ok    ' if holds else 'FAILED'}  {what}", flush=True)
    return went_well


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, run in RUNS.items():
        about = (sys.modules[run.__module__].__doc__ or "").replace("\n", " ")
        one = commands.add_parser(name, help=about, description=about)
        one.add_argument("--on", action="append", choices=SETUPS, help="by default all")
        one.add_argument("--streams", type=int, default=STREAMS[name])
        # So that a soak fills every cache, which has a bound, within the first quarter.
        rate = 3.0 if name == "soak" else 1.0
        one.add_argument("--rate", type=float, default=rate, help="acts a second of each writer")
        if name == "kills":
            one.add_argument("--kills", type=int, default=300)
        if name == "soak":
            one.add_argument("--minutes", type=float, default=30)
        if name == "upgrade":
            one.add_argument(
                "--older", default="", help="a commit; else before the newest migration"
            )
        if name in ("restarts", "idle"):
            seconds = {"restarts": 30, "idle": 60}[name]
            one.add_argument("--seconds", type=float, default=seconds)
    return parser


if __name__ == "__main__":
    sys.exit(not asyncio.run(main(arguments().parse_args())))
