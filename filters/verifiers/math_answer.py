r"""Math answers compared in layers, cheap to dear, each of which may say "I do not know".

1. the same normal form: accept;
2. both are exact rational numbers: accept or reject. A reference written with a decimal point is
   also met by what rounds to it (`1/3` and `0.333` meet `0.33`); an exact reference is not met by
   an approximation (`0.33` does not meet `1/3`);
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
from filters.verifiers.normal_form import normal_form
from filters.verifiers.rational import Number, read_number, scale_words
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("math_answer", "1")

_WORD = re.compile(r"[a-z][a-z' \-]{2,30}")


def verify_math_answer(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the final answer equals `prompt.reference` as mathematics.

    Runs every layer in this process; SymPy may take minutes on a hostile answer, so untrusted
    samples go through `filters.grader.Grader`.
    """
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_math(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_math(prompt: Prompt, sample: Sample) -> Ruling:
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
    return compare_quickly(prompt.reference, found.text)


def compare_quickly(reference: str, answer: str) -> Ruling | None:
    """Layers 1 to 3 for two texts; None when they cannot tell."""
    wanted, got = normal_form(reference), normal_form(answer)
    if wanted == got:
        return accept(f"{answer} is {reference}")
    numbers = read_number(reference), read_number(answer)
    if numbers[0] is not None and numbers[1] is not None:
        return _compare_numbers(numbers[0], numbers[1], f"{answer} against {reference}")
    if _WORD.fullmatch(wanted) and (_WORD.fullmatch(got) or numbers[1] is not None):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} is not {reference}")
    members = read_members(reference), read_members(answer)
    if (numbers[1] and _all_numbers(members[0])) or (numbers[0] and _all_numbers(members[1])):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} against {reference}: one and several")
    if scale_words(reference) != scale_words(answer):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} against {reference}: words differ")
    if members[0] is not None and members[1] is not None:
        return _compare_members(members[0], members[1], f"{answer} against {reference}")
    return None


def _compare_numbers(wanted: Number, got: Number, detail: str) -> Ruling:
    if wanted.unit and got.unit and _singular(wanted.unit) != _singular(got.unit):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: units differ")
    if wanted.percent != got.percent:
        return _compare_percent(wanted, got, detail)
    if _meets(wanted.value, wanted.decimals, got.value):
        return accept(detail)
    return reject(Reason.ANSWER_MISMATCH, detail)


def _meets(wanted: Fraction, decimals: int | None, got: Fraction) -> bool:
    """Equal, or equal once rounded to the decimals the reference shows (half a unit is met)."""
    if wanted == got:
        return True
    return decimals is not None and abs(wanted - got) <= Fraction(1, 2 * 10**decimals)


def _compare_percent(wanted: Number, got: Number, detail: str) -> Ruling:
    """One has a percent sign: `50%` is 0.5, and is 50 where the question asked for percent.

    A bare number up to 1 could be meant either way, so its match is left undecided; a share is
    never a percentage: 0.5 against 50 does not come here and is a mismatch.
    """
    share = [n.value / 100 if n.percent else n.value for n in (wanted, got)]
    if share[0] == share[1]:
        return accept(detail)
    if _meets(wanted.value, wanted.decimals, got.value):
        if abs(wanted.value) > 1:
            return accept(detail)
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: a percentage or a share?")
    return reject(Reason.ANSWER_MISMATCH, detail)


def _all_numbers(members: Members | None) -> bool:
    return members is not None and all(read_number(item) is not None for item in members.items)


def _compare_members(wanted: Members, got: Members, detail: str) -> Ruling | None:
    if wanted.brackets != got.brackets:
        return None
    if len(wanted.items) != len(got.items):
        return reject(Reason.ANSWER_MISMATCH, f"{detail}: {len(got.items)} members")
    if not wanted.ordered:
        return _compare_unordered(wanted.items, got.items, detail)
    rulings = [compare_quickly(w, g) for w, g in zip(wanted.items, got.items, strict=True)]
    return _all_of(rulings, detail)


def _compare_unordered(wanted: tuple[str, ...], got: tuple[str, ...], detail: str) -> Ruling | None:
    left = list(got)
    doubtful = False
    for member in wanted:
        rulings = [compare_quickly(member, other) for other in left]
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


def _singular(unit: str) -> str:
    return unit.replace(".", "").replace(" ", "").removesuffix("s")
