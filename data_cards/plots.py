"""How plots are drawn, and the card's three. Matplotlib is imported only when one is drawn."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from data_cards.assemble import Assembled

PLOTS: dict[str, str] = {
    "funnel.png": "Samples per domain by outcome",
    "lengths.png": "Completion lengths of accepted and other samples",
    "pass_rates.png": "Pass rates of the prompts",
}

# Told apart by people who see colours differently (Okabe and Ito's set).
_COLOURS = {
    "published": "#009E73",
    "accepted, not needed": "#8FD0B8",
    "rejected": "#D55E00",
    "undecided": "#BBBBBB",
}
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")


def draw_plots(folder: Path, assembled: Assembled) -> list[Path]:
    """Draw the PNG files of PLOTS into `folder`; the same traces give the same bytes."""
    drawers = {
        "funnel.png": _draw_funnel,
        "lengths.png": _draw_lengths,
        "pass_rates.png": _draw_pass_rates,
    }
    return [
        draw_plot(folder / name, PLOTS[name], partial(draw, assembled=assembled))
        for name, draw in drawers.items()
    ]


def draw_plot(path: Path, title: str, draw: Callable[[Any], None], height: float = 3.6) -> Path:
    """One plot as a PNG or SVG file, 7.2 by `height` inches; `draw` fills its axes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    # Names that people gave are no formulas: a `$` would begin one, and a broken one ends it all.
    axes.set_title(title, loc="left", fontsize=11, parse_math=False)
    if axes.get_legend_handles_labels()[1]:
        legend = figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=8)
        for label in legend.get_texts():
            label.set_parse_math(False)
    # The same plot gives the same bytes: no version, no date, no ids drawn by lot.
    kept_out = "Date" if path.suffix == ".svg" else "Software"
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, dpi=120, metadata={kept_out: None})
    return path


def stack_bars(
    axes: Any,
    names: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    colours: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """One bar a name, the first on top; `parts` are its pieces from left to right."""
    places, left = range(len(names)), [0.0] * len(names)
    for number, (label, sizes) in enumerate(parts.items()):
        if any(sizes):
            colour = colours.get(label, SERIES[number % len(SERIES)])
            axes.barh(places, sizes, left=left, label=label, color=colour, height=0.6)
            left = [a + b for a, b in zip(left, sizes, strict=True)]
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()


def _draw_funnel(axes: Any, assembled: Assembled) -> None:
    """One stacked bar a domain; its parts add up to the domain's samples."""
    rows = assembled.domains
    parts = {
        "published": [row.kept for row in rows],
        "accepted, not needed": [row.accepted - row.kept for row in rows],
        "rejected": [row.rejected for row in rows],
        "undecided": [row.undecided for row in rows],
    }
    stack_bars(axes, [row.domain for row in rows], parts, _COLOURS)
    axes.set_xlabel("samples")


def _draw_lengths(axes: Any, assembled: Assembled) -> None:
    """Completion tokens as two outlines over the same bins; log scale when they span decades."""
    lengths = {
        "accepted": [trace.completion_tokens for trace in assembled.accepted],
        "rejected or undecided": [trace.completion_tokens for trace in assembled.rejected],
    }
    edges = bin_edges([count for counts in lengths.values() for count in counts])
    for (label, counts), colour in zip(lengths.items(), ("#009E73", "#D55E00"), strict=True):
        if counts:
            axes.hist(counts, edges, label=label, color=colour, histtype="step", linewidth=1.8)
    if edges[-1] > 100 * max(edges[0], 1):
        axes.set_xscale("log")
    axes.set_xlabel("completion tokens")
    axes.set_ylabel("samples")


def _draw_pass_rates(axes: Any, assembled: Assembled) -> None:
    """Pass rates in tenths, the domains stacked."""
    rates: Mapping[str, Sequence[float]] = assembled.pass_rates
    if rates:
        axes.hist(
            list(rates.values()),
            bins=[tenth / 10 for tenth in range(11)],
            stacked=True,
            label=list(rates),
            color=[SERIES[index % len(SERIES)] for index in range(len(rates))],
        )
    axes.set_xlabel("accepted ÷ decided samples of a prompt")
    axes.set_ylabel("prompts")


def bin_edges(lengths: Sequence[int], bins: int = 30) -> list[float]:
    """Edges of at most `bins` bins over the lengths: whole even steps, or even ratios.

    Ratios take over beyond two decades, where even steps would put nearly all into one bin.
    """
    low, high = max(min(lengths, default=1), 1), max(max(lengths, default=1), 1) + 1
    if high > 100 * low:
        ratio = (high / low) ** (1 / bins)
        return [low * ratio**step for step in range(bins)] + [float(high)]
    width = -(-(high - low) // bins)
    return [float(low + width * step) for step in range(-(-(high - low) // width) + 1)]
