"""The estimate of a pass rate, against every sequence of outcomes there can be."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from prompts.parquet import read_rows, write_rows
from teacher.pass_rate import PromptOutcome, pass_rate
from teacher.schedule import Schedule, Stop, StopRule

Outcomes = tuple[bool | None, ...]
Estimator = Callable[[Sequence[bool | None], StopRule], float | None]

RATES = (0.0, 0.05, 0.3, 0.5, 0.8, 1.0)


def stop_rule(
    keep: int, n_min: int, n_max: int, give_up_after: int | None = None, tail_parallel: int = 1
) -> StopRule:
    return StopRule(
        keep=keep,
        n_min=n_min,
        n_max=n_max,
        give_up_after=give_up_after,
        max_tokens=1,
        tail_parallel=tail_parallel,
    )


RULES = [
    stop_rule(keep, n_min, n_max, give_up_after)
    for n_max in range(1, 7)
    for keep in range(1, min(n_max, 4) + 1)
    for n_min in range(1, n_max + 1)
    for give_up_after in (None, 1, 3)
]


def ends(
    rule: StopRule, kinds: tuple[bool | None, ...], most: int = 99, so_far: Outcomes = ()
) -> Iterator[Outcomes]:
    """Every sequence of outcomes at the end of which the rule stops, or that has `most`."""
    if rule.stop(len(so_far), so_far.count(True)) or len(so_far) == most:
        yield so_far
        return
    for kind in kinds:
        yield from ends(rule, kinds, most, (*so_far, kind))


@dataclass
class Alike:
    """Sequences with the same outcomes in another order: all are as probable."""

    count: int = 0
    estimates: float = 0.0


# By how many samples were accepted, rejected, undecided.
Estimates = dict[tuple[int, int, int], Alike]


def estimated(
    sequences: Iterable[Outcomes], rule: StopRule, estimator: Estimator = pass_rate
) -> Estimates:
    """The estimates of all sequences for which there is one."""
    found: Estimates = defaultdict(Alike)
    for outcomes in sequences:
        estimate = estimator(outcomes, rule)
        if estimate is not None:
            alike = found[outcomes.count(True), outcomes.count(False), outcomes.count(None)]
            alike.count += 1
            alike.estimates += estimate
    return found


def mean(found: Estimates, rate: float, undecided: float = 0.0) -> float:
    """The expected estimate, where that rate of the decided is accepted."""
    total = weight = 0.0
    for (accepted, rejected, open_ones), alike in found.items():
        decided = (1 - undecided) ** (accepted + rejected)
        probability = decided * rate**accepted * (1 - rate) ** rejected * undecided**open_ones
        total += probability * alike.estimates
        weight += probability * alike.count
    return total / weight


def accepted_by_decided(outcomes: Sequence[bool | None], rule: StopRule) -> float | None:
    """What is usually taken for it."""
    decided = len(outcomes) - outcomes.count(None)
    return outcomes.count(True) / decided if decided else None


def test_the_estimate_is_unbiased_whatever_the_rule() -> None:
    for rule in RULES:
        found = estimated(ends(rule, (True, False)), rule)
        for rate in RATES:
            assert mean(found, rate) == pytest.approx(rate, abs=1e-12), rule


def test_undecided_samples_leave_it_unbiased() -> None:
    for rule in RULES:
        found = estimated(ends(rule, (True, False, None), most=4), rule)
        for rate in RATES:
            assert mean(found, rate, undecided=0.3) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_cut_that_does_not_look_at_outcomes_leaves_it_unbiased(cut: int) -> None:
    for rule in RULES:
        found = estimated(ends(rule, (True, False), most=cut), rule)
        for rate in RATES:
            assert mean(found, rate) == pytest.approx(rate, abs=1e-12), rule


def test_it_is_a_probability() -> None:
    for rule in RULES:
        for outcomes in ends(rule, (True, False)):
            estimate = pass_rate(outcomes, rule)
            assert estimate is not None
            assert 0.0 <= estimate <= 1.0


def test_accepted_by_decided_is_biased_upwards() -> None:
    rule = stop_rule(keep=1, n_min=1, n_max=99)
    sequences = list(ends(rule, (True, False)))
    usual = estimated(sequences, rule, accepted_by_decided)
    assert mean(usual, 0.1) == pytest.approx(0.2558, 1e-3)
    assert mean(estimated(sequences, rule), 0.1) == pytest.approx(0.1, abs=1e-12)


@pytest.mark.parametrize(
    ("outcomes", "rule", "estimate"),
    [
        ((True,), stop_rule(1, 1, 8), 1.0),
        ((False, False, True), stop_rule(1, 1, 8), 0.0),
        ((False, True, False, True), stop_rule(1, 4, 4), 0.5),
        ((None, None), stop_rule(1, 1, 2), None),
        ((), stop_rule(1, 1, 2), None),
        ((False, None, True), stop_rule(1, 1, 8), 0.0),
        ((None, True), stop_rule(1, 1, 8), 1.0),
        # Inverse binomial: (k - 1) / (n - 1).
        ((True, False, False, True), stop_rule(2, 1, 99), 1 / 3),
        ((False, True, False, True, False, True), stop_rule(3, 1, 99), 2 / 5),
        # One rejected first would have been given up: it certainly began with an accepted one.
        ((True, False, True), stop_rule(2, 1, 8, give_up_after=1), 1.0),
        # Not stopped yet: what is there counts as a fixed number.
        ((False, True), stop_rule(3, 1, 8), 0.5),
        # Beyond the stop nothing is looked at.
        ((True, False, False), stop_rule(1, 1, 8), 1.0),
    ],
)
def test_known_estimates(outcomes: Outcomes, rule: StopRule, estimate: float | None) -> None:
    assert pass_rate(outcomes, rule) == (None if estimate is None else pytest.approx(estimate))


def test_an_undecided_sample_keeps_its_place() -> None:
    """Three tries without an accepted one would have ended it: FFT was open, F-FT was not."""
    rule = stop_rule(2, 1, 8, give_up_after=3)
    assert pass_rate((False, False, True, None, True), rule) == pytest.approx(1 / 3)
    assert pass_rate((False, None, True, False, True), rule) == pytest.approx(1 / 2)


def race(rule: StopRule, rate: float, slower: float = 1.0) -> tuple[float, float]:
    """(expected estimate where there is one, chance that there is none) for one prompt at the tail.

    Every sample in flight comes back next with the same probability; one that will be rejected
    has `slower` times the probability of one that will be accepted.
    """

    @cache
    def follow(
        verdicts: tuple[tuple[int, bool], ...], flying: tuple[tuple[int, bool], ...]
    ) -> tuple[float, float]:
        schedule = Schedule(1, rule)
        for index in sorted({i for i, _ in verdicts} | {i for i, _ in flying}):
            schedule.restore(0, index)
        done = [schedule.came_back(0, index, verdict, 1) for index, verdict in verdicts]
        if any(done):
            known = dict(verdicts)
            outcomes = [known[i] for i in range(len(known)) if set(range(i + 1)) <= set(known)]
            estimate = pass_rate(outcomes, rule)
            return (0.0, 1.0) if estimate is None else (estimate, 0.0)
        asked = [work[1] for work in iter(lambda: schedule.next(2), None)]
        total = empty = 0.0
        for fates in product((True, False), repeat=len(asked)):
            chance = 1.0
            for fate in fates:
                chance *= rate if fate else 1 - rate
            now = (*flying, *zip(asked, fates, strict=True))
            speeds = [1.0 if fate else slower for _, fate in now]
            for position, (index, fate) in enumerate(now):
                share = chance * speeds[position] / sum(speeds)
                rest = now[:position] + now[position + 1 :]
                part = follow((*verdicts, (index, fate)), rest)
                total, empty = total + share * part[0], empty + share * part[1]
        return total, empty

    total, empty = follow((), ())
    return total / (1 - empty), empty


@pytest.mark.parametrize("slower", [1.0, 0.25])
def test_a_race_at_the_tail_leaves_the_first_sample_unbiased(slower: float) -> None:
    rule = stop_rule(1, 1, 4, tail_parallel=3)
    for rate in RATES:
        estimate, empty = race(rule, rate, slower)
        assert estimate == pytest.approx(rate, abs=1e-12)
        assert empty == 0.0


@pytest.mark.parametrize(
    ("rule", "slower", "most"),
    [
        (stop_rule(1, 2, 4, tail_parallel=3), 1.0, 1e-12),
        (stop_rule(2, 1, 5, tail_parallel=3), 1.0, 0.006),
        (stop_rule(2, 1, 4, tail_parallel=2), 0.5, 0.04),
    ],
)
def test_a_race_at_the_tail_biases_it_little_when_several_are_wanted(
    rule: StopRule, slower: float, most: float
) -> None:
    for rate in RATES[1:]:
        assert 0 <= race(rule, rate, slower)[0] - rate + 1e-12 <= most


def test_rows_are_written_and_read(tmp_path: Path) -> None:
    rows = [
        PromptOutcome("a", 3, 2, 1, 0.0, Stop.KEPT, 120),
        PromptOutcome("b", 1, 0, 0, None, Stop.BUDGET, 7),
    ]
    path = tmp_path / "pass_rates.parquet"
    write_rows(path, rows, PromptOutcome)
    assert read_rows(path, PromptOutcome) == rows
    assert pl.read_parquet(path)["stopped"].to_list() == ["kept", "budget"]
    assert pl.read_parquet(path).schema["pass_rate"] == pl.Float64
