"""The engine under random schedules of faults, kills and replica changes, on simulated time."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_fleet import (
    PROMPT_TOKENS,
    Fleet,
    Ledger,
    Nature,
    now_s,
    replica_number,
    replica_url,
    tokens_of,
    verdict,
    whole_text,
)
from skipping_loop import THREAD_S, SkippingLoop
from test_teacher_sampling import asks

from prompts.errors import RunError
from prompts.record import Prompt
from teacher.ask import LONGEST_RETRY_WAIT_S, sample_seed
from teacher.pass_rate import pass_rate
from teacher.progress import SamplingSummary
from teacher.replicas import CANARY_GRACE_S, Pool, Replica
from teacher.sample import Sample
from teacher.sampling import sample_prompts
from teacher.settings import SamplingRecipe
from teacher.shards import Stored

MAX_TOKENS = 24
CANARY_TIMEOUT_S = 20.0
# The last canary of the first round, the restore, and rounding.
SLOWEST_START_S = 1.0 + CANARY_TIMEOUT_S + CANARY_GRACE_S + 2 * THREAD_S + 0.1


@pytest.fixture(autouse=True, scope="module")
def commits_at_once() -> Iterator[None]:
    """Simulated time does not pass for the writer's thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("teacher.shards.COMMIT_DELAY_S", 0.0)
        yield


@dataclass(frozen=True)
class Plot:
    """What happens to a run. Times are simulated seconds; `changes` are (pause, replica): it
    leaves, or joins again; `kills` end one life of the client after another."""

    recipe: SamplingRecipe
    natures: tuple[Nature, ...]
    prompts: int
    seed: int
    accept_rate: float
    grading_s: float
    changes: tuple[tuple[float, int], ...] = ()
    kills: tuple[float, ...] = ()
    shard_bytes: int = 2**28
    regrade: bool = False
    most_traces: int = 1


@dataclass
class Run:
    """A plot as it is played, life by life."""

    plot: Plot
    folder: Path
    listed: dict[int, str] = field(default_factory=dict)
    generation: int = 0
    summary: SamplingSummary | None = None
    spent: Counter[str] = field(default_factory=Counter)  # by prompt, in earlier lives

    def __post_init__(self) -> None:
        self.asks = [
            replace(ask, prompt=replace(ask.prompt, traces=1 + number % self.plot.most_traces))
            for number, ask in enumerate(asks(self.plot.prompts))
        ]
        self.traces = {ask.prompt.prompt_id: ask.prompt.traces for ask in self.asks}
        self.fleet = Fleet(self.plot.natures, self.asks, self.plot.recipe, self.plot.seed)

    async def lives(self) -> None:
        """Kill after kill, then a life to its end, then one in which nothing goes wrong."""
        for kill_s in self.plot.kills:
            await self.life(kill_s)
        await self.life()
        self.fleet.calm = True
        await self.life()
        assert self.summary is not None

    async def life(self, kill_s: float | None = None) -> None:
        """One process: from what is stored to the end, to a kill, or until no replica is left."""
        self.summary = None
        if self.fleet.calm or not self.listed:
            for number in range(len(self.plot.natures)):
                self.listed.setdefault(number, self.new_url(number))
        with Ledger(self.folder, self.plot.shard_bytes) as ledger:
            ledger.start(self.plot.regrade)
            life = asyncio.create_task(self.work(ledger))
            await asyncio.wait({life}, timeout=kill_s)
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
            check_store(self, ledger)
            if self.summary:
                check_summary(self, ledger, self.summary)
        self.spent = spent(self)
        self.fleet.delivered.clear()

    async def work(self, ledger: Ledger) -> None:
        recipe = self.plot.recipe
        pool = Pool(
            [Replica(url, "sim") for url in self.listed.values()],
            in_flight=recipe.in_flight,
            circuit_failures=recipe.circuit_failures,
            wait_for_replica_s=recipe.wait_for_replica_s,
            canary_timeout_s=CANARY_TIMEOUT_S,
            wire=self.fleet.wire,
        )
        self.fleet.begin_life(pool, ledger)
        try:
            async with pool:
                changing = asyncio.create_task(self.change(pool))
                try:
                    self.summary = await sample_prompts(
                        self.asks, pool, ledger, recipe, self.accept, regrade=self.plot.regrade
                    )
                finally:
                    changing.cancel()
        except RunError as error:
            self.check_gone(str(error))

    async def change(self, pool: Pool) -> None:
        """Let replicas leave and join again, as planned."""
        for pause_s, number in () if self.fleet.calm else self.plot.changes:
            await asyncio.sleep(pause_s)
            if url := self.listed.pop(number % len(self.plot.natures), None):
                self.fleet.leave(url)
                pool.leave(url)
            else:
                number %= len(self.plot.natures)
                self.listed[number] = self.new_url(number)
                pool.join(Replica(self.listed[number], "sim"))

    def new_url(self, number: int) -> str:
        self.generation += 1
        return replica_url(number, self.generation)

    async def accept(self, prompt: Prompt, sample: Sample) -> bool | None:
        dice = random.Random(f"grading {sample.sample_id}")
        await asyncio.sleep(dice.choice((0.0, dice.expovariate(1.0) * self.plot.grading_s)))
        accepted = verdict(sample, self.plot.accept_rate)
        self.fleet.ledger.graded(sample, accepted)
        return accepted

    def check_gone(self, error: str) -> None:
        """A run may give up only when no replica has been there for as long as was to be waited."""
        recipe, since_s = self.plot.recipe, self.fleet.gone_since_s
        assert since_s is not None, error
        if "does not generate" in error:
            assert not self.fleet.ever_up
            return
        assert "no teacher replica has answered" in error
        slack_s = recipe.progress_s + (0.1 + THREAD_S if self.fleet.ever_up else SLOWEST_START_S)
        waited_s = now_s() - since_s
        assert recipe.wait_for_replica_s - 0.1 <= waited_s <= recipe.wait_for_replica_s + slack_s


def check_store(run: Run, ledger: Ledger) -> None:
    """After any life: none lost, none doubled, each text unbroken, each token paid once."""
    after = {stored.sample_id: stored for stored in ledger.restore()}
    samples = {sample.sample_id: sample for sample in ledger.read(after)}
    assert after.keys() == samples.keys() == ledger.before.keys() | ledger.appended.keys()
    for name, stored in ledger.before.items():
        if stored.finish_reason != "error":
            assert name not in ledger.appended
            assert tokens(after[name]) == tokens(stored)
    for name, sample in ledger.appended.items():
        assert samples[name] == sample
        assert tokens(sample) == run.fleet.delivered[sample.prompt_id, sample.sample_index]
    for sample in samples.values():
        check_sample(run, sample, after[sample.sample_id])
    check_budgets(run)


def check_sample(run: Run, sample: Sample, stored: Stored) -> None:
    recipe = run.plot.recipe
    assert 0 <= sample.sample_index < recipe.n_max * run.traces[sample.prompt_id]
    if sample.finish_reason == "error":
        assert sample.error
        assert (sample.completion, sample.completion_tokens, stored.graded) == ("", 0, False)
        return
    seed = sample_seed(recipe.seed, sample.prompt_id, sample.sample_index)
    text, finish_reason = whole_text(seed, MAX_TOKENS)
    assert sample.completion == text
    assert sample.completion_tokens == tokens_of(text)
    if sample.completion_tokens < MAX_TOKENS:  # else the end mark may have been lost
        assert sample.finish_reason == finish_reason
        assert sample.prompt_tokens == PROMPT_TOKENS
    if stored.graded:
        assert stored.accepted == verdict(sample, run.plot.accept_rate)
    numbers = [replica_number(url) for url in sample.earlier_replicas.split()]
    assert all(run.plot.natures[number].is_vllm for number in numbers)


def tokens(sample: Sample | Stored) -> int:
    """All that was paid for it."""
    return sample.completion_tokens + sample.wasted_tokens


def spent(run: Run) -> Counter[str]:
    """By prompt, all that was delivered, in this life and those before."""
    spent = run.spent.copy()
    for (prompt_id, _), delivered in run.fleet.delivered.items():
        spent[prompt_id] += delivered
    return spent


def check_budgets(run: Run) -> None:
    rule, paid = run.plot.recipe.stop_rule(), spent(run)
    for name, tokens in paid.items():
        assert tokens <= rule.tokens_per_prompt * run.traces[name]
    assert paid.total() <= rule.tokens_per_run


def check_summary(run: Run, ledger: Ledger, summary: SamplingSummary) -> None:
    """After a life that came to its end: every prompt is decided, and all counts are true."""
    after = {stored.sample_id: stored for stored in ledger.restore()}
    completed = [stored for stored in after.values() if stored.finish_reason != "error"]
    failed = [s for s in ledger.appended.values() if s.finish_reason == "error"]
    assert all(stored.graded for stored in completed)
    verdicts = Counter(stored.accepted for stored in completed)
    assert summary.conserves()
    assert not (run.fleet.calm and failed)
    assert summary.errors == len(failed) + ledger.stay_refused
    assert summary.samples == len(completed) + summary.errors
    assert (summary.accepted, summary.rejected) == (verdicts[True], verdicts[False])
    assert summary.resumed == sum(s.finish_reason != "error" for s in ledger.before.values())
    assert summary.truncated == sum(s.finish_reason == "length" for s in completed)
    assert summary.continued == sum(bool(s.earlier_replicas) for s in ledger.appended.values())
    met = {kind: count for kind, count in summary.faults.items() if kind != "drained"}
    assert met == {kind.value: count for kind, count in run.fleet.faults.items()}
    check_tokens(run, ledger, summary)
    check_outcomes(run, ledger, summary)


def check_tokens(run: Run, ledger: Ledger, summary: SamplingSummary) -> None:
    """What the servers delivered is what is stored, what was lost, and what was cancelled."""
    appended, delivered = ledger.appended.values(), run.fleet.delivered
    stored = {(sample.prompt_id, sample.sample_index) for sample in appended}
    dropped = [tokens for work, tokens in delivered.items() if work not in stored]
    wasted = sum(sample.wasted_tokens for sample in appended)
    assert summary.completion_tokens == sum(sample.completion_tokens for sample in appended)
    assert summary.wasted_tokens == wasted + sum(dropped)
    assert summary.completion_tokens + summary.wasted_tokens == delivered.total()
    assert summary.cancelled >= len(dropped)


def check_outcomes(run: Run, ledger: Ledger, summary: SamplingSummary) -> None:
    """A row a prompt: why it stopped, its counts, its pass rate and what it cost."""
    recipe, paid = run.plot.recipe, spent(run)
    for ask, row in zip(run.asks, summary.outcomes, strict=True):
        name, rule = ask.prompt.prompt_id, recipe.stop_rule().times(ask.prompt.traces)
        outcomes = ledger.failed_before[name] | ledger.outcomes[name]
        decided = [accepted for accepted in outcomes.values() if accepted is not None]
        assert row.prompt_id == name
        assert (row.tried, row.decided, row.accepted) == (len(outcomes), len(decided), sum(decided))
        whole = [outcomes[index] for index in takewhile(outcomes.__contains__, range(99))]
        assert row.pass_rate == pass_rate(whole, rule)
        assert row.completion_tokens == paid[name]
        assert row.stopped == (ledger.stop(name, recipe, ask.prompt.traces) or "budget")
        if row.stopped == "budget":
            own = paid[name] + MAX_TOKENS > rule.tokens_per_prompt
            assert own or paid.total() + MAX_TOKENS > rule.tokens_per_run
    stops = Counter(row.stopped for row in summary.outcomes)
    assert stops.total() == summary.prompts == len(run.asks)
    assert summary.prompts_kept == stops["kept"]
    assert summary.prompts_over_budget == stops["budget"]


def check_files(folder: Path, stored: set[str]) -> None:
    """The closed folder is Parquet with each sample in one row."""
    names = pl.read_parquet(folder / "samples-*.parquet")["sample_id"].to_list()
    assert len(names) == len(set(names))
    assert set(names) == stored
    assert not list(folder.glob("*.sqlite*"))


def play(plot: Plot) -> None:
    """Play a plot to its end, checking all the while."""
    with TemporaryDirectory() as folder:
        run = Run(plot, Path(folder))
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            runner.run(run.lives())
        with Ledger(run.folder) as ledger:
            stored = {stored.sample_id for stored in ledger.restore()}
            ledger.finish()
        check_files(run.folder, stored)


def budgets(*completions: float) -> st.SearchStrategy[int | None]:
    return st.none() | st.sampled_from([int(MAX_TOKENS * times) for times in completions])


@st.composite
def recipes(draw: st.DrawFn) -> SamplingRecipe:
    keep, n_min = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return SamplingRecipe(
        keep=keep,
        n_min=n_min,
        n_max=max(keep, n_min) + draw(st.integers(0, 4)),
        give_up_after=draw(st.sampled_from([None, None, 1, 3, 5])),
        max_tokens=MAX_TOKENS,
        max_tokens_per_prompt=draw(budgets(3, 1.8, 5, 1)),
        max_tokens_per_run=draw(budgets(70, 30, 9.5, 2)),
        tail_parallel=draw(st.sampled_from([2, 4, 1])),
        in_flight=draw(st.sampled_from([3, 1, 8])),
        request_attempts=draw(st.sampled_from([3, 1, 6])),
        circuit_failures=draw(st.sampled_from([3, 1, 6])),
        stream=draw(st.sampled_from([True, True, True, False])),
        stall_timeout_s=10.0,
        wait_for_replica_s=draw(st.sampled_from([60.0, 20.0, 0.0])),
        progress_s=2.0,
    )


outages = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 60)).map(lambda span: (span[0], sum(span))), max_size=2
)
natures = st.builds(
    Nature,
    is_vllm=st.sampled_from([True, True, False]),
    goes_on=st.sampled_from([True, True, False]),
    fault_rate=st.sampled_from([0.1, 0.3, 0.6, 0.0]),
    outages=outages.map(tuple),
    token_s=st.sampled_from([0.02, 0.1, 0.5]),
    batch=st.integers(1, 6),
)
plots = st.builds(
    Plot,
    recipe=recipes(),
    natures=st.lists(natures, min_size=1, max_size=4).map(tuple),
    prompts=st.sampled_from([4, 8, 16, 1, 0]),
    seed=st.integers(0, 2**20),
    accept_rate=st.sampled_from([0.3, 0.7, 0.0, 1.0]),
    grading_s=st.sampled_from([1.0, 10.0, 0.0]),
    changes=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 2)), max_size=6).map(tuple),
    kills=st.lists(st.floats(0, 40), max_size=3).map(tuple),
    shard_bytes=st.sampled_from([2**28, 1_000]),
    regrade=st.sampled_from([False, False, True]),
    most_traces=st.sampled_from([1, 1, 3]),
)


@given(plot=plots)
@settings(max_examples=120, deadline=None)
@pytest.mark.slow
def test_whatever_happens_every_prompt_is_decided_and_nothing_is_paid_twice(plot: Plot) -> None:
    play(plot)


async def the_end(run: Run, last_s: float) -> None:
    """Play until the last replica is gone for good, and then with all of them back."""
    await run.life()
    recipe = run.plot.recipe
    # At worst a single sample goes round until it has opened every circuit.
    faults = recipe.circuit_failures * len(run.plot.natures) + 1
    open_s = faults * (LONGEST_RETRY_WAIT_S + recipe.stall_timeout_s)
    assert now_s() <= max(last_s, SLOWEST_START_S) + open_s + recipe.wait_for_replica_s
    run.fleet.calm = True
    await run.life()
    assert run.summary is not None


@pytest.mark.slow  # waits for a replica
@given(plot=plots, last_s=st.floats(0, 30))
@settings(max_examples=40, deadline=None)
def test_a_run_ends_soon_after_its_last_replica_and_goes_on_when_one_is_back(
    plot: Plot, last_s: float
) -> None:
    dying = (replace(nature, outages=((last_s, inf),)) for nature in plot.natures)
    with TemporaryDirectory() as folder, asyncio.Runner(loop_factory=SkippingLoop) as runner:
        run = Run(replace(plot, natures=tuple(dying), changes=()), Path(folder))
        runner.run(the_end(run, last_s))
