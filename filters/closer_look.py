"""Conditions in two steps: a cheap hint over all rows, then a closer look at those it leaves.

`pl.when(hint).then(dear)` would not save anything: Polars computes both sides for all rows.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from filters import languages, lines, repetition
from filters.text_bytes import text_bytes
from filters.trace_filters import TraceFilters


def confirmed(hint: pl.Expr, judge: Callable[..., bool], *columns: str) -> pl.Expr:
    """True where the hint is and `judge` says so of the row's `columns`; null where the hint is."""
    inputs = [hint, *(pl.col(name) for name in columns)]
    look = partial(_confirmed, judge)
    return pl.map_batches(inputs, look, return_dtype=pl.Boolean, is_elementwise=True)


def _confirmed(judge: Callable[..., bool], series: Sequence[pl.Series]) -> pl.Series:
    hint, *columns = series
    rows = hint.arg_true()
    held = np.zeros(len(hint), dtype=np.bool_)
    values = zip(*(column.gather(rows) for column in columns), strict=True)
    held[rows.to_numpy()] = [judge(*row) for row in values]
    return _with_nulls_of(hint, held)


def said(hint: str, passage: str, judge: Callable[[str, str], bool]) -> pl.Expr:
    """True where a completion has the pattern `hint`, and of one of its passages that fit the
    pattern `passage` `judge(passage, question)` says so; null where the completion is."""
    inputs = [pl.col("completion").str.contains(hint), pl.col("completion"), pl.col("question")]
    look = partial(_said, passage, judge)
    return pl.map_batches(inputs, look, return_dtype=pl.Boolean, is_elementwise=True)


def _said(
    passage: str, judge: Callable[[str, str], bool], series: Sequence[pl.Series]
) -> pl.Series:
    hint, completions, questions = series
    rows = hint.arg_true()
    held = np.zeros(len(hint), dtype=np.bool_)
    passages = completions.gather(rows).str.extract_all(passage)
    asked = questions.gather(rows).fill_null("")
    held[rows.to_numpy()] = [
        any(judge(one, question) for one in found)
        for found, question in zip(passages.to_list(), asked, strict=True)
    ]
    return _with_nulls_of(hint, held)


def measured(part: str, filters: TraceFilters) -> pl.Expr:
    """Struct(loops, long, foreign) of a text column, as `<part>_measured`; null where the text is.

    All three come of the column's bytes, so they are read once. `foreign` is only a hint: letters
    are there that are neither Latin nor Greek.
    """
    look = partial(_measured, filters)
    kinds = pl.Struct(dict.fromkeys(("loops", "long", "foreign"), pl.Boolean))
    looked = pl.col(part).map_batches(look, return_dtype=kinds, is_elementwise=True)
    return looked.alias(f"{part}_measured")


def _measured(filters: TraceFilters, texts: pl.Series) -> pl.Series:
    data = text_bytes(texts)
    breaks, anchors = repetition.breaks_and_anchors(data)
    found = lines.lines_of(data, breaks)
    share, times = filters.repeated_share, filters.repeated_lines
    may_loop = repetition.may_loop(data, anchors, share)
    repeats = lines.may_repeat_a_line(found, len(texts), times, filters.repeated_lines_share)
    long = lines.longest_bytes(found, len(texts)) > filters.paragraph_chars

    foreign = languages.may_be_mixed(data)

    def loops(text: str) -> bool:
        return repetition.exceeds(text, share, filters.repeated_min_words)

    def loops_in_words(text: str) -> bool:
        return repetition.exceeds(text, share, filters.repeated_min_words, is_spaced=True)

    def has_looping_line(text: str) -> bool:
        return lines.repeats_a_line(text, times, filters.repeated_lines_share)

    def has_long_line(text: str) -> bool:
        return lines.longest_line(text) > filters.paragraph_chars

    columns = {
        "loops": _where(may_loop & foreign, texts, loops)
        | _where(may_loop & ~foreign, texts, loops_in_words)
        | _where(repeats, texts, has_looping_line),
        "long": _where(long, texts, has_long_line),
        "foreign": foreign,
    }
    return pl.DataFrame(
        {name: _with_nulls_of(texts, held) for name, held in columns.items()}
    ).to_struct(texts.name)


def _where(
    suspects: NDArray[np.bool_], texts: pl.Series, holds: Callable[[str], bool]
) -> NDArray[np.bool_]:
    """`suspects` without those of which it does not hold."""
    rows = np.flatnonzero(suspects)
    held = np.zeros(len(suspects), dtype=np.bool_)
    held[rows] = [text is not None and holds(text) for text in texts.gather(rows)]
    return held


def _with_nulls_of(given: pl.Series, held: NDArray[np.bool_]) -> pl.Series:
    result = pl.Series(given.name, held, dtype=pl.Boolean)
    if given.null_count():
        result = result.scatter(given.is_null().arg_true(), None)
    return result
