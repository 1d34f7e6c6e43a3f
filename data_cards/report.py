"""The report: one HTML file with funnel, scores and traces to read; it fetches nothing."""

import base64
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_cards.funnel import FunnelRow, seconds_text
from data_cards.loss_curve import loss_curve
from data_cards.score_table import LABELS, ScoreTable, table_header, table_lines, table_notes
from data_cards.trace import Trace

_HERE = Path(__file__).parent
# Beyond this a text is cut in the report: 200 traces of 32,768 tokens would make 25 MB.
MAX_TEXT_CHARS = 20_000
_SHOWN_FIELDS = (
    "sample_id",
    "domain",
    "source",
    "difficulty",
    "question",
    "reasoning",
    "answer",
    "reference_kind",
    "reference",
    "tests",
    "choices",
    "verifier",
    "outcome",
    "reason",
    "verdicts",
    "pass_rate",
    "decided_samples",
    "completion_tokens",
    "finish_reason",
    "temperature",
    "attempts",
)


def write_report(
    path: Path,
    *,
    title: str,
    funnel: Sequence[FunnelRow],
    traces: Sequence[Trace],
    scores: ScoreTable | None = None,
    facts: Mapping[str, str] | None = None,
    losses: Sequence[tuple[int, float]] = (),
    shown: int = 200,
) -> Path:
    """Write the report, whole or not at all; `traces` are accepted and rejected ones together.

    `shown` of them go in, spread evenly over domains, outcomes and reasons. `facts` are lines
    under the title, such as teacher or machine; `losses` are (step, loss) of the training. What
    models wrote is data to the page: it is escaped, set as text, and a content security policy
    allows no script but the page's own.
    """
    chosen = choose_traces(traces, shown)
    text = render_report(
        title=title,
        funnel=funnel,
        scores=scores or ScoreTable(),
        facts=dict(facts or {}),
        losses=losses,
        traces=chosen,
        trace_count=len(traces),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", errors="replace")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def choose_traces(traces: Sequence[Trace], count: int) -> list[Trace]:
    """`count` traces, taken in turn from every domain, outcome and reason, rare ones included."""
    groups: dict[tuple[str, str, str], list[Trace]] = defaultdict(list)
    for trace in traces:
        groups[trace.domain, trace.outcome, trace.reason].append(trace)
    turns = [(turn, key) for key in sorted(groups) for turn in range(min(len(groups[key]), count))]
    return [groups[key][turn] for turn, key in sorted(turns)[:count]]


def embedded_json(values: object) -> str:
    """JSON that is safe inside a script element: no `<`, `>` or `&`, so no tag can begin in it."""
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def render_report(**values: Any) -> str:
    """The page's HTML from report.html, report.css and report.js."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    values["traces"] = Markup(embedded_json([_shown(trace) for trace in values["traces"]]))
    return environment.from_string((_HERE / "report.html").read_text(encoding="utf-8")).render(
        **values,
        bars=_bars,
        score_header=table_header(values["scores"]),
        score_lines=table_lines(values["scores"]),
        score_notes=table_notes(values["scores"]),
        labels=LABELS,
        curve=Markup(loss_curve(values["losses"])),
        seconds_text=seconds_text,
        style=Markup((_HERE / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _shown(trace: Trace) -> dict[str, Any]:
    return {name: _cut(getattr(trace, name)) for name in _SHOWN_FIELDS}


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
        return value[:MAX_TEXT_CHARS] + f"\n[… {len(value) - MAX_TEXT_CHARS:,} more characters]"
    return list(value) if isinstance(value, tuple) else value


def _bars(row: FunnelRow) -> list[tuple[str, str, float, int]]:
    """A funnel row's outcomes as (class, name, width in percent, count), for the stacked bar."""
    named = {"accept": "good", "reject": "bad", "undecided": "unsure"}
    return [
        (
            named.get(outcome, "good" if index == 0 else "other"),
            outcome,
            round(100 * count / row.n_in, 3) if row.n_in else 0.0,
            count,
        )
        for index, (outcome, count) in enumerate(row.outcomes.items())
    ]
