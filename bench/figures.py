"""The figures of `make bench-sampling`: each function takes one round's measurements of one kind.

Clients run in processes of their own against simulated teachers in theirs; tokens paid, whole and
doubled completions come from the servers' logs, not from what a client says of itself.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.batching import ReplicaModel
from bench.completions import draw
from bench.fleet import ROOT, Server, fleet, truth
from bench.measured_client import ClientJob, ClientResult, question, seeds_of
from bench.omniscient import omniscient

Values = dict[str, float]
COMPLETION_BYTES = 23_000
INTERVAL = 512  # as in the R1 recipe
LONGEST_RUN_S = 1_800.0
# The mix of faults that the public tools were measured with.
FAULTS = {"server_error": 0.02, "reset_before_headers": 0.01, "reset_mid_body": 0.01,
          "stuck": 0.01, "invalid_json": 0.01}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the measurements are. `share` is of the fleet, two replicas 2:1."""

    completions: int = 20_000
    in_flight: int = 256
    prompts: int = 1_000
    share: float = 1.0
    speed_up: float = 200.0
    killed_prompts: int = 200
    killed_share: float = 0.125
    killed_speed_up: float = 100.0
    memory_in_flight: int = 2_000
    stored: int = 200_000
    rounds: int = 3


QUICK = Scale(200, 256, 40, 0.125, 400.0, 40, 0.0625, 200.0, 100, 400, 1)


def cpu(scale: Scale) -> Values:
    """CPU seconds per 1,000 completions of 23 kB from a server without latency."""
    values: Values = {}
    with fleet(
        [ReplicaModel()], instant=True, completion_bytes=COMPLETION_BYTES, no_metrics=True
    ) as servers:
        for client, stream in [("bare", False), ("ours", False), ("bare", True), ("ours", True)]:
            recipe = {"n_min": 1, "n_max": 1, "in_flight": scale.in_flight, "stream": stream,
                      "stream_interval": INTERVAL}  # fmt: skip
            places = [(servers[0].url, scale.in_flight)]
            result = run(ClientJob(client, places, scale.completions, recipe, grades=False))
            name = f"{client}{'_streamed' if stream else ''}"
            values[name] = 1_000 * result.cpu_s / scale.completions
    return values


def saturation(scale: Scale) -> Values:
    """A fixed n=4 over two unequal replicas, theirs and ours, with and without faults, and
    adaptive sampling of the same prompts."""
    models = _two(scale.share)
    lengths, best = _limit(scale.prompts, scale.share)
    values = {"omniscient": best}
    peak = sum(model.peak_tokens_per_s for model in models)
    fixed = _recipe(scale.speed_up, keep=4, n_min=4, n_max=4, in_flight=_start(models))
    adaptive = {**fixed, "keep": 1, "n_min": 1}
    runs = [("bare", "bare", fixed, {}), ("ours", "ours", fixed, {}),
            ("adaptive", "ours", adaptive, {}), ("faults", "ours", fixed, FAULTS)]  # fmt: skip
    for name, client, recipe, faults in runs:
        with fleet(models, speed_up=scale.speed_up, **faults) as servers:
            result = run(
                ClientJob(client, _places(servers), scale.prompts, recipe, speed_up=scale.speed_up)
            )
            log = truth(servers)
        expected = sum(lengths)
        values |= {
            f"{name}_saturation": log.tokens / (log.span_s * peak),
            f"{name}_wall_s": result.wall_s,
            f"{name}_tokens_per_accepted": log.tokens / max(1, result.accepted_prompts),
            f"{name}_undecided": scale.prompts - result.prompts_decided + result.errors,
            f"{name}_lost": len(lengths) - log.whole,
            f"{name}_doubled": log.doubled,
            f"{name}_excess": log.tokens / expected - 1,
            f"{name}_met": sum(result.faults.values()),
            f"{name}_cores": result.cpu_s / result.wall_s,
            f"{name}_wall_tokens_per_s": log.tokens / result.wall_s,
        }
    return values


@cache
def _limit(prompts: int, share: float) -> tuple[list[int], float]:
    """The lengths of four samples of each prompt, and the saturation that can be had."""
    lengths = [
        min(drawn.tokens, drawn.cap)
        for number in range(prompts)
        for seed in seeds_of(number, 4)
        if (drawn := draw(question(number), seed))
    ]
    return lengths, omniscient(lengths, _two(share)).saturation


def client_killed(scale: Scale) -> Values:
    """SIGKILL of the client when half of all completions are out, then the same command again."""
    models, job, expected = _kill_case(scale)
    with fleet(models, speed_up=scale.killed_speed_up) as servers, _folder() as folder:
        job = ClientJob(
            "ours", _places(servers), job.prompts, job.recipe, str(folder / "samples"), job.speed_up
        )
        with _started(job, folder) as process:
            _wait_until(lambda: _whole(servers) >= job.prompts / 2, process)
            process.kill()
        _wait_until(lambda: not any(s.stats(False)["running"] for s in servers))
        in_flight = truth(servers).aborted_tokens
        run(job, folder)
        log = truth(servers)
    return {
        "excess": log.tokens / expected - 1,
        "in_flight": in_flight / expected,
        "doubled": log.doubled,
        "lost": job.prompts - log.whole,
    }


def replica_killed(scale: Scale) -> Values:
    """SIGKILL of the larger of two replicas when half of all completions are out."""
    models, job, expected = _kill_case(scale)
    with fleet(models, speed_up=2 * scale.killed_speed_up) as servers, _folder() as folder:
        job = ClientJob(
            "ours", _places(servers), job.prompts, job.recipe, str(folder / "samples"), job.speed_up
        )
        with _started(job, folder) as process:
            _wait_until(lambda: _whole(servers) >= job.prompts / 2, process)
            servers[0].kill()
            in_flight = truth(servers[:1]).stats[0]["under_way"]
            _result(process)
        log = truth(servers)
    return {
        "excess": log.tokens / expected - 1,
        "in_flight": in_flight / expected,
        "doubled": log.doubled,
        "lost": job.prompts - log.whole,
        "strange": sum(s["strange_continuations"] for s in log.stats),
    }


def memory(scale: Scale) -> Values:
    """Peak memory with many completions of 32k tokens in flight, all ending at once."""
    count = scale.memory_in_flight
    model = ReplicaModel(1e9, 0.0, 40.0, count, 10**9)
    speed_up = 40_000 / count  # what two cores can carry
    recipe = _recipe(speed_up, n_min=1, n_max=1, in_flight=count)
    with fleet([model], speed_up=speed_up, completion_bytes=4 * 32_768, no_metrics=True) as servers:
        result = run(ClientJob("ours", [(servers[0].url, count)], count, recipe))
    return {"peak_bytes": float(result.peak_rss_bytes)}


def resume(scale: Scale) -> Values:
    """Seconds from typing the command to its first request, with all prompts but one done."""
    prompts = scale.stored // 4
    recipe = _recipe(1.0, keep=4, n_min=4, n_max=4, in_flight=64)
    with fleet([ReplicaModel()], instant=True, no_metrics=True) as servers, _folder() as folder:
        stored = ClientJob("store", [], prompts, recipe, str(folder / "samples"))
        run(stored, folder)
        job = ClientJob("ours", _places(servers), prompts + 1, recipe, stored.folder)
        started_s = servers[0].stats(False)["now_s"]  # at speed 1: seconds of the wall
        run(job, folder)
        log = truth(servers)
    seconds = log.stats[0]["first_request_s"] - started_s
    to_end_s = log.stats[0]["now_s"] - started_s
    return {"seconds": seconds, "to_end_s": to_end_s, "asked": log.whole}


def run(job: ClientJob, folder: Path | None = None) -> ClientResult:
    """Do the job in a process of its own; raises RuntimeError with what it said if it fails."""
    with _folder() as own:
        folder = folder or own
        if not job.folder:
            job = ClientJob(**{**asdict(job), "folder": str(folder / "samples")})
        with _started(job, folder) as process:
            return _result(process)


@contextmanager
def _started(job: ClientJob, folder: Path) -> Iterator[subprocess.Popen[str]]:
    path = folder / "job.json"
    path.write_text(json.dumps(asdict(job)), encoding="utf-8")
    command = [sys.executable, "-m", "bench.measured_client", str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _result(process: subprocess.Popen[str]) -> ClientResult:
    said, errors = process.communicate(timeout=LONGEST_RUN_S)
    if process.returncode:
        raise RuntimeError(f"the client ended with {process.returncode}:\n{errors[-3_000:]}")
    return ClientResult(**json.loads(said))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-sampling-") as name:
        yield Path(name)


def _wait_until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    until_s = time.monotonic() + LONGEST_RUN_S
    while not true():
        if time.monotonic() > until_s:
            raise RuntimeError("waited for nothing")
        if process and process.poll() is not None:
            _result(process)
            raise RuntimeError("the client ended before half of all completions were out")
        time.sleep(0.02)


def _two(share: float) -> list[ReplicaModel]:
    return [ReplicaModel().scaled(share), ReplicaModel().scaled(share / 2)]


def _places(servers: Sequence[Server]) -> list[tuple[str, int]]:
    return [(server.url, server.model.max_num_seqs) for server in servers]


def _start(models: Sequence[ReplicaModel]) -> int:
    """One window to start from for all replicas: as many places in all as there are."""
    return max(1, sum(model.max_num_seqs for model in models) // len(models))


def _recipe(speed_up: float, **more: Any) -> dict[str, Any]:
    """Times of the recipe's defaults, turned as fast as the teacher's."""
    times = {"stall_timeout_s": 300 / speed_up, "retry_wait_s": 0.5 / speed_up}
    return {**times, "stream_interval": INTERVAL, **more}


def _whole(servers: Sequence[Server]) -> int:
    return sum(int(server.stats(False)["whole"]) for server in servers)


def _kill_case(scale: Scale) -> tuple[list[ReplicaModel], ClientJob, int]:
    """A small fleet, one sample a prompt, and the tokens of an unbroken run."""
    models = _two(scale.killed_share)
    recipe = _recipe(scale.killed_speed_up, n_min=1, n_max=1, in_flight=_start(models))
    drawn = [draw(question(n), seeds_of(n, 1)[0]) for n in range(scale.killed_prompts)]
    job = ClientJob("ours", [], scale.killed_prompts, recipe, speed_up=scale.killed_speed_up)
    return models, job, sum(min(d.tokens, d.cap) for d in drawn)
