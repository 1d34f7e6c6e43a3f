"""How much of the processor something takes, whatever else this machine is doing.

Who else computes does not count, nor the search for garbage that the tests before have left.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def at_most_cpu_s(limit_s: float) -> Iterator[None]:
    """Fails if the block takes more of this thread's CPU time."""
    with no_search_for_garbage():
        began_s = time.thread_time()
        yield
        took_s = time.thread_time() - began_s
    assert took_s < limit_s


def cpu_s_of(work: Callable[[], object]) -> float:
    """The CPU time that `work` takes of this thread."""
    with no_search_for_garbage():
        began_s = time.thread_time()
        work()
        return time.thread_time() - began_s


@contextmanager
def no_search_for_garbage() -> Iterator[None]:
    """In a process that has run hundreds of tests one takes half a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
