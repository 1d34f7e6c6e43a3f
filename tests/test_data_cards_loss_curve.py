"""The loss curve: every step inside the picture, long trainings averaged, well-formed."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from data_cards.loss_curve import HEIGHT, LEFT, MAX_POINTS, WIDTH, loss_curve
from data_cards.report import write_report


@given(st.lists(st.floats(0, 20), min_size=2, max_size=1_000))
def test_every_point_lies_in_the_picture_and_there_are_not_too_many(losses: list[float]) -> None:
    drawing = ElementTree.fromstring(loss_curve(list(enumerate(losses, 1))))
    (line,) = drawing.iter("polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert 2 <= len(points) <= MAX_POINTS
    assert all(LEFT <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points == sorted(points, key=lambda point: point[0])


def test_a_falling_loss_falls_and_is_said_in_words() -> None:
    drawing = ElementTree.fromstring(loss_curve([(1, 2.0), (2, 1.0), (3, 0.5)]))
    (line,) = drawing.iter("polyline")
    heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
    assert heights == sorted(heights), "y grows downwards"
    assert drawing.attrib["aria-label"] == "loss by step: 2.000 at step 1, 0.500 at step 3"


def test_the_report_shows_it_where_there_is_one(tmp_path: Path) -> None:
    losses = [(1, 2.0), (2, 1.0)]
    path = write_report(tmp_path / "r.html", title="run", funnel=[], traces=[], losses=losses)
    assert loss_curve(losses) in path.read_text(encoding="utf-8")
    path = write_report(tmp_path / "r.html", title="run", funnel=[], traces=[])
    assert "<h2>Loss</h2>" not in path.read_text(encoding="utf-8")


def test_one_step_is_no_curve() -> None:
    assert loss_curve([(1, 2.0)]) == loss_curve([]) == ""
