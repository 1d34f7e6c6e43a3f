"""Against a real vLLM and a real tokenizer: cuts are at the tokens they claim to be at."""

from pathlib import Path

import pytest
from test_teacher_sampling import asks
from test_teacher_serve_vllm import real_vllm

from evals.benchmarks import Item
from evals.budget import BudgetRecipe
from evals.thought import Marks, block_of
from flows.benchmark_asks import Asked
from flows.budget import grade_budgets, is_answered, sample_budgets
from flows.evaluation_folder import EvaluationFolder, begin_settings
from flows.recipe import VerificationRecipe
from flows.sample_folder import read_samples
from flows.serving import Served
from prompts.template import render
from teacher.canary import Replica
from teacher.embedded import embedded_model_dir
from teacher.serve import ServeRecipe, serving
from teacher.settings import SamplingRecipe

THINK = Marks("<think>", "</think>", opened=False)
RECIPE = BudgetRecipe(budgets=(0, 3, 24), waits=1, answer_tokens=16, lead="The answer is")
# Of its samples about two in seven think within tags: of 24, some do (all but 5 times in 100,000).
K = 8
SAMPLING = SamplingRecipe(n_min=K, n_max=K, keep=K, send_seed=False, in_flight=16)


@pytest.mark.slow
def test_real_thinking_is_cut_at_its_budgets_and_told_to_wait(tmp_path: Path) -> None:
    """About a minute on two cores."""
    real_vllm()
    from transformers import AutoTokenizer

    folder, model = EvaluationFolder(tmp_path / "sums-budgets"), embedded_model_dir()
    items = [Item(ask.prompt, ask.prompt.question, "sums") for ask in asks(3)]
    asked = [Asked(item, render(item.prompt, "few-shot")) for item in items]
    folder.begin(asked, begin_settings(None, "smollm2", "few-shot", SAMPLING), K, 0.95)
    with serving(model, "smollm2", ServeRecipe(kv_cache_gib=1), tmp_path / "log") as server:
        sample_budgets(folder, Served([Replica(server.url, "smollm2")]), SAMPLING, RECIPE)
    curve = grade_budgets(folder, VerificationRecipe())
    assert is_answered(folder, RECIPE, k=K)
    tokenizer = AutoTokenizer.from_pretrained(model)
    by_budget = {b: read_samples(folder.path / f"budget-{b}") for b in RECIPE.budgets}
    for budget, samples in by_budget.items():
        assert len(samples) == 3 * K
        for sample in samples:
            thinking = block_of(sample.completion, THINK).thinking
            # A forced end stands on a line of its own; the break may be the model's or ours.
            counts = {
                len(tokenizer.encode(text, add_special_tokens=False))
                for text in (thinking, thinking.removesuffix("\n"))
            }
            # At a cut the tokens are the whole thought's: blanks that ran on beyond it, or half a
            # character, are spelt in fewer here.
            shortest = sample.reasoning_tokens - (3 if sample.reasoning_tokens == budget else 0)
            assert any(shortest <= count <= sample.reasoning_tokens for count in counts)
            assert sample.reasoning_tokens <= budget
    for short, long in zip(by_budget[3], by_budget[24], strict=True):
        begun = block_of(short.completion, THINK).thinking.removesuffix("\n")
        assert block_of(long.completion, THINK).thinking.startswith(begun)
    assert any("\nWait" in sample.completion for sample in by_budget[24])
    assert curve.points[0].mean_thinking_tokens == 0
    assert curve.points[1].forced_rate is not None
    assert curve.points[1].forced_rate > 0
