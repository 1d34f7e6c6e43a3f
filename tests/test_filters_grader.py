"""The Grader gives a verdict whatever the sample holds, and leaves no process behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from filters_records import boxed, needs_bwrap, prompt, sample

from filters.grader import Grader, Worker
from filters.registry import IN_PROCESS, IN_WORKER, SIGNATURES, VERIFIERS
from filters.ruling import Ruling
from filters.verdict import Outcome, Reason
from prompts.errors import PrerequisiteError
from prompts.record import REFERENCE_KINDS


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(workers=2, time_limit_s=4) as grader:
        yield grader


SYMBOLIC = prompt("math_answer", r"\frac{1}{3}")
INTEGRAL = r"\int_0^1 x^2\,dx"  # only the worker can tell


def test_every_reference_kind_has_a_verifier_and_a_signature() -> None:
    assert set(VERIFIERS) == set(REFERENCE_KINDS) == set(SIGNATURES)
    assert set(IN_PROCESS) | set(IN_WORKER) <= set(VERIFIERS)


def test_an_unknown_kind_is_the_users_mistake(grader: Grader) -> None:
    strange: Any = "chem"
    with pytest.raises(PrerequisiteError, match="no verifier for reference kind 'chem'; known: ch"):
        grader.grade(prompt(strange, "5"), boxed("5"))


def test_a_verdict_names_its_sample_and_verifier(grader: Grader) -> None:
    verdict = grader.grade(prompt("math_answer", "5"), boxed("5"))
    assert (verdict.sample_id, verdict.verifier) == ("p-000", "math_answer")
    assert verdict.verifier_version
    assert verdict.duration_s > 0


@pytest.mark.parametrize(
    ("fields", "outcome", "reason"),
    [
        ({"error": "HTTP 500"}, Outcome.UNDECIDED, Reason.SAMPLE_FAILED),
        ({"finish_reason": "error"}, Outcome.UNDECIDED, Reason.SAMPLE_FAILED),
        ({"completion": ""}, Outcome.UNDECIDED, Reason.SAMPLE_FAILED),
        ({"finish_reason": "length"}, Outcome.REJECT, Reason.TRUNCATED),
        ({"answer": "five"}, Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
        ({"answer": ""}, Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
    ],
)
@pytest.mark.parametrize("kind", ["math_answer", "quantity", "choice", "short_answer"])
def test_what_is_decided_before_the_answer_is_read(
    grader: Grader, kind: Any, fields: Any, outcome: Outcome, reason: Reason
) -> None:
    given = prompt(kind, "5", choices=["5"])
    verdict = grader.grade(given, sample(**{"answer": r"\boxed{5}", **fields}))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_many_threads_share_two_workers(grader: Grader) -> None:
    answers = [INTEGRAL, r"\int_0^1 x^3\,dx"] * 12
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda a: grader.grade(SYMBOLIC, boxed(a)), answers))
    assert [v.outcome for v in verdicts] == [Outcome.ACCEPT, Outcome.REJECT] * 12


def test_the_event_loop_is_not_blocked(grader: Grader) -> None:
    async def both() -> list[Any]:
        return await asyncio.gather(
            *(grader.grade_async(SYMBOLIC, boxed(a)) for a in (INTEGRAL, r"\int_0^1 x^3\,dx"))
        )

    assert [v.outcome for v in asyncio.run(both())] == [Outcome.ACCEPT, Outcome.REJECT]


HOSTILE = {
    "tower of powers": "10^{10^{10^{10}}}",
    "tower without braces": "9**9**9**9",
    "giant power": "9^{999999999}",
    "power of a sum": "(x+y+z+1)^{4000}",
    "factorials": "100000!",
    "double factorial": "((9!)!)!",
    "giant literal": "9" * 1_900,
    "million characters": "1" * 1_000_000,
    "deep nesting": "(" * 10_000 + ")" * 10_000,
    "deep fractions": r"\frac{1}{" * 35 + "1" + "}" * 35,
    "deep roots": r"\sqrt{" * 30 + "x" + "}" * 30,
    "null bytes": "5\x00",
    "lone surrogate": "5\ud800",
    "direction marks": "\u202e5\u202c",
    "only backslashes": "\\" * 1_001,
    "half a command": r"\frac{1}{",
    "code": "__import__('os').system('touch /tmp/stillhouse-was-here')",
    "commas": "," * 1_500,
    "alternating brackets": "[(" * 15 + ")]" * 15,
    "a huge integral": r"\int_0^{\infty} \int_0^{\infty} e^{-x^2 y^2 \sin(xy)} dx dy",
    "a huge sum": r"\sum_{n=1}^{10000} \frac{1}{n^{n}}",
    "many spaces": "1" + " " * 1_500 + "2",
    "many signs": "-" * 1_500 + "1",
    "many dots": "." * 1_500,
    "slashes": "1/" * 700 + "1",
    "unicode digits": "１２３",
    "line breaks": "\n" * 1_000 + "6",
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_gets_a_verdict_in_time(grader: Grader, answer: str) -> None:
    for kind, reference in (
        ("math_answer", "x^2+2x+1"),
        ("math_answer", "5"),
        ("quantity", "5 m"),
        ("choice", "A"),
        ("short_answer", "Mars"),
    ):
        started = time.perf_counter()
        given = prompt(kind, reference, choices=["red", "blue"])  # type: ignore[arg-type]
        verdict = grader.grade(given, boxed(answer))
        assert verdict.outcome != Outcome.ACCEPT
        verdict.detail.encode("utf-8")
        assert len(verdict.detail) < 1_200
        # A worker has 4 s of CPU time, and six times that of ours.
        assert time.perf_counter() - started < 2 * 6 * 4
    assert not os.path.exists("/tmp/stillhouse-was-here")


def next_worker(grader: Grader) -> Worker:
    """The worker that the next comparison goes to, at work already."""
    assert grader.grade(SYMBOLIC, boxed(INTEGRAL)).outcome == Outcome.ACCEPT
    worker = grader._seats[-1]
    assert worker is not None
    return worker


def test_a_hanging_comparison_is_ended_and_the_pool_works_on(
    grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = next_worker(grader)
    assert worker._wall_limit_s == 6 * 4  # of the fixture; nobody waits for it here
    monkeypatch.setattr(worker, "_wall_limit_s", 0.2)
    os.kill(worker._process.pid, signal.SIGSTOP)
    stuck = grader.grade(SYMBOLIC, boxed(r"\int_0^1 (x^2+0)\,dx"))
    assert (stuck.outcome, stuck.reason) == (Outcome.UNDECIDED, Reason.GRADER_TIMEOUT)
    assert worker._process.poll() is not None
    assert grader.grade(SYMBOLIC, boxed(INTEGRAL)).outcome == Outcome.ACCEPT


def test_a_killed_worker_is_undecided_and_replaced(grader: Grader) -> None:
    worker = next_worker(grader)
    worker._process.kill()
    worker._process.wait()
    lost = grader.grade(SYMBOLIC, boxed(INTEGRAL))
    assert (lost.outcome, lost.reason) == (Outcome.UNDECIDED, Reason.GRADER_FAILED)
    assert worker not in grader._alive
    assert grader.grade(SYMBOLIC, boxed(INTEGRAL)).outcome == Outcome.ACCEPT


def test_a_faulty_verifier_is_undecided(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: Any) -> Ruling:
        raise KeyError("a bug")

    monkeypatch.setitem(IN_PROCESS, "math_answer", faulty)
    verdict = grader.grade(prompt("math_answer", "5"), boxed("5"))
    assert (verdict.outcome, verdict.reason) == (Outcome.UNDECIDED, Reason.GRADER_FAILED)
    assert "a bug" in verdict.detail


def test_a_closed_grader_leaves_no_process() -> None:
    grader = Grader(workers=2)
    with grader:
        grader.grade(SYMBOLIC, boxed(INTEGRAL))
        workers = list(grader._alive)
    assert workers
    assert all(worker._process.poll() is not None for worker in workers)
    assert grader.grade(SYMBOLIC, boxed(INTEGRAL)).reason == Reason.GRADER_FAILED


_PARENT = r"""
import sys
sys.path.insert(0, "tests")
from filters_records import boxed, prompt
from filters.grader import Grader, Worker
grader = Grader(workers=1)
grader.grade(prompt("math_answer", "1/3"), boxed(r"\int_0^1 x^2 dx"))
print([w._process.pid for w in grader._alive][0], flush=True)
sys.stdin.read()
"""


def test_no_worker_outlives_a_killed_parent() -> None:
    pipe = subprocess.PIPE
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=pipe, stdout=pipe, text=True)
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while _alive(worker) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _alive(worker)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@needs_bwrap
def test_code_goes_through_the_same_door(grader: Grader) -> None:
    given = prompt("unit_tests", "def f(): return 1", tests=["assert f() == 1"])
    right = grader.grade(given, sample("```python\ndef f():\n    return 1\n```"))
    wrong = grader.grade(given, sample("```python\ndef f():\n    return 2\n```"))
    assert (right.outcome, wrong.outcome) == (Outcome.ACCEPT, Outcome.REJECT)


def test_importing_the_filters_is_light() -> None:
    code = (
        "import sys, filters, filters.grader, filters.registry\n"
        "heavy = {'sympy', 'math_verify', 'pint', 'torch', 'prefect', 'transformers', 'polars'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
