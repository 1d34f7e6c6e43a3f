"""Trace filters: named Polars expressions over the samples table that say why a trace is unfit.

Each expression is true for a row to reject. They look at form alone, never at whether the answer
is right: that is the verifiers' business. `trace_verdicts` is the one place where rows are split;
a condition that comes out null counts as true there, so nothing slips through for want of a value.
"""

from concurrent.futures import ThreadPoolExecutor

import polars as pl

from filters import disagreement, disclosure, form, languages
from filters.closer_look import confirmed, measured, said
from filters.trace_filters import TraceFilters
from filters.verdict import Outcome, Reason, Verdict

SIGNATURE = ("trace", "3")

# Completions looked at in one go: fewer do not pay for a batch's 10 ms, more only take memory.
_BATCH_BYTES = 32_000_000
# Columns of the prompt that conditions look at.
PROMPT_COLUMNS = ("language", "domain", "reference_kind", "question")


def trace_verdicts(samples: pl.DataFrame, filters: TraceFilters) -> pl.DataFrame:
    """(sample_id, reason) for every sample, in order; reason is null where the trace is fit.

    Needs the Sample columns; those of the prompt (PROMPT_COLUMNS) are used where they are
    there; a language is taken for English elsewhere. The first condition that holds gives
    the reason; a sample that never came back is `sample_failed`. Rows are looked at in batches
    on all cores, so little memory is needed beside the table.
    """
    reason = pl.lit(None, dtype=pl.String)
    for name, condition in reversed(conditions(filters)):
        unfit = condition.ne_missing(pl.lit(False))
        reason = pl.when(unfit).then(pl.lit(name.value)).otherwise(reason)

    def reasons(batch: pl.DataFrame) -> pl.DataFrame:
        return _prepared(batch, filters).select("sample_id", reason.alias("reason"))

    size = int(samples.select(pl.col("completion").cast(pl.String).str.len_bytes()).sum().item())
    if size <= _BATCH_BYTES:
        return reasons(samples)
    cores = pl.thread_pool_size()
    rounds = -(-size // (_BATCH_BYTES * cores))
    rows = -(-samples.height // (rounds * cores))
    with ThreadPoolExecutor(cores) as threads:
        return pl.concat(threads.map(reasons, samples.iter_slices(rows)))


def conditions(filters: TraceFilters) -> list[tuple[Reason, pl.Expr]]:
    """The filters that are switched on, in the order in which they give the reason."""
    chosen = [
        (True, Reason.SAMPLE_FAILED, failed()),
        (filters.truncated, Reason.TRUNCATED, truncated()),
        (filters.refusal, Reason.REFUSAL, refusal()),
        (filters.bad_format, Reason.BAD_FORMAT, form.bad_format()),
        (filters.empty_reasoning, Reason.EMPTY_REASONING, form.empty_reasoning()),
        (filters.no_final_answer, Reason.NO_FINAL_ANSWER, form.no_final_answer()),
        (filters.min_completion_tokens is not None, Reason.TOO_SHORT, too_short(filters)),
        (filters.max_completion_tokens is not None, Reason.TOO_LONG, too_long(filters)),
        (filters.repetition, Reason.REPETITION, repetition()),
        (filters.long_paragraph, Reason.LONG_PARAGRAPH, long_paragraph()),
        (filters.language_mixed, Reason.LANGUAGE_MIXED, language_mixed(filters)),
        (
            filters.code_in_reasoning,
            Reason.CODE_IN_REASONING,
            form.code_in_reasoning(filters.code_free_domains),
        ),
        (filters.answer_disagrees, Reason.ANSWER_DISAGREES, answer_disagrees()),
        (filters.self_identification, Reason.SELF_IDENTIFICATION, self_identification()),
        (filters.secret, Reason.SECRET, secret()),
        (filters.email_address, Reason.EMAIL_ADDRESS, email_address()),
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


def _prepared(samples: pl.DataFrame, filters: TraceFilters) -> pl.DataFrame:
    """The samples with all columns that conditions look at."""
    given = ("completion", "reasoning", "answer", *PROMPT_COLUMNS)
    frame = samples.with_columns(
        (pl.col(name) if name in samples.columns else pl.lit(None)).cast(pl.String).alias(name)
        for name in given
    )
    if not (filters.repetition or filters.long_paragraph or filters.language_mixed):
        return frame
    return frame.with_columns(measured("reasoning", filters), measured("answer", filters))


def failed() -> pl.Expr:
    return pl.col("error").is_not_null() | pl.col("finish_reason").eq_missing(pl.lit("error"))


def truncated() -> pl.Expr:
    return pl.col("finish_reason") == "length"


def too_short(filters: TraceFilters) -> pl.Expr:
    return pl.col("completion_tokens") < (filters.min_completion_tokens or 0)


def too_long(filters: TraceFilters) -> pl.Expr:
    return pl.col("completion_tokens") > (filters.max_completion_tokens or 0)


def repetition() -> pl.Expr:
    """A loop: most 8-word runs were seen before, or one line is a large part of all lines."""
    return pl.any_horizontal(
        pl.col(f"{part}_measured").struct.field("loops") for part in ("reasoning", "answer")
    )


def long_paragraph() -> pl.Expr:
    """Reasoning with more characters between two line breaks than anyone reads."""
    return pl.col("reasoning_measured").struct.field("long")


def language_mixed(filters: TraceFilters) -> pl.Expr:
    """A sentence in a writing system that is neither the prompt's nor asked for."""

    def is_mixed(text: str, language: str | None, question: str | None) -> bool:
        own = languages.own_scripts(language, question)
        return languages.is_mixed(text, own, filters.foreign_letters, filters.latin_words)

    code = pl.col("language").str.slice(0, 2).str.to_lowercase()
    not_latin = code.is_in(languages.NOT_LATIN).fill_null(False)
    return pl.any_horizontal(
        confirmed(
            pl.col(f"{part}_measured").struct.field("foreign") | not_latin,
            is_mixed,
            *(part, "language", "question"),
        )
        for part in ("reasoning", "answer")
    )


def answer_disagrees() -> pl.Expr:
    """Reasoning that ends in a number or a choice, followed by another."""
    end = pl.col("reasoning").str.tail(disagreement.END_CHARS)
    thought = end.str.extract_all(disagreement.PLAIN_BOX).list.last()
    given = pl.col("answer").str.extract_all(disagreement.PLAIN_BOX).list.last()
    hint = thought.is_not_null() & thought.ne_missing(given)
    return confirmed(hint, disagreement.disagrees, "reasoning", "answer")


def refusal() -> pl.Expr:
    """An answer that begins by refusing to answer, and gives none; nothing at all is no refusal."""
    hint = pl.col("answer").str.contains(disclosure.REFUSAL).fill_null(False)
    return confirmed(hint, form.is_unmarked, "answer")


def self_identification() -> pl.Expr:
    """The teacher says who or what it is, and was not asked."""
    return said(
        disclosure.SELF_IDENTIFICATION_HINT,
        disclosure.SELF_IDENTIFICATION,
        disclosure.is_self_identification,
    )


def secret() -> pl.Expr:
    """A key, token or password of a well-known shape."""
    return said(disclosure.SECRET_HINT, disclosure.SECRET, disclosure.is_secret)


def email_address() -> pl.Expr:
    """Somebody's address."""
    return said("@", disclosure.EMAIL_ADDRESS, disclosure.is_email_address)
