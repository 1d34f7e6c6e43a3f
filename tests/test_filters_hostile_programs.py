"""The battery: programs that attack the judge (tests/hostile_programs/), one test each.

Each says in its first lines what it tries and what must come out. It is judged for real, by a
problem whose answer it does not compute; it prints PWNED where it got what it wanted. Afterwards
the same sandbox must judge a good program right and quickly, and nothing may be left behind.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from filters.programs.asserts import run_asserts
from filters.programs.judging import judge
from filters.programs.problem import Checker, Problem, Test
from filters.ruling import Ruling
from filters.sandbox.backend import MIB, Limits, Program, Ran, Run
from filters.sandbox.bubblewrap import Bubblewrap
from filters.sandbox.languages import LANGUAGES
from filters.verdict import Outcome, Reason

FOLDER = Path(__file__).parent / "hostile_programs"
SUFFIXES = {".py": "python", ".c": "c", ".cpp": "cpp"}
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in SUFFIXES)
RUN_TWICE = "twice_"
GIVEN_TO_ASSERTS = "assert_"
ASKED_TO_RETURN = "returned_"
MOST_WALL_S = 5.0
MOST_WALL_OF_SLEEPERS_S = 0.5
# Of programs that must come to an end by themselves: ten times what they take here.
AMPLE_CPU_S, AMPLE_WALL_S = 3.0, 30.0
MOST_CPU_OF_OTHERS_S = 20.0
MOST_CPU_OF_ATTACKED_S = 1.0  # a compiler that is to be kept busy for ever
LONGEST_CPU_S = 4.0  # of the programs judged here
CANARY = "hostile-canary"
ANSWER = "answer-15241383936"
GOOD = "print(f'answer-{int(input()) ** 2}')"
SQUARES = ("assert square(12) == 144", "assert square(113) == 12769")
CHECKER = """
def check(input, output, answer):
    return output.split() == answer.split(), f"expected {answer!r}"
"""
INTERACTOR = """
import sys
secret = int(open(sys.argv[1]).read())
for _ in range(20):
    line = sys.stdin.readline(100)
    if not line.strip().isdigit():
        sys.exit(1)
    print("=" if int(line) == secret else "wrong", flush=True)
    if int(line) == secret:
        sys.exit(0)
sys.exit(1)
"""
PROBLEM = Problem(
    "hostile", (Test("123456\n", ANSWER + "\n"),), time_limit_s=0.3, memory_limit_bytes=128 * MIB
)
WITH_INTERACTOR = replace(PROBLEM, interactor=Checker("python", INTERACTOR, "testlib"))
WITH_CHECKER = replace(PROBLEM, checker=Checker("python", CHECKER, "python"))


class Impatient(Bubblewrap):
    """The real sandbox with less time for sleepers and compilers; keeps what was printed."""

    printed: bytes = b""
    most_wall_s = MOST_WALL_S
    most_cpu_of_others_s = MOST_CPU_OF_OTHERS_S

    def run(self, run: Run) -> Ran:
        ran = super().run(self._hurried(run))
        self.printed += ran.stdout
        return ran

    def converse(self, first: Run, second: Run) -> tuple[Ran, Ran]:
        return super().converse(self._hurried(first), self._hurried(second))

    def _hurried(self, run: Run) -> Run:
        """Limits that are short, and come out as stated here after a language's factors."""
        language = LANGUAGES[run.executable.language]
        wanted_s, wall_s = run.limits.cpu_s, self.most_wall_s
        if wanted_s > LONGEST_CPU_S:  # a compiler, a checker, a tester
            wanted_s, wall_s = self.most_cpu_of_others_s, 2 * self.most_cpu_of_others_s
        cpu_s = max(0.01, (wanted_s - language.start_s) / language.time_factor)
        memory_bytes = int(run.limits.memory_bytes / language.memory_factor)
        limits = replace(
            run.limits, cpu_s=cpu_s, wall_s=wall_s - (wanted_s - cpu_s), memory_bytes=memory_bytes
        )
        return replace(run, limits=limits)


@pytest.fixture(scope="module")
def backend() -> Iterator[Impatient]:
    with pytest.MonkeyPatch.context() as patch, Impatient(workers=1) as backend:
        patch.setenv("HOSTILE_CANARY", CANARY)
        if (problem := backend.problem()) is not None:
            assert shutil.which("bwrap") is None, problem
            pytest.skip(problem)
        judged_right(backend)
        run_asserts("def square(n): return n * n", SQUARES, ("square",), backend)
        yield backend


@pytest.fixture(autouse=True)
def nothing_left(
    backend: Impatient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What every test of this file must leave as it found it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    backend.printed, backend.most_wall_s = b"", MOST_WALL_S
    before, mounted = descriptors(), mounts(os.getpid())
    yield
    backend.most_wall_s, backend.most_cpu_of_others_s = MOST_WALL_S, MOST_CPU_OF_OTHERS_S
    judged_right(backend)
    assert len(sandboxed_processes()) == 2 * sandboxes()
    # What went meanwhile is another test's, closed late by its threads or as garbage.
    assert descriptors() <= before
    assert mounts(os.getpid()) == mounted
    assert list(tmp_path.iterdir()) == []


def judged_right(backend: Impatient) -> None:
    """A good program is accepted; the best of three goes is as quick as this machine can."""
    took_s = []
    for _ in range(3):
        begin = time.perf_counter()
        judgement = judge(PROBLEM, Program("python", GOOD), backend)
        took_s.append(time.perf_counter() - begin)
        assert judgement.ruling.outcome is Outcome.ACCEPT, judgement.ruling
    assert min(took_s) < 0.3 or min(took_s) < 10 * bare_python_s()


def bare_python_s() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", "print(1)"], capture_output=True, check=True)
    return time.perf_counter() - begin


def descriptors() -> set[tuple[str, str]]:
    """Each open descriptor and what it is of; a new one of the same number is another."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own
            found.add((path.name, os.readlink(path)))
    return found


def mounts(pid: int) -> int:
    return Path(f"/proc/{pid}/mountinfo").read_text().count("\n")


def parents() -> dict[int, int]:
    """Each process's parent."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        found[int(path.parent.name)] = int(fields[1])
    return found


def sandboxes() -> int:
    return sum(parent == os.getpid() and is_bubblewrap(pid) for pid, parent in parents().items())


def is_bubblewrap(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "bwrap"
    except OSError:  # it has ended
        return False


def sandboxed_processes() -> set[int]:
    """The processes in and around our sandboxes: bubblewrap's, our own and programs in it."""
    family = parents()
    ours = {pid for pid, up in family.items() if up == os.getpid() and is_bubblewrap(pid)}
    while more := {pid for pid, up in family.items() if up in ours} - ours:
        ours |= more
    return ours


def resident_bytes(pid: int) -> int:
    """What a process holds that is its own, and its part of what it shares."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended
        return 0
    return sum(int(kib) << 10 for kib in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE))


def expected_of(code: str) -> set[str]:
    found = re.search(r"^(?:#|//) Must come out: ([a-z_ |]+)$", code, re.MULTILINE)
    assert found is not None
    return set(found[1].split(" | "))


def ruling_on(name: str, code: str, problem: Problem, backend: Impatient) -> Ruling:
    if name.startswith(GIVEN_TO_ASSERTS):
        limits = Limits(problem.time_limit_s, MOST_WALL_S, problem.memory_limit_bytes)
        return run_asserts(code, SQUARES, ("square",), backend, limits).ruling
    return judge(problem, Program(SUFFIXES[Path(name).suffix], code), backend).ruling


def held_back(name: str, problem: Problem, backend: Impatient) -> None:
    """Judge it (twice where it looks for what it left) and find it rejected as it says."""
    code = (FOLDER / name).read_text()
    if "time_limit" not in expected_of(code):
        problem = replace(problem, time_limit_s=AMPLE_CPU_S)
        backend.most_wall_s = AMPLE_WALL_S
    if expected_of(code) == {"compile_error"}:
        backend.most_cpu_of_others_s = MOST_CPU_OF_ATTACKED_S
    for _ in range(1 + name.startswith(RUN_TWICE)):
        ruling = ruling_on(name, code, problem, backend)
        assert ruling.outcome is Outcome.REJECT, ruling
        assert ruling.reason in {Reason(reason) for reason in expected_of(code)}, ruling
        assert b"PWNED" not in backend.printed, backend.printed[-300:]
        assert "root:" not in ruling.detail


ELSEWHERE = ("network_host", "input_", "talk_", "memory_many", "memory_shared", ASKED_TO_RETURN)
SLOW = pytest.mark.slow
PLAIN = [name for name in NAMES if not name.startswith(ELSEWHERE)]


# The others take a compiler, or run to their limits.
QUICK = ("assert_", "read_", "write_", "network_", "print_", "signal_", "ptrace_")
CASES = [
    name if name.endswith(".py") and name.startswith(QUICK) else pytest.param(name, marks=SLOW)
    for name in PLAIN
]


@pytest.mark.parametrize("name", CASES)
def test_is_rejected_and_leaves_nothing(name: str, backend: Impatient) -> None:
    if "time_limit" in expected_of((FOLDER / name).read_text()) and not name.startswith("cpu_"):
        backend.most_wall_s = MOST_WALL_OF_SLEEPERS_S
    if name.startswith("read_expected"):
        # So that the expected output has just been there, in a checker's file and its message.
        judge(WITH_CHECKER, Program("python", "print(1)"), backend)
        held_back(name, WITH_CHECKER, backend)
    held_back(name, PROBLEM, backend)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("talk_")])
def test_an_interactor_is_not_led_astray(name: str, backend: Impatient) -> None:
    backend.most_wall_s = MOST_WALL_OF_SLEEPERS_S
    held_back(name, WITH_INTERACTOR, backend)


@pytest.mark.parametrize("name", ["memory_many_processes.py", "memory_shared.c"])
def test_the_memory_of_all_processes_counts(name: str, backend: Impatient) -> None:
    ended, held = threading.Event(), [0]

    def look() -> None:
        while not ended.wait(0.02):
            held.append(sum(resident_bytes(pid) for pid in sandboxed_processes()))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        held_back(name, PROBLEM, backend)
    finally:
        ended.set()
        looking.join()
    assert max(held) < 4 * PROBLEM.memory_limit_bytes


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("input_")])
def test_input_of_50_mb_is_no_obstacle(name: str, backend: Impatient) -> None:
    held_back(name, replace(PROBLEM, tests=(Test("7" * 50_000_000, ANSWER),)), backend)


def test_network_of_the_host_is_out_of_reach(backend: Impatient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as other:
        port = server.getsockname()[1]
        other.bind(f"\0stillhouse-hostile-{port}")
        for listening in (server, other):
            listening.listen()
            listening.setblocking(False)
        held_back("network_host.py", replace(PROBLEM, tests=(Test(f"{port}\n", ANSWER),)), backend)
        for listening in (server, other):
            with pytest.raises(BlockingIOError):
                listening.accept()


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(ASKED_TO_RETURN)])
def test_returned_files_are_files_of_the_run(name: str, backend: Impatient) -> None:
    code = (FOLDER / name).read_text()
    executable = backend.compile(Program("python", code)).executable
    assert executable is not None
    ran = backend.run(
        Run(
            executable,
            files=(("feedback/.keep", b""),),
            limits=Limits(output_bytes=MIB),
            returned=("feedback/judgemessage.txt", "feedback/os-release", "out.txt", "big"),
        )
    )
    assert (ran.status, ran.exit_code) == ("exited", 0), ran
    if expected_of(code) == {"nothing"}:
        assert not any(content for _, content in ran.files)
    else:
        assert [len(content) for _, content in ran.files] == [MIB, MIB]


def test_files_named_like_modules_do_not_reach_our_own_code(backend: Impatient) -> None:
    names = "json os sys io traceback threading atexit sitecustomize script filters/__init__"
    files = tuple(
        (f"{name}.py", f"print('{ANSWER}'); import os; os._exit(0)".encode())
        for name in names.split()
    )
    program = Program("python", "import json, os, threading\nprint(json.dumps(1))", files)
    assert judge(PROBLEM, program, backend).ruling.reason is Reason.WRONG_OUTPUT


def test_programs_that_were_killed_do_not_slow_the_next_fifty(backend: Impatient) -> None:
    executable = backend.compile(Program("python", "print(1)")).executable
    assert executable is not None

    def one_s() -> float:
        begin = time.perf_counter()
        assert backend.run(Run(executable)).stdout == b"1\n"
        return time.perf_counter() - begin

    def ten_of_fifty_s() -> float:
        """The quickest ones, which others on this machine have not held up."""
        return sum(sorted(one_s() for _ in range(50))[:10])

    before_s, bare_s = ten_of_fifty_s(), min(bare_python_s() for _ in range(5))
    for name in ("fork_bomb.py", "inode_fill.c", "fork_daemons.py"):
        held_back(name, PROBLEM, backend)
    after_s = ten_of_fifty_s()
    assert after_s < 3 * before_s or min(bare_python_s() for _ in range(5)) > 2 * bare_s
