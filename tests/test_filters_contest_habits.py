"""What contest programs do besides being right or wrong: each habit gets the verdict it must."""

import random

import pytest
from judged_sum import PASSED, reason_of

from filters.sandbox.bubblewrap import Bubblewrap

PYTHON_READS = {
    "input": "input()\nprint(sum(map(int, input().split())))",
    "read all": "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))",
    "buffer": "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split()[1:])))",
    "readline as input": "import sys\ninput = sys.stdin.readline\ninput()\n"
    "print(sum(map(int, input().split())))",
    "buffered readline": "import sys\ninput = sys.stdin.buffer.readline\ninput()\n"
    "print(sum(map(int, input().split())))",
    "open nought": "print(sum(map(int, open(0).read().split()[1:])))",
    "open nought in bytes": "print(sum(map(int, open(0, 'rb').readlines()[1].split())))",
    "the descriptor": "import os\nprint(sum(map(int, os.read(0, 1 << 20).split()[1:])))",
    "a whole file's size": "import io, os\n"
    "data = io.BytesIO(os.read(0, max(1 << 16, os.fstat(0).st_size))).read()\n"
    "print(sum(map(int, data.split()[1:])))",
    "device": "print(sum(map(int, open('/dev/stdin').read().split()[1:])))",
    "lines": "import sys\nnext(sys.stdin)\nprint(sum(sum(map(int, l.split())) for l in sys.stdin))",
    "to the end": "total = []\ntry:\n    while True:\n        total += input().split()\n"
    "except EOFError:\n    pass\nprint(sum(map(int, total[1:])))",
    "fileinput": "import fileinput\nprint(sum(map(int, ''.join(fileinput.input()).split()[1:])))",
}
PYTHON_WRITES = {
    "write": "import sys\nsys.stdout.write(str(total))",
    "in bytes": "import sys\nsys.stdout.buffer.write(b'%d' % total)",
    "the descriptor": "import os\nos.write(1, str(total).encode())",
    "spaces and lines": "print('', total, ' \\n\\n')",
    "carriage returns": "print(total, end='\\r\\n')",
    "no newline": "print(total, end='')",
    "exit": "print(total)\nexit()",
    "exit with nought": "print(total)\nexit(0)",
    "quit": "print(total)\nquit()",
    "sys.exit": "import sys\nprint(total)\nsys.exit()",
    "SystemExit": "print(total)\nraise SystemExit",
    "os._exit": "import os\nprint(total, flush=True)\nos._exit(0)",
    "a warning": "import sys, warnings\nwarnings.warn('careful')\nprint('debug', file=sys.stderr)\n"
    "print(total)",
    "a thread": "import threading\nthread = threading.Thread(target=lambda: print(total))\n"
    "thread.start()\nthread.join()",
    "a thread with a stack": "import sys, threading\nsys.setrecursionlimit(10**6)\n"
    "threading.stack_size(2**27)\nthreading.Thread(target=print, args=(total,)).start()",
    "a pool": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as pool:\n    print(sum(pool.map(int, [total])))",
    "a process": "import multiprocessing\n"
    "process = multiprocessing.Process(target=print, args=(total,))\n"
    "process.start()\nprocess.join()",
    "a fork": "import os\nif os.fork():\n    os.wait()\nelse:\n    print(total)",
    "at exit": "import atexit\natexit.register(print, total)",
    "redirected": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as said:\n"
    "    print(total)\nimport sys\nsys.stdout.write(said.getvalue())",
    "a closed output": "import sys\nprint(total)\nsys.stdout.close()",
    "main": "def main():\n    print(total)\nif __name__ == '__main__':\n    main()",
    "assertions": "assert total > -10**18\nprint(total)",
    "a file in between": "open('note.txt', 'w').write(str(total))\nprint(open('note.txt').read())",
    "temporary": "import tempfile\nwith tempfile.TemporaryFile('w+') as file:\n"
    "    file.write(str(total))\n    file.seek(0)\n    print(file.read())",
    "its own file": "assert 'assert' in open(__file__).read()\nprint(total)",
}
PYTHON_START = "n, total = int(input()), sum(map(int, input().split()))\n"


@pytest.mark.parametrize("habit", PYTHON_READS)
def test_python_reads_its_input_in_any_way(habit: str, sandbox: Bubblewrap) -> None:
    assert reason_of(sandbox, "python", PYTHON_READS[habit]) == PASSED


@pytest.mark.parametrize("habit", PYTHON_WRITES)
def test_python_writes_and_ends_in_any_way(habit: str, sandbox: Bubblewrap) -> None:
    assert reason_of(sandbox, "python", PYTHON_START + PYTHON_WRITES[habit]) == PASSED


PYTHON_FAULTS = {
    "a wrong exit code": ("print(total)\nimport sys\nsys.exit(1)", "runtime_error"),
    "a message as exit code": ("print(total)\nexit('done')", "runtime_error"),
    "an error after the output": ("print(total)\n[][0]", "runtime_error"),
    "an abort": ("import os\nprint(total, flush=True)\nos.abort()", "runtime_error"),
    "input past the end": ("print(total)\ninput()", "runtime_error"),
    "no recursion limit set": (
        "f = lambda n: n and f(n - 1)\nf(5000)\nprint(total)",
        "runtime_error",
    ),
    "a file that is not there": ("print(open('input.txt').read())", "runtime_error"),
    "an import that is not there": ("import no_such_module\nprint(total)", "runtime_error"),
    "to the error stream": ("import sys\nprint(total, file=sys.stderr)", "wrong_output"),
    "debug output": ("print('n =', n)\nprint(total)", "wrong_output"),
    "nothing": ("", "wrong_output"),
    "a decimal point": ("print(float(total))", "wrong_output"),
    "one more token": ("print(total, 0)", "wrong_output"),
    "a prompt": ("input = lambda p: p\nprint('Sum: ', end='')\nprint(total)", "wrong_output"),
    "twice": ("print(total)\nprint(total)", "wrong_output"),
    "joined numbers": ("print(str(total) + str(total))", "wrong_output"),
    "a loop": ("while True:\n    pass", "time_limit"),
    "a sleep": ("import time\ntime.sleep(1000)", "time_limit"),
    "a loop in a process": (
        "import os\nif os.fork():\n    os.wait()\nelse:\n    while True:\n        pass",
        "time_limit",
    ),
    "memory": ("kept = []\nwhile True:\n    kept.append(bytearray(1 << 24))", "memory_limit"),
    "a long list": ("kept = [0] * 10**9\nprint(total)", "memory_limit"),
    "memory, caught": (
        "try:\n    kept = bytearray(1 << 40)\nexcept MemoryError:\n    print(total)",
        PASSED,
    ),
    "no end of output": ("while True:\n    print('x' * 10**6)", "output_limit"),
    "bytes that are no text": (
        "import sys\nsys.stdout.buffer.write(bytes(range(128, 256)))",
        "wrong_output",
    ),
    "no syntax": ("print(total", "compile_error"),
    "Python 2": ("print total", "compile_error"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PYTHON_FAULTS)
def test_pythons_faults_have_their_reasons(fault: str, sandbox: Bubblewrap) -> None:
    code, expected = PYTHON_FAULTS[fault]
    # Only what never ends meets its limit; to take much memory takes time as well.
    limits = {
        "time_limit_s": 0.3 if expected == "time_limit" else 3.0,
        "memory_limit_bytes": 256 << 20,
    }
    assert reason_of(sandbox, "python", PYTHON_START + code, **limits) == expected


OUTPUTS = {
    "as expected": ("1 2\n3\n", PASSED),
    "in one line": ("1 2 3", PASSED),
    "carriage returns": ("1 2\r\n3\r\n", PASSED),
    "spaces at the end": ("1 2   \n3 \n\n", PASSED),
    "another number": ("1 2\n4\n", "wrong_output"),
    "one missing": ("1 2\n", "wrong_output"),
    "one more": ("1 2\n3\n4\n", "wrong_output"),
    "joined": ("12 3", "wrong_output"),
    "leading noughts": ("01 2 3", "wrong_output"),
    "plus": ("+1 2 3", "wrong_output"),
}


@pytest.mark.parametrize("expected", ["1 2\n3\n", "1 2\r\n3\r\n", "1 2\n3", "1 2\n3 \n\n"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_white_space_does_not_count_and_all_else_does(
    expected: str, output: str, sandbox: Bubblewrap
) -> None:
    printed, reason = OUTPUTS[output]
    tests = [{"input": "", "output": expected}]
    code = f"import sys\nsys.stdout.buffer.write({printed.encode()!r})"
    assert reason_of(sandbox, "python", code, tests=tests) == reason


NUMBERS = [
    ("4.000000", "4", PASSED),
    ("4.000000", "4.0000001", PASSED),
    ("4.000000", "4e0", PASSED),
    ("4.000000", "4.00001", "wrong_output"),
    ("1001.500000000", "1001.5004", PASSED),
    ("1001.500000000", "1001.51", "wrong_output"),
    ("0.00000000000000000000", "0", PASSED),
    ("0.00000000000000000000", "1e-300", PASSED),
    ("0.0", "-0.0", PASSED),
    ("0.5", ".5", PASSED),
    ("0.5", "nan", "wrong_output"),
    ("0.5", "inf", "wrong_output"),
    ("0.5", "half", "wrong_output"),
    ("1e5", "100000", PASSED),
    ("1000000007", "1000000008", "wrong_output"),
    ("7", "7.0", "wrong_output"),
    ("123456789012345678901", "123456789012345678902", "wrong_output"),
    ("IMPOSSIBLE", "IMPOSSIBLE", PASSED),
    ("IMPOSSIBLE", "-1", "wrong_output"),
]


@pytest.mark.parametrize(("expected", "printed", "reason"), NUMBERS)
def test_a_number_with_a_point_is_met_to_a_millionth(
    expected: str, printed: str, reason: str, sandbox: Bubblewrap
) -> None:
    tests = [{"input": "", "output": f"Case #1: {expected}\n"}]
    assert reason_of(sandbox, "python", f"print('Case #1:', '{printed}')", tests=tests) == reason


@pytest.mark.slow
def test_a_large_input_and_a_large_output_go_through(sandbox: Bubblewrap) -> None:
    chooser = random.Random(5)
    numbers = [chooser.randrange(10**9) for _ in range(400_000)]
    tests = [
        {
            "input": f"{len(numbers)}\n{' '.join(map(str, numbers))}\n",
            "output": "\n".join(map(str, sorted(numbers))) + "\n",
        }
    ]
    columns = {"tests": tests, "time_limit_s": 10.0}
    python = "input()\nfor x in sorted(map(int, input().split())): print(x)"
    assert reason_of(sandbox, "python", python, **columns) == PASSED
    unsorted = "input()\nprint(*input().split(), sep='\\n')"
    assert reason_of(sandbox, "python", unsorted, **columns) == "wrong_output"
    cpp = (
        "#include <algorithm>\n#include <iostream>\n#include <vector>\nusing namespace std;\n"
        "int main() { int n; cin >> n; vector<int> v(n); for (int& x : v) cin >> x;"
        " sort(v.begin(), v.end()); for (int x : v) cout << x << endl; }"
    )
    assert reason_of(sandbox, "cpp", cpp, **columns) == PASSED


def test_the_limit_is_for_each_test_alone(sandbox: Bubblewrap) -> None:
    busy = "import time\nwhile time.process_time() < 0.8: pass\n" + PYTHON_READS["open nought"]
    assert reason_of(sandbox, "python", busy, time_limit_s=0.4) == PASSED


def test_tests_see_nothing_of_one_another(sandbox: Bubblewrap) -> None:
    counting = (
        "import os\nassert not os.path.exists('seen.txt')\nopen('seen.txt', 'w').write('x')\n"
        "print(sum(map(int, open(0).read().split()[1:])))"
    )
    assert reason_of(sandbox, "python", counting) == PASSED


def test_deep_recursion_in_python_is_allowed_where_it_is_asked_for(sandbox: Bubblewrap) -> None:
    deep = (
        "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(2**27)\n"
        "def down(n):\n    return 0 if n == 0 else 1 + down(n - 1)\n"
        "def main():\n    down(100000)\n    print(sum(map(int, open(0).read().split()[1:])))\n"
        "t = threading.Thread(target=main)\nt.start()\nt.join()"
    )
    assert reason_of(sandbox, "python", deep) == PASSED
    on_the_main_stack = (
        "import sys\nsys.setrecursionlimit(10**6)\n"
        "def down(n):\n    return 0 if n == 0 else 1 + down(n - 1)\n"
        "print(sum(map(int, open(0).read().split()[1:])) + down(50000) - 50000)"
    )
    assert reason_of(sandbox, "python", on_the_main_stack) == PASSED


JAVA = (
    "import java.util.*;\nclass Adder {\n    public static void main(String[] args) {\n"
    "        Scanner in = new Scanner(System.in);\n        int n = in.nextInt(); long s = 0;\n"
    "        while (n-- > 0) s += in.nextLong();\n        System.out.println(s);\n    }\n}\n"
)
SCRIPT = (
    "const v = require('fs').readFileSync('/dev/stdin', 'utf8').split(/\\s+/).map(Number);\n"
    "console.log(v.slice(1, v[0] + 1).reduce((a, b) => a + b, 0));\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "code"), [("java", JAVA), ("javascript", SCRIPT)])
def test_other_languages_are_judged_where_they_are_found(
    language: str, code: str, sandbox: Bubblewrap
) -> None:
    if (problem := sandbox.problem(language)) is not None:
        pytest.skip(problem)
    assert reason_of(sandbox, language, code) == PASSED
    assert reason_of(
        sandbox, language, code.replace("(s)", "(s + 1)").replace("a + b", "a - b")
    ) == ("wrong_output")
