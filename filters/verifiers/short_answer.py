"""Short answers: the same phrase as the reference or one of its aliases.

A match after folding (case, articles, punctuation, plurals) is accepted. What does not match is
rejected when it is one short phrase with nothing of the reference in it; a longer answer, or one
that shares the reference's words ("the planet Mars" for "Mars", but also "not Mars"), is
undecided, for a judge to read.
"""

import time
from difflib import SequenceMatcher

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.phrase import normalise_phrase, singular_phrase
from filters.verifiers.plain_units import is_harmless, same_unit
from filters.verifiers.rational import Number, read_number
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("short_answer", "2")
SHORT_PHRASE_WORDS = 6
ALIKE_CHARS = 5
ALIKE_RATIO = 0.75  # sulphur and sulfur: 0.77; oxygen and nitrogen: 0.57


def verify_short_answer(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the final answer is `prompt.reference` or one of `prompt.aliases`."""
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_short_answer(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_short_answer(prompt: Prompt, sample: Sample) -> Ruling:
    found = final_answer(sample.answer)
    if found is None:
        return undecided(Reason.NO_FINAL_ANSWER, "no \\boxed{} and no marked answer")
    if problem := too_wild(found.text):
        return undecided(Reason.UNPARSED, problem)
    return compare_phrases((prompt.reference, *prompt.aliases), found.text, prompt.question)


def compare_phrases(accepted: tuple[str, ...], answer: str, question: str = "") -> Ruling:
    """Compare one answer with all the ways to write the right one."""
    detail = f"{answer} against {accepted[0]}"
    got = singular_phrase(answer)
    if not got:
        return undecided(Reason.UNPARSED, f"{detail}: the answer has no words")
    if any(got == singular_phrase(phrase) for phrase in accepted):
        return accept(detail)
    numbers = [read_number(_in_digits(text)) for text in (accepted[0], answer)]
    if numbers[0] is not None and numbers[1] is not None:
        return _compare_numbers(numbers[0], numbers[1], question, detail)
    if len(got.split()) > SHORT_PHRASE_WORDS or "\n" in answer:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: not one short phrase")
    if any(_shares_words(phrase, got) or _looks_alike(phrase, got) for phrase in accepted):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: shares words")
    return reject(Reason.ANSWER_MISMATCH, detail)


def _compare_numbers(wanted: Number, got: Number, question: str, detail: str) -> Ruling:
    """What stands behind one number only may be left out where it says nothing new."""
    unit = "" if wanted.unit and got.unit else wanted.unit or got.unit
    if wanted.unit and got.unit and not same_unit(wanted.unit, got.unit):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: units differ")
    if wanted.percent != got.percent or not is_harmless(unit, question):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: one has a unit")
    same = wanted.value == got.value
    return accept(detail) if same else reject(Reason.ANSWER_MISMATCH, detail)


def _in_digits(text: str) -> str:
    """`eight` as `8`, `eight planets` as `8 planets`; other texts as they are."""
    first, _, rest = text.strip().partition(" ")
    number = normalise_phrase(first)
    return f"{number} {rest}".strip() if number.isdecimal() and first.isalpha() else text


def _looks_alike(phrase: str, got: str) -> bool:
    """Another form or spelling of one word: evaporating and evaporation, sulphur and sulfur."""
    return any(
        (len(w) >= ALIKE_CHARS and w[:ALIKE_CHARS] == g[:ALIKE_CHARS])
        or (len(w) >= ALIKE_CHARS and SequenceMatcher(None, w, g).ratio() >= ALIKE_RATIO)
        for w in singular_phrase(phrase).split()
        for g in got.split()
    )


def _shares_words(phrase: str, got: str) -> bool:
    wanted = set(singular_phrase(phrase).split()) | set(normalise_phrase(phrase).split())
    return bool(wanted & set(got.split())) or singular_phrase(phrase).replace(" ", "") in got
