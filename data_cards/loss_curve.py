"""The loss of a training as a curve in the report: SVG, drawn from the page's own colours."""

from collections.abc import Sequence
from statistics import fmean

WIDTH, HEIGHT = 800, 180
LEFT, BOTTOM, TOP = 48, 22, 8
MAX_POINTS = 400  # further steps are averaged in groups


def loss_curve(losses: Sequence[tuple[int, float]]) -> str:
    """An SVG element of (step, loss) pairs in order, from a loss of 0 up; "" for fewer than two."""
    if len(losses) < 2:
        return ""
    size = -(-len(losses) // MAX_POINTS)
    groups = [losses[start : start + size] for start in range(0, len(losses), size)]
    points = [(group[-1][0], fmean(loss for _, loss in group)) for group in groups]
    first, last = losses[0][0], losses[-1][0]
    top = max(loss for _, loss in points) or 1.0
    across, down = (WIDTH - LEFT) / max(1, last - first), HEIGHT - BOTTOM - TOP
    path = " ".join(
        f"{LEFT + (step - first) * across:.1f},{TOP + down * (1 - loss / top):.1f}"
        for step, loss in points
    )
    base = HEIGHT - BOTTOM
    words = f"loss by step: {losses[0][1]:.3f} at step {first}, {losses[-1][1]:.3f} at step {last}"
    style = 'font-size="12" fill="var(--quiet)"'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<path d="M{LEFT} {TOP}V{base}H{WIDTH}" fill="none" stroke="var(--line)"/>'
        f'<polyline points="{path}" fill="none" stroke="var(--mark)" stroke-width="1.5"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end" {style}>{top:.2f}</text>'
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end" {style}>0</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}" {style}>step {first:,}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 6}" text-anchor="end" {style}>{last:,}</text>'
        "</svg>"
    )
