"""Gold checking: where many samples agree on an answer that is not the reference, doubt it.

A prompt is suspect when, of its samples that gave an answer and were decided,
- there are at least 8,
- at least 60 % give one and the same wrong answer,
- fewer than 10 % were accepted.
Its samples are then undecided (`reference_suspect`), whatever they were before: neither the right
nor the wrong ones are known. A teacher that errs the same way each time looks just like a wrong
reference; that is why such prompts are set aside for people to read, and not corrected.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from filters.ruling import Ruling, undecided
from filters.verdict import Outcome, Reason
from filters.verifiers.math_answer import compare_quickly
from filters.verifiers.normal_form import normal_form
from prompts.record import Prompt

SIGNATURE = ("gold_check", "1")
LEAST_DECIDED = 8
LEAST_AGREEMENT = 0.6
MOST_ACCEPTED = 0.1
# References that are one answer; programs, puzzles and rubrics have many right ones.
KINDS = ("math_answer", "quantity", "choice", "short_answer")
# Rejected for the answer given. A sample without an answer says nothing of the reference.
WRONG_ANSWER = (Reason.ANSWER_MISMATCH, Reason.WRONG_UNIT, Reason.JUDGE_DISAGREES)
# Of different answers so many are compared with each other; what comes later is no majority.
MOST_DIFFERENT = 32

_LETTER = re.compile(r"\(?([A-Z])\)?(?:[).:\s].*)?", re.DOTALL)


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
        and wrong >= LEAST_AGREEMENT * decided
    )


def suspect_of(prompt: Prompt, accepted: int, wrong_answers: Iterable[str]) -> Suspect | None:
    """The prompt as a suspect, from the answers that were rejected as wrong; None if it is none."""
    answers = list(wrong_answers)
    decided = accepted + len(answers)
    if prompt.reference_kind not in KINDS or not may_be_suspect(accepted, len(answers)):
        return None
    answer, agreed = most_common(answers, prompt)
    if agreed < LEAST_AGREEMENT * decided:
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


def rule_on_suspect(suspect: Suspect) -> Ruling:
    """What each sample of a suspect prompt gets."""
    detail = (
        f"{suspect.agreed} of {suspect.decided} samples answer {suspect.agreed_answer}, "
        f"the reference is {suspect.reference}"
    )
    return undecided(Reason.REFERENCE_SUSPECT, detail)


def most_common(answers: Iterable[str], prompt: Prompt) -> tuple[str, int]:
    """The answer given most often, as first written, and how often; ("", 0) without answers.

    Equal are answers of one normal form, and in mathematics what the verifier finds equal.
    """
    form = _FORMS.get(prompt.reference_kind, _plain)
    groups: dict[str, list[str]] = {}
    for answer in answers:
        groups.setdefault(form(answer), []).append(answer)
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
    if prompt.reference_kind != "math_answer":
        return False
    ruling = compare_quickly(one, other, prompt.question)
    return ruling is not None and ruling.outcome is Outcome.ACCEPT


def _letter(answer: str) -> str:
    """`(B) granite` as `B`: options are known by their letter."""
    bare = normal_form(answer)
    found = _LETTER.fullmatch(answer.strip())
    return found[1] if found else bare.casefold()


def _plain(answer: str) -> str:
    return " ".join(normal_form(answer).casefold().split())


_FORMS: dict[str, Callable[[str], str]] = {"math_answer": normal_form, "choice": _letter}
