"""Runs web and worker through a full disk, locked databases and a clock that jumps.

Needs the right to mount a file system, and libfaketime. Prints what was seen and exits with 1 if
anything that must hold did not. Takes about eight minutes.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.outage import _clock, _disk, _lock

OUTAGES = {"disk": _disk.run, "lock": _lock.run, "clock": _clock.run}


async def main(names: list[str]) -> bool:
    """Whether all went well."""
    went_well = True
    for name in names:
        print(f"-- {name}", flush=True)
        with TemporaryDirectory() as folder:
            for what, holds in (await OUTAGES[name](Path(folder))).items():
                went_well &= holds
                print(f"{'ok    ' if holds else 'FAILED'}  {what}", flush=True)
    return went_well


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.outage", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*OUTAGES, []], help="which; all by default")
    sys.exit(not asyncio.run(main(parser.parse_args().names or list(OUTAGES))))
