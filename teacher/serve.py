"""Starts vLLM as a process of ours, waits until it is healthy, and never leaves it behind."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from prompts.errors import PrerequisiteError, RunError
from teacher import supervise
from teacher.ports import HOST, choose_port
from teacher.processor import computes_bfloat16

POLL_S = 0.5
TAIL_LINES = 20

# Told every few seconds while the server starts: seconds so far, last line of its log.
OnWait = Callable[[float, str], None]


class ServeRecipe(BaseModel):
    """How to start the teacher's server; `extra_args` go to vLLM as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(0, ge=0, le=65535, description="port on 127.0.0.1; 0 picks a free one")
    max_model_len: int = Field(2048, ge=64, description="prompt + completion tokens a request")
    max_num_seqs: int = Field(128, ge=1, le=4096, description="requests decoded together")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        "bfloat16",
        description="type of weights and activations; float32 on processors without bfloat16",
    )
    enforce_eager: bool = Field(
        True, description="no compilation: ready in 30 s instead of 126 s on two cores"
    )
    kv_cache_gib: int = Field(2, ge=1, description="KV cache of the CPU build, whole GiB")
    extra_args: tuple[str, ...] = Field((), description="further vLLM arguments")
    environment: dict[str, str] = Field({}, description="further environment of the server")
    python: Path | None = Field(
        None, description="python of the vLLM environment; default .venv-vllm, see vllm_python"
    )
    startup_timeout_s: float = Field(600.0, gt=0, description="until /health answers")
    stop_grace_s: float = Field(15.0, ge=0, description="between SIGTERM and SIGKILL")


@dataclass(frozen=True)
class Server:
    """A running server; `url` has no trailing slash and no /v1."""

    url: str
    pid: int
    log: Path
    supervisor: "subprocess.Popen[bytes]"
    log_start_bytes: int

    def dead(self) -> str | None:
        """Why the server is gone, with the tail of its log; None while it lives."""
        code = self.supervisor.poll()
        if code is None:
            return None
        tail = log_tail(self.log, self.log_start_bytes)
        return f"the teacher's server (pid {self.pid}) {_ended(code)}; end of {self.log}:\n{tail}"


@contextmanager
def serving(
    model: str | Path,
    served_name: str,
    settings: ServeRecipe,
    log: Path,
    on_wait: OnWait = lambda _elapsed_s, _line: None,
) -> Iterator[Server]:
    """Serve the model with vLLM for as long as the block runs.

    Healthy is not enough: ask the server for a canary generation before you trust it. On leaving
    the block, for whatever reason, even a SIGKILL of this process, the server's whole process
    tree ends. Raises PrerequisiteError if there is no vLLM or the port is taken (nothing has been
    started), RunError with the end of the log if the server dies or is not healthy in time.
    """
    python = vllm_python(settings)
    port = choose_port(settings.port)
    command = server_command(python, model, served_name, settings, port)
    environment = server_environment(python, model, settings, os.environ)
    with supervised(command, environment, log, f"http://{HOST}:{port}", settings) as server:
        await_health(server, served_name, settings.startup_timeout_s, on_wait)
        yield server


def server_command(
    python: Path, model: str | Path, served_name: str, settings: ServeRecipe, port: int
) -> list[str]:
    """The command line; `python -m` because the CPU build's `vllm` script does not work."""
    return [
        *(str(python), "-m", "vllm.entrypoints.openai.api_server"),
        *("--host", HOST, "--port", str(port)),
        *("--model", str(model), "--served-model-name", served_name),
        *("--dtype", _dtype(python, settings)),
        *("--max-model-len", str(settings.max_model_len)),
        *("--max-num-seqs", str(settings.max_num_seqs)),
        *(["--enforce-eager"] if settings.enforce_eager else []),
        "--no-enable-log-requests",
        "--disable-uvicorn-access-log",
        *settings.extra_args,
    ]


def _dtype(python: Path, settings: ServeRecipe) -> str:
    """The recipe's, unless the CPU build would compute it number by number, 60 times slower."""
    return "float32" if is_cpu_build(python) and not computes_bfloat16() else settings.dtype


def server_environment(
    python: Path, model: str | Path, settings: ServeRecipe, base: Mapping[str, str]
) -> dict[str, str]:
    """The server's environment: ours, without what belongs to our own Python, plus settings."""
    kept = {k: v for k, v in base.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    ours = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_ENGINE_READY_TIMEOUT_S": str(int(settings.startup_timeout_s)),
        # Ray's default of 10 s ends an engine that compiles or loads for longer.
        "RAY_CGRAPH_get_timeout": "300",
    }
    if Path(model).is_dir():
        ours |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if is_cpu_build(python):
        ours |= cpu_environment(python, settings.kv_cache_gib)
    return kept | ours | settings.environment


def cpu_environment(python: Path, kv_cache_gib: int) -> dict[str, str]:
    """What the CPU build needs: OpenMP on every core but the first, and its fast libraries.

    The engine process spins on shared memory while it waits for its worker, a whole core; with
    OpenMP on that core too, every parallel region waits for a thread that is not scheduled
    (two cores, other work running: 200 tokens/s on both, 292 on one; 389 with libiomp5).
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    worker_cores = ",".join(map(str, cores[1:] or cores))
    system = Path("/usr/lib").glob("*-linux-gnu/libtcmalloc_minimal.so.4")
    fast = [*sorted(system)[:1], *python.parent.parent.glob("lib/libiomp5.so")]
    return {
        "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gib),
        "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        **({"VLLM_CPU_OMP_THREADS_BIND": worker_cores} if cores else {}),
        **({"LD_PRELOAD": ":".join(map(str, fast))} if fast else {}),
    }


def vllm_python(settings: ServeRecipe) -> Path:
    """The Python that has vLLM: the recipe's, $STILLHOUSE_VLLM_PYTHON, or .venv-vllm's.

    Raises PrerequisiteError if none of them is there.
    """
    given = settings.python or os.environ.get("STILLHOUSE_VLLM_PYTHON")
    project = Path(__file__).resolve().parent.parent
    places = [Path.cwd(), project]
    found = [Path(given)] if given else [p / ".venv-vllm" / "bin" / "python" for p in places]
    for python in found:
        # A set-up that was stopped half-way has a Python and no vLLM.
        if python.exists() and (given or _has_vllm(python)):
            return python.absolute()
    raise PrerequisiteError(
        f"no Python with vLLM at {', '.join(str(p) for p in dict.fromkeys(found))}. Run "
        "`make setup`, or set STILLHOUSE_VLLM_PYTHON to one; a model that is served already needs "
        "none: give its address"
    )


def _has_vllm(python: Path) -> bool:
    return any(python.parent.parent.glob("lib/python*/site-packages/vllm*.dist-info"))


def is_cpu_build(python: Path) -> bool:
    """Whether the environment of that Python holds the CPU build of vLLM (`vllm-cpu`)."""
    return any(python.parent.parent.glob("lib/python*/site-packages/vllm_cpu-*.dist-info"))


@contextmanager
def supervised(
    command: list[str], environment: dict[str, str], log: Path, url: str, settings: ServeRecipe
) -> Iterator[Server]:
    """Run any server command under the supervisor; its output is appended to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    grace_s = settings.stop_grace_s
    watcher = [sys.executable, "-I", "-S", supervise.__file__, str(grace_s), str(os.getpid())]
    with log.open("ab") as output:
        start_bytes = output.tell()
        process = subprocess.Popen(
            [*watcher, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment,
            # A Ctrl-C in the terminal is ours to handle; the server is stopped in order.
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        pid = int(process.stdout.readline() or 0)
        yield Server(url, pid, log, process, start_bytes)
    finally:
        stop(process, grace_s)


def stop(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Hang up on the supervisor and wait until it has ended everything it started."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    # A child that this process forked may still hold the pipe open: say it in another way too.
    process.terminate()
    try:
        process.wait(timeout=grace_s + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_health(server: Server, served_name: str, timeout_s: float, on_wait: OnWait) -> None:
    """Return when /health answers and the server is ours; raises RunError with its log else."""
    begin = time.monotonic()
    while not _healthy(server.url):
        elapsed_s = time.monotonic() - begin
        if (why := server.dead()) is not None:
            raise RunError(f"the teacher died while starting: {why}")
        tail = log_tail(server.log, server.log_start_bytes)
        if elapsed_s > timeout_s:
            raise RunError(
                f"the teacher was not healthy after {elapsed_s:.0f} s "
                f"(serve.startup_timeout_s); end of {server.log}:\n{tail}"
            )
        on_wait(elapsed_s, tail.rpartition("\n")[2])
        time.sleep(min(POLL_S, 0.05 + elapsed_s / 10))
    names = served_models(server.url)
    if served_name not in names:
        raise RunError(f"{server.url} serves {names}, not {served_name!r}: another server's port?")


def served_models(url: str) -> list[str]:
    """The model names that an OpenAI-compatible server lists; raises RunError if it does not."""
    try:
        with _open(f"{url}/v1/models") as reply:
            return [str(model["id"]) for model in json.load(reply)["data"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{url}/v1/models does not list models: {error}") from error


def log_tail(log: Path, start_bytes: int = 0, lines: int = TAIL_LINES) -> str:
    """The last lines of the log, none older than this start of the server."""
    with log.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(start_bytes, size - 65536))
        text = handle.read().decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])


def _healthy(url: str) -> bool:
    try:
        with _open(f"{url}/health") as reply:
            return bool(reply.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _open(url: str):  # type: ignore[no-untyped-def]
    # A proxy set for the outside world must not stand between us and localhost.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, timeout=5)


def _ended(code: int) -> str:
    return f"was ended by signal {code - 128}" if code > 128 else f"exited with code {code}"
