"""Memory settings of a process that runs for a long time."""

import ctypes
import gc

# glibc's malloc.h, and its initial value in bytes.
M_MMAP_THRESHOLD, INITIAL_THRESHOLD = -3, 131_072


def freeze_loaded_objects() -> None:
    """Calls gc.freeze() after start-up and collects less often.

    What is loaded by then stays until the process ends; scanning it again costs time. The youngest
    generation is small, because its collection holds up everybody: of 50,000 new objects, it took
    20 ms whenever a thousand streams had opened. The older ones hold little garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 500, 100)


def give_large_blocks_back() -> None:
    """Makes glibc return each block of at least 128 KiB to the system when it is freed.

    By default glibc stops doing so after it has freed a few such blocks. The process would then
    keep the memory of its busiest moment, such as pages that many slow clients did not read.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, INITIAL_THRESHOLD)
