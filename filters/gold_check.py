"""Gold checking: where many samples agree on an answer that is not the reference, doubt it.

A prompt is suspect when, of its samples that gave an answer and were decided,
- there are at least 8, fewer than 10 % were accepted, and at least 60 % give one and the same wrong
  answer; or
- there are 4 to 7, none was accepted, and all give one and the same wrong answer.
Where only one wrong answer is possible (yes or no, two choices), agreement on it proves nothing,
and no prompt is suspect.

Its samples are then undecided (`reference_suspect`), whatever they were before: neither the right
nor the wrong ones are known. A teacher that errs the same way each time looks just like a wrong
reference; that is why such prompts are set aside for people to read, and not corrected.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from filters.judge import KINDS
from filters.ruling import Ruling, undecided
from filters.verdict import Outcome, Reason
from filters.verifiers.choice import compare_choices
from filters.verifiers.math_answer import compare_quickly
from filters.verifiers.normal_form import normal_form
from filters.verifiers.quantity import compare_quantities
from filters.verifiers.short_answer import compare_phrases
from filters.verifiers.wording import wording
from prompts.record import Prompt

SIGNATURE = ("gold_check", "2")
LEAST_DECIDED = 4
ENOUGH_DECIDED = 8
# Of enough decided samples; of fewer all must agree. A small model's 50 samples for each of 70
# right references (a tenth of them right), drawn 2,000 times: four agree on a wrong answer in 1.0 %
# of the draws, three of four or more in 5.2 %; of eight 60 % do in 3.5 %.
LEAST_AGREEMENT = 0.6
MOST_ACCEPTED = 0.1
# Rejected for the answer given. A sample without an answer says nothing of the reference.
WRONG_ANSWER = (Reason.ANSWER_MISMATCH, Reason.WRONG_UNIT, Reason.JUDGE_DISAGREES)
# Of different answers so many are compared with each other; what comes later is no majority.
MOST_DIFFERENT = 32

_TWO_VALUED = ("yes", "no", "true", "false")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A prompt whose reference is in doubt; one line of `3-verdicts/reference-suspects.jsonl`.

    `agreed` of the `decided` samples gave `agreed_answer`, in the words of the first of them.
    """

    prompt_id: str
    source: str
    question: str
    reference_kind: str
    reference: str
    agreed_answer: str
    agreed: int
    decided: int
    accepted: int


def may_be_suspect(accepted: int, wrong: int) -> bool:
    """Whether the counts of accepted and wrong answers leave room for a suspect reference."""
    decided = accepted + wrong
    return (
        decided >= LEAST_DECIDED
        and accepted < MOST_ACCEPTED * decided
        and wrong >= _least_agreement(decided) * decided
    )


def suspect_of(prompt: Prompt, accepted: int, wrong_answers: Iterable[str]) -> Suspect | None:
    """The prompt as a suspect, from the answers that were rejected as wrong; None if it is none."""
    answers = list(wrong_answers)
    decided = accepted + len(answers)
    if prompt.reference_kind not in KINDS or _has_one_wrong_answer(prompt):
        return None
    if not may_be_suspect(accepted, len(answers)):
        return None
    answer, agreed = most_common(answers, prompt)
    if agreed < _least_agreement(decided) * decided:
        return None
    return Suspect(
        prompt_id=prompt.prompt_id,
        source=prompt.source,
        question=prompt.question,
        reference_kind=prompt.reference_kind,
        reference=prompt.reference,
        agreed_answer=answer,
        agreed=agreed,
        decided=decided,
        accepted=accepted,
    )


def _least_agreement(decided: int) -> float:
    return LEAST_AGREEMENT if decided >= ENOUGH_DECIDED else 1.0


def rule_on_suspect(suspect: Suspect) -> Ruling:
    """What each sample of a suspect prompt gets."""
    detail = (
        f"{suspect.agreed} of {suspect.decided} samples answer {suspect.agreed_answer}, "
        f"the reference is {suspect.reference}"
    )
    return undecided(Reason.REFERENCE_SUSPECT, detail)


def most_common(answers: Iterable[str], prompt: Prompt) -> tuple[str, int]:
    """The answer given most often, as first written, and how often; ("", 0) without answers.

    Equal are answers of one normal form, and what the verifier finds equal.
    """
    groups: dict[str, list[str]] = {}
    for answer in answers:
        groups.setdefault(" ".join(normal_form(answer).split()), []).append(answer)
    merged: list[list[str]] = []
    for group in sorted(groups.values(), key=len, reverse=True)[:MOST_DIFFERENT]:
        same = next((g for g in merged if _same(g[0], group[0], prompt)), None)
        if same is None:
            merged.append(list(group))
        else:
            same += group
    largest = max(merged, key=len, default=[])
    return (largest[0], len(largest)) if largest else ("", 0)


def _same(one: str, other: str, prompt: Prompt) -> bool:
    """Whether the verifier would take one for the other; what it cannot read is only itself."""
    question, ruling = prompt.question, None
    try:
        match prompt.reference_kind:
            case "math_answer":
                ruling = compare_quickly(one, other, question)
            case "choice":
                ruling = compare_choices(one, prompt.choices, other, question)
            case kind:
                ruling = compare_quantities(one, other, question, prompt.domain)
                if kind == "short_answer" and ruling.reason is Reason.UNPARSED:
                    ruling = compare_phrases((one,), other, question)
    except ArithmeticError:  # a number beyond all bounds
        return False
    return ruling is not None and ruling.outcome is Outcome.ACCEPT


def _has_one_wrong_answer(prompt: Prompt) -> bool:
    """Whether all who err must agree: on the other of two choices, on no instead of yes."""
    if prompt.reference_kind == "choice":
        return len(prompt.choices) == 2
    return wording(prompt.reference) in _TWO_VALUED
