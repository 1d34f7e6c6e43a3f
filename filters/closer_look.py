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


def repetition_and_length(
    part: str, share: float, min_words: int, times: int, lines_share: float, paragraph_chars: int
) -> pl.Expr:
    """Struct(loops, long_paragraph) of a text column; null where the text is.

    `loops`: more than `share` of its 8-word runs were seen before and it has `min_words`, or one
    line stands `times` times and is `lines_share` of all. Both need the places of all line breaks,
    so they are found together.
    """

    def look(texts: pl.Series) -> pl.Series:
        data = text_bytes(texts)
        found = lines.lines_of(data)
        loops = _where(
            repetition.may_loop(data, share),
            texts,
            lambda text: repetition.repeated_share(text, min_words) > share,
        )
        loops |= _where(
            lines.may_repeat_a_line(found, len(texts), times, lines_share),
            texts,
            lambda text: lines.repeats_a_line(text, times, lines_share),
        )
        endless = _where(
            lines.longest_bytes(found, len(texts)) > paragraph_chars,
            texts,
            lambda text: lines.longest_line(text) > paragraph_chars,
        )
        return pl.DataFrame(
            {"loops": _with_nulls_of(texts, loops), "long": _with_nulls_of(texts, endless)}
        ).to_struct(part)

    kinds = pl.Struct({"loops": pl.Boolean, "long": pl.Boolean})
    return pl.col(part).map_batches(look, return_dtype=kinds, is_elementwise=True)


def mixed_languages(part: str, foreign_letters: int, latin_words: int) -> pl.Expr:
    """Whether a text column changes its language (see filters/languages.py)."""

    def look(series: Sequence[pl.Series]) -> pl.Series:
        texts, spoken, _ = series
        foreign = (~spoken.fill_null("en").is_in(["en"])).to_numpy()
        rows = np.flatnonzero(foreign | languages.may_be_mixed(text_bytes(texts)))
        held = np.zeros(len(texts), dtype=np.bool_)
        for row, text, language, question in zip(
            rows, *(column.gather(rows) for column in series), strict=True
        ):
            own = languages.own_scripts(language, question)
            held[row] = languages.is_mixed(text or "", own, foreign_letters, latin_words)
        return _with_nulls_of(texts, held)

    inputs = [pl.col(part), pl.col("language"), pl.col("question")]
    return pl.map_batches(inputs, look, return_dtype=pl.Boolean, is_elementwise=True)


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
