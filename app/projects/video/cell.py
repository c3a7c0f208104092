"""Executes a command in a cell: under resource limits, and with nothing but its own files.

    python -I -S cell.py PARENT SECONDS [read:PATH | write:PATH]… -- COMMAND…

`preexec_fn`, which runs between fork and exec, can deadlock in a parent with threads. So a fresh
process limits itself and then executes the command. It imports nothing from `app`.

The files are enforced by Landlock (Linux 5.13 or newer), which needs no privilege and cannot be
undone: the command sees its own program, the system's libraries and the paths that are named. A
path to read may be a folder. A path to write must be an existing file, since a command that could
create one file in a folder could create others. Systems without Landlock run the command without.
"""

import ctypes
import os
import resource
import signal
import stat
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress

GIB = 1024**3
LIMITS = {
    # Tone-mapping 4K fits, and a machine with 2 GiB keeps something for the server.
    resource.RLIMIT_AS: 3 * GIB // 2,
    resource.RLIMIT_FSIZE: 16 * GIB,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000
LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
STORES = ("/nix/store", "/gnu/store")
SYSTEM_FILES = ("/etc/ld.so.cache", "/dev/null", "/dev/urandom")
# landlock(7). The numbers of these system calls are the same on every architecture in use.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
CREATE_RULESET_VERSION, RULE_PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
# How many rights on files each version of the interface knows; later ones know as many as the last.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
ALL_OF_NETWORK, ALL_OF_SCOPE = 0b11, 0b11


def become(
    command: list[str],
    *,
    parent: int,
    seconds: int,
    read: Sequence[str] = (),
    write: Sequence[str] = (),
) -> None:
    """Replaces this process with `command`, which gets `seconds` of CPU time, is killed when
    `parent` dies, and may only use the paths in `read` and `write`.
    """
    os.nice(10)
    if sys.platform == "linux":
        _leave_the_network()
        _die_with(parent)
        if version := landlock_version():
            _confine(version, [command[0], *LIBRARIES, *STORES], [*SYSTEM_FILES, *read], write)
    for kind, limit in LIMITS.items():
        _limit(kind, limit, limit)
    # At the soft limit ffmpeg reports a signal and exits; the hard limit kills it.
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    os.execv(command[0], command)  # noqa: S606 - an argument list of ours, no shell


def landlock_version() -> int:
    """The version of Landlock's interface (ABI) that the kernel offers; 0 if it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, _syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION))


def _leave_the_network() -> None:
    """A second line of defence behind the caller's protocol whitelist, if the kernel permits it."""
    as_root = os.geteuid() == 0
    ctypes.CDLL(None).unshare(CLONE_NEWNET if as_root else CLONE_NEWNET | CLONE_NEWUSER)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent process died before the command could start.")


def _confine(
    version: int, execute: Sequence[str], read: Sequence[str], write: Sequence[str]
) -> None:
    """Gives up all file access except to these paths; with newer kernels also TCP, abstract
    sockets, and signals to processes outside.
    """
    rights = (1 << FILE_RIGHTS.get(version, FILE_RIGHTS[max(FILE_RIGHTS)])) - 1
    wanted = (rights, ALL_OF_NETWORK, ALL_OF_SCOPE)[: 1 + (version >= 4) + (version >= 6)]
    attributes = struct.pack(f"{len(wanted)}Q", *wanted)
    ruleset = _require(CREATE_RULESET, attributes, len(attributes), 0)
    for paths, allowed in (
        (execute, EXECUTE | READ_FILE | READ_DIR),
        (read, READ_FILE | READ_DIR),
        (write, READ_FILE | WRITE_FILE | TRUNCATE),
    ):
        for path in paths:
            _allow(ruleset, path, allowed & rights)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _require(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Allows the rights on the file, or beneath the folder. What does not exist is left out."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(opened).st_mode):
        rights &= ~READ_DIR
    _require(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    os.close(opened)


def _require(number: int, *arguments: int | bytes) -> int:
    """The system call. Raises OSError, so that no command starts in a cell with a hole."""
    if (result := _syscall(number, *arguments)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return int(libc.syscall(ctypes.c_long(number), *words))


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    with suppress(ValueError, OSError):  # macOS defines RLIMIT_AS but refuses to set it
        resource.setrlimit(kind, (soft, hard))


def _main(arguments: list[str]) -> None:
    end = arguments.index("--")
    paths = [argument.partition(":")[::2] for argument in arguments[2:end]]
    become(
        arguments[end + 1 :],
        parent=int(arguments[0]),
        seconds=int(arguments[1]),
        read=[path for use, path in paths if use == "read"],
        write=[path for use, path in paths if use == "write"],
    )


if __name__ == "__main__":
    _main(sys.argv[1:])
