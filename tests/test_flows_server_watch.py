"""Prefect's temporary server ends with the command that started it, however that ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.server_watch import servers

PROJECT = Path(__file__).resolve().parent.parent
LINUX = Path("/proc/self/environ").exists()
pytestmark = pytest.mark.skipif(not LINUX, reason="processes are looked up in /proc")

# A command that has two servers: its own, and one that says it is nobody's.
COMMAND = """
import os, subprocess, sys, time
from flows.prefect_settings import prefect_quietly
os.environ.pop("PREFECT_API_URL", None)
prefect_quietly()
prefect_quietly()
words = [sys.executable, "-c", "import time; time.sleep(600)"]
server = [*words, "prefect.server.api.server:create_app"]
nobodys = {**os.environ, "STILLHOUSE_COMMAND": "nobody's"}
started = [subprocess.Popen(server), subprocess.Popen(server, env=nobodys), subprocess.Popen(words)]
print(*(process.pid for process in started), os.environ["STILLHOUSE_COMMAND"], flush=True)
sys.stdin.readline()
"""
FLOW = """
import os, signal, sys
os.environ.pop("PREFECT_API_URL", None)
signal.signal(signal.SIGTERM, signal.default_int_handler)
from flows.prefect_settings import prefect_quietly
prefect_quietly()
from prefect import flow
@flow
def waiting():
    print(os.environ["STILLHOUSE_COMMAND"], flush=True)
    sys.stdin.readline()
try:
    waiting()
except KeyboardInterrupt:
    sys.exit(130)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], timeout_s: float = 300) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@contextlib.contextmanager
def command(code: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A Python process in the project's folder, and the words of its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, None])
def test_a_commands_server_ends_with_it_and_no_other_process_does(number: int | None) -> None:
    with command(COMMAND) as (process, words):
        *pids, token = words
        own, nobodys, another = map(int, pids)
        try:
            assert until(lambda: list(servers(token)) == [own])
            if number is None:
                assert process.stdin is not None
                process.stdin.close()
                assert process.wait(300) == 0
            else:
                process.send_signal(number)
            assert until(lambda: not alive(own))
            assert alive(nobodys)
            assert alive(another)
        finally:
            for pid in (own, nobodys, another):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_prefects_own_server_is_known_and_does_not_outlive_a_killed_flow(tmp_path: Path) -> None:
    pytest.importorskip("prefect")
    with command(FLOW, PREFECT_HOME=str(tmp_path)) as (process, (token,)):
        found = list(servers(token))
        assert len(found) == 1
        process.kill()
        assert until(lambda: not alive(found[0]))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_ends_the_flow_first_and_then_its_server(
    number: int, tmp_path: Path
) -> None:
    """As a terminal's Ctrl-C, `timeout` and batch systems send them."""
    pytest.importorskip("prefect")
    with command(FLOW, PREFECT_HOME=str(tmp_path)) as (process, (token,)):
        (server,) = servers(token)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert until(lambda: not alive(server))
