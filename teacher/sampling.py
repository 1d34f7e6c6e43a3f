"""Adaptive rejection sampling: ask, store, grade, and ask again only while there is a need."""

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial

from prompts.errors import RunError
from prompts.record import Prompt
from teacher.ask import Ask, Asker, Asking
from teacher.canary import Replica
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.replicas import Pool, time_s
from teacher.sample import FAILED, Sample, was_refused
from teacher.schedule import Schedule
from teacher.settings import SamplingRecipe
from teacher.shards import Shards, Stored
from teacher.tally import Tally

Accept = Callable[[Prompt, Sample], Awaitable[bool | None]]
_Work = tuple[int, int]

# Completions may wait for their verdict, but memory is finite.
UNGRADED_PER_PLACE = 4
UNGRADED_CHARACTERS = 256_000_000
REGRADED_AT_ONCE = 64
# A server's first request may take longer than any later one.
SHORTEST_CANARY_TIMEOUT_S = 30.0
# Without a token for so long, people would wonder.
SILENCE_S = 60.0


def open_pool(replicas: Sequence[Replica], recipe: SamplingRecipe) -> Pool:
    """The pool for `sample_prompts`, to be entered with `async with`: that sends the canaries."""
    return Pool(
        replicas,
        in_flight=recipe.in_flight,
        circuit_failures=recipe.circuit_failures,
        wait_for_replica_s=recipe.wait_for_replica_s,
        canary_timeout_s=max(recipe.stall_timeout_s, SHORTEST_CANARY_TIMEOUT_S),
        stream=recipe.stream,
    )


async def sample_prompts(
    asks: Sequence[Ask],
    pool: Pool,
    shards: Shards,
    recipe: SamplingRecipe,
    accept: Accept,
    on_progress: Callable[[SamplingProgress], None] = lambda _: None,
    regrade: bool = False,
    on_restored: Callable[[int, int], None] = lambda samples, prompts: None,
) -> SamplingSummary:
    """Sample every prompt until it is decided, and return the counts.

    Each completion is stored before it is graded by `accept` (True accepted, False rejected, None
    undecided), and its grade after. What is stored is never asked for again, failed requests
    excepted, and graded again only where it has no grade yet or all is to be regraded. A prompt's
    siblings in flight are cancelled when it is decided. One whose `traces` is 3 gives and costs up
    to three times as much. Raises RunError when no replica is left or the store cannot be written
    (run it again to go on); what `accept` raises ends the run. `on_restored` hears first how many
    completions are kept, and of how many prompts.
    """
    engine = _Engine(asks, pool, shards, recipe, accept, on_progress)
    return await engine.run(regrade, on_restored)


class _Engine:
    """One run of `sample_prompts`: one task a sample, started as places come free."""

    def __init__(
        self,
        asks: Sequence[Ask],
        pool: Pool,
        shards: Shards,
        recipe: SamplingRecipe,
        accept: Accept,
        on_progress: Callable[[SamplingProgress], None],
    ) -> None:
        self._asks, self._pool, self._shards = asks, pool, shards
        self._recipe, self._accept, self._on_progress = recipe, accept, on_progress
        rule = recipe.stop_rule()
        self._schedule = Schedule(len(asks), rule, [ask.prompt.traces for ask in asks])
        self._asker = Asker(pool, recipe)
        self._tally = Tally(self._schedule, self._asker.faults)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[_Work, tuple[asyncio.Task[None], Asking]] = {}
        # Failed rows of earlier runs, with their cost, until they are asked again; and by prompt
        # what was spent beside all samples that are stored.
        self._failed: dict[_Work, int] = {}
        self._beside: Counter[int] = Counter()
        self._ungraded_characters = 0
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self, regrade: bool, on_restored: Callable[[int, int], None]) -> SamplingSummary:
        """Start tasks while there is work and room, until every prompt is decided."""
        self._tally.start(time_s())
        to_grade, prompts_kept = await asyncio.to_thread(self._restore, regrade)
        on_restored(self._tally.summary.resumed, prompts_kept)
        gc.freeze()  # what is there now stays to the end: 800k prompts are a second a collection
        self._pool.on_free = self._wake.set
        if to_grade:
            self._start(self._grade_stored(to_grade))
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
            gc.unfreeze()
            await self._stop(ticker)
        await asyncio.to_thread(self._shards.flush)
        return self._finish()

    def _restore(self, regrade: bool) -> tuple[dict[str, int], int]:
        """Take up what an earlier run left; returns sample ids still to be graded, with prompts,
        and how many prompts have completions.

        Failed requests are left to be asked again, their tokens spent. Refused ones stay so, unless
        all is to be graded again or nothing has ever come: then it may be the settings.
        """
        orders = {ask.prompt.prompt_id: order for order, ask in enumerate(self._asks)}
        if len(orders) < len(self._asks):
            raise ValueError("a prompt is asked twice; prompt ids must be unique")
        to_grade = {}
        ours = [stored for stored in self._shards.restore() if stored.prompt_id in orders]
        completed = [stored for stored in ours if stored.finish_reason != FAILED]
        failed = [stored for stored in ours if stored.finish_reason == FAILED]
        stay = bool(completed) and not regrade
        there = [stored for stored in failed if stay and was_refused(stored.error)] + completed
        for stored in there:
            order = orders[stored.prompt_id]
            self._schedule.restore(order, stored.sample_index, stored.wasted_tokens)
        for stored in there:
            order = orders[stored.prompt_id]
            if stored.finish_reason == FAILED or (stored.graded and not regrade):
                self._settle(order, stored, stored.accepted)
            else:
                to_grade[stored.sample_id] = order
        for stored in failed:
            if not (stay and was_refused(stored.error)):
                work = orders[stored.prompt_id], stored.sample_index
                self._failed[work] = stored.wasted_tokens
                self._schedule.restore_spent(work[0], stored.wasted_tokens)
        for prompt_id, tokens in self._shards.spent().items():
            if (found := orders.get(prompt_id)) is not None:
                self._beside[found] = tokens
                self._schedule.restore_spent(found, tokens)
        self._tally.summary.resumed = len(completed)
        self._tally.restored()
        return to_grade, len({stored.prompt_id for stored in completed})

    async def _grade_stored(self, to_grade: dict[str, int]) -> None:
        """Grade what was there without a grade, as many at a time as keep a grader busy."""
        rest, one_at_a_time = iter(self._shards.read(to_grade)), asyncio.Lock()

        async def grade_some() -> None:
            while True:
                async with one_at_a_time:
                    sample = await asyncio.to_thread(next, rest, None)
                if sample is None:
                    return
                await self._grade(to_grade[sample.sample_id], sample)

        await asyncio.gather(*(grade_some() for _ in range(REGRADED_AT_ONCE)))

    def _dispatch(self) -> None:
        """Fill the free places, unless grading has fallen far behind."""
        places = self._pool.places()
        ungraded = len(self._tasks) - len(self._asking)
        if (
            ungraded > UNGRADED_PER_PLACE * places + REGRADED_AT_ONCE + 1
            or self._ungraded_characters > UNGRADED_CHARACTERS
        ):
            return
        on_their_way = len(self._asking) - self._asker.resting - self._pool.in_flight()
        for _ in range(self._pool.free() - on_their_way):
            work = self._schedule.next(places)
            if work is None:
                return
            asking = Asking(partial(self._schedule.lost, *work))
            self._asking[work] = self._start(self._sample(*work, asking), work), asking

    def _start(
        self, coroutine: Coroutine[None, None, None], work: _Work | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, work))
        return task

    def _ended(self, task: asyncio.Task[None], work: _Work | None = None) -> None:
        """A task has ended: remember its failure, or that it was cancelled while asking."""
        self._tasks.discard(task)
        if task.cancelled():
            if work and (cancelled := self._asking.pop(work, None)):
                tokens = cancelled[1].tokens()
                self._schedule.cancelled(*work, tokens)
                self._tally.cancelled(tokens)
                try:
                    self._spend(work[0], tokens)
                except RunError as error:  # the store has failed; nobody else would see it here
                    self._failure = self._failure or error
        elif task.exception():
            self._failure = self._failure or task.exception()
        self._wake.set()

    async def _sample(self, order: int, index: int, asking: Asking) -> None:
        """One sample from asking to verdict. It can be cancelled only until it has come back."""
        sample = await self._asker.sample(self._asks[order], index, asking)
        del self._asking[order, index]
        self._spend(order, self._failed.pop((order, index), 0))  # its row of then is superseded
        self._shards.append(sample)
        self._tally.came(sample)
        if sample.finish_reason == FAILED:
            self._settle(order, sample, None)
        else:
            self._wake.set()
            await self._grade(order, sample)

    def _spend(self, order: int, tokens: int) -> None:
        """Store what was spent on a prompt beside its samples: budgets are of all its runs."""
        if tokens:
            self._beside[order] += tokens
            self._shards.spend(self._asks[order].prompt.prompt_id, self._beside[order])

    async def _grade(self, order: int, sample: Sample) -> None:
        self._ungraded_characters += len(sample.completion)
        accepted = await self._accept(self._asks[order].prompt, sample)
        self._ungraded_characters -= len(sample.completion)
        self._shards.grade(sample.sample_id, accepted)
        self._settle(order, sample, accepted)

    def _settle(self, order: int, sample: Sample | Stored, accepted: bool | None) -> None:
        """Count a graded or failed sample; a prompt that is decided by it drops its siblings."""
        prompt = self._schedule.prompts[order]
        tokens = sample.completion_tokens + sample.wasted_tokens
        tried, was_open = prompt.tried_bits.bit_count() + 1, not prompt.decided
        refused, index = was_refused(sample.error), sample.sample_index
        decided = self._schedule.came_back(order, index, accepted, tokens, refused)
        self._tally.settled(order, sample, accepted)
        if was_open:
            self._tally.tried(tried, prompt.decided)
        if decided:
            for sibling in prompt.flying:
                if found := self._asking.get((order, sibling)):
                    found[0].cancel()
        self._wake.set()

    async def _tick(self) -> None:
        """Report now and then, and end the run when its replicas have been gone too long."""
        while True:
            await asyncio.sleep(self._recipe.progress_s)
            self._report("; ".join(filter(None, (self._pool.check(), self._silence()))))

    def _silence(self) -> str:
        """That nothing comes though it is asked for; unstreamed completions come whole."""
        silent_s = self._tally.silent_s()
        if silent_s < SILENCE_S or not self._recipe.stream:
            return ""
        most_s = self._recipe.stall_timeout_s
        return f"no token heard for {silent_s:.0f} s (a request is given up after {most_s:.0f} s)"

    def _report(self, trouble: str = "") -> None:
        under_way = [asking.tokens() for _, asking in self._asking.values()]
        ungraded = len(self._tasks) - len(self._asking)
        self._on_progress(self._tally.progress(self._pool, under_way, ungraded, trouble))

    async def _stop(self, ticker: asyncio.Task[None]) -> None:
        """Cancel what still runs; closing a connection makes the server drop the request."""
        self._pool.on_free = lambda: None
        running = [ticker, *self._tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _finish(self) -> SamplingSummary:
        self._tally.summary.continued = self._asker.continued
        for order, index in self._failed:
            self._tally.left_failed(order, index)
        summary = self._tally.finish(self._asks, time_s())
        if not summary.conserves():
            raise AssertionError(f"sample counts do not conserve: {summary}")
        self._report()
        return summary
