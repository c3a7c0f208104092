"""`python -m app` as shipped, on the requirements that are installed. Its worker also logs which cron
lines it runs, and for which of their times.

python -m tests.cluster._talking worker
"""

import logging
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from app import worker
from app.cli.commands import COMMANDS

Line = Callable[[Any], Awaitable[None]]

_log = logging.getLogger("cron")


def _telling(line: Line) -> Line:
    @wraps(line)
    async def run(context: Any) -> None:
        job = context["job"]
        if job.attempts <= 1:
            _log.warning("Ran %s of %d", job.function, job.scheduled)
        await line(context)

    return run


if __name__ == "__main__":
    for name in ("recover", "purge", "clean_up"):
        setattr(worker, name, _telling(getattr(worker, name)))
    COMMANDS[sys.argv[1]](sys.argv[2:])
