"""What the rows of `make bench-verify` are, and what counts as a disagreement."""

import os
import random
import subprocess
import time
from collections import Counter

from bench import math_verify_peer
from bench.verify_hostile import MemoryWatch
from bench.verify_rows import TRACE_CHARS, Row, mixed_rows, open_rows, trace
from bench.verify_traces import disagree
from filters.checking import sample_of
from filters.extract import final_answer
from filters.verdict import Outcome, Reason, Verdict


def test_the_mix_has_its_shares_and_is_the_same_for_the_same_seed() -> None:
    rows = mixed_rows(200, seed=1)
    shares = Counter(row.part for row in rows)
    assert shares == {"plainly equal": 120, "plainly different": 60, "hard": 20}
    assert rows == mixed_rows(200, seed=1)
    assert rows != mixed_rows(200, seed=2)
    assert all(row.equal == (row.part == "plainly equal") for row in rows if row.part != "hard")
    assert all(row.reference != row.answer for row in rows if row.part == "plainly different")


def test_a_trace_is_long_and_its_answer_is_the_rows() -> None:
    row = Row("plainly equal", "\\frac{1}{2}", "\\frac{1}{2}", True)
    completion = trace(row, random.Random(0))
    sample = sample_of(completion)
    found = final_answer(sample.answer)
    assert found is not None
    assert found.text == row.answer
    assert TRACE_CHARS <= len(completion) < TRACE_CHARS + 1_000
    assert completion == trace(row, random.Random(0))


def test_the_peer_is_asked_as_its_documentation_says() -> None:
    assert math_verify_peer.accepts("\\frac{1}{2}", "So it is \\boxed{0.5}.")
    assert not math_verify_peer.accepts("\\frac{1}{2}", "So it is \\boxed{2}.")
    assert len(open_rows()) > 450


def test_what_is_undecided_and_not_correct_there_is_no_disagreement() -> None:
    accept = Verdict("s", "math_answer", "3", Outcome.ACCEPT, Reason.MATCH, "", 0.0)
    undecided = Verdict("s", "math_answer", "3", Outcome.UNDECIDED, Reason.UNPARSED, "", 0.0)
    assert disagree(accept, correct=False)
    assert not disagree(accept, correct=True)
    assert disagree(undecided, correct=True)
    assert not disagree(undecided, correct=False)


def test_a_child_is_watched_once_it_runs_its_own_program() -> None:
    """Until then its memory is its parent's: a large parent was taken for a large worker."""
    with MemoryWatch() as watch:
        if not (forked := os.fork()):
            time.sleep(60)
            os._exit(0)
        with subprocess.Popen(["sleep", "60"]) as begun:
            while not watch.peaks.get(begun.pid):
                time.sleep(0.01)
            begun.kill()
        os.kill(forked, 9)
        os.waitpid(forked, 0)
    # Seen when it was dead already it is 0; other children here are those of tests before.
    assert watch.peaks.get(forked, 0) == 0
    assert 0 < watch.peaks[begun.pid] < 16 << 20
