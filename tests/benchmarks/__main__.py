"""Every benchmark, one after the other, in one table: ours, a peer in the same run, ratio, aim.

    python -m tests.benchmarks [NAME …]

Each runs in a process of its own, so that none inherits the heap or the loop of another. It takes
the better part of an hour; run it on a quiet machine.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from tests.benchmarks._table import Unmeasurable, head, machine, run

NAMES = (
    "requests",
    "stream",
    "fan_out",
    "inbox",
    "groups",
    "search",
    "acts",
    "mail",
    "push",
    "first_paint",
)


def main(names: list[str]) -> None:
    print(f"{machine()}\n\n{head()}", flush=True)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as processes:
        for name in names:
            try:
                print(*processes.submit(run, name).result(), sep="\n", flush=True)
            except Unmeasurable as reason:
                print(f"{name}: {reason}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], default=[])
    main(parser.parse_args().names or list(NAMES))
