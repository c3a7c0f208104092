"""Executes a command under resource limits: `python -I -S resource_limits.py PARENT SECONDS COMMAND…`

`preexec_fn`, which runs between fork and exec, can deadlock in a parent with threads. So a fresh
process sets the limits on itself and then executes the command. It imports nothing from `app`.
"""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

GIB = 1024**3
LIMITS = {
    resource.RLIMIT_AS: 4 * GIB,
    resource.RLIMIT_FSIZE: 16 * GIB,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000


def become(command: list[str], *, parent: int, seconds: int) -> None:
    """Replaces this process with `command`, which gets `seconds` of CPU time and is killed when
    `parent` dies.
    """
    os.nice(10)
    if sys.platform == "linux":
        _leave_the_network()
        _die_with(parent)
    for kind, limit in LIMITS.items():
        _limit(kind, limit, limit)
    # At the soft limit ffmpeg reports a signal and exits; the hard limit kills it.
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    os.execv(command[0], command)  # noqa: S606 - an argument list of ours, no shell


def _leave_the_network() -> None:
    """A second line of defence behind the caller's protocol whitelist, if the kernel permits it."""
    as_root = os.geteuid() == 0
    ctypes.CDLL(None).unshare(CLONE_NEWNET if as_root else CLONE_NEWNET | CLONE_NEWUSER)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent process died before the command could start.")


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    with suppress(ValueError, OSError):  # macOS defines RLIMIT_AS but refuses to set it
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    become(sys.argv[3:], parent=int(sys.argv[1]), seconds=int(sys.argv[2]))
