"""The score table: ours beside what others published, in a terminal, as Markdown and as HTML.

    benchmark  group    model         pass@1 %  95 % interval  cons@k %  pass@k %    n × k  cut %  …
    aime-2024  overall  base               5.0    1.0 to 10.0      10.0  33.3 @64  30 × 64   30.2  …
                        student           41.2   31.5 to 51.0      56.7  63.3 @64  30 × 64    3.1  …
                        R1-Distill-X      55.5      published  83.3 @64         –  see below    –  …

A score of ours is never without its interval, the prompts and samples behind it, the share of
completions that were cut and their mean length.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from data_cards.markdown import one_line, plain
from data_cards.paired_change import PairedChange
from prompts.counted import counted

NONE = "–"
OVERALL = "overall"
LABELS = 3  # the first columns are words, the others numbers


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One model's score in one group of a benchmark; shares between 0 and 1, None where there is
    no sample, or no vote. `pass_at_k` is the chance that `most` samples hold a right one, over
    `passes` prompts; `votes` are the prompts that cons@k is over."""

    benchmark: str
    group: str
    who: str
    prompts: int
    k: int
    missing: int
    pass_at_1: float | None
    low: float | None
    high: float | None
    cons_at_k: float | None
    pass_at_k: float | None
    most: int
    undecided_rate: float | None
    truncation_rate: float | None
    mean_tokens: float | None
    votes: int = 0
    passes: int = 0
    scored: int = 0
    undecided: Mapping[str, int] = field(default_factory=dict)
    undecided_prompts: int = 0


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One model's Codeforces rating with its interval over contests; problems of these that were
    not asked, and contests asked about that have no standings, are said below the table."""

    benchmark: str
    who: str
    rating: float
    low: float
    high: float
    contests: int
    attempts: int
    unasked: int = 0
    without_standings: int = 0


@dataclass(frozen=True, slots=True)
class PublishedScores:
    """What others published for a like model: percent by benchmark, `NAME cons@64` the majority's,
    `codeforces rating` no percentage; `setting` says how they sampled."""

    model: str
    source: str
    setting: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """All that is shown; rows in any order, those of one benchmark and group stand together.

    `left_out`: by benchmark, how many of its rows were not asked, by reason."""

    rows: Sequence[ScoreRow] = ()
    ratings: Sequence[RatingRow] = ()
    changes: Sequence[PairedChange] = ()
    published: PublishedScores | None = None
    confidence: float = 0.95
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line's cells as text, and where its bar lies between 0 and 1: low, value, high."""

    cells: tuple[str, ...]
    bar: tuple[float, float, float] | None = None


def table_header(table: ScoreTable) -> tuple[str, ...]:
    """The names of the columns."""
    interval = f"{100 * table.confidence:g} % interval"
    numbers = ("pass@1 %", interval, "cons@k %", "pass@k %", "n × k", "cut %", "undecided %")
    return ("benchmark", "group", "model", *numbers, "tokens")


def table_lines(table: ScoreTable) -> list[TableLine]:
    """A line a benchmark, group and model; below a benchmark's own, its rating and the published
    score, where there are."""
    lines: list[TableLine] = []
    for benchmark in dict.fromkeys(row.benchmark for row in table.rows):
        rows = [row for row in table.rows if row.benchmark == benchmark]
        for group in sorted({row.group for row in rows}, key=lambda name: (name == OVERALL, name)):
            lines += [_score_line(row) for row in rows if row.group == group]
        lines += _published_lines(benchmark, table.published)
        lines += [_rating_line(row) for row in table.ratings if row.benchmark == benchmark]
        lines += _published_rating(benchmark, table)
    return lines


def table_notes(table: ScoreTable) -> list[str]:
    """What a reader needs to read the table, and the differences, a sentence each."""
    notes = [
        "pass@1 is the mean over k samples of every prompt, its interval over prompts; cons@k the "
        "share of prompts whose most frequent answer is right; pass@k that one of so many samples "
        "is. n × k are prompts and samples of each, less those that are missing; cut: completions "
        "that reached the token limit, none of which counts as right; tokens: their mean length."
    ]
    notes += [change_text(row, table) for row in table.changes]
    notes += [note for row in table.rows if row.group == OVERALL for note in unscored_notes(row)]
    notes += [
        f"not asked of {name}: {counted(sum(reasons.values()), 'row')}: {_counted(reasons)}"
        for name, reasons in table.left_out.items()
        if reasons
    ]
    notes += votes_notes((r.benchmark, r.group, r.votes, r.prompts) for r in table.rows)
    notes += dict.fromkeys(
        f"pass@{row.most} of {row.who}, {row.benchmark}, {row.group}, is over {row.passes:,} of "
        f"{row.prompts:,} prompts: others have fewer samples"
        for row in table.rows
        if 0 < row.passes < row.prompts
    )
    notes += filter(None, map(_left_out_text, table.ratings))
    shown = [line for line in table_lines(table) if line.cells[4] == "published"]
    if shown and table.published:
        one = table.published
        notes.append(f"{one.model}: {one.source}; {one.setting}. Published without an interval.")
    return notes


def unscored_notes(row: ScoreRow) -> Iterator[str]:
    """What of a benchmark is not in its pass@1, and what is in it though nobody could grade it."""
    what, came = f"of {row.who}, {row.benchmark},", row.prompts * row.k - row.missing
    if row.missing:
        yield (
            f"{row.missing:,} of {row.prompts * row.k:,} samples {what} are missing (failed, "
            f"refused or not asked yet): pass@1 is over {row.scored:,} of {row.prompts:,} prompts"
        )
    if row.undecided:
        graded_none = f"; {row.undecided_prompts:,} of {row.prompts:,} prompts have no others"
        yield (
            f"{sum(row.undecided.values()):,} of {came:,} samples {what} nobody could grade, and "
            f"they count as not right: {_counted(row.undecided)}"
            f"{graded_none if row.undecided_prompts else ''}"
        )


def _counted(reasons: Mapping[str, int]) -> str:
    """`12 grader_timeout, 3 unparsed`."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())


def votes_notes(rows: Iterable[tuple[str, str, int, int]]) -> list[str]:
    """Where cons@k leaves prompts out, a sentence each; of benchmark, group, votes and prompts."""
    return list(
        dict.fromkeys(
            f"cons@k of {benchmark}, {group}, is over {votes:,} of {prompts:,} prompts: programs "
            "and rubrics, and prompts without a sample, have no answer that can vote"
            for benchmark, group, votes, prompts in rows
            if 0 < votes < prompts
        )
    )


def change_text(row: PairedChange, table: ScoreTable) -> str:
    """One difference as a line: `student - base: +62.7 points overall, paired …`."""
    several = len({score.benchmark for score in table.rows}) > 1
    return (
        f"{row.second} - {row.first}{f', {row.benchmark}' if several else ''}: "
        f"{100 * row.change:+.1f} points overall, paired {100 * table.confidence:g} % interval "
        f"{100 * row.low:+.1f} to {100 * row.high:+.1f}, n={row.prompts:,}"
    )


def _left_out_text(row: RatingRow) -> str:
    """What a rating could not take in; empty where it took in all."""
    parts = []
    if row.unasked:
        parts.append(
            f"{row.unasked:,} problems of its contests were not asked, or a participation has no "
            "graded answer: unsolved there"
        )
    if row.without_standings:
        parts.append(f"{row.without_standings:,} contests have no standings: left out")
    return f"{row.benchmark} rating of {row.who}: {'; '.join(parts)}" if parts else ""


def score_text(table: ScoreTable) -> list[str]:
    """The table for a terminal, columns aligned, a repeated name left out; then its notes."""
    cells = [tuple(map(one_line, line.cells)) for line in table_lines(table)]
    lines = [table_header(table), *_unrepeated(cells)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if at < LABELS else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return [*text, *map(one_line, table_notes(table)[1:])]


def score_markdown(table: ScoreTable) -> str:
    """The table as Markdown, for a README; names that people gave are escaped."""
    header = table_header(table)
    rule = ["---" if at < LABELS else "---:" for at in range(len(header))]
    lines = [header, *(line.cells for line in table_lines(table))]
    grid = [" | ".join(map(plain, line)) for line in lines]
    grid.insert(1, " | ".join(rule))
    notes = [plain(note) for note in table_notes(table)]
    return "\n".join(f"| {line} |" for line in grid) + "\n\n" + "\n\n".join(notes) + "\n"


def _unrepeated(lines: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The same lines, with benchmark and group only where they begin."""
    above: tuple[str, ...] = ("", "")
    for line in lines:
        same = line[0] == above[0], line[:2] == above[:2]
        yield ("" if same[0] else line[0], "" if same[1] else line[1], *line[2:])
        above = line


def _score_line(row: ScoreRow) -> TableLine:
    known = row.pass_at_1 is not None and row.low is not None and row.high is not None
    cells = (
        *(row.benchmark, row.group, row.who, _percent(row.pass_at_1)),
        f"{_percent(row.low)} to {_percent(row.high)}" if known else NONE,
        _percent(row.cons_at_k),
        NONE if row.pass_at_k is None else f"{_percent(row.pass_at_k)} @{row.most}",
        f"{row.prompts:,} × {row.k}" + (f" − {row.missing:,}" if row.missing else ""),
        *(_percent(row.truncation_rate), _percent(row.undecided_rate)),
        NONE if row.mean_tokens is None else f"{row.mean_tokens:,.0f}",
    )
    if row.pass_at_1 is None or row.low is None or row.high is None:
        return TableLine(cells)
    return TableLine(cells, (row.low, row.pass_at_1, row.high))


def _rating_line(row: RatingRow) -> TableLine:
    rest = (NONE, NONE, f"{row.contests:,} contests, {row.attempts} tries", NONE, NONE, NONE)
    interval = f"{row.low:,.0f} to {row.high:,.0f}"
    return TableLine((row.benchmark, "rating", row.who, f"{row.rating:,.0f}", interval, *rest))


def _published_lines(benchmark: str, published: PublishedScores | None) -> Iterator[TableLine]:
    """The published score of a benchmark, whatever dates ours was cut to."""
    name = benchmark.partition("@")[0]
    if published is None or name not in published.scores:
        return
    votes = [key for key in published.scores if key.startswith(f"{name} cons@")]
    vote = f"{published.scores[votes[0]]:.1f} @{votes[0].partition('@')[2]}" if votes else NONE
    score = f"{published.scores[name]:.1f}"
    cells = (benchmark, OVERALL, published.model, score, "published", vote)
    yield TableLine((*cells, NONE, "see below", NONE, NONE, NONE))


def _published_rating(benchmark: str, table: ScoreTable) -> Iterator[TableLine]:
    published = table.published
    key = f"{benchmark} rating"
    if published is None or key not in published.scores:
        return
    cells = (benchmark, "rating", published.model, f"{published.scores[key]:,.0f}", "published")
    yield TableLine((*cells, NONE, NONE, "see below", NONE, NONE, NONE))


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"
