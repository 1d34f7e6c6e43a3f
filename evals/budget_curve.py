"""Accuracy against thinking tokens: the curve as rows, as a table and as a plot."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from data_cards.markdown import one_line
from data_cards.plots import SERIES, draw_plot
from evals.budget import BudgetRecipe
from evals.budget_cut import CutRow
from evals.scores import DomainScore, Scores

SAMPLING_NOTE = (
    "thinking is sampled once, to the largest budget, and cut for the smaller ones; "
    "each budget's answers are its own"
)


class BudgetPoint(BaseModel):
    """One budget's score, with what the forcing did to get it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    budget: int = Field(description="thinking tokens at most")
    mean_thinking_tokens: float | None = Field(description="of the samples that came")
    forced_rate: float | None = Field(description="share whose end of thinking was put there")
    mean_waits: float | None = Field(description="times the thinking was told to go on")
    score: DomainScore = Field(description="of all prompts")


class BudgetCurve(BaseModel):
    """What `curve.json` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: str
    model: str
    waits: int
    answer_tokens: int
    lead: str
    confidence: float
    sampling: str = SAMPLING_NOTE
    points: tuple[BudgetPoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, for JSON."""
        return self.model_dump(mode="json")


def curve_of(
    scores: Mapping[int, Scores], rows: Sequence[CutRow], recipe: BudgetRecipe, model: str
) -> BudgetCurve:
    """The curve of each budget's scores; `rows` are of the samples that came."""
    first = next(iter(scores.values()))
    return BudgetCurve(
        benchmark=first.benchmark,
        model=model,
        waits=recipe.waits,
        answer_tokens=recipe.answer_tokens,
        lead=recipe.lead,
        confidence=first.confidence,
        points=tuple(_point(budget, found, rows) for budget, found in scores.items()),
    )


def _point(budget: int, scores: Scores, rows: Sequence[CutRow]) -> BudgetPoint:
    here = [row for row in rows if row.budget == budget]
    return BudgetPoint(
        budget=budget,
        mean_thinking_tokens=_mean(row.thinking_tokens for row in here),
        forced_rate=_mean(row.forced for row in here),
        mean_waits=_mean(row.waits for row in here),
        score=scores.row(),
    )


def table(curve: BudgetCurve) -> list[str]:
    """The curve as lines for a terminal, a budget each."""
    first = curve.points[0].score
    head = f"{'budget':>8}{'thinking':>10}{'forced':>8}{'waits':>7}"
    head += f"{'pass@1':>22}{'cons@k':>9}{'cut short':>11}{'tokens':>8}"
    waits = f", Wait × {curve.waits}" if curve.waits else ""
    lines = [
        f"{one_line(f'{curve.benchmark} by thinking tokens, {curve.model}')}: n={first.prompts} "
        f"prompts, k={first.k}, {100 * curve.confidence:g}% intervals{waits}",
        head,
    ]
    lines += [_line(point) for point in curve.points]
    return [*lines, f"({curve.sampling})"]


def _line(point: BudgetPoint) -> str:
    one, vote = point.score.interval, point.score.cons_at_k
    passed = "-"
    if one is not None:
        passed = f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"
    return (
        f"{point.budget:>8,}{_number(point.mean_thinking_tokens):>10}"
        f"{_percent(point.forced_rate):>8}{_number(point.mean_waits, 1):>7}{passed:>22}"
        f"{_percent(vote.value if vote else None):>9}{_percent(point.score.truncation_rate):>11}"
        f"{_number(point.score.mean_completion_tokens):>8}"
    )


def draw_curve(path: Path, curve: BudgetCurve) -> Path:
    """The curve as an SVG (or PNG) file: pass@1 and its interval over mean thinking tokens."""
    first = curve.points[0].score
    waits = f", Wait × {curve.waits}" if curve.waits else ""
    title = f"{curve.benchmark}: accuracy by thinking (n={first.prompts}, k={first.k}{waits})"
    return draw_plot(path, title, lambda axes: _draw(axes, curve))


def _draw(axes: Any, curve: BudgetCurve) -> None:
    shown = [
        (point, point.score.interval, point.mean_thinking_tokens)
        for point in curve.points
        if point.score.interval is not None and point.mean_thinking_tokens is not None
    ]
    spent = [tokens for _, _, tokens in shown]
    values = [100 * one.value for _, one, _ in shown if one]
    below = [100 * max(0.0, one.value - one.low) for _, one, _ in shown if one]
    above = [100 * max(0.0, one.high - one.value) for _, one, _ in shown if one]
    axes.errorbar(
        spent,
        values,
        yerr=[below, above],
        marker="o",
        capsize=3,
        color=SERIES[0],
        label=curve.model,
    )
    for (point, _, tokens), value in zip(shown, values, strict=True):
        axes.annotate(
            f"{point.budget:,}", (tokens, value), xytext=(5, 5), textcoords="offset points", size=7
        )
    if spent and min(spent) > 0 and max(spent) >= 4 * min(spent):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("mean thinking tokens (labels: the budget)")
    axes.set_ylabel(f"pass@1 in %, {100 * curve.confidence:g}% interval")


def _mean(values: Iterable[float]) -> float | None:
    """The mean; None of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else None


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"
