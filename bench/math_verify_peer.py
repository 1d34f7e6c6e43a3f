"""Math-Verify used as its documentation says: parse both sides, verify the reference first."""

import logging
from functools import cache
from importlib.metadata import version


def accepts(reference: str, completion: str) -> bool:
    """Its verdict on a whole completion; what it raises is a no."""
    from math_verify import parse, verify

    _be_quiet()
    try:
        return bool(verify(parse(f"${reference}$"), parse(completion)))
    except Exception:  # noqa: BLE001 (a grader that fails has not accepted)
        return False


def name() -> str:
    return f"Math-Verify {version('math-verify')}"


@cache
def _be_quiet() -> None:
    for logger in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
