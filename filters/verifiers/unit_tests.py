"""Code answers: run in a sandbox against the prompt's asserts, counted one by one.

The code is the last complete fenced block of Python in the answer (a block with another
language's label does not count); without any fence, the whole answer where it is plainly code
(its first line starts with `def`, `class`, `import`, `from` or `@`). The asserts run in another
sandbox than the program (filters/inside/tester.py). Not defended: a program that recognises a
published test's arguments and has learnt its answer by heart, tests that take a helper
(`Counter`, say) from the program instead of importing it, and tests that hand over functions or
objects of their own classes (undecided).
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.sandbox import Limits, Running, SandboxUnavailableError, Status, start_python, watch
from filters.verdict import Reason, Verdict
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("unit_tests", "1")
MAX_CODE_CHARS = 200_000
LIMITS = Limits()
_END_WAIT_S = 0.5

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n`]*$", re.MULTILINE)
_PYTHON_LABELS = frozenset(("", "python", "python3", "py", "py3", "Python"))
_PLAIN_CODE = re.compile(r"\s*(?:def |class |import |from |@)")
_TOP_NAMES = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_OWN_STATUSES = {
    "wrong_output": Reason.WRONG_OUTPUT,
    "runtime_error": Reason.RUNTIME_ERROR,
    "compile_error": Reason.COMPILE_ERROR,
    "memory_limit": Reason.MEMORY_LIMIT,
}
_SIGXCPU_CODES = (128 + 24, 128 + 9)


def verify_unit_tests(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the answer's program meets every assert of `prompt.tests`."""
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_code(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_code(prompt: Prompt, sample: Sample) -> Ruling:
    if not prompt.tests:
        return undecided(Reason.TESTS_MISSING, "the prompt has no tests")
    code = extract_code(sample.answer)
    if code is None:
        return reject(Reason.NO_CODE, "no complete fenced block of Python in the answer")
    if len(code) > MAX_CODE_CHARS:
        return reject(Reason.COMPILE_ERROR, f"the program has {len(code):,} characters")
    entry_names = tuple(_TOP_NAMES.findall(prompt.reference))
    try:
        return run_asserts(code, prompt.tests, entry_names)
    except SandboxUnavailableError as error:
        return undecided(Reason.SANDBOX_UNAVAILABLE, str(error))


def extract_code(answer: str) -> str | None:
    """The last complete Python block of an answer, or the answer itself when plainly code."""
    blocks, opened = [], None
    for fence in _FENCE.finditer(answer):
        mark, label = fence[1], fence[2]
        if opened is None:
            opened = (mark, label, fence.end() + 1)
        elif mark[0] == opened[0][0] and len(mark) >= len(opened[0]) and not label:
            blocks.append((opened[1], answer[opened[2] : fence.start()]))
            opened = None
    python = [code for label, code in blocks if label in _PYTHON_LABELS and code.strip()]
    if python:
        return python[-1]
    if not blocks and opened is None and _PLAIN_CODE.match(answer):
        return answer
    return None


def run_asserts(
    code: str, tests: tuple[str, ...], entry_names: tuple[str, ...] = (), limits: Limits = LIMITS
) -> Ruling:
    """Run a program against asserts in two sandboxes joined by pipes.

    `entry_names` are the names the task asks for: only these may hide a built-in from the tests.
    """
    started = time.perf_counter()
    to_solution, to_tester = os.pipe(), os.pipe()
    running: list[Running] = []
    try:
        running.append(_start("solution", {"source": code}, limits, to_solution[0], to_tester[1]))
        job = {"tests": list(tests), "entry_names": list(entry_names)}
        running.append(_start("tester", job, _TESTER_LIMITS, to_tester[0], to_solution[1]))
        for descriptor in (*to_solution, *to_tester):
            os.close(descriptor)
        to_solution = to_tester = (-1, -1)
        status = watch(running, running[1], started + limits.wall_s)
        solution_code = _end_of(running[0]) if status == "exited" else None
    finally:
        for each in running:
            each.kill()
        for descriptor in (*to_solution, *to_tester):
            if descriptor >= 0:
                os.close(descriptor)
    return _rule(status, running, solution_code, tests)


_TESTER_LIMITS = Limits(cpu_s=30, memory_bytes=1 << 30, output_bytes=8 << 20)


def _start(role: str, job: Mapping[str, object], limits: Limits, read: int, write: int) -> Running:
    names = ("filters.inside.wire", f"filters.inside.{role}")
    modules = {name: _inside_source(name) for name in names}
    whole = {**job, "role": names[1], "modules": modules, "pipes": [read, write]}
    return start_python(
        _inside_source("filters.inside.boot"), whole, limits, pass_fds=(read, write)
    )


def _end_of(solution: Running) -> int | None:
    """How the program's process ended; its pipes are closed by now, so it does end, or hangs."""
    try:
        return solution.process.wait(timeout=_END_WAIT_S)
    except subprocess.TimeoutExpired:
        return None


def _rule(
    status: Status, running: list[Running], solution_code: int | None, tests: tuple[str, ...]
) -> Ruling:
    solution, tester = running
    lines = [json.loads(line) for line in bytes(tester.stdout).splitlines() if line.endswith(b"}")]
    report: dict[str, Any] = lines[-1] if lines else {}
    doing = f"test {report['running'] + 1} of {len(tests)}" if "running" in report else "start"
    if solution.overflowed:
        return reject(Reason.OUTPUT_LIMIT, f"printed more than {solution.output_bytes:,} bytes")
    if status == "time_limit":
        return reject(Reason.TIME_LIMIT, f"no end within the wall time, at {doing}")
    if "status" not in report:
        return undecided(Reason.GRADER_FAILED, f"the tests' process died: {_tail(tester.stderr)}")
    return _rule_on_report(report, solution, solution_code, len(tests))


def _rule_on_report(
    report: dict[str, Any], solution: Running, solution_code: int | None, total: int
) -> Ruling:
    status, detail = report["status"], report["detail"]
    count = f"{report['passed']} of {total} tests passed"
    if status == "passed":
        return accept(count, Reason.TESTS_PASSED)
    if status == "tests_broken":
        return undecided(Reason.TESTS_MISSING, f"a test cannot run: {detail}")
    if solution_code in _SIGXCPU_CODES:
        return reject(Reason.TIME_LIMIT, f"{count}; {report.get('failed_test', '')}: CPU time")
    where = f"; {report['failed_test']}" if "failed_test" in report else ""
    return reject(_OWN_STATUSES[status], f"{count}{where}: {detail} {_tail(solution.stderr)}")


def _tail(stderr: bytearray) -> str:
    return bytes(stderr[-300:]).decode("utf-8", "replace").strip()


@lru_cache(maxsize=8)
def _inside_source(module: str) -> str:
    file = module.removeprefix("filters.").replace(".", "/") + ".py"
    return (Path(__file__).parent.parent / file).read_text("utf-8")
