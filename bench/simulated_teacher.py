"""An OpenAI-compatible server that behaves as vLLM with R1 does, for tests and benchmarks.

`python -m bench.simulated_teacher --port 0` prints one JSON line with its url when it listens;
`with serving(Settings(…)) as teacher` runs it on a thread.
"""

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from typing import Any, TypeVar

from aiohttp import web

from bench.batching import ReplicaModel
from bench.broken_answers import reset
from bench.faults import Faults
from bench.openai_server import Settings, SimulatedTeacher

__all__ = ["Faults", "ReplicaModel", "RunningTeacher", "Settings", "serving"]

T = TypeVar("T")


class RunningTeacher:
    """A simulated teacher on a thread of its own. `url` ends in /v1; all methods are thread-safe.

    `kill` breaks every connection and stops listening, `revive` listens again on the same port:
    the log goes on.
    """

    def __init__(self, settings: Settings, port: int) -> None:
        self.url = ""
        self._settings, self._port = settings, port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def start(self) -> None:
        """Return when it listens; raises RuntimeError if it does not."""
        self._thread.start()
        if not self._ready.wait(30) or not self.url:
            raise RuntimeError("the simulated teacher did not start")

    def stop(self) -> None:
        """End it and its thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def stats(self) -> dict[str, Any]:
        """Ground truth, as GET /admin/stats has it."""
        return self._on_loop(self.teacher.stats)

    def change(self, **faults: float) -> None:
        """Set faults by name."""
        self._on_loop(lambda: self.teacher.change(faults))

    def hang(self, silent: bool = False) -> None:
        """Generate nothing any more; `silent`: answer nothing at all."""
        self._on_loop(lambda: self.teacher.hang(True, silent))

    def resume(self) -> None:
        """Go on after `hang`."""
        self._on_loop(lambda: self.teacher.hang(False))

    def forget(self) -> None:
        """A fresh log."""
        self._on_loop(self.teacher.forget)

    def kill(self) -> None:
        """As if the process had died."""
        asyncio.run_coroutine_threadsafe(self._kill(), self._loop).result(10)

    def revive(self) -> None:
        """Listen again."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def _on_loop(self, do: Callable[[], T]) -> T:
        async def call() -> T:
            return do()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    async def _live(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self.teacher = SimulatedTeacher(self._settings)
        self.teacher.on_kill = self._die
        try:
            await self._listen()
        finally:
            self._ready.set()
        await self._stopped.wait()
        await self._runner.cleanup()

    async def _listen(self) -> None:
        self._runner = await listen(self.teacher, self._port)
        self._port = port_of(self._runner)
        self.url = f"http://127.0.0.1:{self._port}/v1"

    def _die(self) -> None:
        self._dying = self._loop.create_task(self._kill())

    async def _kill(self) -> None:
        for site in list(self._runner.sites):
            await site.stop()
        if self._runner.server:
            for connection in self._runner.server.connections:
                if connection.transport:
                    reset(connection.transport)
        await self._runner.cleanup()
        self.teacher.hang(False)


@contextmanager
def serving(settings: Settings | None = None, port: int = 0) -> Iterator[RunningTeacher]:
    """Run one on a free port in a thread of its own."""
    teacher = RunningTeacher(settings or Settings(), port)
    teacher.start()
    try:
        yield teacher
    finally:
        teacher.stop()


async def listen(teacher: SimulatedTeacher, port: int) -> web.AppRunner:
    """Serve it on 127.0.0.1; a client that goes away cancels its handler, as in vLLM."""
    runner = web.AppRunner(
        teacher.app(), handler_cancellation=True, shutdown_timeout=0.05, access_log=None
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4_096).start()
    return runner


def port_of(runner: web.AppRunner) -> int:
    """The port it listens on."""
    port: int = runner.addresses[0][1]
    return port


def settings_from(arguments: Sequence[str]) -> tuple[Settings, int]:
    """Settings and port from the command line; a fault's flag is its name."""
    parser = argparse.ArgumentParser(prog="bench.simulated_teacher", description=__doc__)
    replica, settings, faults = ReplicaModel(), Settings(), Faults()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--instant", action="store_true", help="answer at once")
    parser.add_argument("--completion-bytes", type=int, help="size of all completions")
    for name in ("model", "owner", "speed_up", "median_tokens", "max_model_len", "salt",
                 "stream_interval"):  # fmt: skip
        _add(parser, name, getattr(settings, name))
    parser.add_argument("--no-metrics", action="store_true", help="a server without /metrics")
    for field in fields(ReplicaModel):
        _add(parser, field.name, getattr(replica, field.name))
    for field in fields(Faults):
        _add(parser, field.name, getattr(faults, field.name))
    given = parser.parse_args(arguments)
    return Settings(
        model=given.model,
        owner=given.owner,
        replica=ReplicaModel(**{f.name: getattr(given, f.name) for f in fields(ReplicaModel)}),
        speed_up=given.speed_up,
        median_tokens=given.median_tokens,
        completion_bytes=given.completion_bytes,
        instant=given.instant,
        max_model_len=given.max_model_len,
        stream_interval=given.stream_interval,
        metrics=not given.no_metrics,
        salt=given.salt,
        faults=Faults(**{f.name: getattr(given, f.name) for f in fields(Faults)}),
    ), given.port


def _add(parser: argparse.ArgumentParser, name: str, default: Any) -> None:
    flag = "--" + name.replace("_", "-")
    if isinstance(default, bool):
        parser.add_argument(flag, action="store_true")
    else:
        parser.add_argument(flag, type=type(default), default=default)


async def _serve(settings: Settings, port: int) -> None:
    teacher = SimulatedTeacher(settings)
    runner = await listen(teacher, port)
    url = f"http://127.0.0.1:{port_of(runner)}/v1"
    print(json.dumps({"url": url, "model": settings.model}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended."""
    settings, port = settings_from(sys.argv[1:])
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, port))


if __name__ == "__main__":
    main()
