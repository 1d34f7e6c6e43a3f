"""evals/run.py: from graded samples to the rows of a score table."""

import json
from datetime import UTC, datetime

import pytest

from evals.run import compare, score, vote_keys
from evals.scores import Scores
from filters.verdict import Outcome, Reason, Verdict
from prompts.record import Prompt, prompt_id
from teacher.sample import Sample, sample_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_prompt(question, domain="math", kind="math_answer"):
    return Prompt(
        prompt_id(domain, question), domain, "own", "apache-2.0", "test", question, kind, "4"
    )


def make_sample(prompt, index, answer="\\boxed{4}", finish="stop", error=None, tokens=10):
    return Sample(
        sample_id(prompt.prompt_id, index), prompt.prompt_id, index, "m", "r", "zero-shot",
        0.6, 0.95, 64, 0, answer, "", answer, finish, 5, tokens, 0, tokens, "r0", NOW, NOW, 1,
        error,
    )  # fmt: skip


def verdict(sample, outcome):
    reason = {
        "accept": Reason.MATCH, "reject": Reason.ANSWER_MISMATCH, "undecided": Reason.UNPARSED
    }[outcome]  # fmt: skip
    return Verdict(sample.sample_id, "math_answer", "1", Outcome(outcome), reason)


def graded(prompt, *outcomes, answers=None, **more):
    answers = answers or [
        "\\boxed{4}" if outcome == "accept" else f"\\boxed{{{i}9}}"
        for i, outcome in enumerate(outcomes)
    ]
    samples = [make_sample(prompt, i, answers[i], **more) for i in range(len(outcomes))]
    return samples, [verdict(s, o) for s, o in zip(samples, outcomes, strict=True)]


def scored(*groups, k=2):
    prompts = [prompt for prompt, _ in groups]
    samples = [s for _, (samples, _) in groups for s in samples]
    verdicts = [v for _, (_, verdicts) in groups for v in verdicts]
    return score(prompts, samples, verdicts, k)


def test_domains_and_overall_each_get_a_row():
    math, code = make_prompt("a"), make_prompt("b", "code", "unit_tests")
    scores = scored(
        (math, graded(math, "accept", "reject")), (code, graded(code, "accept", "accept"))
    )
    assert [row.domain for row in scores.rows] == ["code", "math", "overall"]
    assert scores.row("math").pass_at_1.value == 0.5
    assert scores.row().pass_at_1.value == 0.75
    assert scores.row().prompts == 2


def test_programs_do_not_vote():
    code = make_prompt("b", "code", "unit_tests")
    scores = scored((code, graded(code, "accept", "accept")))
    assert scores.row("code").cons_at_k is None
    assert scores.prompts[0].cons_at_k is None


def test_undecided_is_not_accepted_and_shown_as_a_rate():
    one = make_prompt("a")
    row = scored((one, graded(one, "accept", "undecided"))).row()
    assert row.pass_at_1.value == 0.5
    assert row.undecided_rate == 0.5


def test_a_sample_that_failed_is_missing_and_not_wrong():
    one = make_prompt("a")
    samples, verdicts = graded(one, "accept")
    failed = make_sample(one, 1, "", "error", error="connection lost")
    row = score([one], [*samples, failed], verdicts, 2).row()
    assert (row.samples, row.missing) == (1, 1)
    assert row.pass_at_1.value == 1.0


def test_a_prompt_without_samples_is_counted_and_not_scored():
    one, two = make_prompt("a"), make_prompt("b")
    scores = scored((one, graded(one, "reject", "reject")), (two, ([], [])))
    assert scores.row().prompts == 2
    assert scores.row().pass_at_1.n == 1
    assert scores.row().missing == 2


def test_nothing_at_all_came_back():
    row = scored((make_prompt("a"), ([], []))).row()
    assert row.pass_at_1 is None
    assert row.mean_completion_tokens is None


def test_a_sample_nobody_graded_is_a_fault_not_a_zero():
    one = make_prompt("a")
    samples, _ = graded(one, "accept")
    with pytest.raises(ValueError, match="no verdict"):
        score([one], samples, [], 1)


def test_samples_beyond_k_do_not_count():
    one = make_prompt("a")
    row = scored((one, graded(one, "reject", "reject", "accept")), k=2).row()
    assert (row.samples, row.pass_at_1.value) == (2, 0.0)


def test_truncation_and_length_stand_beside_the_score():
    one = make_prompt("a")
    row = scored((one, graded(one, "reject", "reject", finish="length", tokens=64))).row()
    assert (row.truncation_rate, row.mean_completion_tokens) == (1.0, 64.0)


def test_the_majority_decides_even_when_one_sample_is_right():
    one = make_prompt("a")
    wrong = ["\\boxed{4}", "\\boxed{5}", "\\boxed{ 5 }"]
    row = scored((one, graded(one, "accept", "reject", "reject", answers=wrong)), k=3).row()
    assert row.cons_at_k.value == 0.0


def test_a_truncated_sample_does_not_vote_and_spoils_no_vote():
    one = make_prompt("a")
    answers = ["\\boxed{4}", "\\boxed{4}", "\\boxed{4}", "\\boxed{5}"]
    samples, verdicts = graded(one, "reject", "accept", "accept", "reject", answers=answers)
    samples[0] = make_sample(one, 0, answers[0], finish="length")
    assert vote_keys(samples, [v.outcome for v in verdicts])[0] is None
    assert score([one], samples, verdicts, 4).row().cons_at_k.value == 1.0


def test_an_answer_rejected_once_for_another_reason_still_wins_its_vote():
    one = make_prompt("a")
    answers = ["\\boxed{4}", "\\boxed{4}", "\\boxed{5}"]
    row = scored((one, graded(one, "reject", "accept", "reject", answers=answers)), k=3).row()
    assert row.cons_at_k.value == 1.0


def test_accepted_answers_spelt_differently_vote_together():
    one = make_prompt("a")
    answers = ["\\boxed{5}", "\\boxed{4}", "\\boxed{8/2}"]
    samples, _ = graded(one, "reject", "accept", "accept", answers=answers)
    keys = vote_keys(samples, [Outcome.REJECT, Outcome.ACCEPT, Outcome.ACCEPT])
    assert keys[1] == keys[2] != keys[0]


def test_an_answer_without_a_mark_does_not_vote():
    one = make_prompt("a")
    samples, _ = graded(one, "undecided", answers=["I think so"])
    assert vote_keys(samples, [Outcome.UNDECIDED]) == [None]


def test_scores_survive_json():
    one, two = make_prompt("a"), make_prompt("b", "code", "unit_tests")
    scores = scored((one, graded(one, "accept", "reject")), (two, ([], [])))
    assert Scores.from_dict(json.loads(json.dumps(scores.to_dict()))) == scores


def test_two_models_are_compared_on_the_prompts_both_answered():
    prompts = [make_prompt(str(i)) for i in range(20)]
    base = scored(*((p, graded(p, "reject", "reject")) for p in prompts))
    better = scored(*((p, graded(p, "accept", "reject")) for p in prompts[:-1]))
    math, overall = compare(base, better)
    assert (math.domain, overall.domain) == ("math", "overall")
    assert (overall.before, overall.after) == (0.0, 0.5)
    assert overall.change.value == 0.5
    assert overall.change.excludes_zero
    assert (overall.change.n, overall.unpaired) == (19, 1)


def test_models_without_a_common_prompt_have_no_difference():
    one, two = make_prompt("a"), make_prompt("b")
    assert compare(scored((one, graded(one, "accept"))), scored((two, graded(two, "accept")))) == ()
