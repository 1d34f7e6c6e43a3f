"""A run's score table, from what the evaluate stage noted in the manifest."""

from collections.abc import Iterator, Mapping
from typing import Any

from data_cards.paired_change import PairedChange
from data_cards.score_table import PublishedScores, RatingRow, ScoreRow, ScoreTable
from evals.scores import HELD_OUT, OVERALL, DomainScore, Rating
from flows.recipe import Recipe
from sft.published import PUBLISHED


def run_score_table(evaluation: Mapping[str, Any], recipe: Recipe) -> ScoreTable:
    """The table of an evaluate stage's entry; without a row where nothing was measured.

    Beside the scores stand those published for the recipe's student, where there are any.
    """
    by_benchmark = {HELD_OUT: evaluation, **evaluation.get("benchmarks", {})}
    return ScoreTable(
        rows=[row for name, found in by_benchmark.items() for row in _scores(name, found)],
        ratings=[row for name, found in by_benchmark.items() for row in _ratings(name, found)],
        changes=[row for name, found in by_benchmark.items() for row in _changes(name, found)],
        published=_published(recipe),
        confidence=recipe.evals.confidence,
        left_out={name: found.get("left_out", {}) for name, found in by_benchmark.items()},
    )


def _published(recipe: Recipe) -> PublishedScores | None:
    """The published row of the recipe's student, with how either was measured: no two scores are
    alike that were not asked for alike."""
    known, evals = PUBLISHED.get(recipe.student.name), recipe.evals
    if known is None:
        return None
    ours = (
        f"ours are at T={evals.temperature:g}, top-p {evals.top_p:g}, {evals.max_tokens:,} tokens, "
        f"template {recipe.dataset.template}, with the dates, prompts and samples of their rows"
    )
    return PublishedScores(known.model, known.source, f"{known.setting}; {ours}", known.scores)


def _scores(benchmark: str, found: Mapping[str, Any]) -> Iterator[ScoreRow]:
    for who, rows in found.get("scores", {}).items():
        for row in map(DomainScore.model_validate, rows):
            yield score_row(benchmark, who, row)


def score_row(benchmark: str, who: str, row: DomainScore) -> ScoreRow:
    """One row as the table shows it."""
    one = row.interval
    most = max(row.pass_at_k, default=0)
    return ScoreRow(
        benchmark=benchmark,
        group=row.domain,
        who=who,
        prompts=row.prompts,
        k=row.k,
        missing=row.missing,
        pass_at_1=one.value if one else None,
        low=one.low if one else None,
        high=one.high if one else None,
        cons_at_k=row.cons_at_k.value if row.cons_at_k else None,
        pass_at_k=row.pass_at_k[most].value if most else None,
        most=most,
        undecided_rate=row.undecided_rate,
        truncation_rate=row.truncation_rate,
        mean_tokens=row.mean_completion_tokens,
        votes=row.cons_at_k.n if row.cons_at_k else 0,
        passes=row.pass_at_k[most].n if most else 0,
        scored=row.pass_at_1.n if row.pass_at_1 else 0,
        undecided=row.undecided,
        undecided_prompts=row.undecided_prompts,
    )


def _ratings(benchmark: str, found: Mapping[str, Any]) -> Iterator[RatingRow]:
    for who, values in found.get("ratings", {}).items():
        yield rating_row(benchmark, who, Rating.model_validate(values))


def rating_row(benchmark: str, who: str, rated: Rating) -> RatingRow:
    """One rating as the table shows it."""
    one = rated.rating
    ends = one.value, one.low, one.high, one.n
    return RatingRow(
        *(benchmark, who, *ends), rated.attempts, rated.unasked, rated.without_standings
    )


def _changes(benchmark: str, found: Mapping[str, Any]) -> Iterator[PairedChange]:
    for pair, rows in found.get("differences", {}).items():
        second, first = pair.split(" - ")
        for row in rows:
            if row["domain"] == OVERALL:
                change, who = row["change"], (first, second, benchmark, OVERALL)
                ends = change["value"], change["low"], change["high"], change["n"]
                yield PairedChange(*who, *ends, row.get("unpaired", 0))
