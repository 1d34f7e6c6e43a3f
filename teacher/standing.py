"""Which of several rows of one sample stands: the first completed one, else the last failed one.

A failed request is asked for again and may come back; a sample may be in a journal and in the
Parquet file that is made of it. Rows are only ever added, so whoever reads applies this rule.
"""

from collections.abc import Iterable

from teacher.sample import FAILED


def fallen(rows: Iterable[tuple[str, str]]) -> set[int]:
    """The positions, in a list of (sample_id, finish_reason), of rows that do not stand."""
    standing: dict[str, tuple[int, str]] = {}
    lost: set[int] = set()
    for position, (sample_id, finish_reason) in enumerate(rows):
        known = standing.get(sample_id)
        if known is None or known[1] == FAILED:
            if known is not None:
                lost.add(known[0])
            standing[sample_id] = (position, finish_reason)
        else:
            lost.add(position)
    return lost
