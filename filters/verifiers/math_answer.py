r"""Math answers compared in layers, cheap to dear, each of which may say "I do not know".

1. the same normal form: accept;
2. both are exact rational numbers: accept or reject. A reference with two or more decimals is
   also met by what rounds to it (`1/3` and `0.333` meet `0.33`); an exact reference is not met by
   an approximation (`0.33` does not meet `1/3`). A unit on one side only may be left out where it
   is a known one or a word of the question;
3. both are lists, tuples or sets: their members, in order where the brackets say so;
4. Math-Verify and SymPy (filters/verifiers/symbolic.py), which may hang: the Grader runs this
   layer in a process it can kill.
"""

import re
import time
from fractions import Fraction

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.members import Members, read_members
from filters.verifiers.normal_form import normal_form, tidy, unwrap
from filters.verifiers.plain_units import is_harmless, is_word, looks_variable, same_unit
from filters.verifiers.rational import Number, read_number, scale_words
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("math_answer", "2")

_WORD = re.compile(r"[a-z][a-z' \-]{2,30}")
_MONOMIAL = re.compile(r"[a-zA-Z]{1,3}(?: ?- ?[a-zA-Z]{1,3})*")
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_VOCABULARIES = tuple(
    frozenset(words.split())
    for words in ("yes no", "true false", "even odd", "positive negative zero", _DAYS)
)
_ROUNDED_DECIMALS = 2  # a reference of one decimal, 0.5, is mostly exact


def verify_math_answer(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the final answer equals `prompt.reference` as mathematics.

    Runs every layer in this process; SymPy may take minutes on a hostile answer, so untrusted
    samples go through `filters.grader.Grader`.
    """
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_math(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_math(prompt: Prompt, sample: Sample) -> Ruling:
    """The quick layers' ruling, else the symbolic one's; only in a worker that can be killed."""
    quick = rule_on_math_quickly(prompt, sample)
    if quick is not None:
        return quick
    from filters.verifiers.symbolic import compare_symbolically

    found = final_answer(sample.answer)
    assert found is not None  # rule_on_math_quickly settles the other case
    return compare_symbolically(prompt.reference, found.text)


def rule_on_math_quickly(prompt: Prompt, sample: Sample) -> Ruling | None:
    """The layers that cannot hang; None when only the symbolic one can tell."""
    found = final_answer(sample.answer)
    if found is None:
        return undecided(Reason.NO_FINAL_ANSWER, "no \\boxed{} and no marked answer")
    if problem := too_wild(found.text):
        return undecided(Reason.UNPARSED, problem)
    return compare_quickly(prompt.reference, found.text, prompt.question)


def compare_quickly(reference: str, answer: str, question: str = "") -> Ruling | None:
    """Layers 1 to 3 for two texts; None when they cannot tell."""
    wanted, got = normal_form(reference), normal_form(answer)
    if wanted == got:
        return accept(f"{answer} is {reference}")
    numbers = read_number(reference), read_number(answer)
    if numbers[0] is not None and numbers[1] is not None:
        ruling = _compare_numbers(numbers[0], numbers[1], question, f"{answer} against {reference}")
        if ruling is not None:
            return ruling
    if wanted.casefold() == got.casefold():
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} against {reference}: letter case")
    if (ruling := _compare_words(reference, answer)) is not None:
        return ruling
    members = read_members(reference), read_members(answer)
    if (numbers[1] and _all_numbers(members[0])) or (numbers[0] and _all_numbers(members[1])):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} against {reference}: one and several")
    if scale_words(reference) != scale_words(answer):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} against {reference}: words differ")
    if members[0] is not None and members[1] is not None:
        return _compare_members(members[0], members[1], f"{answer} against {reference}", question)
    return None


def _compare_words(reference: str, answer: str) -> Ruling | None:
    """Words are rejected only for another of their own few; `xyz` may be a product: None."""
    wanted, got = (unwrap(tidy(text)).casefold() for text in (reference, answer))
    detail = f"{answer} against {reference}"
    if not _WORD.fullmatch(wanted):
        if _WORD.fullmatch(got) and not _MONOMIAL.fullmatch(got):
            return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: in words")
        return None
    number = read_number(answer)
    if any({wanted, got} <= words for words in _VOCABULARIES):
        return reject(Reason.ANSWER_MISMATCH, detail)
    if _MONOMIAL.fullmatch(wanted) and "\\text" not in reference:
        return None
    if number is not None:
        return reject(Reason.ANSWER_MISMATCH, detail)
    if _WORD.fullmatch(got):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: other words")
    return None


def _compare_numbers(wanted: Number, got: Number, question: str, detail: str) -> Ruling | None:
    """None where what stands behind both numbers may be variables: `2xy` and `2yx`."""
    if wanted.unit and got.unit:
        same = same_unit(wanted.unit, got.unit)
        if same is False and looks_variable(wanted.unit) and looks_variable(got.unit):
            return None
        if not same:
            return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: units differ")
    if wanted.percent != got.percent:
        return _compare_percent(wanted, got, question, detail)
    unit = "" if wanted.unit and got.unit else wanted.unit or got.unit
    harmless = is_harmless(unit, question)
    if not harmless and not is_word(unit):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: {unit} may be a factor")
    if not _meets(wanted.value, wanted.decimals, got.value):
        return reject(Reason.ANSWER_MISMATCH, detail)
    if not harmless:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: {unit} is not in the question")
    return accept(detail)


def _meets(wanted: Fraction, decimals: int | None, got: Fraction) -> bool:
    """Equal, or equal once rounded to the decimals the reference shows (half a unit is met)."""
    if wanted == got:
        return True
    if decimals is None or decimals < _ROUNDED_DECIMALS:
        return False
    return abs(wanted - got) <= Fraction(1, 2 * 10**decimals)


def _compare_percent(wanted: Number, got: Number, question: str, detail: str) -> Ruling:
    """One has a percent sign: `50%` is 0.5, and is 50 where the question asked for percent.

    A number up to 1 could be meant either way, so its match is left undecided; a share is
    never a percentage: 0.5 against 50 does not come here and is a mismatch.
    """
    share = [n.value / 100 if n.percent else n.value for n in (wanted, got)]
    if share[0] == share[1]:
        return accept(detail)
    if _meets(wanted.value, wanted.decimals, got.value):
        if abs(wanted.value) > 1 and re.search(r"%|per\s?cent", question, re.IGNORECASE):
            return accept(detail)
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: a percentage or a share?")
    return reject(Reason.ANSWER_MISMATCH, detail)


def _all_numbers(members: Members | None) -> bool:
    return members is not None and all(read_number(item) is not None for item in members.items)


def _compare_members(wanted: Members, got: Members, detail: str, question: str) -> Ruling | None:
    if wanted.brackets != got.brackets:
        return None
    if len(wanted.items) != len(got.items):
        return reject(Reason.ANSWER_MISMATCH, f"{detail}: {len(got.items)} members")
    if not wanted.ordered:
        return _compare_unordered(wanted.items, got.items, detail, question)
    rulings = [
        compare_quickly(w, g, question) for w, g in zip(wanted.items, got.items, strict=True)
    ]
    return _all_of(rulings, detail)


def _compare_unordered(
    wanted: tuple[str, ...], got: tuple[str, ...], detail: str, question: str
) -> Ruling | None:
    left = list(got)
    doubtful = False
    for member in wanted:
        rulings = [compare_quickly(member, other, question) for other in left]
        match = next((i for i, r in enumerate(rulings) if r and r.outcome == "accept"), None)
        if match is not None:
            del left[match]
        elif all(r is not None and r.outcome == "reject" for r in rulings):
            return reject(Reason.ANSWER_MISMATCH, f"{detail}: {member} is missing")
        else:
            doubtful = True
    return None if doubtful else accept(detail)


def _all_of(rulings: list[Ruling | None], detail: str) -> Ruling | None:
    if any(r is not None and r.outcome == "reject" for r in rulings):
        return reject(Reason.ANSWER_MISMATCH, detail)
    if all(r is not None and r.outcome == "accept" for r in rulings):
        return accept(detail)
    return None
