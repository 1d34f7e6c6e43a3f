"""The form of a completion: one think block with something in it, then a marked final answer."""

import polars as pl

from filters.closer_look import confirmed
from filters.extract import final_answer
from teacher.parse import OPEN

_SECOND_END = r"</think>(?s:.*)</think>"
_TEMPLATE_TOKEN = (
    r"<｜(?:begin|end|User|Assistant|tool)"
    r"|<\|(?:im_start|im_end|endoftext|eot_id|begin_of_text)\|>"
)
# A common mark of a final answer, or code: without any, filters/extract.py is asked.
_FINAL_ANSWER = (
    r"\\(?:boxed|fbox)\s*\{?\s*[^\s{}]|(?is:<answer>.*\S.*</answer>)"
    r"|(?im:^[\s*_#>\-]*(?:(?:so|thus|hence|therefore),?\s)?(?:the\s)?(?:final\s|correct\s)?answer"
    r"(?:[\s*_]*(?::|=)|\s(?:is|=):?)[\s*_]*\S)"
    r"|(?m:^[ \t]*(?:`{3}|~{3}))|\A\s*(?:def |class |import |from |@)"
)
_OPEN_KIND = "rubric"  # a letter, a translation: all of it is the answer


def bad_format() -> pl.Expr:
    """More than one think block, text before it, or a special token of a chat template."""
    completion = pl.col("completion")
    is_open_later = completion.str.slice(1).str.contains(OPEN, literal=True)
    return (
        confirmed(is_open_later, _opens_late, "completion")
        | completion.str.contains(_SECOND_END)
        | completion.str.contains(_TEMPLATE_TOKEN)
    )


def _opens_late(completion: str) -> bool:
    """Whether a think block opens after more than white space."""
    return OPEN in completion.lstrip().removeprefix(OPEN)


def empty_reasoning() -> pl.Expr:
    """No think block, or nothing in it."""
    return ~pl.col("reasoning").str.contains(r"\S")


def no_final_answer() -> pl.Expr:
    """Nothing marks an answer after the think block; of an open question, nothing is there."""
    is_open = pl.col("reference_kind").eq_missing(pl.lit(_OPEN_KIND))
    hint = ~is_open & ~pl.col("answer").str.contains(_FINAL_ANSWER)
    unmarked = confirmed(hint, is_unmarked, "answer")
    return pl.when(is_open).then(~pl.col("answer").str.contains(r"\S")).otherwise(unmarked)


def is_unmarked(answer: str) -> bool:
    """Whether nothing marks a final answer, by the verifiers' own reading."""
    return final_answer(answer) is None


def code_in_reasoning(domains: tuple[str, ...]) -> pl.Expr:
    """A fenced code block in the reasoning about a prompt of these domains."""
    is_fenced = pl.col("reasoning").str.contains("```", literal=True)
    return is_fenced & pl.col("domain").is_in(domains).fill_null(False)
