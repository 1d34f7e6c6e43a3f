"""Which samples of a prompt gave the same answer: what cons@k counts.

Equal means equal by the verifier, not by its letters. Final answers of one normal form are one
group; forms the verifier accepted equal the reference, hence each other, and are one group (a
puzzle's too, though it may have several right answers: its cons@k is an upper bound there). Wrong
answers are grouped too, where that can decide who wins: plain numbers by their value, others by
the same verifier in its layers that cannot hang, together where each is accepted as the other's
reference. What it cannot decide stays apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from filters.extract import final_answer
from filters.registry import IN_PROCESS
from filters.verdict import Outcome
from filters.verifiers.normal_form import normal_form
from filters.verifiers.quantity import with_unit_behind
from filters.verifiers.rational import read_number
from prompts.record import Prompt
from teacher.sample import Sample

# Programs do not vote by their text, and what a judge reads has no final answer.
NO_VOTE = ("unit_tests", "program", "rubric")
_RIGHT = "="
# A puzzle's reference says how answers are checked, so no answer can take its place.
_BY_FORM_ALONE = ("puzzle",)
# So many groups with most votes are compared with each other, 120 pairs of a millisecond or two.
_MOST_COMPARED = 16


def vote_keys(
    prompt: Prompt, samples: Sequence[Sample], outcomes: Sequence[Outcome]
) -> list[str | None]:
    """What each sample votes for: equal keys are one group, None is no vote.

    A truncated sample does not vote: what it boxed so far is no final answer. Wrong answers are
    compared only where none of them has more votes than the right one, and all of them together
    have as many: elsewhere who wins is known.
    """
    texts = [_text(prompt, sample) for sample in samples]
    forms = [None if text is None else normal_form(text) for text in texts]
    right = {form for form, o in zip(forms, outcomes, strict=True) if o is Outcome.ACCEPT}
    votes = Counter(form for form in forms if form is not None and form not in right)
    for_right = sum(form in right for form in forms if form is not None)
    names = {form: form for form in votes}
    contested = votes and max(votes.values()) <= for_right <= votes.total()
    if contested and prompt.reference_kind not in _BY_FORM_ALONE:
        first = {form: samples[forms.index(form)] for form in votes}
        names = _grouped(prompt, votes, first, for_right)
    return [
        None if form is None else _RIGHT if form in right else f":{names[form]}" for form in forms
    ]


def _text(prompt: Prompt, sample: Sample) -> str | None:
    """A sample's final answer, a quantity's with the unit behind its box; None without one."""
    found = None if sample.finish_reason == "length" else final_answer(sample.answer)
    if found is not None and prompt.reference_kind == "quantity" and found.mark == "box":
        return with_unit_behind(found.text, sample.answer)
    return None if found is None else found.text


def _grouped(
    prompt: Prompt, votes: Counter[str], first: Mapping[str, Sample], for_right: int
) -> dict[str, str]:
    """Each form's group, named by a form in it; `first` has a sample of each form."""
    numbers = {form: _plain_number(prompt, first[form]) for form in votes}
    by_value: dict[Fraction, str] = {}
    names: dict[str, str] = {}
    for form, value in numbers.items():
        names[form] = form if value is None else by_value.setdefault(value, form)
    weights = Counter[str]()
    for form, count in votes.items():
        weights[names[form]] += count
    compared = dict(weights.most_common(_MOST_COMPARED))
    # Plain numbers that are left differ: at most one of them joins all others.
    apart = [count for name, count in compared.items() if numbers[name] is not None]
    if sum(compared.values()) - sum(apart) + max(apart, default=0) < for_right:
        return names
    merged: dict[str, str] = {}
    for name in compared:
        heads = (one for one, head in merged.items() if one == head)
        others = (one for one in heads if numbers[one] is None or numbers[name] is None)
        equal = (one for one in others if _same(prompt, first[one], first[name]))
        merged[name] = next(equal, name)
    return {form: merged.get(name, name) for form, name in names.items()}


def _plain_number(prompt: Prompt, sample: Sample) -> Fraction | None:
    """The value of an answer in math that is a number and nothing else: no unit, percent, name."""
    text = _text(prompt, sample)
    if prompt.reference_kind != "math_answer" or text is None or "=" in text:
        return None
    number = read_number(text)
    return None if number is None or number.unit or number.percent else number.value


def _same(prompt: Prompt, one: Sample, other: Sample) -> bool:
    """Whether each sample's answer is accepted where the other's is the reference."""
    return _accepts(prompt, one, other) and _accepts(prompt, other, one)


def _accepts(prompt: Prompt, reference: Sample, sample: Sample) -> bool:
    text = _text(prompt, reference)
    rule = IN_PROCESS.get(prompt.reference_kind)
    if text is None or rule is None:
        return False
    ruling = rule(replace(prompt, reference=text, aliases=()), sample)
    return ruling is not None and ruling.outcome is Outcome.ACCEPT
