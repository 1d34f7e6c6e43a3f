r"""reasoning-gym tasks, each scored by its own scorer.

    {"kind": "reasoning_gym", "dataset": "mini_sudoku", "entry": {"question": …, "answer": …,
     "metadata": {…}}}

The rule: a score of 1 is an accept, a lower one a reject, since the scorers give part of a point
for a right form or a part of the answer. The scorers take one spelling, so the answer is tried as
it stands and without LaTeX; what still has LaTeX in it and does not score is undecided. Some
scorers evaluate the answer as Python: one that holds a call is not shown to any, and undecided.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason

_WRAPPER = re.compile(r"\\(?:text|textbf|texttt|mathrm|mathbf|mathtt|operatorname)\s*\{([^{}]*)\}")
_SPACING = re.compile(r"\\[,;:! ]|\\(?:left|right|displaystyle)(?![a-zA-Z])|\$|`+")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SIGNS = (
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])|[×·⋅]"), "*"),
    (re.compile(r"\\div(?![a-zA-Z])|÷"), "/"),
    (re.compile(r"\\([_%&#{}$])"), r"\1"),
    (re.compile(r"[−–]"), "-"),
)
_POWER = re.compile(r"\^\s*(?:\{([^{}]*)\}|(\w))")
_JUXTAPOSED = re.compile(r"(?<![a-zA-Z_])(\d+)\s*(?=[a-zA-Z(])")
_LEFT_OVER = re.compile(r"[\\^]")
# What may stand before a parenthesis without making it a call.
_BEFORE_PARENTHESIS = re.compile(
    r"(?:\A|[-+*/%(,\[{=<>^&|~:;!→←↔∧∨¬⊕]|\b(?:sin|cos|tan|sec|csc|cot|exp|log|ln|sqrt|abs|Abs"
    r"|asin|acos|atan|sinh|cosh|tanh))\s*\Z"
)


def check_task(puzzle: Mapping[str, Any], answer: str) -> Ruling:
    """Accept at the scorer's full score. May hang, as some scorers may: only in a worker."""
    name, entry = puzzle.get("dataset"), puzzle.get("entry")
    if not isinstance(name, str) or not isinstance(entry, dict):
        return undecided(Reason.UNPARSED, "the reference needs `dataset` and `entry`")
    try:
        scorer = _scorer(name)
    except ValueError as error:
        return undecided(Reason.UNPARSED, f"the reference: {error}")
    best = 0.0
    for spelling in _spellings(answer):
        if not _is_shown(spelling, entry):
            detail = f"{answer}: a scorer might run it as a program"
            return undecided(Reason.UNPARSED, detail)
        best = max(best, float(scorer(spelling, entry)))
    detail = f"{answer} scores {best:g} in {name}"
    if best >= 1.0:
        return accept(detail)
    if _LEFT_OVER.search(_plain(answer)):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}, as LaTeX")
    return reject(Reason.ANSWER_MISMATCH, detail)


@lru_cache(maxsize=256)
def _scorer(name: str) -> Callable[[str, Mapping[str, Any]], float]:
    """The scorer of a dataset; ValueError for one reasoning-gym does not have."""
    from reasoning_gym.factory import get_score_answer_fn

    scorer: Callable[[str, Mapping[str, Any]], float] = get_score_answer_fn(name)
    return scorer


def _spellings(answer: str) -> list[str]:
    """The answer as it stands, without LaTeX, and with powers and products as Python has them."""
    plain = _plain(answer)
    python = _JUXTAPOSED.sub(r"\1*", _POWER.sub(lambda m: f"**({m[1] or m[2]})", plain))
    return list(dict.fromkeys((answer, plain, python)))


def _plain(answer: str) -> str:
    text = answer
    for _ in range(3):  # wrappers inside wrappers
        text = _WRAPPER.sub(r"\1", text)
        text = _FRACTION.sub(r"(\1)/(\2)", text)
    text = _SPACING.sub(" ", text)
    for pattern, replacement in _SIGNS:
        text = pattern.sub(replacement, text)
    return text.strip()


def _is_shown(text: str, entry: Mapping[str, Any]) -> bool:
    """Whether evaluating the text could do nothing but compute; the entry's own answer is fine."""
    if text == entry.get("answer"):
        return True
    if "__" in text or ("(" in text and "#" in text):
        return False
    return all(
        _BEFORE_PARENTHESIS.search(text, 0, found.start()) for found in re.finditer(r"\(", text)
    )
