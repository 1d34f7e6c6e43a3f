"""A small OpenAI-compatible server for tests: it answers at once, keeps a log, and can go wrong.

It holds no model and runs no code: what it says comes from a function of the prompt and seed.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[str, int], str]
# What to do with the n-th request of a (prompt, seed), n from 0: None answers, else a fault's name.
# The seed of a canary is -1.
FaultPlan = Callable[[str, int, int], str | None]


def think_and_answer(prompt: str, seed: int) -> str:
    """The default answer: tagged, and different for every prompt and seed."""
    return f"<think>\nabout {prompt}\n</think>\n\n\\boxed{{{seed}}}"


@dataclass
class SimulatedTeacher:
    """Its answers, its faults, and the log of all it was asked.

    `log` holds (prompt, seed) of each generation request but canaries, `sent` those whose
    completion went out whole, `dropped` those whose client went away first.
    """

    model: str = "sim"
    owner: str = "vllm"
    answer: Answer = think_and_answer
    fault: FaultPlan = lambda prompt, seed, nth: None
    split_reasoning: bool = False
    finish_reason: str = "stop"
    log: list[tuple[str, int]] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)
    dropped: list[tuple[str, int]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    down: bool = False
    canaries: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._asked: Counter[tuple[str, int]] = Counter()
        self._now = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        body = await request.json()
        self.bodies.append(body)
        prompt, seed = body["messages"][-1]["content"], body.get("seed")
        is_canary = seed is None
        self.canaries += is_canary
        if self.down:
            return web.Response(status=503, text="no engine")
        if body["model"] != self.model:
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        nth = self._asked[prompt, seed]
        self._asked[prompt, seed] += 1
        if not is_canary:
            self.log.append((prompt, seed))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            response = await self._respond(
                request, body, self.fault(prompt, -1 if is_canary else seed, nth)
            )
            if not is_canary and response.status == 200:
                self.sent.append((prompt, seed))
            return response
        except (asyncio.CancelledError, ConnectionError):
            self.dropped.append((prompt, seed))
            raise
        finally:
            self._now -= 1

    async def _respond(
        self, request: web.Request, body: dict[str, Any], fault: str | None
    ) -> web.StreamResponse:
        text = self.answer(body["messages"][-1]["content"], body.get("seed") or 0)
        if fault in ("429", "400", "401", "500", "503"):
            headers = {"Retry-After": "0.02"} if fault == "429" else {}
            return web.json_response(
                {"error": f"fault {fault}"}, status=int(fault), headers=headers
            )
        if fault == "reset":
            assert request.transport
            request.transport.abort()
            await asyncio.Event().wait()
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "html":
            return web.Response(text="<html><h1>Bad gateway</h1></html>", content_type="text/html")
        if fault == "invalid_json":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        if fault == "empty_choices":
            return web.json_response({"choices": []})
        if body.get("stream"):
            return await self._stream(request, text, fault)
        return web.json_response({
            "choices": [{"message": self._said(text), "finish_reason": self.finish_reason}],
            "usage": self._usage(text),
        })  # fmt: skip

    async def _stream(
        self, request: web.Request, text: str, fault: str | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first, second = self._halves(text)

        async def event(data: Any) -> None:
            await response.write(b"data: " + json.dumps(data).encode() + b"\n\n")

        await event({"choices": [{"delta": {"role": "assistant"} | first}]})
        if fault == "stuck":
            await asyncio.Event().wait()
        if fault == "kept_awake":
            while True:
                await response.write(b": ping\n\n")
                await asyncio.sleep(0.02)
        if fault == "broken_stream":
            await event({"error": {"message": "EngineDeadError"}})
            return response
        if fault == "short_stream":
            return response
        await event({"choices": [{"delta": second, "finish_reason": self.finish_reason}]})
        await event({"choices": [], "usage": self._usage(text)})
        await response.write(b"data: [DONE]\n\n")
        return response

    def _said(self, text: str) -> dict[str, Any]:
        if not self.split_reasoning:
            return {"role": "assistant", "content": text}
        reasoning, _, content = text.removeprefix("<think>\n").partition("\n</think>\n\n")
        return {"role": "assistant", "reasoning": reasoning, "content": content or None}

    def _halves(self, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
        said = self._said(text)
        if self.split_reasoning:
            return {"reasoning": said["reasoning"]}, {"content": said["content"]}
        half = len(text) // 2
        return {"content": text[:half]}, {"content": text[half:]}

    def _usage(self, text: str) -> dict[str, int]:
        return {"prompt_tokens": 7, "completion_tokens": max(1, len(text) // 4)}

    async def models(self, request: web.Request) -> web.Response:
        """GET /v1/models."""
        return web.json_response({"data": [{"id": self.model, "owned_by": self.owner}]})

    def app(self) -> web.Application:
        """The server's routes."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self.handle)
        app.router.add_get("/v1/models", self.models)
        return app


@contextmanager
def serving(teacher: SimulatedTeacher, port: int = 0) -> Iterator[SimulatedTeacher]:
    """Run it on a free port in a thread of its own; `teacher.url` is set on entry."""
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def live() -> None:
        runner = web.AppRunner(teacher.app(), handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        teacher.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
        ready.set()
        await stopped.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the simulated teacher did not start")
    try:
        yield teacher
    finally:
        stop[0]()
        thread.join(10)
