"""From graded samples to scores, and from two sets of scores to their difference."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from evals.benchmarks import EvalBenchmark
from evals.scores import HELD_OUT, OVERALL, Difference, DomainScore, PromptScore, Scores
from evals.stats import (
    Interval,
    bootstrap,
    clustered_error,
    cons_at_k,
    paired_difference,
    pass_at_1,
    pass_at_k,
    wilson,
)
from evals.votes import NO_VOTE, vote_keys
from filters.verdict import Outcome, Verdict
from prompts.record import Prompt
from teacher.sample import Sample
from teacher.serve import ServeRecipe

Subject = Literal["base", "teacher", "student"]


class EvalsRecipe(BaseModel):
    """How models are measured: the `evals` section of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k: int = Field(default=4, ge=1, le=1024, description="samples per prompt")
    temperature: float = Field(default=0.6, ge=0, le=2, description="sampling temperature")
    top_p: float = Field(default=0.95, gt=0, le=1, description="nucleus sampling threshold")
    max_tokens: int = Field(default=32_768, ge=1, description="token limit of a completion")
    seed: int = Field(default=0, ge=0, description="of sampling and of the bootstrap")
    subjects: tuple[Subject, ...] = Field(
        default=("base", "student"), description="who is measured: base, teacher, student"
    )
    benchmarks: tuple[EvalBenchmark, ...] = Field(
        default=(), description="what else they are measured on, besides the held-out prompts"
    )
    in_flight: int = Field(default=64, ge=1, le=4_096, description="requests outstanding")
    serve: ServeRecipe | None = Field(
        default=None, description="how students are served; as the teacher is without it"
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of every interval")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        labels = [HELD_OUT, *(one.label for one in self.benchmarks)]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"benchmarks: {twice[0]!r} is there twice; give one another `name`")
        return self


@dataclass(frozen=True, slots=True)
class _Graded:
    """A prompt with the samples that came back and what became of them."""

    prompt: Prompt
    group: str
    samples: list[Sample]
    verdicts: list[Verdict]
    cons_at_k: float

    @property
    def accepted(self) -> list[bool]:
        return [verdict.outcome is Outcome.ACCEPT for verdict in self.verdicts]

    @property
    def undecided(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.outcome is Outcome.UNDECIDED]


def domain_of(prompt: Prompt) -> str:
    """The group a prompt's score goes into where its benchmark has none of its own."""
    return prompt.domain


def score(
    prompts: Sequence[Prompt],
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    k: int,
    confidence: float = 0.95,
    seed: int = 0,
    benchmark: str = HELD_OUT,
    group_of: Callable[[Prompt], str] = domain_of,
) -> Scores:
    """Score every prompt's first k samples, per group (its domain, if not told) and overall.

    Of several verdicts on one sample the last counts. Samples of other prompts, beyond k or with
    an error are not scored; the last two are counted as missing. ValueError for a sample that was
    never graded.
    """
    by_prompt: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.sample_index < k and sample.error is None:
            by_prompt[sample.prompt_id].append(sample)
    given = {verdict.sample_id: verdict for verdict in verdicts}
    graded = [_grade(one, group_of(one), by_prompt[one.prompt_id], given) for one in prompts]
    groups: dict[str, list[_Graded]] = defaultdict(list)
    for one in graded:
        groups[one.group].append(one)
    named = [*sorted(groups.items()), (OVERALL, graded)]
    return Scores(
        benchmark=benchmark,
        k=k,
        confidence=confidence,
        rows=tuple(_row(name, group, k, confidence, seed) for name, group in named),
        prompts=tuple(map(_prompt_score, graded)),
        verifiers=dict(sorted({(one.verifier, one.verifier_version) for one in verdicts})),
    )


def _grade(
    prompt: Prompt, group: str, samples: Sequence[Sample], given: Mapping[str, Verdict]
) -> _Graded:
    """One prompt's samples with their verdicts; cons@k is NaN where nothing can vote."""
    ordered = sorted(samples, key=lambda sample: sample.sample_index)
    ungraded = [sample.sample_id for sample in ordered if sample.sample_id not in given]
    if ungraded:
        raise ValueError(f"{len(ungraded)} sample(s) have no verdict, the first is {ungraded[0]}")
    found = [given[sample.sample_id] for sample in ordered]
    vote = math.nan
    if ordered and prompt.reference_kind not in NO_VOTE:
        vote = _vote(prompt, ordered, [verdict.outcome for verdict in found])
    return _Graded(prompt, group, ordered, found, vote)


def _vote(prompt: Prompt, samples: Sequence[Sample], outcomes: Sequence[Outcome]) -> float:
    """A prompt's cons@k; answers are looked at only where counting outcomes cannot tell."""
    accepted = sum(outcome is Outcome.ACCEPT for outcome in outcomes)
    if accepted == 0 or 2 * accepted > len(outcomes):
        return float(accepted > 0)
    correct = [[outcome is Outcome.ACCEPT for outcome in outcomes]]
    return float(cons_at_k([vote_keys(prompt, samples, outcomes)], correct)[0])


def _prompt_score(one: _Graded) -> PromptScore:
    return PromptScore(
        prompt_id=one.prompt.prompt_id,
        domain=one.group,
        pass_at_1=_share(one.accepted),
        cons_at_k=_number(one.cons_at_k),
    )


def _row(name: str, group: Sequence[_Graded], k: int, confidence: float, seed: int) -> DomainScore:
    """The table row of a group of prompts."""
    samples = [sample for one in group for sample in one.samples]
    undecided = [verdict for one in group for verdict in one.undecided]
    correct = _matrix(group, k)
    passes = pass_at_1(correct)
    overall = bootstrap(passes, confidence, seed)
    votes = bootstrap([one.cons_at_k for one in group], confidence, seed)
    return DomainScore(
        domain=name,
        prompts=len(group),
        k=k,
        samples=len(samples),
        missing=len(group) * k - len(samples),
        pass_at_1=overall if overall.n else None,
        wilson=wilson(sum(passes == 1), overall.n, confidence) if k == 1 and overall.n else None,
        pass_at_k=_passes_at_powers(correct, k, confidence, seed),
        standard_error=_number(clustered_error(passes)),
        cons_at_k=votes if votes.n else None,
        undecided_rate=len(undecided) / len(samples) if samples else None,
        undecided=dict(Counter(verdict.reason.value for verdict in undecided).most_common()),
        undecided_prompts=sum(len(one.undecided) == len(one.samples) > 0 for one in group),
        truncation_rate=_share([sample.finish_reason == "length" for sample in samples]),
        mean_completion_tokens=_share([sample.completion_tokens for sample in samples]),
    )


def _matrix(group: Sequence[_Graded], k: int) -> NDArray[np.float64]:
    """The group's score matrix, (prompts, k); NaN where a sample is missing."""
    correct = np.full((len(group), k), math.nan)
    for row, one in enumerate(group):
        correct[row, : len(one.samples)] = one.accepted
    return correct


def _passes_at_powers(
    correct: NDArray[np.float64], k: int, confidence: float, seed: int
) -> dict[int, Interval]:
    """pass@2, pass@4, … up to pass@k; those no prompt has enough samples for are left out."""
    powers = [2**n for n in range(1, k.bit_length()) if 2**n <= k]
    found = {many: bootstrap(pass_at_k(correct, many), confidence, seed) for many in powers}
    return {many: interval for many, interval in found.items() if interval.n}


def compare(
    before: Scores, after: Scores, seed: int = 0, confidence: float | None = None
) -> tuple[Difference, ...]:
    """Paired differences of pass@1, after minus before, per domain and overall.

    Pairs are the prompts both have a score for; the others are counted as unpaired. A domain
    without a pair has no row. Intervals are as sure as those of `before`, if not told otherwise.
    """
    first = {one.prompt_id: one for one in before.prompts if one.pass_at_1 is not None}
    second = {one.prompt_id: one for one in after.prompts if one.pass_at_1 is not None}
    domains = sorted({one.domain for one in (*first.values(), *second.values())})
    rows = []
    for domain in (*domains, OVERALL):
        ours = {p: one.pass_at_1 for p, one in first.items() if domain in (one.domain, OVERALL)}
        theirs = {p: one.pass_at_1 for p, one in second.items() if domain in (one.domain, OVERALL)}
        both = [p for p in ours if p in theirs]
        if not both:
            continue
        old = np.array([ours[p] for p in both], dtype=float)
        new = np.array([theirs[p] for p in both], dtype=float)
        rows.append(
            Difference(
                domain=domain,
                before=float(old.mean()),
                after=float(new.mean()),
                change=paired_difference(old, new, confidence or before.confidence, seed),
                unpaired=len(ours.keys() ^ theirs.keys()),
            )
        )
    return tuple(rows)


def _number(value: float) -> float | None:
    """NaN has no place in JSON."""
    return None if math.isnan(value) else value


def _share(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
