"""Multiple choice: by letter, by the text of the choice, or by both, which must agree."""

import re
import time

from filters.extract import final_answer, too_wild
from filters.ruling import Ruling, accept, reject, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from filters.verifiers.normal_form import unwrap
from filters.verifiers.phrase import singular_phrase
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("choice", "2")

# "B", "(b)", "B.", "B) text", "option B: text", "**B** - text"
_LETTER = re.compile(
    r"^[\s$*({\[]*(?:(?i:option|choice|answer)\s+)?[({\[]?([A-Ja-j])(?:[\s$*]*[)}\].:]+|[\s$*]*\Z"
    r"|\*+|\s+[-–—]+\s)[\s$*)}\]]*(.*)$",
    re.DOTALL,
)
# "B. and C.", "A) heat, C) light": a further letter that is marked as one.
_ANOTHER_LETTER = re.compile(r"(?:^|[\s,;&({\[])(?:and |or )?[({\[]?[A-J](?:[)}\].:]|\s*\Z)")
_LETTERS = re.compile(
    r"^[\s(]*[A-J]\)?(?:(?:\s*,\s*|\s+(?:and|or)\s+|\s*&\s*)\(?[A-J]\)?)+[\s.)]*$"
)


def verify_choice(prompt: Prompt, sample: Sample) -> Verdict:
    """Accept when the final answer names the choice that `prompt.reference` names."""
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_choice(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_choice(prompt: Prompt, sample: Sample) -> Ruling:
    found = final_answer(sample.answer)
    if found is None:
        return undecided(Reason.NO_FINAL_ANSWER, "no \\boxed{} and no marked answer")
    if problem := too_wild(found.text):
        return undecided(Reason.UNPARSED, problem)
    return compare_choices(prompt.reference, prompt.choices, found.text)


def compare_choices(reference: str, choices: tuple[str, ...], answer: str) -> Ruling:
    """Compare what two texts pick among `choices`; a choice is named by letter or by its text."""
    wanted = _index_of_reference(reference, choices)
    if wanted is None:
        return undecided(Reason.UNPARSED, f"the reference {reference} names none of the choices")
    exact = [i for i, choice in enumerate(choices) if choice.strip() == answer.strip()]
    if len(exact) == 1 and len(answer.strip()) > 1:
        return _same(exact[0], wanted, answer)
    letter, text = _read(answer)
    by_text = _index_of_text(answer, choices)
    if _LETTERS.match(answer):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} names several choices")
    if letter is None:
        return _rule_by_text(by_text, wanted, choices, answer)
    if letter >= max(len(choices), 1) and choices:
        return reject(Reason.ANSWER_MISMATCH, f"{answer} is none of the {len(choices)} choices")
    misread = by_text is not None and (not text or _read(choices[by_text])[0] is not None)
    if misread and by_text != letter:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer}: a letter, or a choice's text?")
    behind = _index_of_text(text, choices) if text else None
    if behind is None and _ANOTHER_LETTER.search(text):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} may name several choices")
    if behind is not None and behind != letter:
        return reject(Reason.ANSWER_MISMATCH, f"{answer}: that text is choice {_name(behind)}")
    return _same(letter, wanted, answer)


def _rule_by_text(
    by_text: int | None, wanted: int, choices: tuple[str, ...], answer: str
) -> Ruling:
    if by_text is not None:
        return _same(by_text, wanted, answer)
    if not choices:
        return undecided(Reason.UNPARSED, f"{answer} is not a letter and no choices are given")
    if re.fullmatch(r"[\s$\d.,+-]+", answer):
        return reject(Reason.ANSWER_MISMATCH, f"{answer} is none of the choices")
    return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} is not worded like any of the choices")


def _same(index: int, wanted: int, answer: str) -> Ruling:
    detail = f"{answer} is choice {_name(index)}, the reference is {_name(wanted)}"
    return accept(detail) if index == wanted else reject(Reason.ANSWER_MISMATCH, detail)


def _read(answer: str) -> tuple[int | None, str]:
    match = _LETTER.match(unwrap(answer))
    if match is None:
        return None, ""
    return ord(match[1].upper()) - ord("A"), match[2].strip(" )}]*.$")


def _index_of_reference(reference: str, choices: tuple[str, ...]) -> int | None:
    exact = [i for i, choice in enumerate(choices) if choice.strip() == reference.strip()]
    if len(exact) == 1 and len(reference.strip()) > 1:
        return exact[0]
    letter, _ = _read(reference)
    if letter is not None and (not choices or letter < len(choices)):
        return letter
    return _index_of_text(reference, choices)


def _index_of_text(text: str, choices: tuple[str, ...]) -> int | None:
    """The one choice that reads like `text`; letter case counts where it sets choices apart."""
    exact = [i for i, choice in enumerate(choices) if choice.strip() == text.strip()]
    if len(exact) == 1:
        return exact[0]
    folded = singular_phrase(text)
    alike = [i for i, choice in enumerate(choices) if folded and singular_phrase(choice) == folded]
    return alike[0] if len(alike) == 1 else None


def _name(index: int) -> str:
    return chr(ord("A") + index)
