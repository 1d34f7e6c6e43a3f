"""Keep freed memory for the next step instead of giving it back to the system each time."""

import contextlib
import ctypes
import sys

# glibc's malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
NEVER_TRIM_BYTES = 2**31 - 1
LARGE_BYTES = 2**25  # the most that glibc takes


def keep_freed_memory() -> bool:
    """Stop glibc from giving freed memory back at each step; returns whether that worked.

    An update of 135 M weights took 1.1 s of processor time, half of it for pages that come anew,
    and 0.6 s with this. A block over 32 MB for which nothing that was freed is large enough is
    mapped, and unmapped when it is freed: the heap would grow by such blocks, for whose place
    something smaller is found before the next one comes, a little larger or smaller, as steps are.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # a libc without it, such as musl
        return False
    # Setting one ends glibc's own search for the other, which then stays at 128 kB.
    kept = bool(mallopt(M_TRIM_THRESHOLD, NEVER_TRIM_BYTES))
    return kept and bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))


def give_back_scattered_memory() -> None:
    """Return pages that are free to the system, those between blocks in use too.

    Steps of other sizes leave gaps that a heap which is never trimmed keeps.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):  # a libc without it
        ctypes.CDLL(None).malloc_trim(0)
