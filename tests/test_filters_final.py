"""The final verdict: which of all that was said of a sample decides."""

from dataclasses import replace

import pytest
from filters_records import prompt, sample
from hypothesis import given
from hypothesis import strategies as st

from filters.final import final_verdict, final_verdicts, grade_traces
from filters.trace import TraceFilters
from filters.verdict import Outcome, Reason, Verdict

A, R, U = Outcome.ACCEPT, Outcome.REJECT, Outcome.UNDECIDED
REASONS = {
    "math_answer": {A: Reason.MATCH, R: Reason.ANSWER_MISMATCH, U: Reason.UNPARSED},
    "trace": {A: Reason.FIT, R: Reason.REPETITION, U: Reason.SAMPLE_FAILED},
    "judge": {A: Reason.JUDGE_AGREES, R: Reason.JUDGE_DISAGREES, U: Reason.JUDGE_SPLIT},
    "gold_check": {U: Reason.REFERENCE_SUSPECT},
}


def said(by: str, outcome: Outcome, sample_id: str = "p-000") -> Verdict:
    return Verdict(sample_id, by, "1", outcome, REASONS[by][outcome])


def told(**outcomes: Outcome) -> list[Verdict]:
    return [said(by, outcome) for by, outcome in outcomes.items()]


@pytest.mark.parametrize(
    ("verdicts", "decides"),
    [
        (told(math_answer=A), "math_answer"),
        (told(math_answer=A, trace=A), "math_answer"),
        (told(math_answer=A, trace=R), "trace"),
        (told(math_answer=R, trace=R), "math_answer"),
        (told(math_answer=U, trace=R), "trace"),
        (told(math_answer=U, trace=U), "math_answer"),
        (told(math_answer=U, trace=A, judge=A), "judge"),
        (told(math_answer=U, trace=A, judge=R), "judge"),
        (told(math_answer=U, trace=A, judge=U), "judge"),
        (told(math_answer=U, trace=R, judge=A), "trace"),
        # Asked over a reject only where the recipe lets it overrule.
        (told(math_answer=R, trace=A, judge=A), "judge"),
        (told(math_answer=R, trace=A, judge=R), "math_answer"),
        (told(math_answer=R, trace=A, judge=U), "math_answer"),
        (told(math_answer=A, trace=A, judge=R), "math_answer"),
        (told(math_answer=A, trace=A, gold_check=U), "gold_check"),
        (told(math_answer=R, trace=R, judge=A, gold_check=U), "gold_check"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(v.outcome for v in value),
)
def test_one_verdict_decides(verdicts: list[Verdict], decides: str) -> None:
    assert final_verdict(verdicts).verifier == decides
    assert final_verdict(verdicts[::-1]).verifier == decides


@given(
    st.fixed_dictionaries(
        {"math_answer": st.sampled_from([A, R, U])},
        optional={
            "trace": st.sampled_from([A, R, U]),
            "judge": st.sampled_from([A, R, U]),
            "gold_check": st.just(U),
        },
    )
)
def test_nothing_is_accepted_that_somebody_with_a_say_refused(outcomes: dict[str, Outcome]) -> None:
    verdicts = told(**outcomes)
    final = final_verdict(verdicts)
    assert final in verdicts
    if final.outcome is A:
        assert A in (outcomes["math_answer"], outcomes.get("judge"))
        assert outcomes.get("trace") is not R
        assert "gold_check" not in outcomes
    if outcomes["math_answer"] is R and "judge" not in outcomes:
        assert final.outcome is (U if "gold_check" in outcomes else R)


def test_every_sample_has_one_final_verdict_in_its_order() -> None:
    verdicts = [said("math_answer", A, name) for name in "bac"]
    verdicts += [said("trace", R, name) for name in "cab"]
    assert [v.sample_id for v in final_verdicts(verdicts)] == ["b", "a", "c"]


def test_a_sample_without_its_verifier_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no verdict of its verifier"):
        final_verdict(told(trace=A, judge=A))


def test_an_open_answer_needs_no_mark() -> None:
    poem, letter = prompt("rubric", "", language="en"), sample("Drip, drop.\nWill it stop?")
    (trace,) = grade_traces([poem], [letter], TraceFilters())
    assert trace.outcome is A
    (trace,) = grade_traces([prompt("short_answer", "x")], [letter], TraceFilters())
    assert trace.reason is Reason.NO_FINAL_ANSWER


def test_open_and_marked_answers_keep_their_order() -> None:
    open_one = prompt("rubric", "")
    marked = prompt("short_answer", "x")
    prompts = [replace(open_one, prompt_id="o"), replace(marked, prompt_id="m")]
    samples = [
        sample("no mark", sample_id=f"{name}{n}", prompt_id=name)
        for n, name in enumerate(["m", "o", "m", "o", "o"])
    ]
    traces = grade_traces(prompts, samples, TraceFilters())
    assert [t.sample_id for t in traces] == ["m0", "o1", "m2", "o3", "o4"]
    assert [t.outcome is A for t in traces] == [False, True, False, True, True]
