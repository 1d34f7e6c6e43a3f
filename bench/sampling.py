"""`make bench-sampling`: the sampling engine's figures as one table, ours beside a peer or a limit.

Each is the median of interleaved rounds in the same run, with the lowest and highest.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from bench import figures
from bench.figures import QUICK, Scale, Values

Rounds = Sequence[Values]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ours, what it is held against, and the value that is to reach the target."""

    figure: str
    ours: str
    beside: str
    value: float
    most: float | None = None  # the value must not be above
    least: float | None = None  # … or below
    form: str = "{:.2f}"

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        above = self.most is not None and self.value > self.most
        below = self.least is not None and self.value < self.least
        return not (above or below)

    @property
    def target(self) -> str:
        """The target as text, empty if there is none."""
        if self.most is None and self.least is None:
            return ""
        limit = self.most if self.most is not None else self.least
        sign = "≤" if self.most is not None else "≥"
        return f"{sign} {self.form.format(limit)}"


def spread(values: Sequence[float], form: str = "{:.3f}") -> str:
    """`0.41 (0.39–0.44)`: median, lowest, highest."""
    low, high = form.format(min(values)), form.format(max(values))
    middle = form.format(statistics.median(values))
    return middle if low == high else f"{middle} ({low}–{high})"


def of(rounds: Rounds, name: str) -> list[float]:
    """A value in each round."""
    return [values[name] for values in rounds]


def ratio(rounds: Rounds, over: str, under: str) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(r[over] / r[under] for r in rounds)


def cpu_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.cpu`."""
    bare = f"bare gather {spread(of(rounds, 'bare'))}"
    streamed = f"{bare}; streamed {spread(of(rounds, 'bare_streamed'))}"
    per_token = [v / 1_000 / (figures.COMPLETION_BYTES / 4) for v in of(rounds, "ours_streamed")]
    cores = [20_000 * v for v in per_token]
    return [
        Row("CPU-s per 1,000 completions", spread(of(rounds, "ours")), bare,
            ratio(rounds, "ours", "bare"), most=2.0),
        Row("the same streamed", spread(of(rounds, "ours_streamed")), streamed,
            ratio(rounds, "ours_streamed", "bare"), most=4.0),
        Row("cores at 20,000 tokens/s, streamed", spread(cores), "one core",
            statistics.median(cores), most=1.0, form="{:.3f}"),
    ]  # fmt: skip


def saturation_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.saturation`."""
    omniscient = spread(of(rounds, "omniscient"))
    bare = spread(of(rounds, "bare_saturation"))
    fixed = spread(of(rounds, "ours_tokens_per_accepted"), "{:.0f}")
    clean = spread(of(rounds, "ours_wall_s"), "{:.1f} s")
    worst = {name: max(of(rounds, f"faults_{name}")) for name in ("undecided", "lost", "doubled")}
    return [
        Row("saturation of two replicas 2:1", spread(of(rounds, "ours_saturation")),
            f"omniscient {omniscient}; bare gather {bare}",
            ratio(rounds, "ours_saturation", "omniscient"), least=0.99, form="{:.3f}"),
        Row("tokens per accepted trace, keep=1",
            spread(of(rounds, "adaptive_tokens_per_accepted"), "{:.0f}"), f"fixed n=4 {fixed}",
            ratio(rounds, "adaptive_tokens_per_accepted", "ours_tokens_per_accepted"), most=0.5),
        Row(f"wall with {max(of(rounds, 'faults_met')):.0f} faults (6 % of requests)",
            spread(of(rounds, "faults_wall_s"), "{:.1f} s"), f"without {clean}",
            ratio(rounds, "faults_wall_s", "ours_wall_s"), most=1.15),
        *(Row(f"faults: samples or prompts {name}", f"{count:.0f}", "servers' logs", count,
              most=0, form="{:.0f}") for name, count in worst.items()),
        Row("faults: excess tokens", spread(of(rounds, "faults_excess"), "{:.2%}"),
            "no target", statistics.median(of(rounds, "faults_excess")), form="{:.2%}"),
    ]  # fmt: skip


def client_killed_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.client_killed`. Two starts send two canaries to each of two servers, 16
    tokens each: less than 0.01 % of all."""
    doubled, lost = max(of(rounds, "doubled")), max(of(rounds, "lost"))
    in_flight = spread(of(rounds, "in_flight"), "{:.1%}")
    beyond = statistics.median(v["excess"] - v["in_flight"] for v in rounds)
    return [
        Row("excess tokens, client killed at 50 %", spread(of(rounds, "excess"), "{:.1%}"),
            f"in flight then {in_flight}; beyond that", beyond, most=0.0001, form="{:.2%}"),
        Row("… finished ones bought again", f"{doubled:.0f}", "servers' logs", doubled, most=0,
            form="{:.0f}"),
        Row("… lost", f"{lost:.0f}", "servers' logs", lost, most=0, form="{:.0f}"),
    ]  # fmt: skip


def replica_killed_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.replica_killed`."""
    bad = max(v["doubled"] + v["lost"] + v["strange"] for v in rounds)
    in_flight = spread(of(rounds, "in_flight"), "{:.1%}")
    return [
        Row("excess tokens, one of two replicas killed", spread(of(rounds, "excess"), "{:.2%}"),
            f"in flight then {in_flight}", statistics.median(of(rounds, "excess")),
            most=0.01, form="{:.2%}"),
        Row("… lost, doubled or continued wrongly", f"{bad:.0f}", "servers' logs", bad, most=0,
            form="{:.0f}"),
    ]  # fmt: skip


def memory_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.memory`."""
    peak = [value / 1e9 for value in of(rounds, "peak_bytes")]
    return [Row("peak memory, 2,000 in flight x 32k tokens", spread(peak, "{:.2f} GB"), "limit",
                statistics.median(peak), most=1.5)]  # fmt: skip


def resume_rows(rounds: Rounds) -> list[Row]:
    """Rows of `figures.resume`."""
    seconds = of(rounds, "seconds")
    to_end = spread(of(rounds, "to_end_s"), "{:.1f} s")
    return [Row("resume of 200,000 samples, to its first request", spread(seconds, "{:.1f} s"),
                f"run to its end {to_end}", statistics.median(seconds), most=10.0, form="{:.1f}")
            ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured in a round, and the rows that all rounds make."""

    measure: Callable[[Scale], Values]
    rows: Callable[[Rounds], list[Row]]


MEASUREMENTS = {
    "cpu": Measurement(figures.cpu, cpu_rows),
    "saturation": Measurement(figures.saturation, saturation_rows),
    "client-killed": Measurement(figures.client_killed, client_killed_rows),
    "replica-killed": Measurement(figures.replica_killed, replica_killed_rows),
    "memory": Measurement(figures.memory, memory_rows),
    "resume": Measurement(figures.resume, resume_rows),
}


def measure(names: Sequence[str], scale: Scale) -> list[Row]:
    """All rounds, interleaved; says on stderr what it is doing."""
    rounds: dict[str, list[Values]] = {name: [] for name in names}
    for number in range(scale.rounds):
        for name in names:
            started_s = time.monotonic()
            values = MEASUREMENTS[name].measure(scale)
            rounds[name].append(values)
            said = " ".join(f"{key}={value:.4g}" for key, value in values.items())
            took_s = time.monotonic() - started_s
            print(f"round {number + 1} {name} ({took_s:.0f} s): {said}", file=sys.stderr)
    return [row for name in names for row in MEASUREMENTS[name].rows(rounds[name])]


def table(rows: Sequence[Row], title: str) -> Table:
    """The figures as a table."""
    shown = Table(title=title, title_justify="left")
    for column in ("figure", "ours", "beside, in the same run", "value", "target", "reached"):
        shown.add_column(column)
    for row in rows:
        value = row.form.format(row.value)
        reached = ("yes" if row.reached else "NO") if row.target else ""
        shown.add_row(row.figure, row.ours, row.beside, value, row.target, reached)
    return shown


def main() -> None:
    """Measure and print; exit 1 where a target is not reached, unless it was a quick run."""
    parser = argparse.ArgumentParser(prog="bench.sampling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute; too small for the targets")
    parser.add_argument("--only", action="append", choices=list(MEASUREMENTS), metavar="NAME",
                        help=f"one of {', '.join(MEASUREMENTS)}; may be repeated")  # fmt: skip
    parser.add_argument("--rounds", type=int, help="instead of 3")
    given = parser.parse_args()
    scale = QUICK if given.quick else Scale()
    scale = replace(scale, rounds=given.rounds or scale.rounds)
    before = os.getloadavg()[0]
    rows = measure(given.only or list(MEASUREMENTS), scale)
    load = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    title = f"medians of {scale.rounds} rounds (lowest–highest); {load}"
    if given.quick:
        title = f"a quick run, too small for the targets; {load}"
    Console(width=140).print(table(rows, title))
    if not given.quick and not all(row.reached for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
