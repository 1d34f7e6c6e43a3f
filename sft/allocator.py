"""Keep freed memory for the next step instead of giving it back to the system each time."""

import ctypes
import sys

# glibc's malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
NEVER_TRIM_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Stop glibc from mapping large tensors afresh; returns whether that worked.

    Blocks over 32 MB are otherwise mapped, zeroed page by page and unmapped on every use: an
    optimiser step on 135 M weights took 1.1 s of processor time, and 0.5 s with this.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # a libc without it, such as musl
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER_TRIM_BYTES))
