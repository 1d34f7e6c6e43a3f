"""The schedules: prefect.yaml fits the flows, and `stillhouse serve` runs them and ends clean."""

import contextlib
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.schedule import POOL, PORT_VARIABLE, prefect_environment, serve_locally
from prompts.errors import PrerequisiteError
from teacher.supervise import _descendants as descendants

ROOT = Path(__file__).parent.parent
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS = pytest.mark.parametrize(
    "deployment", CONFIG["deployments"], ids=[each["name"] for each in CONFIG["deployments"]]
)


@DEPLOYMENTS
def test_a_deployment_names_a_flow_and_parameters_that_fit_it(deployment: dict[str, Any]) -> None:
    from prefect import Flow

    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    assert isinstance(flow, Flow)
    assert set(deployment["parameters"]) <= set(flow.parameters.properties)
    assert flow.validate_parameters(deployment["parameters"])


@DEPLOYMENTS
def test_a_deployment_has_a_valid_schedule_and_the_pool(deployment: dict[str, Any]) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    assert deployment["work_pool"]["name"] == POOL
    assert [CronSchedule(**schedule) for schedule in deployment["schedules"]]


@DEPLOYMENTS
def test_a_deployment_has_no_limit_that_a_killed_run_would_hold(deployment: dict[str, Any]) -> None:
    assert "concurrency_limit" not in deployment


def test_the_environment_names_this_server_and_sends_nothing_out() -> None:
    found = prefect_environment("http://h:1", {"PREFECT_API_URL": "http://other/api", "A": "b"})
    assert found["PREFECT_API_URL"] == "http://h:1/api"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["DO_NOT_TRACK"] == "1"
    assert found["A"] == "b"


def test_a_taken_port_names_the_server_of_prefect_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv(PORT_VARIABLE, str(other.getsockname()[1]))
        with pytest.raises(PrerequisiteError, match=r"Prefect's server.*PREFECT_SERVER_API_PORT"):
            serve_locally()


@pytest.mark.parametrize("text", ["many", "-1", "65536"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(PORT_VARIABLE, text)
    with pytest.raises(PrerequisiteError, match="is no port"):
        serve_locally()


def test_without_prefect_yaml_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PrerequisiteError, match=r"no prefect\.yaml"):
        serve_locally()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_serve_schedules_and_runs_the_flows_and_leaves_nothing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "prefect.yaml", tmp_path)
    with served(tmp_path) as (process, api, log):
        await_(lambda: "Worker" in log.read_text() and "started!" in log.read_text(), log)
        deployed = {each["name"]: each for each in post(api, "deployments/filter", {})}
        assert set(deployed) == {each["name"] for each in CONFIG["deployments"]}
        for each in CONFIG["deployments"]:
            assert deployed[each["name"]]["parameters"] == each["parameters"]
        planned = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        await_(
            lambda: (
                {each["deployment_id"] for each in post(api, "flow_runs/filter", planned)}
                == {each["id"] for each in deployed.values()}
            ),
            log,
        )
        run = post(api, f"deployments/{deployed['weekly']['id']}/create_flow_run", {})
        await_(lambda: get(api, f"flow_runs/{run['id']}")["state_type"] == "COMPLETED", log)
        assert list(tmp_path.glob("runs/default-*/1-prompts/train.parquet"))
        assert " keep + " in log.read_text()
        started = descendants(process.pid)
        assert len(started) >= 4  # two supervisors, server, worker
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=300) == 0
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


# The command, with patience for the server's first start: on a busy machine it took 90 s.
SERVE = """
import flows.schedule
flows.schedule.START_LIMIT_S = 400
from flows.cli import main
main()
"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str, Path]]:
    """`stillhouse serve` in a folder with a Prefect home of its own; its API's URL and its log."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "serve.log"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "home"),
        PORT_VARIABLE: str(port),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "serve"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, f"http://127.0.0.1:{port}/api", log
    finally:
        process.terminate()
        process.wait(timeout=120)


def await_(condition: Callable[[], bool], log: Path, limit_s: float = 400) -> None:
    """Until the condition holds; the log's end if it does not."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.2)


def get(api: str, path: str) -> Any:
    return ask(urllib.request.Request(f"{api}/{path}"))


def post(api: str, path: str, body: dict[str, Any]) -> Any:
    headers = {"content-type": "application/json"}
    return ask(urllib.request.Request(f"{api}/{path}", json.dumps(body).encode(), headers))


def ask(request: urllib.request.Request) -> Any:
    """The answer; a 503 (SQLite is busy) is asked again, as Prefect's own client does."""
    for _ in range(20):
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.5)
    raise AssertionError(f"503 again and again: {request.full_url}")
