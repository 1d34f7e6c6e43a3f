"""evals/run.py: from graded samples to the rows of a score table."""

import itertools
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.run import EvalsRecipe, compare, score
from evals.scores import Scores
from evals.votes import vote_keys
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


def test_scores_say_which_version_of_which_verifier_graded():
    math, code = make_prompt("a"), make_prompt("b", "code", "unit_tests")
    samples, verdicts = graded(math, "accept", "reject")
    others, ruled = graded(code, "accept")
    ruled = [replace(one, verifier="unit_tests", verifier_version="7") for one in ruled]
    found = score([math, code], samples + others, verdicts + ruled, 2)
    assert found.verifiers == {"math_answer": "1", "unit_tests": "7"}
    assert Scores.from_dict(found.to_dict()).verifiers == found.verifiers


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


def test_what_nobody_could_grade_is_counted_by_reason():
    one, two, three = make_prompt("a"), make_prompt("b"), make_prompt("c")
    groups = [(p, graded(p, *o)) for p, o in ((one, ["accept", "undecided"]),
                                              (two, ["undecided", "undecided"]))]  # fmt: skip
    samples, verdicts = groups[1][1]
    groups[1] = two, (samples, [replace(verdicts[0], reason=Reason.GRADER_FAILED), verdicts[1]])
    row = scored(*groups, (three, ([], []))).row()
    assert row.undecided == {"unparsed": 2, "grader_failed": 1}
    assert row.undecided_prompts == 1  # a prompt without samples is missing, not undecided


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
    assert vote_keys(one, samples, [v.outcome for v in verdicts])[0] is None
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
    keys = vote_keys(one, samples, [Outcome.REJECT, Outcome.ACCEPT, Outcome.ACCEPT])
    assert keys[1] == keys[2] != keys[0]


def test_an_answer_without_a_mark_does_not_vote():
    one = make_prompt("a")
    samples, _ = graded(one, "undecided", answers=["I think so"])
    assert vote_keys(one, samples, [Outcome.UNDECIDED]) == [None]


def test_wrong_answers_that_are_equal_vote_together_however_they_are_spelt():
    one = make_prompt("a")
    answers = ["\\boxed{4}", "\\boxed{4}", "\\boxed{\\frac{1}{2}}", "\\boxed{0.5}", "\\boxed{2/4}"]
    samples, verdicts = graded(one, "accept", "accept", *["reject"] * 3, answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert keys[2] == keys[3] == keys[4] != keys[0]
    assert score([one], samples, verdicts, 5).row().cons_at_k.value == 0.0


def test_wrong_answers_that_cannot_be_compared_stay_apart():
    one = make_prompt("a")
    answers = ["\\boxed{4}", "\\boxed{4}", "\\boxed{0.5}", "\\boxed{0.5\\%}", "\\boxed{7}"]
    samples, verdicts = graded(one, "accept", "accept", *["reject"] * 3, answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert len(set(keys)) == 4
    assert score([one], samples, verdicts, 5).row().cons_at_k.value == 1.0


def test_one_third_and_its_first_digits_are_two_answers():
    one = make_prompt("a")
    answers = ["\\boxed{4}", "\\boxed{1/3}", "\\boxed{0.33}"]
    samples, verdicts = graded(one, "accept", "reject", "reject", answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert len(set(keys)) == 3


def test_a_wrong_choice_votes_with_its_own_text():
    one = replace(
        make_prompt("Which?", "science", "choice"), reference="A", choices=("iron", "gold", "tin")
    )
    answers = ["\\boxed{A}", "\\boxed{B}", "\\boxed{\\text{gold}}"]
    samples, verdicts = graded(one, "accept", "reject", "reject", answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert keys[1] == keys[2] != keys[0]


def test_a_quantity_in_another_unit_behind_its_box_does_not_vote_with_the_right_one():
    one = replace(make_prompt("How far?", "science", "quantity"), reference="5 m")
    answers = ["\\boxed{5} m", "\\boxed{5} km", "\\boxed{5} km", "\\boxed{5}"]
    outcomes = ["accept", "reject", "reject", "undecided"]
    samples, verdicts = graded(one, *outcomes, answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert keys[1] == keys[2] != keys[0]
    assert keys[3] not in keys[:3]  # nobody can say whether it is five metres or kilometres
    assert score([one], samples[:3], verdicts[:3], 3).row().cons_at_k.value == 0.0


@pytest.mark.parametrize(
    ("answers", "groups", "wins"),
    [
        (["{5} km", "{5} kg", "{5} s"], 3, 1.0),
        (["{7} km", "{7} kg", "{7} s"], 3, 1.0),
        (["{5} km", "{5}\\text{ km}", "{5 km}"], 1, 0.0),
        (["{7} kg", "{7000}\\mathrm{~g}", "{7 kg}"], 1, 0.0),
    ],
)
def test_wrong_quantities_vote_with_the_unit_behind_their_box(answers, groups, wins):
    one = replace(make_prompt("How far?", "science", "quantity"), reference="5 m")
    answers = ["\\boxed{5} m", "\\boxed{5 m}", *(f"\\boxed{text}" for text in answers)]
    samples, verdicts = graded(one, "accept", "accept", *["reject"] * 3, answers=answers)
    keys = vote_keys(one, samples, [v.outcome for v in verdicts])
    assert (keys[0], len(set(keys[2:]))) == (keys[1], groups)
    assert score([one], samples, verdicts, 5).row().cons_at_k.value == wins


def test_wrong_answers_are_compared_only_where_that_decides_who_wins(monkeypatch):
    def compared(*_):
        raise AssertionError("compared")

    monkeypatch.setattr("evals.votes._same", compared)
    one = make_prompt("a")
    apart = ["\\boxed{x + 1/2}", "\\boxed{x + 0.5}"]
    for outcomes, answers in (
        (["reject"] * 2, apart),  # nothing is right
        (["accept"] * 3 + ["reject"] * 2, ["\\boxed{4}"] * 3 + apart),  # the right one has most
        (["accept", "reject", "reject"], ["\\boxed{4}", "\\boxed{5}", "\\boxed{5}"]),
    ):
        samples, verdicts = graded(one, *outcomes, answers=answers)
        vote_keys(one, samples, [v.outcome for v in verdicts])
    samples, verdicts = graded(one, "accept", "accept", "reject", "reject",
                               answers=["\\boxed{4}", "\\boxed{4}", *apart])  # fmt: skip
    with pytest.raises(AssertionError, match="compared"):
        vote_keys(one, samples, [v.outcome for v in verdicts])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["4", "8/2", "1/2", "0.5", "7", "x+1", "1+x"]), min_size=1,
                max_size=9))  # fmt: skip
def test_the_vote_is_that_of_answers_grouped_by_their_value(given_answers):
    value = {"4": 4, "8/2": 4, "1/2": 0.5, "0.5": 0.5, "7": 7, "x+1": "x", "1+x": "x"}
    one = make_prompt("a")
    outcomes = ["accept" if value[text] == 4 else "reject" for text in given_answers]
    answers = [f"\\boxed{{{text}}}" for text in given_answers]
    samples, verdicts = graded(one, *outcomes, answers=answers)
    counts = Counter(value[text] for text in given_answers)  # in the order they came
    wanted = float(max(counts, key=lambda each: counts[each]) == 4)
    assert score([one], samples, verdicts, 9).row().cons_at_k.value == wanted


def random_samples(draw, prompt, most):
    """Samples of one prompt, some of them absent, failed, cut or without an answer; and what each
    is to a reader: (index, value or None, outcome, tokens), those that failed left out."""
    samples, verdicts, seen = [], [], []
    for index in range(most):
        text = draw.choice([*VALUES, None])
        failed, cut = draw.random() < 0.1, draw.random() < 0.15
        tokens = draw.randint(1, 99)
        if draw.random() < 0.1:
            continue
        finish = "error" if failed else "length" if cut else "stop"
        answer = "who knows" if text is None else f"\\boxed{{{text}}}"
        one = make_sample(prompt, index, answer, finish, "lost" if failed else None, tokens)
        value = None if cut or text is None else VALUES[text]
        outcome = "reject" if cut else "undecided" if value is None else "reject"
        outcome = "undecided" if failed else "accept" if value == 4 else outcome
        samples.append(one)
        verdicts.append(verdict(one, outcome))
        seen += [] if failed else [(index, value, finish, outcome, tokens)]
    return samples, verdicts, seen


VALUES = {"4": 4, "8/2": 4, "1/2": 0.5, "0.5": 0.5, "7": 7, "x+1": "x", "1+x": "x"}


def voted_right(seen):
    groups = {}
    for _, value, _, outcome, _ in seen:
        if value is not None:
            groups.setdefault(value, []).append(outcome)
    return "accept" in max(groups.values(), key=len, default=[])


def test_every_figure_of_a_row_is_what_counting_by_hand_gives():
    for seed in range(150):
        row_is_what_counting_by_hand_gives(seed)


def row_is_what_counting_by_hand_gives(seed):
    draw = random.Random(seed)
    k = draw.randint(1, 7)
    prompts = [make_prompt(f"{seed} {n}") for n in range(draw.randint(1, 5))]
    drawn = [random_samples(draw, prompt, k + draw.randint(0, 2)) for prompt in prompts]
    rows = [[one for one in seen if one[0] < k] for *_, seen in drawn]
    mixed = [pair for s, v, _ in drawn for pair in zip(s, v, strict=True)]
    draw.shuffle(mixed)
    found = score(prompts, [s for s, _ in mixed], [v for _, v in mixed], k).row()
    every = [one for row in rows for one in row]
    some = [row for row in rows if row]
    assert (found.samples, found.missing) == (len(every), len(prompts) * k - len(every))
    if not every:
        assert found.pass_at_1 is None
        return
    rights = [[one[3] == "accept" for one in row] for row in some]
    shares = [sum(row) / len(row) for row in rights]
    assert found.pass_at_1.n == len(some)
    assert found.pass_at_1.value == pytest.approx(sum(shares) / len(some), abs=1e-12)
    assert found.cons_at_k.value == pytest.approx(sum(map(voted_right, some)) / len(some))
    assert found.truncation_rate == sum(one[2] == "length" for one in every) / len(every)
    assert found.mean_completion_tokens == sum(one[4] for one in every) / len(every)
    assert sum(found.undecided.values()) == sum(one[3] == "undecided" for one in every)
    for many in (2, 4):
        each = [list(map(any, itertools.combinations(row, many))) for row in rights]
        passes = [sum(subsets) / len(subsets) for subsets in each if subsets]
        if many > k or not passes:
            assert many not in found.pass_at_k
        else:
            assert found.pass_at_k[many].n == len(passes)
            assert found.pass_at_k[many].value == pytest.approx(sum(passes) / len(passes))


def test_pass_at_k_is_given_in_powers_of_two_up_to_k():
    one, two = make_prompt("a"), make_prompt("b")
    scores = scored(
        (one, graded(one, "accept", *["reject"] * 5)), (two, graded(two, *["reject"] * 6)), k=6
    )
    found = scores.row().pass_at_k
    assert list(found) == [2, 4]
    assert found[2].value == pytest.approx((1 - 10 / 15) / 2)
    assert found[4].value == pytest.approx((1 - 5 / 15) / 2)


def test_pass_at_k_leaves_out_prompts_with_fewer_samples():
    one, two = make_prompt("a"), make_prompt("b")
    row = scored((one, graded(one, "accept")), (two, graded(two, "reject", "accept")), k=2).row()
    assert (row.pass_at_k[2].n, row.pass_at_k[2].value) == (1, 1.0)


def test_one_sample_a_prompt_has_wilsons_interval():
    prompts = [make_prompt(str(i)) for i in range(148)]
    groups = [(p, graded(p, "accept" if i < 15 else "reject")) for i, p in enumerate(prompts)]
    found = scored(*groups, k=1).row().wilson
    assert (found.low, found.high) == pytest.approx((0.0624, 0.1605), abs=5e-5)  # Newcombe 1998
    assert scored(*groups[:3], k=2).row().wilson is None


def test_a_benchmarks_own_groups_take_the_place_of_domains():
    prompts = [replace(make_prompt(str(i)), difficulty="easy" if i else "hard") for i in range(3)]
    graded_ = [graded(p, "accept") for p in prompts]
    scores = score(
        prompts, [s for samples, _ in graded_ for s in samples],
        [v for _, verdicts in graded_ for v in verdicts],
        1, benchmark="own", group_of=lambda prompt: prompt.difficulty,
    )  # fmt: skip
    assert scores.benchmark == "own"
    assert [(row.domain, row.prompts) for row in scores.rows] == [
        ("easy", 2), ("hard", 1), ("overall", 3),
    ]  # fmt: skip


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


@pytest.mark.parametrize("names", [("math-500", "math-500=other.jsonl"), ("held-out=own.jsonl",)])
def test_benchmarks_that_would_share_a_folder_are_refused(names):
    with pytest.raises(ValueError, match="is there twice"):
        EvalsRecipe(benchmarks=names)
