"""A local Prefect server and worker with the deployments of prefect.yaml, until Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from flows.progress import say
from prompts.errors import PrerequisiteError, RunError
from teacher import supervise
from teacher.ports import HOST, choose_port
from teacher.serve import stop

POOL = "stillhouse"
PORT = 4200
PORT_VARIABLE = "PREFECT_SERVER_API_PORT"  # Prefect's own
START_LIMIT_S = 300
GRACE_S = 15
# One flow at a time. Prefect's own concurrency_limit would count a run that was killed for ever,
# and no later one would start; the worker's limit counts living processes.
WORKER = ["worker", "start", "--pool", POOL, "--type", "process", "--limit", "1"]

Process = subprocess.Popen[bytes]


def serve_locally() -> None:
    """Start the server, deploy prefect.yaml, run a worker; Ctrl-C or SIGTERM ends all three.

    However this process ends, server, worker and the worker's flows end with it. Raises
    PrerequisiteError without a prefect.yaml or with the port taken, RunError if a part dies.
    """
    if not Path("prefect.yaml").is_file():
        raise PrerequisiteError("no prefect.yaml here: run this in the project's folder")
    port = choose_port(_asked_port(), "Prefect's server", f"the environment's {PORT_VARIABLE}")
    url = f"http://{HOST}:{port}"
    environment = prefect_environment(url, os.environ)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    say(f"serve     starting Prefect's server at {url}")
    with (
        contextlib.suppress(KeyboardInterrupt),
        _running(["server", "start", "--host", HOST, "--port", str(port)], environment) as server,
    ):
        _await_server(url, server)
        _deploy(environment)
        with _running(WORKER, environment) as worker:
            say(f"serve     {url} shows flows and schedules; Ctrl-C ends server and worker")
            try:
                _watch(server, worker)
            finally:
                _end_flows(worker)
    say("serve     server and worker have ended; schedules rest until the next `make serve`")


def prefect_environment(url: str, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of server, worker and flows: this server, no telemetry, prints as logs."""
    return {
        # What stages print also appears on the flow run's page, unless the user says otherwise.
        "PREFECT_LOGGING_LOG_PRINTS": "true",
        **base,
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _asked_port() -> int:
    text = os.environ.get(PORT_VARIABLE) or str(PORT)
    if not text.isdecimal() or int(text) > 65535:
        raise PrerequisiteError(f"{PORT_VARIABLE}={text!r} is no port; give a number up to 65535")
    return int(text)


def _deploy(environment: Mapping[str, str]) -> None:
    """Register the deployments; they need their work pool, which a new database does not have."""
    missing = _prefect(["work-pool", "inspect", POOL], environment).returncode != 0
    words = [["work-pool", "create", POOL, "--type", "process"]] if missing else []
    for command in [*words, ["deploy", "--all"]]:
        done = _prefect(command, environment)
        if done.returncode != 0:
            raise RunError(
                f"`prefect {' '.join(command)}` ended with code {done.returncode}:\n{done.stdout}"
            )
    say("serve     deployed prefect.yaml")


def _command(words: list[str]) -> list[str]:
    # Without --no-prompt a terminal is asked which profile to change.
    return [sys.executable, "-m", "prefect", "--no-prompt", *words]


def _prefect(
    words: list[str], environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(words),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@contextlib.contextmanager
def _running(words: list[str], environment: Mapping[str, str]) -> Iterator[Process]:
    """A Prefect process for as long as the block runs, under the supervisor that vLLM has."""
    watcher = [sys.executable, "-I", "-S", supervise.__file__, str(GRACE_S), str(os.getpid())]
    process = subprocess.Popen(
        [*watcher, *_command(words)],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A Ctrl-C in the terminal is ours: worker first, then the server it reports to.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process, GRACE_S)


def _await_server(url: str, server: Process) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < START_LIMIT_S:
        if server.poll() is not None:
            raise RunError(f"the Prefect server ended with code {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/api/health", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
    raise RunError(f"the Prefect server did not answer within {START_LIMIT_S} s")


def _watch(server: Process, worker: Process) -> None:
    """Until one of the two ends by itself, which is a fault; Ctrl-C leaves here too."""
    while True:
        for name, process in (("server", server), ("worker", worker)):
            if process.poll() is not None:
                raise RunError(f"the Prefect {name} ended with code {process.returncode}")
        time.sleep(0.5)


def _end_flows(worker: Process) -> None:
    """SIGTERM to the worker's flows, so that they stop vLLM and the server notes their end.

    The worker by itself would leave them to the supervisor's SIGKILL, shown as running for ever.
    """
    flows = [flow for child in _children(worker.pid) for flow in _children(child)]
    for flow in flows:
        with contextlib.suppress(ProcessLookupError):
            os.kill(flow, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while any(Path(f"/proc/{flow}").exists() for flow in flows) and time.monotonic() < deadline:
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    """Pids of a process's children; none where /proc does not tell."""
    with contextlib.suppress(OSError):
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
