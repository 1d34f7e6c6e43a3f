"""Budget forcing over HTTP: what is asked, what is stored, what is scored, and what is resumed."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from test_teacher_sampling import asks
from thinking_server import ThinkingServer, serving

from evals.benchmarks import Item
from evals.budget import BudgetRecipe
from evals.budget_curve import BudgetCurve
from filters.verdict import Verdict
from flows.benchmark_asks import Asked
from flows.budget import grade_budgets, is_answered, sample_budgets, stored_budgets
from flows.evaluation_folder import EvaluationFolder, begin_settings
from flows.evaluation_scores import grade_and_show
from flows.recipe import VerificationRecipe
from flows.sample_folder import read_samples
from flows.serving import Served
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import read_rows, write_rows
from teacher.canary import Replica
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

SAMPLING = SamplingRecipe(
    n_min=2, n_max=2, keep=2, in_flight=8, retry_wait_s=0.01, stream=False, send_seed=False
)
QUESTIONS = 4


def counting(text: str) -> str:
    """Question qN is thought about for 10 × N words; the answer is 1 once half are thought.

    What is told to wait thinks five words more. All answers are a word and a box.
    """
    if not (question := re.search(r"user: q(\d+)", text)):
        return "one two"  # the canary
    number = int(question[1])
    _, _, said = text.partition("assistant:\n")
    thinking, closed, answer = said.partition("</think>")
    words = len(re.findall(r"word|Wait", thinking))
    if closed:
        rest = f" so \\boxed{{{int(2 * words >= 10 * number)}}}"
        return rest if not answer.strip().startswith("\\boxed") else ""
    start = "" if thinking else "<think>"
    more = max(0, 10 * number - words) if "Wait" not in thinking else 5
    return f"{start}{' word' * more}</think>\n\n so \\boxed{{{int(number >= 0)}}}"


def begun(folder: Path, count: int, reference: str = "1") -> EvaluationFolder:
    prompts = [replace(ask.prompt, reference=reference) for ask in asks(count)]
    items = [Item(prompt, prompt.question, "questions") for prompt in prompts]
    asked = [Asked(item, [{"role": "user", "content": item.item_id}]) for item in items]
    found = EvaluationFolder(folder)
    found.begin(asked, begin_settings(None, "sim", "zero-shot", SAMPLING), 2, 0.95)
    return found


def curve(
    server: ThinkingServer,
    path: Path,
    recipe: BudgetRecipe,
    count: int = QUESTIONS,
    sampling: SamplingRecipe = SAMPLING,
) -> BudgetCurve:
    folder = begun(path, count)
    if not is_answered(folder, recipe, k=2):
        sample_budgets(folder, Served([Replica(server.url, "sim")]), sampling, recipe)
    return grade_budgets(folder, VerificationRecipe())


def test_a_curve_rises_with_the_budget_and_each_thought_is_sampled_once(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(0, 10, 20, 100), answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        found = curve(server, tmp_path, recipe)
    assert len(server.chats) == QUESTIONS * 2
    assert {body["max_tokens"] for body in server.chats} == {116}
    passed = [point.score.pass_at_1.value for point in found.points]
    assert passed == [0.25, 0.75, 1.0, 1.0]
    assert [point.forced_rate for point in found.points] == [0.75, 0.5, 0.25, 0.0]
    assert [point.mean_thinking_tokens for point in found.points] == [0.0, 7.5, 12.5, 15.0]
    assert {point.score.prompts for point in found.points} == {QUESTIONS}
    # Only what was cut is asked to answer, each behind its own cut.
    assert len(server.begun) == 2 * (3 + 2 + 1)


def test_a_forced_sample_is_stored_whole_and_counts_what_the_model_wrote(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(10, 100), answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        curve(server, tmp_path, recipe)
    at_10, at_100 = (read_samples(tmp_path / f"budget-{b}") for b in recipe.budgets)
    assert [one.sample_id for one in at_10] == [one.sample_id for one in at_100]
    cut, whole = at_10[-1], at_100[-1]
    thinking = " word" * 10
    assert cut.completion == f"<think>{thinking}\n</think>\n\nFinal answer: so \\boxed{{0}}"
    assert (cut.reasoning_tokens, cut.answer_tokens, cut.completion_tokens) == (10, 2, 12)
    assert cut.reasoning == thinking.strip()
    assert whole.completion == f"<think>{' word' * 30}</think>\n\n so \\boxed{{1}}"
    assert (whole.reasoning_tokens, whole.answer_tokens) == (30, 2)
    assert cut.completion.startswith(whole.completion[: len("<think>" + thinking)])


def test_thinking_that_ends_early_is_told_to_wait_so_many_times(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(8, 100), waits=2, answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        found = curve(server, tmp_path, recipe, count=2)
    first, second = read_samples(tmp_path / "budget-100")[::2]
    wait = "\nWait" + " word" * 5
    assert first.completion == f"<think>{wait * 2}</think>\n\n so \\boxed{{1}}"
    assert second.completion == f"<think>{' word' * 10}{wait * 2}</think>\n\n so \\boxed{{1}}"
    # Within eight tokens: q0 has waited twice (six words each), q1 has not ended yet.
    early, cut = read_samples(tmp_path / "budget-8")[::2]
    assert early.reasoning == "Wait" + " word" * 5 + "\nWait word"
    assert cut.reasoning == ("word " * 8).strip()
    assert [point.mean_waits for point in found.points] == [1.0, 2.0]
    assert [point.forced_rate for point in found.points] == [1.0, 0.0]


def test_what_is_told_to_wait_at_its_budget_has_ended(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(10,), waits=3, answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        curve(server, tmp_path, recipe, count=2)
    for sample in read_samples(tmp_path / "budget-10"):
        assert sample.reasoning_tokens <= 10
        assert len(sample.reasoning.split()) <= 10


def test_the_tags_of_other_models_are_found(tmp_path: Path) -> None:
    def mind(text: str) -> str:
        return counting(text.replace("thought>", "think>")).replace("think>", "thought>")

    with serving(ThinkingServer(mind)) as server:
        curve(server, tmp_path, BudgetRecipe(budgets=(10, 100), answer_tokens=8))
    cut = read_samples(tmp_path / "budget-10")[-1]
    assert "\n</thought>\n\nFinal answer:" in cut.completion
    assert cut.answer == "Final answer: so \\boxed{0}"


def test_a_template_that_opens_the_block_is_seen_in_its_prompts(tmp_path: Path) -> None:
    def mind(text: str) -> str:
        return counting(text.replace("<think>", "")).replace("<think>", "")

    with serving(ThinkingServer(mind, generation_prompt="<think>\n")) as server:
        found = curve(server, tmp_path, BudgetRecipe(budgets=(10, 100), answer_tokens=8))
    assert [point.forced_rate for point in found.points] == [0.5, 0.0]
    cut = read_samples(tmp_path / "budget-10")[-1]
    assert cut.completion == " word" * 10 + "\n</think>\n\nFinal answer: so \\boxed{0}"
    assert cut.reasoning == ("word " * 10).strip()
    assert all(text.count("<think>") == 1 for text in server.begun)


def test_a_model_without_thinking_scores_the_same_at_every_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(ThinkingServer(lambda text: "It is \\boxed{1}")) as server:
        found = curve(server, tmp_path, BudgetRecipe(budgets=(1, 4), answer_tokens=8))
    assert [point.score.pass_at_1.value for point in found.points] == [1.0, 1.0]
    assert [point.forced_rate for point in found.points] == [0.0, 0.0]
    assert server.begun == []
    assert "the budgets change nothing" in capsys.readouterr().out


def test_an_answer_cut_by_the_thinkings_limit_is_asked_to_its_end_once(tmp_path: Path) -> None:
    long = " so" * 30 + " \\boxed{1}"

    def mind(text: str) -> str:
        _, _, said = text.partition("assistant:\n")
        return ("<think> word</think>" + long).removeprefix(said)

    with serving(ThinkingServer(mind)) as server:
        found = curve(server, tmp_path, BudgetRecipe(budgets=(2, 4), answer_tokens=40), count=1)
    assert [point.score.pass_at_1.value for point in found.points] == [1.0, 1.0]
    assert len(server.begun) == 2
    samples = read_samples(tmp_path / "budget-2")
    assert samples[0].completion == "<think> word</think>" + long
    assert (samples[0].answer_tokens, samples[0].finish_reason) == (31, "stop")


def test_an_answer_longer_than_its_limit_is_cut_at_it_at_every_budget(tmp_path: Path) -> None:
    def mind(text: str) -> str:
        return "<think> word</think> so so \\boxed{1}" if "</think>" not in text else " and" * 20

    with serving(ThinkingServer(mind)) as server:
        found = curve(server, tmp_path, BudgetRecipe(budgets=(0, 8), answer_tokens=2), count=1)
    assert [point.score.truncation_rate for point in found.points] == [1.0, 1.0]
    assert [point.score.pass_at_1.value for point in found.points] == [0.0, 0.0]
    assert read_samples(tmp_path / "budget-8")[0].completion == "<think> word</think> so so"


def test_a_turn_that_ends_without_an_answer_is_asked_for_one(tmp_path: Path) -> None:
    def mind(text: str) -> str:
        return "<think> word word" if "<think>" not in text else " \\boxed{1}"

    with serving(ThinkingServer(mind)) as server:
        found = curve(server, tmp_path, BudgetRecipe(budgets=(4, 8), answer_tokens=8), count=1)
    assert [point.score.pass_at_1.value for point in found.points] == [1.0, 1.0]
    assert [point.forced_rate for point in found.points] == [1.0, 1.0]
    assert len(server.begun) == 2  # one for each of the two samples, the same at both budgets


def test_a_server_that_cannot_go_on_is_named_before_anything_is_sampled(tmp_path: Path) -> None:
    with (
        serving(ThinkingServer(counting, goes_on=False)) as server,
        pytest.raises(PrerequisiteError, match=r"only vLLM does.*has no /tokenize"),
    ):
        curve(server, tmp_path, BudgetRecipe(budgets=(10,)))
    assert server.chats == []


def test_an_interrupted_curve_goes_on_and_a_finished_one_asks_nothing(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(10, 100), answer_tokens=8)

    def no_answers(text: str) -> str:
        if "</think>" in text:
            raise RuntimeError("the machine is switched off")
        return counting(text)

    with serving(ThinkingServer(counting)) as whole:
        expected = curve(whole, tmp_path / "whole", recipe)
    folder = tmp_path / "interrupted"
    at_once = SAMPLING.model_copy(update={"request_attempts": 1})
    with serving(ThinkingServer(no_answers)) as server, pytest.raises(RunError):
        curve(server, folder, recipe, sampling=at_once)
    assert not is_answered(EvaluationFolder(folder), recipe, k=2)
    with serving(ThinkingServer(counting)) as server:
        found = curve(server, folder, recipe)
    assert found == expected
    assert server.chats == []
    assert len(server.begun) == 2 * 2
    assert is_answered(EvaluationFolder(folder), recipe, k=2)
    assert is_answered(EvaluationFolder(folder), recipe, k=1)
    assert curve(server, folder, recipe) == expected  # and this server is gone


def test_a_smaller_budget_is_added_and_a_larger_one_refused(tmp_path: Path) -> None:
    with serving(ThinkingServer(counting)) as server:
        curve(server, tmp_path, BudgetRecipe(budgets=(100,), answer_tokens=8))
        assert server.begun == []
        found = curve(server, tmp_path, BudgetRecipe(budgets=(10, 100), answer_tokens=8))
        assert len(server.chats) == QUESTIONS * 2
        assert len(server.begun) == 2 * 2
        with pytest.raises(PrerequisiteError, match="largest budget: 100 there, 200 now"):
            curve(server, tmp_path, BudgetRecipe(budgets=(10, 200), answer_tokens=8))
    assert [point.budget for point in found.points] == [10, 100]
    assert stored_budgets(EvaluationFolder(tmp_path)) == BudgetRecipe(
        budgets=(10, 100), answer_tokens=8
    )


def test_a_curve_is_regraded_from_what_is_stored(tmp_path: Path) -> None:
    recipe = BudgetRecipe(budgets=(10, 100), answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        found = curve(server, tmp_path, recipe)
    folder = EvaluationFolder(tmp_path)
    assert grade_budgets(folder, VerificationRecipe()) == found
    (tmp_path / "prompts.parquet").unlink()
    begun(tmp_path, QUESTIONS, reference="0")
    turned = grade_budgets(folder, VerificationRecipe())
    assert [point.score.pass_at_1.value for point in turned.points] == [0.25, 0.0]
    assert '"value": 0.25' in (tmp_path / "curve.json").read_text(encoding="utf-8")


def test_a_text_that_is_the_same_at_several_budgets_is_graded_once(tmp_path: Path) -> None:
    with serving(ThinkingServer(counting)) as server:
        curve(server, tmp_path, BudgetRecipe(budgets=(10, 100, 1000), answer_tokens=8))
    files = [tmp_path / f"budget-{budget}" / "verdicts-00000.parquet" for budget in (10, 100, 1000)]
    short, middle, long = (read_rows(file, Verdict) for file in files)
    assert middle == long  # to the microseconds that grading took
    assert [one == other for one, other in zip(short, middle, strict=True)] == [True] * 4 + [
        False
    ] * 4


def test_a_curve_says_what_is_missing_and_its_means_are_of_what_is_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = BudgetRecipe(budgets=(10, 100), answer_tokens=8)
    with serving(ThinkingServer(counting)) as server:
        curve(server, tmp_path, recipe)
    file = tmp_path / "budget-100" / "samples-00000.parquet"
    samples = read_rows(file, Sample)
    lost = samples[-1]  # of q3, which thinks longest
    write_rows(file, [*samples[:-1], replace(lost, error="lost", finish_reason="error")], Sample)
    about = tmp_path / "evaluation.json"
    one, both = (json.loads(about.read_text()) | {"k": k} for k in (1, 2))
    about.write_text(json.dumps(both))
    found = grade_budgets(EvaluationFolder(tmp_path), VerificationRecipe())
    assert [point.score.missing for point in found.points] == [0, 1]
    assert found.points[1].mean_thinking_tokens == (0 + 10 + 20) * 2 / 7 + 30 / 7
    grade_and_show([EvaluationFolder(tmp_path)], VerificationRecipe(), tmp_path)
    said = capsys.readouterr().out
    assert f"1 of 8 samples of 100 tokens, {tmp_path.name}, are missing" in said
    assert "samples of 10 tokens" not in said
    about.write_text(json.dumps(one))
    found = grade_budgets(EvaluationFolder(tmp_path), VerificationRecipe())
    assert [point.mean_thinking_tokens for point in found.points] == [7.5, 15.0]


def test_a_folder_without_forced_samples_has_no_curve(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="holds no samples of budgets"):
        grade_budgets(begun(tmp_path, 1), VerificationRecipe())
