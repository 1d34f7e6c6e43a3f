"""Which arithmetic this machine's processor has of its own."""

from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# What oneDNN needs for products of bfloat16, as Linux names it: AVX-512 (also without its
# bfloat16 instructions), AMX, AVX-NE-CONVERT; on Arm bf16.
FOR_BFLOAT16 = frozenset(("avx512bw", "amx_bf16", "avx_ne_convert", "bf16"))


@cache
def computes_bfloat16() -> bool:
    """Whether products of bfloat16 are as fast here as those of float32, or faster.

    Where they are not, as on most laptops, torch multiplies number by number: on a processor with
    AVX2 alone 0.8 billion operations a second and core, and 51 in float32. Not known is no.
    """
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return not FOR_BFLOAT16.isdisjoint(flags.partition(":")[2].split())
