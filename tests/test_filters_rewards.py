"""Reward functions: what TRL's trainer calls, with the verifiers' truth."""

import json
import pickle
import subprocess
import sys
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from filters_records import needs_bwrap

from filters.rewards import (
    Reward,
    code_reward,
    format_reward,
    general_reward,
    math_reward,
    puzzle_reward,
    science_reward,
)
from prompts.errors import PrerequisiteError

RIGHT, WRONG, UNMARKED = r"<think>so</think>\boxed{5}", r"<think>so</think>\boxed{6}", "it is even"


def chat(text: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text, **fields}]


def test_accept_is_one_reject_is_none_and_undecided_is_left_out() -> None:
    assert math_reward([RIGHT, WRONG, UNMARKED], reference=["5"] * 3) == [1.0, 0.0, None]


def test_chat_messages_are_read_like_text() -> None:
    completions = [chat(RIGHT), chat(WRONG), chat(UNMARKED), [*chat("hm"), *chat(RIGHT)], []]
    assert math_reward(completions, reference=["5"] * 5) == [1.0, 0.0, None, 1.0, None]
    parted = chat(r"\boxed{5}", reasoning_content="so")
    assert math_reward([parted], reference=["5"]) == [1.0]


def test_a_row_of_another_domain_is_left_out() -> None:
    columns = {"reference": ["5", "5 m", None], "domain": ["math", "science", "math"]}
    completions = [r"\boxed{5}", r"\boxed{500 cm}", r"\boxed{5}"]
    assert math_reward(completions, **columns) == [1.0, None, None]
    assert science_reward(completions, **columns) == [None, 1.0, None]


def test_each_domain_has_its_reward() -> None:
    puzzle = json.dumps({"kind": "countdown", "numbers": [2, 3], "target": 6})
    assert puzzle_reward([r"\boxed{2*3}"], reference=[puzzle]) == [1.0]
    assert general_reward([r"\boxed{Paris}", "a poem"], reference=["Paris", ""]) == [1.0, None]
    names = [r.__name__ for r in (math_reward, code_reward, science_reward, puzzle_reward)]
    assert names == ["math_reward", "code_reward", "science_reward", "puzzle_reward"]


@needs_bwrap
def test_code_is_rewarded_by_its_tests() -> None:
    tests = '["assert f(1) == 2"]'
    programs = [f"```python\ndef f(x):\n    return x + {n}\n```" for n in (1, 2)]
    assert code_reward(programs, reference=[tests] * 2) == [1.0, 0.0]


def test_columns_of_the_dataset_help_to_decide() -> None:
    given: dict[str, Any] = {"choices": [["Mars", "Venus"]], "trainer_state": object()}
    assert science_reward([r"\boxed{Mars}"], reference=["A"], **given) == [1.0]


def test_reasoning_that_never_ended_is_no_answer_where_the_template_opened_it() -> None:
    cut = r"so it may be \boxed{5}, but"
    assert math_reward([cut], reference=["5"]) == [1.0]
    assert Reward("math", think_prefilled=True)([cut], reference=["5"]) == [None]
    assert math_reward([cut], reference=["5"], prompts=["Sum?<think>\n"]) == [None]
    ended = r"so it is</think>\boxed{5}"
    assert Reward("math", think_prefilled=True)([ended], reference=["5"]) == [1.0]


def test_a_missing_reference_column_is_the_users_mistake() -> None:
    with pytest.raises(PrerequisiteError, match="math_reward needs a column `reference`"):
        math_reward([RIGHT])


@pytest.mark.parametrize("references", [[], ["5"], ["5"] * 3])
def test_a_reference_too_few_or_too_many_is_named(references: list[str]) -> None:
    said = f"math_reward: 2 completions but {len(references)} values of `reference`"
    with pytest.raises(ValueError, match=said):
        math_reward([RIGHT, WRONG], reference=references)


@pytest.mark.parametrize(
    ("completion", "reward"),
    [
        (RIGHT, 1.0),
        (r"so it is</think>\boxed{5}", 1.0),
        ("<think>\nso\n</think>\n\nFive.", 1.0),
        (chat(r"\boxed{5}", reasoning_content="so"), 1.0),
        (r"\boxed{5}", 0.0),
        (r"<think></think>\boxed{5}", 0.0),
        (r"<think>so</think>", 0.0),
        (r"<think>so \boxed{5}", 0.0),
        (r"<think>a</think>b<think>c</think>d", 0.0),
        (r"<think>a<think>c</think>d", 0.0),
        (r"x<think>a</think>d", 0.0),
        (None, 0.0),
        (chat("", reasoning_content="so"), 0.0),
    ],
)
def test_the_form_is_one_block_of_reasoning_and_an_answer(completion: Any, reward: float) -> None:
    assert format_reward([completion], reference=["5"]) == [reward]


def test_what_is_logged_names_the_verdicts() -> None:
    logged: dict[str, list[Any]] = {}
    math_reward([RIGHT, UNMARKED], reference=["5", None], log_extra=logged.__setitem__)
    assert logged == {"math_verdict": ["accept: match", ""]}


def test_a_reward_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(math_reward)) == math_reward


def test_importing_the_rewards_needs_no_trainer() -> None:
    code = (
        "import sys, filters.rewards; print({'trl', 'torch', 'sympy', 'pint'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow  # importing TRL takes 10 to 30 s
@pytest.mark.parametrize("conversational", [False, True])
def test_trl_calls_them_and_leaves_out_what_is_undecided(conversational: bool) -> None:
    """The trainer's own method on the few attributes it reads; NaN is TRL's mark of left out."""
    torch = pytest.importorskip("torch")
    trainers = pytest.importorskip("trl.trainer.grpo_trainer")
    rewards = [math_reward, science_reward, format_reward]
    trainer = SimpleNamespace(
        accelerator=SimpleNamespace(device="cpu", is_main_process=True),
        args=SimpleNamespace(report_to=[]),
        state=SimpleNamespace(global_step=0),
        reward_funcs=rewards,
        reward_func_names=[reward.__name__ for reward in rewards],
        reward_processing_classes=[None] * len(rewards),
        environments=None,
        _log_completion_extra=lambda name, values: None,
        _log_metric=lambda name, value: None,
        _metrics=defaultdict(lambda: defaultdict(list)),
        model=SimpleNamespace(training=True),
    )
    texts = [RIGHT, WRONG, UNMARKED, RIGHT]
    completions = [chat(text) if conversational else text for text in texts]
    inputs = [
        {"prompt": "?", "reference": "5", "domain": domain, "completion": text}
        for domain, text in zip(("math", "math", "math", "science"), texts, strict=True)
    ]
    prompts: list[Any] = [[{"role": "user", "content": "?"}] if conversational else "?"] * 4
    calculate = trainers.GRPOTrainer._calculate_rewards
    found = calculate(trainer, inputs, prompts, completions, [[1]] * 4)
    nan = torch.nan
    wanted = torch.tensor([[1, nan, 1], [0, nan, 1], [nan, nan, 0], [nan, 1, 1]])
    assert torch.equal(found.isnan(), wanted.isnan())
    assert torch.equal(found.nan_to_num(), wanted.nan_to_num())
