"""Settings of Python's garbage collector for a process that runs for a long time."""

import gc


def freeze_loaded_objects() -> None:
    """Calls gc.freeze() after start-up and collects less often.

    What is loaded by then stays until the process ends; scanning it again costs time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
