"""Models side by side: what each was made from, its scores, and paired differences with intervals.

The same tables are shown as Markdown (a terminal, a README) and as one HTML page.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_cards.markdown import one_line, plain
from data_cards.paired_change import PairedChange
from data_cards.score_table import votes_notes

_HERE = Path(__file__).parent
NONE = "–"


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One of the models: what it was made from and what that took; None where nobody knows.

    `seconds` are those of the stages this run did itself, `taken_over` says which it did not.
    `sampled_tokens` are completion tokens, those paid for in vain included.
    """

    name: str
    place: str
    traces: int | None = None
    reasoning_chars: float | None = None
    trained_rows: int | None = None
    trained_tokens: int | None = None
    sampled_tokens: int | None = None
    dollars: float | None = None
    seconds: float | None = None
    taken_over: str = ""


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One model's score on a benchmark's domain; shares between 0 and 1. `votes` are the prompts
    that cons@k is over."""

    model: str
    benchmark: str
    domain: str
    prompts: int
    k: int
    missing: int
    pass_at_1: float | None
    low: float | None
    high: float | None
    cons_at_k: float | None
    undecided_rate: float | None
    truncation_rate: float | None
    mean_tokens: float | None
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it; differences are against the first model. `notes` say what could not be paired."""

    title: str
    confidence: float
    models: Sequence[ComparedModel]
    scores: Sequence[ScoreLine]
    changes: Sequence[PairedChange]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns; the first `labels` columns are words, the others numbers."""

    title: str
    remark: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int = 1


def comparison_dict(found: Comparison) -> dict[str, Any]:
    """Plain dicts, lists and numbers, for JSON."""
    values = asdict(found)
    for row, change in zip(values["changes"], found.changes, strict=True):
        row["verdict"] = change.verdict
    return values


def comparison_markdown(found: Comparison) -> str:
    """The tables as Markdown; names that people gave are escaped."""
    return _text(found, plain)


def comparison_text(found: Comparison) -> str:
    """The same for a terminal, where nothing needs escaping but what cannot be seen."""
    return _text(found, one_line)


def comparison_html(found: Comparison) -> str:
    """The same as one HTML page that fetches nothing and runs no script."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = (_HERE / "comparison.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        title=found.title,
        tables=_tables(found),
        changes=found.changes,
        notes=found.notes,
        style=Markup((_HERE / "report.css").read_text(encoding="utf-8")),
    )


def _text(found: Comparison, shown: Callable[[str], str]) -> str:
    parts = [f"# {shown(found.title)}"]
    for table in _tables(found):
        parts += [f"## {table.title}", *([shown(table.remark)] if table.remark else [])]
        parts.append(_grid(table, shown))
    parts += ["\n".join(f"- {shown(note)}" for note in found.notes)] if found.notes else []
    return "\n\n".join(parts) + "\n"


def _tables(found: Comparison) -> list[Table]:
    return [_made_from(found.models), _scores(found), _changes(found)]


def _made_from(models: Sequence[ComparedModel]) -> Table:
    """What each model was made from: a column a model, a row a fact that any of them has."""
    facts = {
        "traces published": [_count(one.traces) for one in models],
        "characters of a reasoning, mean": [_count(one.reasoning_chars) for one in models],
        "rows trained on": [_count(one.trained_rows) for one in models],
        "tokens an epoch": [_count(one.trained_tokens) for one in models],
        "tokens sampled": [_count(one.sampled_tokens) for one in models],
        "sampling, dollars": [_count(one.dollars) for one in models],
        "seconds of its own stages": [_count(one.seconds) for one in models],
        "stages taken over": [one.taken_over or NONE for one in models],
        "where": [one.place for one in models],
    }
    known = {name: cells for name, cells in facts.items() if set(cells) != {NONE}}
    return Table(
        title="Made from",
        remark="",
        header=("", *(one.name for one in models)),
        rows=tuple((name, *cells) for name, cells in known.items()),
    )


def _scores(found: Comparison) -> Table:
    """A row a benchmark, domain and model."""
    rows = sorted(found.scores, key=lambda row: (row.benchmark, row.domain == "overall"))
    cells = tuple(
        (
            row.benchmark,
            row.domain,
            row.model,
            _percent(row.pass_at_1),
            f"{_percent(row.low)} to {_percent(row.high)}",
            _percent(row.cons_at_k),
            f"{row.prompts:,} × {row.k}" + (f" − {row.missing:,}" if row.missing else ""),
            _percent(row.truncation_rate),
            _percent(row.undecided_rate),
            _count(row.mean_tokens),
        )
        for row in rows
    )
    header = ("benchmark", "domain", "model", "pass@1 %", _interval(found), "cons@k %")
    remark = "n × k are prompts and samples of each, less those that are missing."
    apart = votes_notes((row.benchmark, row.domain, row.votes, row.prompts) for row in rows)
    return Table(
        title="Scores",
        remark=" ".join([remark, *(f"{note}." for note in apart)]),
        header=(*header, "n × k", "truncated %", "undecided %", "mean tokens"),
        rows=cells,
        labels=3,
    )


def _changes(found: Comparison) -> Table:
    """A row a benchmark, domain and pair."""
    cells = tuple(
        (
            row.benchmark,
            row.domain,
            f"{row.second} − {row.first}",
            f"{100 * row.change:+.1f}",
            f"{100 * row.low:+.1f} to {100 * row.high:+.1f}",
            f"{row.prompts:,}" + (f" ({row.unpaired:,} unpaired)" if row.unpaired else ""),
            row.verdict,
        )
        for row in found.changes
    )
    several = len({(row.first, row.second) for row in found.changes})
    remark = "pass@1 in points on the prompts both were asked, with the paired interval."
    if several > 1:
        remark += f" Each interval stands for itself: none is widened for the {several} pairs."
    return Table(
        title="Differences",
        remark=remark,
        header=("benchmark", "domain", "pair", "points", _interval(found), "n", ""),
        rows=cells,
        labels=3,
    )


def _interval(found: Comparison) -> str:
    return f"{100 * found.confidence:g} % interval"


def _grid(table: Table, shown: Callable[[str], str]) -> str:
    """A Markdown table, its columns as wide as their cells so that a terminal shows it well."""
    text = [[shown(cell) for cell in line] for line in (table.header, *table.rows)]
    widths = [max(3, *(len(line[at]) for line in text)) for at in range(len(table.header))]
    padded = [
        [
            cell.ljust(width) if at < table.labels else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in text
    ]
    rule = [
        "-" * width if at < table.labels else "-" * (width - 1) + ":"
        for at, width in enumerate(widths)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _count(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.2f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f}"
