"""Trace filters: named Polars expressions over the samples table that say why a trace is unfit.

Each expression is true for a row to reject. They look at form alone, never at whether the answer
is right: that is the verifiers' business. `trace_verdicts` is the one place where rows are split;
a condition that comes out null counts as true there, so nothing slips through for want of a value.
"""

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from filters.verdict import Outcome, Reason, Verdict

SIGNATURE = ("trace", "1")

# A mark of a final answer, or code: what filters/extract.py and unit_tests.py would look at.
_FINAL_ANSWER = (
    r"\\(?:boxed|fbox)\s*\{?\s*[^\s{}]|(?is:<answer>.*\S.*</answer>)"
    r"|(?im:^[\s*_#>\-]*(?:(?:so|thus|hence|therefore),?\s)?(?:the\s)?(?:final\s|correct\s)?answer"
    r"(?:[\s*_]*(?::|=)|\s(?:is|=):?)[\s*_]*\S)"
    r"|(?m:^[ \t]*(?:`{3}|~{3}))|\A\s*(?:def |class |import |from |@)"
)
_GRAM_WORDS = 8
_LOOPING_LINE_CHARS = 12  # shorter lines (`}`, `\]`, `---`) repeat in honest work

# Letters of scripts with a word of their own; Latin and Greek are in every mathematical text.
_SCRIPTS = {
    "Han": r"\p{Han}",
    "Kana": r"\p{Hiragana}\p{Katakana}",
    "Hangul": r"\p{Hangul}",
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
    "Hebrew": r"\p{Hebrew}",
    "Indic": r"\p{Devanagari}\p{Bengali}\p{Tamil}\p{Telugu}",
    "Thai": r"\p{Thai}",
}
_OWN_SCRIPTS = {
    "zh": {"Han"},
    "ja": {"Han", "Kana"},
    "ko": {"Hangul", "Han"},
    "ru": {"Cyrillic"},
    "uk": {"Cyrillic"},
    "bg": {"Cyrillic"},
    "ar": {"Arabic"},
    "fa": {"Arabic"},
    "ur": {"Arabic"},
    "he": {"Hebrew"},
    "hi": {"Indic"},
    "bn": {"Indic"},
    "ta": {"Indic"},
    "te": {"Indic"},
    "th": {"Thai"},
}


class TraceFilters(BaseModel):
    """Which traces are unfit to publish: a switch and a threshold for each filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    truncated: bool = Field(True, description="reject what its token limit has cut")
    empty_reasoning: bool = Field(True, description="reject a missing or empty think block")
    no_final_answer: bool = Field(True, description="reject an answer part that marks no answer")
    repetition: bool = Field(True, description="reject traces that go round in circles")
    repeated_share: float = Field(
        # 0.5 is a draft said once again in full, as R1 does; a loop of four rounds has 0.75.
        0.6,
        gt=0,
        le=1,
        description="share of 8-word runs seen before, above which it is a loop",
    )
    repeated_min_words: int = Field(
        24, ge=_GRAM_WORDS, description="shorter texts are not searched for repeated word runs"
    )
    repeated_lines: int = Field(
        5, ge=2, description="how often one line may stand, where it is also the share below"
    )
    repeated_lines_share: float = Field(
        0.3, gt=0, le=1, description="share of the lines that one line may be"
    )
    language_mixed: bool = Field(True, description="reject writing systems foreign to the prompt")
    foreign_letters: int = Field(
        4, ge=1, description="letters of foreign scripts from which a trace is mixed"
    )
    latin_words: int = Field(
        12, ge=2, description="Latin words in a row from which a non-Latin trace is mixed"
    )
    max_completion_tokens: int | None = Field(
        None, ge=1, description="longest completion to keep, in tokens; no limit when null"
    )


def trace_verdicts(samples: pl.DataFrame, filters: TraceFilters) -> pl.DataFrame:
    """(sample_id, reason) for every sample, in order; reason is null where the trace is fit.

    Needs the Sample columns; a `language` column (of the prompt) is used where there is one and
    taken for English elsewhere. The first condition that holds gives the reason; a sample that
    never came back is `sample_failed`.
    """
    frame = samples.with_columns(pl.col("completion", "reasoning", "answer").cast(pl.String))
    if "language" not in frame.columns:
        frame = frame.with_columns(pl.lit("en").alias("language"))
    reason = pl.lit(None, dtype=pl.String)
    for name, condition in reversed(conditions(frame, filters)):
        unfit = condition.ne_missing(pl.lit(False))
        reason = pl.when(unfit).then(pl.lit(name.value)).otherwise(reason)
    return frame.select("sample_id", reason.alias("reason"))


def conditions(samples: pl.DataFrame, filters: TraceFilters) -> list[tuple[Reason, pl.Expr]]:
    """The filters that are switched on, in the order in which they give the reason."""
    languages = samples["language"].unique().to_list() if filters.language_mixed else []
    chosen = [
        (True, Reason.SAMPLE_FAILED, failed()),
        (filters.truncated, Reason.TRUNCATED, truncated()),
        (filters.empty_reasoning, Reason.EMPTY_REASONING, empty_reasoning()),
        (filters.no_final_answer, Reason.NO_FINAL_ANSWER, no_final_answer()),
        (filters.repetition, Reason.REPETITION, repetition(filters)),
        (filters.language_mixed, Reason.LANGUAGE_MIXED, language_mixed(languages, filters)),
        (filters.max_completion_tokens is not None, Reason.TOO_LONG, too_long(filters)),
    ]
    return [(reason, condition) for on, reason, condition in chosen if on]


def as_verdicts(reasons: pl.DataFrame) -> list[Verdict]:
    """The rows of `trace_verdicts` as Verdicts: accept (`fit`), reject, or undecided (failed)."""
    name, version = SIGNATURE
    return [
        Verdict(sample_id, name, version, _outcome(reason), Reason(reason or Reason.FIT))
        for sample_id, reason in reasons.iter_rows()
    ]


def _outcome(reason: str | None) -> Outcome:
    if reason is None:
        return Outcome.ACCEPT
    return Outcome.UNDECIDED if reason == Reason.SAMPLE_FAILED else Outcome.REJECT


def failed() -> pl.Expr:
    return pl.col("error").is_not_null() | pl.col("finish_reason").eq_missing("error")


def truncated() -> pl.Expr:
    return pl.col("finish_reason") == "length"


def empty_reasoning() -> pl.Expr:
    return ~pl.col("reasoning").str.contains(r"\S")


def no_final_answer() -> pl.Expr:
    return ~pl.col("answer").str.contains(_FINAL_ANSWER)


def too_long(filters: TraceFilters) -> pl.Expr:
    return pl.col("completion_tokens") > (filters.max_completion_tokens or 0)


def repetition(filters: TraceFilters) -> pl.Expr:
    """A loop: most 8-word runs were seen before, or one line is a large part of all lines."""
    worst = pl.max_horizontal(
        repeated_word_share(part, filters) for part in ("reasoning", "answer")
    )
    return (worst > filters.repeated_share) | repeated_line(filters)


def repeated_word_share(part: str, filters: TraceFilters) -> pl.Expr:
    """1 - distinct/all 8-word runs of a text column; 0 for texts under the word minimum."""
    word = pl.element().hash()
    gram = pl.sum_horizontal(
        word.shift(-k).cast(pl.UInt64) * pl.lit(2 * k * k + 3, pl.UInt64)
        for k in range(_GRAM_WORDS)
    ).head(pl.len() - (_GRAM_WORDS - 1))
    words = pl.col(part).str.extract_all(r"\S+")
    share = words.list.eval(1 - gram.n_unique() / gram.len()).list.first()
    return pl.when(words.list.len() >= filters.repeated_min_words).then(share).otherwise(0.0)


def repeated_line(filters: TraceFilters) -> pl.Expr:
    """One line that stands often, and is a large part of all lines."""
    lines = pl.col("completion").str.extract_all(r"[^\s][^\n]*")
    most = lines.list.eval(
        pl.element()
        .filter(pl.element().str.len_chars() >= _LOOPING_LINE_CHARS)
        .unique_counts()
        .max()
    ).list.first()
    often = most.fill_null(0)
    return (often >= filters.repeated_lines) & (
        often >= filters.repeated_lines_share * lines.list.len()
    )


def language_mixed(languages: list[str | None], filters: TraceFilters) -> pl.Expr:
    """Too many letters of scripts that are not the prompt's, per language of the prompts."""
    mixed = pl.lit(False)
    for language in languages:
        own = _OWN_SCRIPTS.get((language or "en").split("-")[0].lower(), set())
        foreign = "".join(letters for name, letters in _SCRIPTS.items() if name not in own)
        count = pl.col("completion").str.count_matches(f"[{foreign}]")
        here = count >= filters.foreign_letters
        if own:
            here = here | pl.col("completion").str.contains(_latin_run(filters.latin_words))
        mixed = pl.when(pl.col("language").eq_missing(pl.lit(language))).then(here).otherwise(mixed)
    return mixed


def _latin_run(words: int) -> str:
    return rf"(?:\b[A-Za-z]{{2,}}\b[\s,.;:']+){{{words}}}"
