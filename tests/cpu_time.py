"""How much of the processor something takes, whatever else this machine is doing."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most_cpu_s(limit_s: float) -> Iterator[None]:
    """Fails if the block takes more of this thread's CPU time.

    Who else computes, and how much garbage the tests before left, does not count.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    began_s = time.thread_time()
    try:
        yield
    finally:
        took_s = time.thread_time() - began_s
        if was_enabled:
            gc.enable()
    assert took_s < limit_s
