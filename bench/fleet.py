"""Simulated teachers as processes of their own, started for one measurement and ended after it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench.batching import ReplicaModel

ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class Server:
    """A running simulated teacher, and its last log where it was killed."""

    url: str
    process: subprocess.Popen[str]
    model: ReplicaModel
    last: dict[str, Any] | None = None

    def stats(self, samples: bool = True) -> dict[str, Any]:
        """Ground truth; the last there was of one that was killed."""
        if self.last is not None:
            return self.last
        return self._call(f"stats?samples={int(samples)}")

    def admin(self, what: str, **body: Any) -> dict[str, Any]:
        """POST /admin/<what>."""
        return self._call(what, body)

    def kill(self) -> None:
        """It dies at once, and says before what it has done."""
        self.last = self.admin("kill")
        self.process.wait(10)

    def _call(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        url = self.url.removesuffix("/v1") + f"/admin/{what}"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer


@contextmanager
def fleet(models: Sequence[ReplicaModel], **flags: Any) -> Iterator[list[Server]]:
    """Servers of these models, each with the same flags (`speed_up=200`, `stuck=0.01`, …)."""
    with ExitStack() as stack:
        yield [stack.enter_context(_server(m, salt, flags)) for salt, m in enumerate(models)]


@contextmanager
def _server(model: ReplicaModel, salt: int, flags: dict[str, Any]) -> Iterator[Server]:
    of_model = {field.name: getattr(model, field.name) for field in fields(model)}
    command = [sys.executable, "-m", "bench.simulated_teacher"]
    for name, value in {**of_model, **flags, "salt": salt}.items():
        flag = "--" + name.replace("_", "-")
        command += [flag] if value is True else [flag, str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            yield Server(json.loads(process.stdout.readline())["url"], process, model)
        finally:
            process.kill()


@dataclass(frozen=True, slots=True)
class Truth:
    """What all servers together have done, by their own logs."""

    tokens: int
    span_s: float  # simulated, from the first request to the last whole completion
    whole: int  # distinct samples that went out whole
    doubled: int  # of them, more than once
    aborted_tokens: int
    stats: list[dict[str, Any]]


def truth(servers: Sequence[Server]) -> Truth:
    """Add the servers' logs up. Canaries, which have no seed, are left out."""
    stats = [server.stats() for server in servers]
    whole: dict[str, int] = {}
    canaries = 0
    for one in stats:
        for key, (_, tokens, times) in one["samples"].items():
            if key.endswith("--1"):
                canaries += tokens
            else:
                whole[key] = whole.get(key, 0) + times
    spans = [s["last_whole_s"] - s["first_request_s"] for s in stats if s["last_whole_s"]]
    return Truth(
        tokens=sum(s["tokens"] for s in stats) - canaries,
        span_s=max(spans, default=0.0),
        whole=sum(times > 0 for times in whole.values()),
        doubled=sum(times > 1 for times in whole.values()),
        aborted_tokens=sum(s["aborted_tokens"] for s in stats),
        stats=stats,
    )
