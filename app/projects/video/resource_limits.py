"""Becomes another command under limits: `python -I -S limited.py PARENT SECONDS COMMAND…`

Code between fork and exec (`preexec_fn`) can hang a parent that has threads, so a fresh process
sets the limits on itself and then becomes the command. It imports nothing of ours.
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
    """Replace this process by `command`: `seconds` of CPU at most, and gone when `parent` dies."""
    os.nice(10)
    if sys.platform == "linux":
        _leave_the_network()
        _die_with(parent)
    for kind, most in LIMITS.items():
        _limit(kind, most, most)
    # At the soft limit ffmpeg ends and says so; the hard one ends whatever did not listen.
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    os.execv(command[0], command)  # noqa: S606 - an argument list of ours, no shell


def _leave_the_network() -> None:
    """Where the kernel permits; the caller's protocol whitelist is the rule, this the second lock."""
    as_root = os.geteuid() == 0
    ctypes.CDLL(None).unshare(CLONE_NEWNET if as_root else CLONE_NEWNET | CLONE_NEWUSER)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent was gone before its death could be watched.")


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS but refuses to set it
        resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    become(sys.argv[3:], parent=int(sys.argv[1]), seconds=int(sys.argv[2]))
