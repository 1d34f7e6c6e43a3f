"""Short answers: the same phrase as the reference or one of its aliases.

A match after folding (case, articles, punctuation, plurals) is accepted. What does not match is
rejected when it is one short phrase with nothing of the reference in it; a longer answer, or one
that shares the reference's words ("the planet Mars" for "Mars", but also "not Mars"), is
undecided, for a judge to read.
"""

import time

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.phrase import normalise_phrase, singular_phrase
from filters.verifiers.rational import read_number
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("short_answer", "1")
SHORT_PHRASE_WORDS = 6


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
    return compare_phrases((prompt.reference, *prompt.aliases), found.text)


def compare_phrases(accepted: tuple[str, ...], answer: str) -> Ruling:
    """Compare one answer with all the ways to write the right one."""
    detail = f"{answer} against {accepted[0]}"
    got = singular_phrase(answer)
    if not got:
        return undecided(Reason.UNPARSED, f"{detail}: the answer has no words")
    if any(got == singular_phrase(phrase) for phrase in accepted):
        return accept(detail)
    numbers = read_number(accepted[0]), read_number(answer)
    if numbers[0] is not None and numbers[1] is not None:
        same = numbers[0].value == numbers[1].value and numbers[0].percent == numbers[1].percent
        return accept(detail) if same else reject(Reason.ANSWER_MISMATCH, detail)
    if len(got.split()) > SHORT_PHRASE_WORDS or "\n" in answer:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: not one short phrase")
    if any(_shares_words(phrase, got) for phrase in accepted):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{detail}: shares words")
    return reject(Reason.ANSWER_MISMATCH, detail)


def _shares_words(phrase: str, got: str) -> bool:
    wanted = set(singular_phrase(phrase).split()) | set(normalise_phrase(phrase).split())
    return bool(wanted & set(got.split())) or singular_phrase(phrase).replace(" ", "") in got
