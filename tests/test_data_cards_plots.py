"""data_cards/plots.py: what people call their things is shown as it stands."""

from data_cards.plots import draw_plot, stack_bars

BROKEN_FORMULA = r"prices in $\frac{: of $"


def test_a_name_that_reads_like_a_broken_formula_is_drawn_as_it_stands(tmp_path):
    names = [BROKEN_FORMULA, "math"]
    plot = draw_plot(
        tmp_path / "plot.svg",
        BROKEN_FORMULA,
        lambda axes: stack_bars(axes, names, {BROKEN_FORMULA: [1, 2]}),
    )
    # Text is drawn as outlines, and its source kept in a comment before each.
    assert plot.read_text(encoding="utf-8").count(f"<!-- {BROKEN_FORMULA} -->") == 3
