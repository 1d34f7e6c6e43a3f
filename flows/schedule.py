"""A local Prefect server and worker with the deployments of prefect.yaml, until Ctrl-C."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from flows.progress import say
from prompts.errors import PrerequisiteError, RunError
from teacher.ports import HOST, choose_port

POOL = "stillhouse"
PORT = 4200
START_LIMIT_S = 90


def serve_locally() -> None:
    """Start the server, deploy prefect.yaml, run a worker; Ctrl-C ends all three."""
    if not Path("prefect.yaml").is_file():
        raise PrerequisiteError("no prefect.yaml here: run this in the project's folder")
    url = f"http://{HOST}:{choose_port(PORT)}"
    environment = {
        **os.environ,
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    server = _start(["server", "start", "--host", HOST, "--port", str(PORT)], environment)
    try:
        _await_server(url, server)
        _run(["--no-prompt", "deploy", "--all"], environment)
        say(f"serve     {url} shows flows and schedules; Ctrl-C ends server and worker")
        worker = _start(["worker", "start", "--pool", POOL, "--type", "process"], environment)
        try:
            worker.wait()
        finally:
            _stop(worker)
    finally:
        _stop(server)


def _prefect(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


def _start(words: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(_prefect(words), env=dict(environment))


def _run(words: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(_prefect(words), env=dict(environment), check=False)
    if done.returncode != 0:
        raise RunError(f"`prefect {' '.join(words)}` ended with code {done.returncode}")


def _await_server(url: str, server: "subprocess.Popen[bytes]") -> None:
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


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
