"""Contamination: train prompts that share ten words in a row with a test prompt.

Word n-grams with n = 10 over questions, and over reference solutions too, as in the R1 report
(arXiv 2501.12948 v2: 10-grams over questions and reference solutions). Texts of fewer than n
words are compared whole, by normal form.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prompts.record import Prompt, normalise_question

Field = Literal["question", "solution"]
Gram = tuple[str, ...]

# A word, a number, or a single character of a script written without blanks.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One train prompt that overlaps a test prompt, and the text they share.

    `kind` is `exact` (normal forms equal) or `ngram`; `field` is the train prompt's text that
    matched and `matched_field` the test prompt's.
    """

    prompt_id: str
    matched_id: str
    kind: Literal["exact", "ngram"]
    field: Field
    matched_field: Field
    text: str


def words(text: str) -> list[str]:
    """The words the n-grams are made of: `"What is 3 + 4?"` gives `what is 3 4`."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def find_hits(train: Iterable[Prompt], test: Sequence[Prompt], n: int = 10) -> list[Hit]:
    """At most one Hit per train prompt, in the order of `train`; linear in the words of both."""
    index, whole = _index(test, n)
    return [hit for prompt in train if (hit := _first_hit(prompt, index, whole, n)) is not None]


def _texts(prompt: Prompt) -> Iterator[tuple[Field, str]]:
    yield "question", prompt.question
    if prompt.reference_kind == "unit_tests":
        yield "solution", prompt.reference


def grams(text: str, n: int = 10) -> Iterator[Gram]:
    """Every n words in a row of a text; nothing when it has fewer."""
    tokens = words(text)
    return zip(*(tokens[start:] for start in range(n)), strict=False)


def _index(
    test: Sequence[Prompt], n: int
) -> tuple[dict[Gram, tuple[str, Field]], dict[str, tuple[str, Field]]]:
    index: dict[Gram, tuple[str, Field]] = {}
    whole: dict[str, tuple[str, Field]] = {}
    for prompt in test:
        for field, text in _texts(prompt):
            whole.setdefault(normalise_question(text), (prompt.prompt_id, field))
            for gram in grams(text, n):
                index.setdefault(gram, (prompt.prompt_id, field))
    return index, whole


def _first_hit(
    prompt: Prompt,
    index: dict[Gram, tuple[str, Field]],
    whole: dict[str, tuple[str, Field]],
    n: int,
) -> Hit | None:
    for field, text in _texts(prompt):
        form = normalise_question(text)
        if form in whole:
            matched_id, matched_field = whole[form]
            return Hit(prompt.prompt_id, matched_id, "exact", field, matched_field, form)
        for gram in grams(text, n):
            if gram in index:
                matched_id, matched_field = index[gram]
                shared = " ".join(gram)
                return Hit(prompt.prompt_id, matched_id, "ngram", field, matched_field, shared)
    return None
