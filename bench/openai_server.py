"""The simulated teacher's routes: what vLLM answers, from a batch in simulated time, with faults.

Ground truth and switches are under /admin. It holds no model and runs no code.
"""

import asyncio
import os
import signal
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bench import completions, wire
from bench.batching import ReplicaModel
from bench.broken_answers import close_and_stay, failed, reset_and_stay
from bench.completions import TOKEN_CHARACTERS, Drawn
from bench.faults import MID_COMPLETION, Faults
from bench.live_batch import LiveBatch, LiveJob
from bench.metrics import metrics_text
from bench.server_log import SampleLog, ServerLog
from bench.wire import Answer, Wanted

NO_SEED = -1
# What to do with the n-th request of a (prompt, seed), n from 0: a fault's name or None.
Plan = Callable[[str, int, int], str | None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a simulated teacher is like.

    `completion_bytes`: all completions have that size; `instant`: they come at once.
    """

    model: str = "sim"
    owner: str = "vllm"
    replica: ReplicaModel = field(default_factory=ReplicaModel)
    speed_up: float = 1.0
    median_tokens: int = 4_000
    completion_bytes: int | None = None
    instant: bool = False
    max_model_len: int = 40_960
    stream_interval: int = 1
    metrics: bool = True
    salt: int = 0
    faults: Faults = field(default_factory=Faults)
    plan: Plan | None = None


@dataclass(slots=True)
class _Work:
    """One request being answered."""

    wanted: Wanted
    entry: SampleLog
    drawn: Drawn
    total: int  # tokens it may have
    finish_reason: str
    fault: str | None
    breaks_at: int
    job: LiveJob | None = None
    made: int = 0

    def text(self, start: int, stop: int) -> str:
        """The text of its tokens from `start` to `stop`."""
        said = len(self.wanted.partial)
        first, last = said + TOKEN_CHARACTERS * start, said + TOKEN_CHARACTERS * stop
        return self.drawn.text(first, min(last, TOKEN_CHARACTERS * self.drawn.cap))


class SimulatedTeacher:
    """One server's state and its handlers; made inside the loop that serves it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.faults = settings.faults
        self.live = LiveBatch(settings.replica, settings.speed_up)
        self.log = ServerLog()
        self.on_kill: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)
        self._hangs = False
        self._silent = False
        self._apply_speed()

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application(client_max_size=2**28, middlewares=[self._silence])
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._text)
        app.router.add_get("/admin/stats", self._admin_stats)
        app.router.add_post("/admin/{what}", self._admin)
        return app

    def stats(self, samples: bool = True) -> dict[str, Any]:
        """Ground truth so far; tokens of requests `under_way` count in `tokens` only."""
        batch = self.live.now()
        now_s = self.live.now_s()
        tokens = self.log.tokens + self._under_way()
        self.log.read(now_s, tokens)
        stats = self.log.as_json() | {
            "now_s": now_s,
            "busy_s": batch.busy_s,
            "tokens": tokens,
            "under_way": self._under_way(),
            "running": len(batch.running),
            "waiting": len(batch.waiting),
            "preemptions": batch.preemptions,
        }
        if samples:
            stats["samples"] = {
                key: [entry.attempts, entry.tokens, entry.whole]
                for key, entry in self.log.samples.items()
            }
        return stats

    def change(self, changes: dict[str, Any]) -> None:
        """Set faults by name. Raises ValueError."""
        self.faults = self.faults.changed(changes)
        self._apply_speed()

    def hang(self, hangs: bool, silent: bool = False) -> None:
        """Generate nothing any more, /health green; `silent`: answer nothing at all."""
        self._hangs, self._silent = hangs, hangs and silent
        self._apply_speed()

    def forget(self) -> None:
        """A fresh log."""
        self.log = ServerLog()

    def _apply_speed(self) -> None:
        self.live.set_speed(0.0 if self._hangs else 1.0 / max(self.faults.slow, 1e-9))

    def _under_way(self) -> int:
        batch = self.live.batch
        return sum(batch.generated(job) for job in [*batch.running, *batch.waiting])

    @web.middleware
    async def _silence(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        if self._silent and not request.path.startswith("/admin"):
            await asyncio.Event().wait()
        response: web.StreamResponse = await handler(request)
        return response

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, request: web.Request) -> web.Response:
        settings = self.settings
        return web.json_response(
            wire.served_model(settings.model, settings.owner, settings.max_model_len)
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        if not self.settings.metrics:
            raise web.HTTPNotFound
        batch = self.live.now()
        self.log.read(self.live.now_s(), self.log.tokens + self._under_way())
        text = metrics_text(self.settings.model, batch, self.log.tokens + self._under_way())
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _tokenize(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(
                wire.tokenized(await request.json(), self.settings.max_model_len)
            )
        except (KeyError, TypeError, ValueError) as error:
            return _refused(repr(error))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, wire.chat_wanted)

    async def _text(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, wire.text_wanted)

    async def _answer(
        self, request: web.Request, read: Callable[[dict[str, Any]], Wanted]
    ) -> web.StreamResponse:
        """Answer a generation request, or fail it as the faults have it."""
        try:
            wanted = read(await request.json())
        except (KeyError, TypeError, ValueError, struct.error) as error:
            return _refused(repr(error))
        if wanted.model != self.settings.model:
            message = f"The model `{wanted.model}` does not exist."
            return web.json_response(wire.error(message, "NotFoundError", 404), status=404)
        room = self.settings.max_model_len - wanted.prompt_tokens
        if (wanted.max_tokens or 1) > room:
            return _refused(
                f"This model's maximum context length is {self.settings.max_model_len} tokens. "
                f"However, you requested {wanted.max_tokens} output tokens and your prompt "
                f"contains {wanted.prompt_tokens} input tokens."
            )
        work = self._work(wanted, room)
        if work.fault:
            self.log.faults[work.fault] += 1
        if work.fault and work.fault not in MID_COMPLETION:
            self.log.ended(work.entry, 0, False, self.live.now_s())
            return await failed(request, work.fault, self.faults.retry_after_s)
        return await self._carry_out(request, work)

    def _work(self, wanted: Wanted, room: int) -> _Work:
        """What there is to do, and what will go wrong with it."""
        seed = NO_SEED if wanted.seed is None else wanted.seed
        key = completions.sample_key(wanted.prompt, seed)
        self.log.canaries += wanted.seed is None
        entry = self.log.request(key, None if wanted.seed is None else self.live.now_s())
        if self.settings.completion_bytes:
            drawn = completions.of_size(wanted.prompt, seed, self.settings.completion_bytes)
        else:
            drawn = completions.draw(wanted.prompt, seed, self.settings.median_tokens)
        self._note(wanted, drawn)
        most = TOKEN_CHARACTERS * min(drawn.tokens, drawn.cap) - len(wanted.partial)
        natural = -(-max(0, most) // TOKEN_CHARACTERS)
        total = min(natural, wanted.max_tokens or room)
        ends = total == natural and drawn.tokens <= drawn.cap
        fault, share = self._fault(wanted, key, entry.attempts - 1)
        finish = "stop" if ends else "length"
        return _Work(wanted, entry, drawn, total, finish, fault, max(1, round(share * total)))

    def _note(self, wanted: Wanted, drawn: Drawn) -> None:
        if wanted.partial:
            self.log.continuations += 1
            is_ours = drawn.text(0, len(wanted.partial)) == wanted.partial
            self.log.strange_continuations += not is_ours

    def _fault(self, wanted: Wanted, key: str, attempt: int) -> tuple[str | None, float]:
        if self.faults.fail_all:
            return "fail_all", 0.0
        kind, share = self.faults.of(key, attempt, self.settings.salt)
        if self.settings.plan:
            seed = NO_SEED if wanted.seed is None else wanted.seed
            return self.settings.plan(wanted.prompt, seed, attempt), share
        return (None if wanted.seed is None else kind), share

    async def _carry_out(self, request: web.Request, work: _Work) -> web.StreamResponse:
        """Generate; however it ends, the tokens are booked."""
        whole = False
        if not self.settings.instant:
            interval = max(work.wanted.interval, self.settings.stream_interval)
            breaks = work.fault == "stuck" or (work.fault and work.wanted.stream)
            total = work.breaks_at if breaks else work.total
            work.job = LiveJob(
                work.wanted.prompt_tokens, total, interval if work.wanted.stream else 1 << 30
            )
            self.live.add(work.job)
        try:
            number = self.log.requests
            if work.wanted.stream:
                response, whole = await self._stream(request, work, Answer(work.wanted, number))
            else:
                response, whole = await self._whole(request, work, Answer(work.wanted, number))
            return response
        finally:
            tokens = self.live.remove(work.job) if work.job else work.made
            self.log.ended(work.entry, tokens, whole, self.live.now_s())

    async def _progress(self, work: _Work) -> AsyncIterator[int]:
        """The count of tokens each time there are more to tell of, up to all or to the break."""
        job, interval = work.job, max(work.wanted.interval, self.settings.stream_interval)
        if not job:
            limit = work.breaks_at if work.fault else work.total
            for count in (*range(1, limit, interval), limit):
                yield count
                await asyncio.sleep(0)  # the other connections' turn
            return
        while True:
            await job.told.wait()
            job.told.clear()
            yield job.generated
            if job.generated >= job.total:
                return

    async def _stream(
        self, request: web.Request, work: _Work, answer: Answer
    ) -> tuple[web.StreamResponse, bool]:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        head = answer.first()
        async for count in self._progress(work):
            sent, work.made = work.made, count
            if work.fault and count >= work.breaks_at:
                break  # what was made since the last event is lost
            finish = work.finish_reason if count >= work.total else None
            await response.write(head + answer.part(work.text(sent, count), finish, count))
            head = b""
        if work.fault == "stuck":
            await self._stay_stuck(work)
        if work.fault == "reset_mid_body":
            await reset_and_stay(request)
        if work.fault == "invalid_json":
            await response.write(b'data: {"choices": [{"delta": {"cont\n\n')
        if not work.fault:
            await response.write(answer.last(work.total))
        await response.write_eof()
        return response, not work.fault

    async def _whole(
        self, request: web.Request, work: _Work, answer: Answer
    ) -> tuple[web.StreamResponse, bool]:
        if work.job:
            while work.job.generated < work.job.total:
                await work.job.told.wait()
                work.job.told.clear()
        work.made = work.total
        if work.fault == "stuck":
            await self._stay_stuck(work)
        body = answer.whole(work.text(0, work.total), work.finish_reason, work.total)
        if work.fault == "invalid_json":
            body = body[: len(body) // 2]
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        if work.fault in ("reset_mid_body", "truncated_body"):
            await response.write(body[: len(body) // 2])
            await (
                reset_and_stay(request)
                if work.fault == "reset_mid_body"
                else close_and_stay(request)
            )
        await response.write_eof(body)
        return response, not work.fault

    async def _stay_stuck(self, work: _Work) -> None:
        """No more tokens, the place is free again, the connection stays open."""
        if work.job:
            self.live.remove(work.job)
        await asyncio.Event().wait()

    async def _admin_stats(self, request: web.Request) -> web.Response:
        return web.json_response(self.stats(request.query.get("samples", "1") != "0"))

    async def _admin(self, request: web.Request) -> web.Response:
        """POST /admin/{faults, hang, resume, forget, kill}; kill answers with the last stats."""
        what = request.match_info["what"]
        body = await request.json() if request.can_read_body else {}
        try:
            if what == "faults":
                self.change(body)
            elif what in ("hang", "resume"):
                self.hang(what == "hang", bool(body.get("silent")))
            elif what == "forget":
                self.forget()
            elif what == "kill":
                self.hang(True)
                asyncio.get_running_loop().call_later(0.01, self.on_kill)
            else:
                raise web.HTTPNotFound
        except ValueError as error:
            return _refused(str(error))
        return web.json_response(self.stats(what == "kill"))


def _refused(message: str) -> web.Response:
    return web.json_response(wire.error(message, "BadRequestError", 400), status=400)
