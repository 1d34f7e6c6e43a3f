"""Code answers: extraction, counting, and programs that try to pass without being right."""

from typing import Any

import pytest
from filters_records import prompt, sample

from filters.programs import asserts
from filters.programs.code_block import PYTHON, find_code
from filters.ruling import Ruling
from filters.sandbox.backend import Limits, SandboxFailedError, SandboxUnavailableError
from filters.sandbox.bubblewrap import Bubblewrap
from filters.verdict import Outcome, Reason
from filters.verifiers.unit_tests import rule_on_code, verify_unit_tests

TESTS = ("assert add(1, 2) == 3", "assert add(-1, 1) == 0")
QUICK = Limits(cpu_s=0.5, wall_s=6.0)
PATIENT = Limits(cpu_s=6.0, wall_s=60.0)


def run_asserts(
    sandbox: Bubblewrap,
    code: str,
    tests: tuple[str, ...],
    names: tuple[str, ...] = (),
    limits: Limits = QUICK,
) -> Ruling:
    return asserts.run_asserts(code, tests, names, sandbox, limits).ruling


def extract_code(answer: str, names: tuple[str, ...] = ()) -> str | None:
    code = find_code(answer, PYTHON, names)
    return None if code is None else code.text


def fenced(code: str, label: str = "python") -> str:
    return f"Here it is:\n\n```{label}\n{code}\n```\nDone."


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (fenced("x = 1"), "x = 1\n"),
        (fenced("x = 1", ""), "x = 1\n"),
        (fenced("x = 1") + fenced("x = 2"), "x = 2\n"),
        (fenced("x = 1") + fenced("x;", "javascript"), "x = 1\n"),
        (fenced("x = 1") + "```python\nx = 3", "x = 1\n"),
        ("````python\n```\n````", "```\n"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("from math import pi\nx = pi", "from math import pi\nx = pi"),
    ],
)
def test_the_last_complete_block_is_the_code(answer: str, code: str) -> None:
    assert extract_code(answer) == code


@pytest.mark.parametrize(
    "answer",
    ["", "I would add them.", "```python\ndef f(): ...", fenced("f()", "js"), fenced("  ")],
)
def test_no_code_is_made_up(answer: str) -> None:
    assert extract_code(answer) is None
    verdict = verify_unit_tests(prompt("unit_tests", "", tests=TESTS), sample(answer or " "))
    assert (verdict.outcome, verdict.reason) == (Outcome.REJECT, Reason.NO_CODE)


def test_a_prompt_without_tests_is_undecided() -> None:
    verdict = verify_unit_tests(prompt("unit_tests", ""), sample(fenced("x = 1")))
    assert verdict.reason == Reason.TESTS_MISSING
    assert verdict.outcome == Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SandboxUnavailableError("apt-get install bubblewrap"), Reason.SANDBOX_UNAVAILABLE),
        (SandboxFailedError("the sandbox failed twice"), Reason.GRADER_FAILED),
    ],
)
def test_without_a_sandbox_nothing_is_rejected(error: Exception, reason: Reason) -> None:
    class Broken(Bubblewrap):
        def converse(self, *runs: Any) -> Any:
            raise error

    code = fenced("def add(a, b): return 0")
    ruling = rule_on_code(prompt("unit_tests", "", tests=TESTS), sample(code), Broken())
    assert (ruling.outcome, ruling.reason) == (Outcome.UNDECIDED, reason)
    assert str(error) in ruling.detail


SOLVED = fenced("def add(a, b):\n    return a + b")
EXAMPLE = "\nOutput:\n```\n[1, 2]\n```\n"
LISTED = "1. So:\n\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n"


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (SOLVED + EXAMPLE, ("add",)),
        (SOLVED + EXAMPLE, ()),
        (SOLVED + fenced("print(add(1, 2))"), ("add",)),
        (fenced("x = 1") + LISTED, ("add",)),
        (fenced("def add(a, b):\n    return a + b", "") + fenced("add(1, 2)"), ("add",)),
    ],
)
def test_the_block_that_defines_what_is_asked_is_the_code(answer: str, names: Any) -> None:
    assert extract_code(answer, names) == "def add(a, b):\n    return a + b\n"


def test_asserts_that_could_not_start_are_never_a_reject(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asserts, "_JOB", "no_such_job.json")
    ruling = run_asserts(sandbox, "def add(a, b):\n    return a + b", TESTS, limits=QUICK)
    assert (ruling.outcome, ruling.reason) == (Outcome.UNDECIDED, Reason.GRADER_FAILED)


def test_a_program_cannot_look_like_a_sandbox_that_did_not_start(sandbox: Bubblewrap) -> None:
    code = "import os\nos.write(2, b'bwrap: no namespaces')\nos._exit(1)"
    assert run_asserts(sandbox, code, TESTS, limits=QUICK).reason == Reason.RUNTIME_ERROR


@pytest.mark.parametrize("number", ["SIGKILL", "SIGXCPU", "SIGSEGV"])
def test_a_program_that_kills_itself_has_not_run_out_of_time(
    sandbox: Bubblewrap, number: str
) -> None:
    code = f"import os, signal\ndef add(a, b):\n    os.kill(os.getpid(), signal.{number})"
    assert run_asserts(sandbox, code, TESTS).reason == Reason.RUNTIME_ERROR


@pytest.mark.parametrize(
    "message",
    [
        "7",
        "{}",
        "[]",
        "not json",
        '["ready", 3]',
        '["ready", {"add": ["x"]}]',
        '["ready", {"add": ["x", "Fraction", "1/0"]}]',
        '["ready", {"add": ["s", [["l", []]]]}]',
        '["ok", ["r", 1]]',
    ],
)
def test_a_malformed_message_is_the_programs_fault(sandbox: Bubblewrap, message: str) -> None:
    code = (
        "import os\nfor fd in range(3, 64):\n"
        f"    try: os.write(fd, {message!r}.encode() + b'\\n')\n    except OSError: pass\n"
        "os._exit(0)"
    )
    ruling = run_asserts(sandbox, code, TESTS, limits=QUICK)
    assert (ruling.outcome, ruling.reason) == (Outcome.REJECT, Reason.RUNTIME_ERROR), ruling.detail


def test_our_own_future_imports_are_not_the_programs(sandbox: Bubblewrap) -> None:
    code = "def add(a: 1 + 1, b: int):\n    return add.__annotations__['a'] + a + b - 2"
    assert run_asserts(sandbox, code, TESTS).outcome == Outcome.ACCEPT


def test_a_right_program_is_accepted_and_counted(sandbox: Bubblewrap) -> None:
    ruling = run_asserts(sandbox, "def add(a, b):\n    return a + b", TESTS)
    assert (ruling.outcome, ruling.reason) == (Outcome.ACCEPT, Reason.TESTS_PASSED)
    assert ruling.detail == "2 of 2 tests passed"


def test_the_first_failing_assert_is_shown(sandbox: Bubblewrap) -> None:
    ruling = run_asserts(sandbox, "def add(a, b):\n    return abs(a) + b", TESTS)
    assert ruling.reason == Reason.WRONG_OUTPUT
    assert ruling.detail.startswith("1 of 2 tests passed; assert add(-1, 1) == 0: got 2")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def add(a, b) return a + b", Reason.COMPILE_ERROR),
        ("def add(a, b):\n    return a + c", Reason.RUNTIME_ERROR),
        ("def plus(a, b):\n    return a + b", Reason.RUNTIME_ERROR),
        ("def add(a, b):\n    return add(a, b)", Reason.RUNTIME_ERROR),
        ("def add(a, b):\n    while True: pass", Reason.TIME_LIMIT),
        ("while True: pass", Reason.TIME_LIMIT),
        ("def add(a, b):\n    return len('x' * (1 << 40))", Reason.MEMORY_LIMIT),
        ("def add(a, b):\n    x = []\n    while True: x.append('y' * 10**6)", Reason.MEMORY_LIMIT),
        ("def add(a, b):\n    while True: print('x' * 1000)", Reason.OUTPUT_LIMIT),
        ("x = 1\x00", Reason.COMPILE_ERROR),
        ("x = '\ud800'\ndef add(a, b):\n    return a", Reason.COMPILE_ERROR),
        ("(" * 10_000, Reason.COMPILE_ERROR),
        ("x = " + "-" * 100_000 + "1", Reason.COMPILE_ERROR),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_goes_wrong_has_its_reason(sandbox: Bubblewrap, code: str, reason: Reason) -> None:
    # A gigabyte is filled in 0.8 s of CPU time, or in 2.8 where another fills its own beside it.
    limits = PATIENT if reason == Reason.MEMORY_LIMIT else QUICK
    ruling = run_asserts(sandbox, code, TESTS, limits=limits)
    assert (ruling.outcome, ruling.reason) == (Outcome.REJECT, reason), ruling.detail


CHEATS = {
    "exits with success": "import os\nos._exit(0)",
    "exits when called": "import os\ndef add(a, b):\n    os._exit(0)",
    "raises SystemExit": "import sys\nsys.exit(0)",
    "raises SystemExit when called": "import sys\ndef add(a, b):\n    sys.exit(0)",
    "prints a verdict": (
        'def add(a, b):\n    print(\'{"status": "passed", "passed": 2, "detail": ""}\')'
    ),
    "writes a verdict to every descriptor": (
        "import os\ndef add(a, b):\n    for fd in range(1, 64):\n        try:\n"
        '            os.write(fd, b\'{"passed": 2, "status": "passed", "detail": ""}\\n\')\n'
        "        except OSError:\n            pass\n    os._exit(0)"
    ),
    "equals everything": (
        "class Any:\n    def __eq__(self, other): return True\n"
        "    def __bool__(self): return True\n"
        "def add(a, b):\n    return Any()"
    ),
    "an int that equals everything": (
        "class Any(int):\n    def __eq__(self, other): return True\n"
        "    __hash__ = int.__hash__\ndef add(a, b):\n    return Any(7)"
    ),
    "swallows the assertion": "AssertionError = Exception\ndef add(a, b):\n    return 7",
    "turns asserts off": (
        "import sys, builtins\nsys.flags = None\nbuiltins.AssertionError = SystemExit\n"
        "def add(a, b):\n    return 7"
    ),
    "patches its own wire": (
        "import sys\nwire = sys.modules['filters.inside.wire']\n"
        "sol = sys.modules['filters.inside.solution']\n"
        "sol.encode = lambda *a: ['h', 0, 'x']\ndef add(a, b):\n    return 7"
    ),
    "replies nonsense": (
        "import sys\nsol = sys.modules['filters.inside.solution']\n"
        "sol._answer = lambda *a: {'status': 'passed'}\ndef add(a, b):\n    return 7"
    ),
    "kills everybody": "import os\ndef add(a, b):\n    os.kill(-1, 9)",
    "forks": "import os\ndef add(a, b):\n    os.fork()\n    return 7",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "sleeps": "import time\ndef add(a, b):\n    time.sleep(1000)",
}


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS.keys())
def test_no_cheat_passes(sandbox: Bubblewrap, code: str) -> None:
    ruling = run_asserts(sandbox, code, TESTS, ("add",), limits=Limits(cpu_s=0.2, wall_s=3.0))
    assert ruling.outcome == Outcome.REJECT, ruling


def test_a_shadowed_builtin_does_not_bend_the_asserts(sandbox: Bubblewrap) -> None:
    code = "def abs(x):\n    return 0\ndef root(x):\n    return 99.0"
    test = "assert abs(root(4) - 2) < 1e-6"
    assert run_asserts(sandbox, code, (test,), ("root",)).reason == Reason.WRONG_OUTPUT


def test_a_task_may_ask_for_a_name_that_python_has(sandbox: Bubblewrap) -> None:
    ruling = run_asserts(
        sandbox, "def sum(a, b):\n    return a + b", ("assert sum(1, 2) == 3",), ("sum",)
    )
    assert ruling.outcome == Outcome.ACCEPT


def test_a_null_byte_or_a_closed_pipe_never_kills_the_judge(sandbox: Bubblewrap) -> None:
    code = "import os\nfor fd in range(3, 64):\n    try: os.close(fd)\n    except OSError: pass"
    assert run_asserts(sandbox, code, TESTS, limits=QUICK).outcome == Outcome.REJECT


@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("def f(x):\n    x.append(1)", "x = []\nf(x)\nassert x == [1]"),
        ("def f(x):\n    return (i * i for i in range(x))", "assert list(f(3)) == [0, 1, 4]"),
        (
            "def f():\n    return {'a': (1, {2, 3}), 4: b'x'}",
            "assert f() == {'a': (1, {2, 3}), 4: b'x'}",
        ),
        ("def f():\n    return float('nan'), 1e400, 10 ** 5000", "assert f()[2] == 10 ** 5000"),
        (
            "def f(x):\n    raise ValueError('no')",
            "try:\n    f(1)\nexcept ValueError:\n    pass\nelse:\n    assert 0",
        ),
        (
            "class Stack:\n    def __init__(self): self.items = []\n"
            "    def push(self, x): self.items.append(x)\n"
            "    def pop(self): return self.items.pop()",
            "s = Stack()\ns.push(5)\nassert s.pop() == 5 and s.items == []",
        ),
        ("def f(kind):\n    return kind(3)", "assert f(str) == '3'"),
        ("def f(text):\n    return text[::-1]", "assert f('\\ud800x') == 'x\\ud800'"),
        (
            "from collections import Counter\ndef f(x):\n    return Counter(x)",
            "assert f('aab') == {'a': 2, 'b': 1}",
        ),
        (
            "from fractions import Fraction\ndef f():\n    return Fraction(1, 3)",
            "from fractions import Fraction\nassert f() * 3 == 1",
        ),
        ("def f(x):\n    return x / 3", "assert math.isclose(f(1), 0.3333333333333333)"),
    ],
    ids=lambda text: text[:30],
)
def test_plain_python_crosses_the_wire(sandbox: Bubblewrap, code: str, test: str) -> None:
    ruling = run_asserts(sandbox, code, (test,), ("f", "Stack"))
    assert ruling.outcome == Outcome.ACCEPT, ruling.detail


@pytest.mark.parametrize(
    "test",
    ["assert (", "assert f(lambda x: x) == 1", "import nonesuch\nassert f(1) == 1"],
)
def test_a_test_that_cannot_run_is_not_the_programs_fault(sandbox: Bubblewrap, test: str) -> None:
    ruling = run_asserts(sandbox, "def f(g):\n    return 1", (test,), ("f",))
    assert (ruling.outcome, ruling.reason) == (Outcome.UNDECIDED, Reason.TESTS_MISSING)


def test_limits_reach_the_verifier() -> None:
    assert asserts.LIMITS.memory_bytes >= 256 << 20


def test_names_that_only_a_nested_function_of_the_test_uses_are_there(
    sandbox: Bubblewrap,
) -> None:
    test = "def check(f):\n    assert all(helper(x) == f(x) for x in range(3))\ncheck(double)"
    code = "def helper(x):\n    return 2 * x\ndef double(x):\n    return x + x"
    assert run_asserts(sandbox, code, (test,), ("double",)).outcome == Outcome.ACCEPT


@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("def f(x: List[int]) -> Optional[int]:\n    return max(x)", "assert f([1, 2]) == 2"),
        (
            "class Solution:\n    def f(self, x: List[int]) -> int:\n"
            "        return sum(Counter(x).values()) + math.gcd(4, 6) + heapq.heappop([0]) + "
            "len(deque([1]))",
            "assert Solution().f([1, 2]) == 5",
        ),
    ],
)
def test_what_tasks_have_imported_need_not_be(sandbox: Bubblewrap, code: str, test: str) -> None:
    assert run_asserts(sandbox, code, (test,), ("f", "Solution")).outcome == Outcome.ACCEPT


def test_what_was_given_hides_nothing_of_the_tests(sandbox: Bubblewrap) -> None:
    test = "from typing import List as Given\nassert List is Given and f(1) == 1"
    ruling = run_asserts(sandbox, "def f(x):\n    return x", ("List = list\nassert f(1) == 1",))
    assert ruling.outcome == Outcome.ACCEPT
    assert run_asserts(sandbox, "def f(x): return x", (test,)).outcome != Outcome.ACCEPT


@pytest.mark.parametrize("error", ["StopIteration", "StopAsyncIteration", "AssertionError"])
def test_no_error_of_the_programs_ends_a_loop_of_the_tests(sandbox: Bubblewrap, error: str) -> None:
    tests = ("assert all(map(f, [2, 3]))", "for x in map(f, [1]):\n    assert x")
    for test in tests:
        ruling = run_asserts(sandbox, f"def f(n): raise {error}", (test,), ("f",))
        assert ruling.outcome == Outcome.REJECT


def test_what_the_program_cannot_import_is_its_own_fault(sandbox: Bubblewrap) -> None:
    code = "def f():\n    import nonesuch"
    ruling = run_asserts(sandbox, code, ("assert f() == 1",), ("f",))
    assert (ruling.outcome, ruling.reason) == (Outcome.REJECT, Reason.RUNTIME_ERROR)
