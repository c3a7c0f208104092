"""Python's garbage collector, told what a long-lived process knows and it does not."""

import gc


def spare_what_is_loaded() -> None:
    """What is there by now stays: it need not be looked at again with each batch or stream."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
