"""Adaptive rejection sampling: ask, journal, grade, and ask again only while there is a need."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prompts.record import Prompt
from teacher.client import Call, Completion, Fault, FaultKind, Messages
from teacher.journal import Journal, storable
from teacher.parse import Parts, split_completion
from teacher.progress import Meter, SamplingProgress, SamplingSummary
from teacher.replicas import Pool, Replica, Slot, time_s
from teacher.sample import Sample, sample_id
from teacher.schedule import Schedule

__all__ = [
    "Ask",
    "SamplingProgress",
    "SamplingRecipe",
    "SamplingSummary",
    "open_pool",
    "sample_prompts",
]

Accept = Callable[[Prompt, Sample], Awaitable[bool | None]]

# "Come later" and "nobody there" use no attempt up, but a sample is not sent round for ever.
UNPAID_PER_ATTEMPT = 20
LONGEST_RETRY_WAIT_S = 30.0
# Completions may wait for their verdict, but memory is finite.
UNGRADED_PER_PLACE = 4
REGRADED_AT_ONCE = 64


class SamplingRecipe(BaseModel):
    """How prompts are sampled. `keep`, `n_min`, `n_max`: see Schedule; n_min = n_max is fixed n."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: int = Field(1, ge=1, le=1_000, description="accepted samples wanted of a prompt")
    n_min: int = Field(1, ge=1, le=1_000, description="samples taken of a prompt in any case")
    n_max: int = Field(4, ge=1, le=1_000, description="samples tried of a prompt at most")
    temperature: float = Field(0.6, ge=0, le=2, description="sampling temperature")
    top_p: float = Field(0.95, gt=0, le=1, description="nucleus kept of the distribution")
    max_tokens: int = Field(32_768, ge=1, description="tokens of a completion at most")
    seed: int = Field(0, ge=0, description="start of every sample's own seed")
    think_prefilled: bool = Field(False, description="the chat template ends in <think>")
    in_flight: int = Field(64, ge=1, le=4_096, description="requests outstanding per replica")
    tail_parallel: int = Field(
        2, ge=1, le=64, description="samples of one prompt in flight when replicas run idle"
    )
    request_attempts: int = Field(5, ge=1, le=100, description="requests a sample costs at most")
    retry_wait_s: float = Field(
        0.5, ge=0, le=60, description="wait before a second attempt; doubles, at most 30 s"
    )
    stream: bool = Field(True, description="stream completions, so that stalls are noticed")
    stream_interval: int = Field(
        64, ge=1, le=4_096, description="tokens between two stream events (vLLM only)"
    )
    stall_timeout_s: float = Field(
        300.0, gt=0, description="a request without a token for so long is asked again elsewhere"
    )
    circuit_failures: int = Field(
        5, ge=1, description="faults in a row after which a replica gets only canaries"
    )
    wait_for_replica_s: float = Field(
        600.0, ge=0, description="how long to wait for a replica when all are lost"
    )
    progress_s: float = Field(1.0, gt=0, le=60, description="time between two progress reports")

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if not (self.n_min <= self.n_max and self.keep <= self.n_max):
            raise ValueError(
                f"n_min ({self.n_min}) and keep ({self.keep}) must not exceed n_max ({self.n_max})"
            )
        return self


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt as it is put to the teacher: rendered messages and the template's name."""

    prompt: Prompt
    messages: Messages
    template: str = ""


def open_pool(replicas: Sequence[Replica], recipe: SamplingRecipe) -> Pool:
    """The pool for `sample_prompts`, to be entered with `async with`: that sends the canaries."""
    return Pool(
        replicas,
        in_flight=recipe.in_flight,
        circuit_failures=recipe.circuit_failures,
        wait_for_replica_s=recipe.wait_for_replica_s,
        canary_timeout_s=recipe.stall_timeout_s,
    )


def sample_seed(seed: int, prompt_id: str, sample_index: int) -> int:
    """A sample's own seed, 31 bits of blake2b: the same in every run and on every machine."""
    text = f"{seed}\n{prompt_id}\n{sample_index}"
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


async def sample_prompts(
    asks: Sequence[Ask],
    pool: Pool,
    journal: Journal,
    recipe: SamplingRecipe,
    accept: Accept,
    on_progress: Callable[[SamplingProgress], None] = lambda progress: None,
) -> SamplingSummary:
    """Sample every prompt until it is decided, and return the counts.

    Each completion is in the journal before it is graded by `accept` (True accepted, False
    rejected, None undecided). What the journal holds is graded again and never asked for again,
    failed requests excepted. A prompt's siblings in flight are cancelled when it has its `keep`.
    Raises RunError when no replica is left or the journal cannot be written (run it again to go
    on); what `accept` raises ends the run as well.
    """
    engine = _Engine(asks, pool, journal, recipe, accept, on_progress)
    return await engine.run()


class _Engine:
    """One run of `sample_prompts`: one task a sample, started as places come free."""

    def __init__(
        self,
        asks: Sequence[Ask],
        pool: Pool,
        journal: Journal,
        recipe: SamplingRecipe,
        accept: Accept,
        on_progress: Callable[[SamplingProgress], None],
    ) -> None:
        self._asks, self._pool, self._journal = asks, pool, journal
        self._recipe, self._accept, self._on_progress = recipe, accept, on_progress
        self._schedule = Schedule(
            len(asks), recipe.keep, recipe.n_min, recipe.n_max, recipe.tail_parallel
        )
        self._summary = SamplingSummary(prompts=len(asks))
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._resting = 0  # of those asking: between two attempts
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> SamplingSummary:
        """Start tasks while there is work and room, until every prompt is decided."""
        started_s = time_s()
        self._tokens_meter, self._prompts_meter = Meter(started_s), Meter(started_s)
        restored = await asyncio.to_thread(self._restore)
        self._pool.on_free = self._wake.set
        self._start(self._regrade(restored))
        ticker = asyncio.create_task(self._tick())
        ticker.add_done_callback(self._ended)
        try:
            while self._tasks or self._schedule.decided < len(self._asks):
                self._dispatch()
                await self._wake.wait()
                self._wake.clear()
                if self._failure:
                    raise self._failure
        finally:
            await self._stop(ticker)
        await asyncio.to_thread(self._journal.flush)
        self._summary.duration_s = time_s() - started_s
        return self._finish()

    def _restore(self) -> list[tuple[int, Sample]]:
        """Samples of an earlier run, by prompt; failed requests are left to be asked again."""
        orders = {ask.prompt.prompt_id: order for order, ask in enumerate(self._asks)}
        if len(orders) < len(self._asks):
            raise ValueError("a prompt is asked twice; prompt ids must be unique")
        restored = [
            (orders[sample.prompt_id], sample)
            for sample in self._journal.read()
            if sample.prompt_id in orders and sample.finish_reason != "error"
        ]
        for order, sample in restored:
            self._schedule.restore(order, sample.sample_index)
        return restored

    async def _regrade(self, restored: list[tuple[int, Sample]]) -> None:
        """Grade what was there before, as many at a time as keep a grader busy."""
        self._summary.resumed = len(restored)
        rest = iter(restored)

        async def grade_some() -> None:
            for order, sample in rest:
                await self._grade(order, sample)

        await asyncio.gather(*(grade_some() for _ in range(REGRADED_AT_ONCE)))

    def _dispatch(self) -> None:
        """Fill the free places, unless grading has fallen far behind."""
        places = self._pool.places()
        ungraded = len(self._tasks) - len(self._asking)
        if ungraded > UNGRADED_PER_PLACE * places + 1:
            return
        on_their_way = len(self._asking) - self._resting - self._pool.in_flight()
        for _ in range(self._pool.free() - on_their_way):
            work = self._schedule.next(places)
            if work is None:
                return
            self._asking[work] = self._start(self._sample(*work), work)

    def _start(
        self, coroutine: Coroutine[None, None, None], work: tuple[int, int] | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, work))
        return task

    def _ended(self, task: asyncio.Task[None], work: tuple[int, int] | None = None) -> None:
        """A task has ended: remember its failure, or that it was cancelled while asking."""
        self._tasks.discard(task)
        if task.cancelled():
            if work and self._asking.pop(work, None):
                self._schedule.cancelled(*work)
                self._summary.cancelled += 1
        elif task.exception():
            self._failure = self._failure or task.exception()
        self._wake.set()

    async def _sample(self, order: int, index: int) -> None:
        """One sample from asking to verdict. It can be cancelled only until it has come back."""
        sample = await self._ask(order, index)
        del self._asking[order, index]
        self._journal.append(sample)
        self._summary.prompt_tokens += sample.prompt_tokens
        self._summary.completion_tokens += sample.completion_tokens
        if sample.finish_reason == "error":
            self._settle(order, sample, None)
        else:
            self._wake.set()
            await self._grade(order, sample)

    async def _grade(self, order: int, sample: Sample) -> None:
        self._settle(order, sample, await self._accept(self._asks[order].prompt, sample))

    def _settle(self, order: int, sample: Sample, accepted: bool | None) -> None:
        """Count a graded or failed sample; a prompt that is decided by it drops its siblings."""
        self._summary.count(sample, accepted)
        if self._schedule.came_back(order, sample.sample_index, accepted is True):
            for index in self._schedule.prompts[order].flying:
                if sibling := self._asking.get((order, index)):
                    sibling.cancel()
        self._wake.set()

    async def _ask(self, order: int, index: int) -> Sample:
        """Ask until a completion comes or the attempts are used up: never raises a Fault."""
        attempts = unpaid = 0
        avoid: set[Slot] = set()
        while True:
            slot = await self._pool.acquire(avoid)
            started_at = datetime.now(UTC)
            try:
                completion = await self._pool.complete(
                    self._pool.session, slot.endpoint, self._call(order, index, slot)
                )
            except Fault as fault:
                self._pool.release(slot, fault)
                failure = fault
            except BaseException:
                self._pool.give_up(slot)
                raise
            else:
                self._pool.release(slot)
                return self._made(order, index, slot, started_at, attempts + 1, completion)
            self._summary.faults[failure.kind.value] += 1
            avoid.add(slot)
            is_paid = failure.kind not in (FaultKind.RATE_LIMITED, FaultKind.UNREACHABLE)
            attempts, unpaid = attempts + is_paid, unpaid + (not is_paid)
            used_up = unpaid >= UNPAID_PER_ATTEMPT * self._recipe.request_attempts
            if (
                failure.kind is FaultKind.REFUSED_REQUEST
                or attempts >= self._recipe.request_attempts
                or used_up
            ):
                return self._made(order, index, slot, started_at, attempts + unpaid, failure)
            await self._rest(attempts + unpaid)

    async def _rest(self, attempts: int) -> None:
        """Wait before the next attempt, twice as long each time, never all at the same moment."""
        self._resting += 1
        self._wake.set()
        try:
            wait_s = self._recipe.retry_wait_s * 2 ** min(attempts - 1, 10)
            await asyncio.sleep(min(wait_s, LONGEST_RETRY_WAIT_S) * random.uniform(0.5, 1.0))
        finally:
            self._resting -= 1

    def _call(self, order: int, index: int, slot: Slot) -> Call:
        recipe, ask = self._recipe, self._asks[order]
        return Call(
            messages=ask.messages,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            max_tokens=recipe.max_tokens,
            seed=sample_seed(recipe.seed, ask.prompt.prompt_id, index),
            stream=recipe.stream,
            stream_interval=recipe.stream_interval if slot.is_vllm else None,
            stall_timeout_s=recipe.stall_timeout_s,
        )

    def _made(
        self,
        order: int,
        index: int,
        slot: Slot,
        started_at: datetime,
        attempts: int,
        came: Completion | Fault,
    ) -> Sample:
        """The Sample of what came, a completion or the last fault."""
        recipe, ask = self._recipe, self._asks[order]
        if isinstance(came, Fault):
            error, came = str(came), Completion("", "error", 0, 0, None)
        else:
            error = None
        text = storable(came.text)
        parts = split_completion(text, recipe.think_prefilled)
        reasoning_tokens = _reasoning_tokens(came, parts)
        return Sample(
            sample_id=sample_id(ask.prompt.prompt_id, index),
            prompt_id=ask.prompt.prompt_id,
            sample_index=index,
            teacher=slot.replica.model,
            teacher_revision=slot.replica.revision,
            template=ask.template,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            max_tokens=recipe.max_tokens,
            seed=sample_seed(recipe.seed, ask.prompt.prompt_id, index),
            completion=text,
            reasoning=parts.reasoning,
            answer=parts.answer,
            finish_reason=came.finish_reason,
            prompt_tokens=came.prompt_tokens,
            completion_tokens=came.completion_tokens,
            reasoning_tokens=reasoning_tokens,
            answer_tokens=came.completion_tokens - reasoning_tokens,
            replica=slot.replica.url,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            attempts=attempts,
            error=error,
        )

    async def _tick(self) -> None:
        """Report now and then, and end the run when its replicas have been gone too long."""
        while True:
            await asyncio.sleep(self._recipe.progress_s)
            self._report(self._pool.check())

    def _report(self, waiting: str = "") -> None:
        now_s, done = time_s(), self._schedule.decided
        prompts_per_s = self._prompts_meter.per_s(now_s, done)
        left = len(self._asks) - done
        self._on_progress(
            SamplingProgress(
                prompts_done=done,
                prompts_total=len(self._asks),
                samples=self._summary.samples,
                accepted=self._summary.accepted,
                in_flight=self._pool.in_flight(),
                completion_tokens=self._summary.completion_tokens,
                tokens_per_s=self._tokens_meter.per_s(now_s, self._summary.completion_tokens),
                seconds_left=left / prompts_per_s if prompts_per_s else None,
                waiting=waiting,
            )
        )

    async def _stop(self, ticker: asyncio.Task[None]) -> None:
        """Cancel what still runs; closing a connection makes the server drop the request."""
        self._pool.on_free = lambda: None
        running = [ticker, *self._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _finish(self) -> SamplingSummary:
        prompts = self._schedule.prompts
        self._summary.prompts_kept = sum(p.accepted >= self._recipe.keep for p in prompts)
        if not self._summary.conserves():
            raise AssertionError(f"sample counts do not conserve: {self._summary}")
        self._report()
        return self._summary


def _reasoning_tokens(completion: Completion, parts: Parts) -> int:
    """The server's count of reasoning tokens, or a share of all in proportion to characters."""
    if completion.reasoning_tokens is not None:
        return min(completion.reasoning_tokens, completion.completion_tokens)
    characters = len(parts.reasoning) + len(parts.answer)
    if not characters:
        return 0
    return round(completion.completion_tokens * len(parts.reasoning) / characters)
