"""Answers in words where mathematics was asked for: `yes`, `even`, `Monday`, a name.

They are rejected only for another of their own few; `xyz` may be a product.
"""

import re

from filters.formula.parse import parse
from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason
from filters.verifiers.normal_form import normal_form, tidy, unwrap

_WORD = re.compile(r"[a-z][a-z' \-]{2,30}")
_MONOMIAL = re.compile(r"[a-zA-Z]{1,3}(?: ?- ?[a-zA-Z]{1,3})*")
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_SYMBOLS = re.compile("[a-zA-Z]{1,3}")
_PRODUCT = re.compile("[abckmnpqrstuvwxyz]{2,3}")
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_COLOURS = "red orange yellow green blue purple black white brown pink"
_VOCABULARIES = tuple(
    frozenset(words.split())
    for words in (
        *("yes no", "true false", "even odd", "positive negative zero", "increasing decreasing"),
        *(_DAYS, _COLOURS),
    )
)
_YES = {"true": "yes", "false": "no"}


def is_word(text: str) -> bool:
    """Whether an answer is a word or a few."""
    return _WORD.fullmatch(_meaning(text)) is not None


def alike_or_opposite(reference: str, answer: str, detail: str) -> Ruling | None:
    """Accept the same words, reject another of a closed few."""
    wanted, got = _meaning(reference), _meaning(answer)
    if wanted != got and any({wanted, got} <= few for few in _VOCABULARIES):
        return reject(Reason.ANSWER_MISMATCH, detail)
    if wanted == got and _WORD.fullmatch(wanted) and not _SYMBOLS.fullmatch(reference.strip()):
        return accept(detail)
    return None


def other_words(reference: str, answer: str, detail: str) -> Ruling | None:
    """Words that are neither; None where there may be a formula."""
    wanted, got = _meaning(reference), _meaning(answer)
    if wanted.isalpha() and sorted(wanted) == sorted(got) and not _is_product(reference):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: the same letters")
    if not _WORD.fullmatch(wanted):
        if _WORD.fullmatch(got) and not _MONOMIAL.fullmatch(got):
            return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: in words")
        return None
    if _is_product(reference) and sorted(wanted) == sorted(got):
        return None
    if _MONOMIAL.fullmatch(wanted) and "\\text" not in reference and not _LETTERS.fullmatch(got):
        return None
    if (tree := parse(got)) is not None and tree.kind == "number":
        return reject(Reason.ANSWER_MISMATCH, detail)
    if _WORD.fullmatch(got):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: other words")
    return None


def _is_product(text: str) -> bool:
    """Small letters that variables have: `xyz` is `zyx`, `\\text{cat}` and `AB` are themselves."""
    return _PRODUCT.fullmatch(normal_form(text)) is not None and "\\text" not in text


def _meaning(text: str) -> str:
    words = unwrap(tidy(text)).casefold().strip(" .!")
    words = re.sub(r"^(?:the|an?)\s+", "", words)
    return _YES.get(words, words)
