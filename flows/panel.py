"""How sampling looks while it runs: a panel for a terminal, the same in one line for a log.

Functions of a SamplingProgress, without effects. What comes from servers (addresses, faults,
trouble) is shown as plain text: no markup, no control characters.
"""

import math

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.cost import Cost
from flows.progress import plain
from prompts.counted import counted
from teacher.progress import ReplicaProgress, SamplingProgress

# Rows of the panel that are not replicas; the fewest and most replicas with a row of their own,
# whatever the terminal's height: drawing 16 takes 15 ms of the event loop's time.
OTHER_ROWS = 11
FEWEST_REPLICAS, MOST_REPLICAS = 3, 16
TROUBLE_CHARACTERS = 300
# A time is told in the largest of these units of which it has at least so many.
_UNITS = ((172_800, 86_400, "d"), (7_200, 3_600, "h"), (100, 60, "min"), (0, 1, "s"))
_STYLES = {"up": "green", "lost": "red", "waiting": "yellow", "leaving": "yellow"}


def panel(
    name: str, progress: SamplingProgress, cost: Cost | None, width: int = 80, height: int = 40
) -> RenderableType:
    """Totals, then a row a replica: as many as the height allows, the rest in one row."""
    lines = [_packed(chunks, width) for chunks in (*_totals(progress), _cost_chunks(cost))]
    parts: list[RenderableType] = [_head(name, progress, width)]
    parts += [Text(line) for line in lines if line]
    if progress.faults:
        parts.append(Text(f"faults: {_faults(progress)}", style="yellow"))
    if progress.trouble:
        parts.append(Text(plain(progress.trouble, TROUBLE_CHARACTERS), style="bold red"))
    if progress.replicas:
        most = min(MOST_REPLICAS, max(FEWEST_REPLICAS, height - OTHER_ROWS))
        parts.append(_replica_table(progress.replicas, most))
    return Group(*parts)


def line(name: str, progress: SamplingProgress, cost: Cost | None) -> str:
    """The same in one line, for logs and for terminals that cannot be drawn on."""
    words = [f"{name:9} {progress.prompts_done:,}/{progress.prompts_total:,} prompts"]
    words += [counted(progress.samples, "sample")]
    if (rate := acceptance_rate(progress)) is not None:
        words.append(f"{_percent(rate)} accepted")
    words += [_speed(progress), f"{progress.in_flight:,} in flight"]
    words += _cost_chunks(cost)
    if progress.seconds_left is not None:
        words.append(f"{time_left(progress)} left")
    if progress.faults:
        words.append(f"faults: {_faults(progress)}")
    if progress.trouble:
        words.append(plain(progress.trouble, TROUBLE_CHARACTERS))
    return "  ".join(words)


def acceptance_rate(progress: SamplingProgress) -> float | None:
    """Accepted ÷ generated; None while nothing is decided: an evaluation grades when all is there.

    Failed requests are neither.
    """
    generated = progress.samples - progress.errors
    is_decided = progress.accepted + progress.rejected > 0
    return progress.accepted / generated if generated and is_decided else None


def time_left(progress: SamplingProgress) -> str:
    """The time left with its spread, in one unit: `18 min (15 to 24)`; "" when not known."""
    middle = progress.seconds_left
    if middle is None or not math.isfinite(middle):
        return ""
    _, unit_s, unit = next(row for row in _UNITS if middle >= row[0])
    said = _count(middle, unit_s)
    low, high = progress.seconds_left_low, progress.seconds_left_high
    if low is None or high is None or not math.isfinite(low + high):
        return f"{said} {unit}"
    ends = (_count(low, unit_s), _count(high, unit_s))
    return f"{said} {unit}" if ends == (said, said) else f"{said} {unit} ({ends[0]} to {ends[1]})"


def dollars(amount: float) -> str:
    """Dollars with the digits that matter: `$0.0042`, `$12.40`, `$1,204`."""
    if amount >= 1_000:
        return f"${amount:,.0f}"
    return f"${amount:.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.2g}"


def _head(name: str, progress: SamplingProgress, width: int) -> RenderableType:
    left = time_left(progress)
    counts = f"{progress.prompts_done:,}/{progress.prompts_total:,} prompts"
    bar = ProgressBar(
        total=max(1, progress.prompts_total),
        completed=progress.prompts_done,
        width=max(10, min(50, width - len(name) - len(counts) - len(left) - 14)),
    )
    head = Table.grid(padding=(0, 2))
    head.add_row(Text(name, style="bold"), bar, counts, f"{left} left" if left else "")
    return head


def _totals(progress: SamplingProgress) -> list[list[str]]:
    rate, each = acceptance_rate(progress), progress.tokens_per_accepted
    speed = [
        _speed(progress),
        f"{progress.completion_tokens:,} tokens",
        f"{progress.in_flight:,} in flight",
        f"{progress.ungraded:,} ungraded",
    ]
    if progress.wasted_tokens:
        speed.insert(2, f"{progress.wasted_tokens:,} wasted")
    samples = [counted(progress.samples, "sample")]
    if rate is not None:
        samples += [f"{progress.accepted:,} accepted", f"acceptance rate {_percent(rate)}"]
    samples += [f"{each:,.0f} tokens per accepted trace"] if each is not None else []
    samples += [f"{progress.truncated:,} truncated"] if progress.truncated else []
    return [speed, samples]


def _speed(progress: SamplingProgress) -> str:
    """Tokens a second; before the first one the teacher reads the prompts, or has them queued."""
    if progress.in_flight and not progress.completion_tokens + progress.wasted_tokens:
        return "waiting for the first token"
    return f"{progress.tokens_per_s:,.0f} tokens/s"


def _cost_chunks(cost: Cost | None) -> list[str]:
    """Cost of this process: an earlier one's is on an earlier bill."""
    if cost is None:
        return []
    said = f"{dollars(cost.so_far)} since start"
    return [said if cost.projected is None else f"{said}, {dollars(cost.projected)} at the end"]


def _faults(progress: SamplingProgress) -> str:
    most_first = sorted(progress.faults.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} {plain(kind, 40)}" for kind, count in most_first)


def _replica_table(replicas: tuple[ReplicaProgress, ...], most: int) -> Table:
    """A row a replica; where there are too many, those in trouble first and the rest in one row."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    table.add_column("replica", overflow="ellipsis", no_wrap=True, ratio=1)
    for heading in ("state", "in flight", "queued", "KV", "tokens/s"):
        table.add_column(heading, justify="left" if heading == "state" else "right", no_wrap=True)
    shown, rest = list(replicas), []
    if len(replicas) > most:
        in_order = sorted(replicas, key=lambda replica: replica.state == "up")
        shown, rest = in_order[: most - 1], in_order[most - 1 :]
    for replica in shown:
        state = plain(replica.state, 10)
        table.add_row(
            Text(plain(replica.url, 120)),
            Text(state, style=_STYLES.get(state, "")),
            f"{replica.in_flight:,}/{replica.window:,}",
            "-" if replica.queued is None else f"{replica.queued:,}",
            "-" if replica.kv_usage is None else f"{replica.kv_usage:.0%}",
            f"{replica.tokens_per_s:,.0f}",
        )
    if rest:
        table.add_row(*_rest_row(rest), style="dim")
    return table


def _rest_row(rest: list[ReplicaProgress]) -> list[str]:
    up = sum(replica.state == "up" for replica in rest)
    places = f"{sum(r.in_flight for r in rest):,}/{sum(r.window for r in rest):,}"
    queues = [replica.queued for replica in rest if replica.queued is not None]
    usages = [replica.kv_usage for replica in rest if replica.kv_usage is not None]
    return [
        f"{len(rest)} more",
        f"{up} up",
        places,
        f"{sum(queues):,}" if queues else "-",
        f"{sum(usages) / len(usages):.0%}" if usages else "-",
        f"{sum(replica.tokens_per_s for replica in rest):,.0f}",
    ]


def _packed(chunks: list[str], width: int) -> str:
    """Chunks in as few lines as hold them, broken only between chunks."""
    lines: list[str] = []
    for chunk in chunks:
        if lines and len(lines[-1]) + 3 + len(chunk) <= width:
            lines[-1] += f"   {chunk}"
        else:
            lines.append(chunk)
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _count(seconds: float, unit_s: int) -> str:
    """So many units: `18`; below three with a decimal, `2.4`, but whole seconds."""
    number = seconds / unit_s
    return f"{number:.1f}" if unit_s > 1 and number < 2.95 else f"{number:.0f}"
