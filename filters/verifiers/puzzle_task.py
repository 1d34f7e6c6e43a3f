r"""reasoning-gym tasks, each scored by its own scorer.

    {"kind": "reasoning_gym", "dataset": "mini_sudoku", "entry": {"question": …, "answer": …,
     "metadata": {…}}}

The rule: a score of 1 is an accept, a lower one a reject, since the scorers give part of a point
for a right form or a part of the answer. The scorers take one spelling, so the answer is tried as
it stands and without LaTeX; what still has LaTeX in it and does not score is undecided.

Scorers are not believed blindly (reasoning-gym 0.1.25): a task whose own answer does not score is
undecided; a full score for another number than the task's own is undecided, beyond 1 %; some
scorers give it for wrong answers, so their tasks are compared here (ONE_ANSWER); some pass over
what stands beside the answer, so all of it must be of its form (FORMS); countdown, puzzle24 and
knights_knaves go to our own checkers, which read more spellings. Some scorers evaluate the answer
as Python: one that holds a call is not shown to any, and undecided.
"""

import json
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from typing import Any

from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason
from filters.verifiers.puzzle_countdown import check_countdown
from filters.verifiers.puzzle_knights import check_knights
from filters.verifiers.rational import read_number

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
_TOLERANCE = Fraction(1, 100)
_KEY = re.compile(r'\s*"[^"]*"\s*:')
_LEFT_OVER = re.compile(r"[\\^]")
# What may stand before a parenthesis without making it a call.
_BEFORE_PARENTHESIS = re.compile(
    r"(?:\A|[-+*/%(,\[{=<>^&|~:;!→←↔∧∨¬⊕]|\b(?:sin|cos|tan|sec|csc|cot|exp|log|ln|sqrt|abs|Abs"
    r"|asin|acos|atan|sinh|cosh|tanh))\s*\Z"
)


# The scorers of these give full score to wrong answers, and only one answer is right:
# game_of_life_halting to any text, number_sorting within 1 of each number, the others to texts
# with more behind the right one.
ONE_ANSWER = frozenset(
    (
        "game_of_life_halting",
        "letter_jumble",
        "number_sorting",
        "sentence_reordering",
        "spell_backward",
        "word_sorting",
    )
)
# sympy takes `x or 0` for x, as Python does.
_NO_PYTHON_WORD = re.compile(r"(?:(?!\b(?:or|and|not|if|else|in|is)\b).)*", re.DOTALL)
_DECIMAL = r"-?\d+(?:\.\d+)?"
FORMS = {
    "advanced_geometry": re.compile(rf"\(\s*{_DECIMAL}\s*,\s*{_DECIMAL}\s*\)|{_DECIMAL}\s*°?"),
    "fraction_simplification": re.compile(r"(?:\\[dt]?frac|[-\d\s/$(){}])+"),
    "gsm_symbolic": re.compile(r"[$€£]?\s*-?\d[\d,]*(?:\.\d+)?\s*%?"),
    "intermediate_integration": _NO_PYTHON_WORD,
    "kakurasu": re.compile(r"[01](?:\s+[01])*"),
    "polynomial_equations": _NO_PYTHON_WORD,
    "polynomial_multiplication": _NO_PYTHON_WORD,
    "quantum_lock": re.compile(r"[A-Z](?:(?:\s*(?:→|->|,)\s*|\s+)[A-Z])*"),
    "simple_integration": _NO_PYTHON_WORD,
    "sokoban": re.compile(r"[UDLR\s]+"),
    "survo": re.compile(r"\d+(?:\s+\d+)*"),
}
_MAKES_24 = "puzzle24"  # its scorer does not look at which numbers were used


def check_task(puzzle: Mapping[str, Any], answer: str) -> Ruling:
    """Accept at the scorer's full score. May hang, as some scorers may: only in a worker."""
    name, entry = puzzle.get("dataset"), puzzle.get("entry")
    if not isinstance(name, str) or not isinstance(entry, dict):
        return undecided(Reason.UNPARSED, "the reference needs `dataset` and `entry`")
    if (ruling := _rule_by_own(name, entry, answer)) is not None:
        return ruling
    try:
        fit = _fit_entry(name, json.dumps(entry, sort_keys=True))
    except ValueError as error:
        return undecided(Reason.UNPARSED, f"the reference: {error}")
    if fit is None:
        return undecided(Reason.REFERENCE_SUSPECT, f"the entry's own answer scores 0 in {name}")
    return _rule(name, fit, answer)


def _rule(name: str, entry: Mapping[str, Any], answer: str) -> Ruling:
    spellings = _spellings(answer)
    if not all(_is_shown(spelling, entry) for spelling in spellings):
        return undecided(Reason.UNPARSED, f"{answer}: a scorer might run it as a program")
    best = max(spellings, key=lambda spelling: _score(name, spelling, entry))
    score = _score(name, best, entry)
    detail = f"{answer} scores {score:g} in {name}"
    if score >= 1.0 and _differs(name, best, entry.get("answer")):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}, but is not {entry.get('answer')}")
    if score >= 1.0 and name in FORMS and not FORMS[name].fullmatch(best.strip()):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}, but says more than an answer does")
    if score >= 1.0:
        return accept(detail)
    if _LEFT_OVER.search(_plain(answer)):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}, as LaTeX")
    return reject(Reason.ANSWER_MISMATCH, detail)


def _rule_by_own(name: str, entry: Mapping[str, Any], answer: str) -> Ruling | None:
    """The ruling of our own exact checkers, which take any wording, where the task is theirs."""
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict):
        return None
    if name in ("countdown", _MAKES_24):
        target = 24 if name == _MAKES_24 else metadata.get("target")
        return check_countdown({"numbers": metadata.get("numbers"), "target": target}, answer)
    terms, people = metadata.get("knight_knave_terms"), metadata.get("names")
    solution = metadata.get("solution")
    if name != "knights_knaves" or not isinstance(terms, dict) or not isinstance(people, list):
        return None
    roles = [terms.get("knight"), terms.get("knave")]
    said = dict(zip(people, [roles[0] if t else roles[1] for t in solution or ()], strict=False))
    return check_knights({"people": people, "solution": said, "roles": roles}, answer)


@lru_cache(maxsize=256)
def _fit_entry(name: str, entry: str) -> Mapping[str, Any] | None:
    """The entry as its scorer takes it, or None where its own answer does not score.

    JSON has no tuples, which some scorers compare with. An entry without an answer (any that fits
    is right) is taken as it is. Raises ValueError for a dataset reasoning-gym does not have.
    """
    _scorer(name)
    plain = json.loads(entry)
    if not isinstance(plain.get("answer"), str):
        return {**plain}
    forms = (plain, {**plain, "metadata": _with_tuples(plain.get("metadata"))})
    return next((form for form in forms if _score(name, plain["answer"], form) >= 1.0), None)


def _with_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return value


def _score(name: str, answer: str, entry: Mapping[str, Any]) -> float:
    """The scorer's score; 0 where it fails on an answer it cannot read."""
    try:
        return float(_scorer(name)(answer, entry))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 (scorers raise what their parsers raise)
        return 0.0


def _differs(name: str, answer: str, own: Any) -> bool:
    """Whether a full score is too good: not the task's own answer where only that is right."""
    if not isinstance(own, str):
        return False
    if name in ONE_ANSWER:
        return _folded(answer) != _folded(own)
    wanted, got = read_number(own), read_number(answer)
    if wanted is None:
        return False
    return got is None or abs(got.value - wanted.value) > _TOLERANCE * abs(wanted.value)


def _folded(text: str) -> str:
    return re.sub(r"[\s'\"]+", "", text).casefold()


@lru_cache(maxsize=256)
def _scorer(name: str) -> Callable[[str, Mapping[str, Any]], float]:
    """The scorer of a dataset; ValueError for one reasoning-gym does not have."""
    with _time_that_no_answer_takes():
        from reasoning_gym.factory import get_score_answer_fn

        scorer: Callable[[str, Mapping[str, Any]], float] = get_score_answer_fn(name)
    return scorer


@contextmanager
def _time_that_no_answer_takes() -> Iterator[None]:
    """The import (1.5 to 4 s) and a dataset's files are not charged to an answer's limits."""
    left, _ = signal.setitimer(signal.ITIMER_PROF, 0)
    alarm_s = signal.alarm(0)
    try:
        yield
    finally:
        signal.alarm(alarm_s)
        signal.setitimer(signal.ITIMER_PROF, left)


def _spellings(answer: str) -> list[str]:
    """The answer as it stands, without LaTeX, and with powers and products as Python has them."""
    plain = _plain(answer)
    python = _JUXTAPOSED.sub(r"\1*", _POWER.sub(lambda m: f"**({m[1] or m[2]})", plain))
    boxed = [f"{{{answer}}}"] if _KEY.match(answer) else []  # \\boxed{{"a": 1}} lost its braces
    return list(dict.fromkeys((answer, *boxed, plain, python)))


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
