"""Adaptive rejection sampling: ask, journal, grade, and ask again only while there is a need."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from prompts.record import Prompt
from teacher.ask import Ask, Asker, sample_seed
from teacher.journal import Journal
from teacher.progress import Meter, SamplingProgress, SamplingSummary
from teacher.replicas import Pool, Replica, time_s
from teacher.sample import Sample
from teacher.schedule import Schedule
from teacher.settings import SamplingRecipe

__all__ = [
    "Ask",
    "SamplingProgress",
    "SamplingRecipe",
    "SamplingSummary",
    "open_pool",
    "sample_prompts",
    "sample_seed",
]

Accept = Callable[[Prompt, Sample], Awaitable[bool | None]]

# Completions may wait for their verdict, but memory is finite.
UNGRADED_PER_PLACE = 4
REGRADED_AT_ONCE = 64


def open_pool(replicas: Sequence[Replica], recipe: SamplingRecipe) -> Pool:
    """The pool for `sample_prompts`, to be entered with `async with`: that sends the canaries."""
    return Pool(
        replicas,
        in_flight=recipe.in_flight,
        circuit_failures=recipe.circuit_failures,
        wait_for_replica_s=recipe.wait_for_replica_s,
        canary_timeout_s=recipe.stall_timeout_s,
    )


async def sample_prompts(
    asks: Sequence[Ask],
    pool: Pool,
    journal: Journal,
    recipe: SamplingRecipe,
    accept: Accept,
    on_progress: Callable[[SamplingProgress], None] = lambda _: None,
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
        self._asker = Asker(pool, recipe)
        self._summary = SamplingSummary(prompts=len(asks), faults=self._asker.faults)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[tuple[int, int], asyncio.Task[None]] = {}
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
        on_their_way = len(self._asking) - self._asker.resting - self._pool.in_flight()
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
        sample = await self._asker.sample(self._asks[order], index)
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
