"""What a program can and cannot do inside the sandbox."""

import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from filters.sandbox import bubblewrap, going, launch
from filters.sandbox.backend import (
    Limits,
    Program,
    Ran,
    Run,
    SandboxFailedError,
    SandboxUnavailableError,
)
from filters.sandbox.bubblewrap import Bubblewrap, here_launch
from filters.sandbox.compiling import compile_with

QUICK = Limits(cpu_s=0.2, wall_s=4.0)


def run_alone(sandbox: Bubblewrap, source: str, limits: Limits = QUICK) -> Ran:
    executable = sandbox.compile(Program("python", source)).executable
    assert executable is not None
    return sandbox.run(Run(executable, limits=limits))


def printed(sandbox: Bubblewrap, source: str, limits: Limits = QUICK) -> str:
    ran = run_alone(sandbox, source, limits)
    assert (ran.status, ran.exit_code) == ("exited", 0), ran
    return ran.stdout.decode().strip()


def test_a_program_runs(sandbox: Bubblewrap) -> None:
    assert sandbox.problem() is None
    assert printed(sandbox, "print(6 * 7)") == "42"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/passwd",
        "/root",
        "/home",
        "/var",
        os.getcwd(),
        __file__,
    ],
)
def test_the_host_cannot_be_read(sandbox: Bubblewrap, path: str) -> None:
    assert printed(sandbox, f"import os; print(os.path.exists({path!r}))") == "False"


@pytest.mark.parametrize("what", ["environ", "mem", "maps", "fd/3", "root/usr", "cwd/x"])
def test_the_one_who_watches_cannot_be_looked_at(sandbox: Bubblewrap, what: str) -> None:
    code = f"try: print(open('/proc/1/{what}', 'rb').read(1))\nexcept OSError: print('refused')"
    assert printed(sandbox, code) == "refused"


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_input_has_its_usual_names(sandbox: Bubblewrap, path: str) -> None:
    executable = sandbox.compile(Program("python", f"print(open('{path}').read())")).executable
    assert executable is not None
    assert sandbox.run(Run(executable, b"42", limits=QUICK)).stdout == b"42\n"


@pytest.mark.parametrize("path", ["/usr/x", "/x", "/dev/x", "/dev/shm/x", "/bin/x"])
def test_nothing_outside_tmp_can_be_written(sandbox: Bubblewrap, path: str) -> None:
    code = f"try: open({path!r}, 'w')\nexcept OSError: print('refused')"
    assert printed(sandbox, code) == "refused"


def test_tmp_is_private_and_limited(sandbox: Bubblewrap) -> None:
    code = (
        "import os\nprint(os.listdir('/tmp'))\ntry:\n"
        "    for n in range(1000): open(f'/tmp/{n}', 'wb').write(b'x' * (1 << 20))\n"
        "except OSError: print('full')"
    )
    assert printed(sandbox, code) == "['solution.py']\nfull"


def test_the_environment_is_ours_alone(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    assert "hunter2" not in printed(sandbox, "import os; print(dict(os.environ))")


def test_no_descriptor_is_inherited(sandbox: Bubblewrap) -> None:
    code = (
        "import os\nfound = []\nfor fd in range(3, 64):\n"
        "    try: os.fstat(fd); found.append(fd)\n    except OSError: pass\nprint(found)"
    )
    with open(__file__) as held:
        os.set_inheritable(held.fileno(), True)
        assert printed(sandbox, code) == "[]"


def test_there_is_no_network(sandbox: Bubblewrap) -> None:
    code = (
        "import socket\nfor place in (('127.0.0.1', 22), ('192.0.2.1', 80)):\n"
        "    try: socket.create_connection(place, timeout=1)\n"
        "    except OSError as error: print('refused')"
    )
    assert printed(sandbox, code) == "refused\nrefused"


def test_no_further_user_namespace_can_be_had(sandbox: Bubblewrap) -> None:
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.unshare(0x10000000))"  # CLONE_NEWUSER
    )
    if not here_launch().no_userns:
        pytest.skip("this bubblewrap cannot forbid user namespaces")
    assert printed(sandbox, code) == "-1"


def test_other_processes_are_not_there(sandbox: Bubblewrap) -> None:
    code = "import os\ntry: os.kill(-1, 0)\nexcept OSError: print('alone')\nprint(os.getppid())"
    assert printed(sandbox, code) == "alone\n1"


@pytest.mark.parametrize("number", [2, 9, 11, 15, 19, 34])
def test_no_signal_reaches_the_one_who_watches(sandbox: Bubblewrap, number: int) -> None:
    code = f"import os, time\nos.kill(1, {number})\ntime.sleep(0.05)\nprint('sent')"
    assert printed(sandbox, code) == "sent"
    assert printed(sandbox, "print('next')") == "next"


def test_the_time_of_children_nobody_waits_for_counts(sandbox: Bubblewrap) -> None:
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(3):\n    if os.fork() == 0:\n        while True: pass\n"
        "time.sleep(60)"
    )
    ran = run_alone(sandbox, code, Limits(cpu_s=0.1, wall_s=30.0))
    assert (ran.status, ran.wall_s < 20) == ("time_limit", True), ran


def test_a_fork_bomb_ends_and_leaves_nothing(sandbox: Bubblewrap) -> None:
    mark = "bomb-7f3a"
    code = f"import os\nmark = {mark!r}\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    ran = run_alone(sandbox, code, Limits(cpu_s=0.2, wall_s=1.5))
    assert ran.status == "time_limit" or ran.exit_code != 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _running(mark):
        time.sleep(0.02)
    assert not _running(mark)


def test_a_daemon_does_not_outlive_its_sandbox(sandbox: Bubblewrap) -> None:
    code = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    os.close(1); os.close(2)\n"
        "    while True: time.sleep(1)\nprint('started')"
    )
    ran = run_alone(sandbox, code, Limits(cpu_s=0.2, wall_s=60.0))
    assert (ran.status, ran.stdout, ran.wall_s < 30) == ("exited", b"started\n", True), ran


def test_processes_are_counted_unless_we_must_run_as_root(sandbox: Bubblewrap) -> None:
    code = (
        "import os, time\nn = 0\ntry:\n    while n < 200:\n        if os.fork() == 0:\n"
        "            time.sleep(60)\n"
        "        n += 1\nexcept OSError: pass\nprint(n, flush=True)\nos._exit(0)"
    )
    if os.geteuid() == 0 and not here_launch().as_nobody:
        pytest.skip("running as root with a Python outside /usr: the kernel does not count")
    assert int(run_alone(sandbox, code).stdout) <= QUICK.processes


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("while True: print('x' * 10000)", "output_limit"),
        ("import time; time.sleep(60)", "time_limit"),
        ("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)", "time_limit"),
    ],
)
def test_endless_programs_are_ended(sandbox: Bubblewrap, code: str, status: str) -> None:
    assert run_alone(sandbox, code, Limits(cpu_s=0.2, wall_s=1.0)).status == status


def test_memory_is_limited(sandbox: Bubblewrap) -> None:
    code = "try: x = bytearray(1 << 31)\nexcept MemoryError: print('no')"
    assert printed(sandbox, code) == "no"


def test_missing_bubblewrap_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    here_launch.cache_clear()
    try:
        with Bubblewrap(1) as backend:
            assert "apt-get install bubblewrap" in (backend.problem() or "")
            with pytest.raises(SandboxUnavailableError):
                run_alone(backend, "print(1)")
    finally:
        here_launch.cache_clear()


def test_another_python_than_the_systems_works(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_SYSTEM_PYTHON", "/nowhere/python3")
    here_launch.cache_clear()
    try:
        with Bubblewrap(1) as backend:
            assert here_launch().python != "/usr/bin/python3"
            assert printed(backend, "import json; print(json.dumps([2]))") == "[2]"
    finally:
        here_launch.cache_clear()


def test_a_sandbox_that_dies_is_replaced_and_the_run_done_again(sandbox: Bubblewrap) -> None:
    with Bubblewrap(1) as backend:
        assert printed(backend, "print(1)") == "1"
        (only,) = backend._alive
        only.kill()
        assert printed(backend, "print(2)") == "2"
        assert only not in backend._alive


def test_a_sandbox_that_dies_again_and_again_is_nobodys_fault(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going, "ENVIRONMENT", {"PATH": 7})
    with Bubblewrap(1) as backend, pytest.raises(SandboxFailedError, match="twice"):
        backend.run(Run(bubblewrap.Executable("c", ("/bin/true",), ())))


def test_a_run_may_be_asked_for_from_a_thread_that_ends(sandbox: Bubblewrap) -> None:
    with Bubblewrap(1) as backend:
        thread = threading.Thread(target=printed, args=(backend, "print(1)"))
        thread.start()
        thread.join()
        (only,) = backend._alive
        assert printed(backend, "print(2)") == "2"
        assert backend._alive == {only}


def test_closing_ends_what_is_at_work(sandbox: Bubblewrap) -> None:
    backend, errors = Bubblewrap(1), []

    def sleep() -> None:
        try:
            run_alone(backend, "import time; time.sleep(60)", Limits(wall_s=60))
        except SandboxFailedError as error:
            errors.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    while not any(each.runs for each in backend._alive):
        time.sleep(0.01)
    backend.close()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert "closed" in str(errors[0])


def test_the_end_of_a_client_is_the_end_of_its_sandboxes(sandbox: Bubblewrap) -> None:
    code = (
        "import os, sys, threading, time\n"
        "from filters.sandbox.bubblewrap import Bubblewrap\n"
        "from filters.sandbox.backend import *\n"
        "b = Bubblewrap(1)\n"
        "e = b.compile(Program('python', 'import time; time.sleep(60)')).executable\n"
        "threading.Thread(target=b.run, args=(Run(e, limits=Limits(wall_s=60)),)).start()\n"
        "while not b._alive: time.sleep(0.01)\n"
        "time.sleep(0.5); print(next(iter(b._alive)).pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid, deadline = int(ended.stdout), time.monotonic() + 60
    while time.monotonic() < deadline and os.path.exists(f"/proc/{pid}"):
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize(
    ("code", "exit_code", "stdout", "stderr"),
    [
        ("print('a'); exit(3)", 3, "a\n", ""),
        ("import sys; sys.exit('bad')", 1, "", "bad\n"),
        ("import sys; sys.stdout.write('no newline')", 0, "no newline", ""),
        ("import atexit; atexit.register(print, 'last'); print('first')", 0, "first\nlast\n", ""),
        (
            "import threading, time\n"
            "threading.Thread(target=lambda: (time.sleep(.05), print('late'))).start()",
            0,
            "late\n",
            "",
        ),
        ("if __name__ == '__main__': print(__file__)", 0, "solution.py\n", ""),
        ("import __main__; x = 5; print(__main__.x)", 0, "5\n", ""),
        ("raise SystemExit", 0, "", ""),
        ("import sys; print(1); sys.stdout.close()", 0, "1\n", ""),
        ("import sys; print(1); sys.stdout.flush(); sys.stdout = None", 0, "1\n", ""),
        ("out = open(1, 'w'); out.write('42')", 0, "42", ""),
        ("import os; out = os.fdopen(1, 'wb', 1 << 20); out.write(b'42')", 0, "42", ""),
        ("import sys, io; o = sys.stdout; sys.stdout = io.StringIO(); o.write('4')", 0, "4", ""),
        ("class A: pass\na = A(); a.a = a; a.o = open(1, 'w'); a.o.write('42')", 0, "42", ""),
        ("import sys; sys.mine = open(1, 'w'); sys.mine.write('42')", 0, "42", ""),
        ("class A:\n    def __del__(self): print('gone')\na = A()", 0, "gone\n", ""),
        ("import os; os.write(1, b'raw\\n'); print('then')", 0, "raw\nthen\n", ""),
        ("print(10**5000 > 0, len(str(10**5000)))", 0, "True 5001\n", ""),
        ("def f(n): return n and 1 + f(n - 1)\nprint(f(990))", 0, "990\n", ""),
    ],
)
def test_a_python_program_runs_as_python_runs_it(
    sandbox: Bubblewrap, code: str, exit_code: int, stdout: str, stderr: str
) -> None:
    ran = run_alone(sandbox, code)
    told = (ran.exit_code, ran.stdout.decode(), ran.stderr.decode())
    assert told == (exit_code, stdout, stderr)


@pytest.mark.parametrize(
    "code",
    [
        "#include <iostream>\nusing namespace std;\nint size = 42;\nint main() { cout << size; }",
        "#include <iostream>\nint main() { char *s = new char[9]; std::cin >> s; std::cout << s; }",
    ],
)
def test_programs_of_earlier_standards_compile(sandbox: Bubblewrap, code: str) -> None:
    executable = sandbox.compile(Program("cpp", code)).executable
    assert executable is not None
    assert sandbox.run(Run(executable, b"42")).stdout == b"42"


def test_a_small_limit_is_not_met_by_our_own_memory(sandbox: Bubblewrap) -> None:
    code = '#include <stdio.h>\nint main(void) { puts("42"); return 0; }'
    executable = sandbox.compile(Program("c", code)).executable
    assert executable is not None
    assert sandbox.run(Run(executable, limits=Limits(memory_bytes=4 << 20))).status == "exited"


def test_a_traceback_shows_the_program_alone(sandbox: Bubblewrap) -> None:
    stderr = run_alone(sandbox, "def f():\n    return 1 / 0\nf()").stderr.decode()
    assert stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "solution.py" in stderr
    assert "filters" not in stderr


def test_what_is_no_python_is_told_before_it_runs(sandbox: Bubblewrap) -> None:
    ran = run_alone(sandbox, "print(1)\ndef f(:")
    assert (ran.status, ran.stdout) == ("compile_error", b"")
    assert b"SyntaxError" in ran.stderr


def test_two_programs_talk(sandbox: Bubblewrap) -> None:
    first = "print(1, flush=True)\nassert input() == '2'\nprint(3, flush=True)"
    second = (
        "assert input() == '1'\nprint(2, flush=True)\nassert input() == '3'\n"
        "open('x', 'w').write('ok')"
    )
    runs = []
    for code, returned in ((first, ()), (second, ("x",))):
        executable = sandbox.compile(Program("python", code)).executable
        assert executable is not None
        runs.append(Run(executable, limits=QUICK, returned=returned))
    one, other = sandbox.converse(runs[0], runs[1])
    assert (one.exit_code, other.exit_code) == (0, 0), (one, other)
    assert other.files == (("x", b"ok"),)


def test_the_end_of_one_is_the_end_of_input_for_the_other(sandbox: Bubblewrap) -> None:
    left = sandbox.compile(Program("python", "pass")).executable
    right = sandbox.compile(Program("python", "import sys; sys.stdin.read()")).executable
    assert left is not None
    assert right is not None
    one, other = sandbox.converse(Run(left, limits=QUICK), Run(right, limits=QUICK))
    assert (one.status, other.status) == ("exited", "exited")


def _running(mark: str) -> bool:
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(mark in line for line in listing.stdout.splitlines())


def test_more_descriptors_than_select_takes_are_no_matter(sandbox: Bubblewrap) -> None:
    code = (
        "import os, resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n"
        "held = [os.open('/dev/null', os.O_RDONLY) for _ in range(1100)]\n"
        "from filters.sandbox.bubblewrap import Bubblewrap\n"
        "with Bubblewrap(1) as backend: print(backend.problem())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == "None\n", ran.stderr


def test_who_sleeps_has_not_starved(sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going, "_STARVED", 1e-9)  # any time waited for a core
    code = "import time; time.sleep(60)"
    ran = run_alone(sandbox, code, Limits(cpu_s=0.2, wall_s=0.1))
    assert (ran.status, ran.starved) == ("time_limit", False)


def test_who_starves_is_given_more_patience(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = going.specification
    waits: list[float] = []

    def watched(*args: Any) -> dict[str, Any]:
        waits.append(args[1].wall_s)
        return spec(*args)

    monkeypatch.setattr(going, "_STARVED", 0.0)  # as if all of its time went by in waiting
    monkeypatch.setattr(going, "specification", watched)
    code = "import time; time.sleep(1.1); print(1)"  # the wall limit is 1 s in Python, then 3
    ran = run_alone(sandbox, code, Limits(cpu_s=0.2, wall_s=0.1))
    assert (ran.status, len(waits)) == ("exited", 2)


def test_a_compiler_that_another_hand_killed_says_nothing_of_the_program() -> None:
    said = b"g++: fatal error: Killed signal terminated program cc1plus"
    with pytest.raises(SandboxFailedError, match="killed"):
        compile_with(lambda _: Ran("exited", 1, b"", said), Program("cpp", "int main() {}"))


def test_a_kill_counts_for_the_program_unless_the_machine_ran_out_of_memory(
    sandbox: Bubblewrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    assert run_alone(sandbox, code).exit_code == -9
    kills = iter((sandbox._kills + 1, sandbox._kills + 1))
    monkeypatch.setattr(bubblewrap, "oom_kills", lambda: next(kills))
    assert run_alone(sandbox, code).exit_code == -9
    assert next(kills, None) is None, "the first kill was put down to the machine, and done again"
    sandbox._kills -= 1
