"""What a run lacks is said before it starts: of the stages that are left to do, and no others."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.preflight import missing
from flows.recipe import Recipe, load_recipe
from flows.run_folder import RunFolder, open_run
from flows.student_preflight import size_problem


def compared_with(*benchmarks: str) -> Recipe:
    return load_recipe(overrides=[f"prompts.decontaminate.benchmarks=[{', '.join(benchmarks)}]"])


@pytest.mark.parametrize("stage", ["curate", "verify"])
def test_a_benchmark_that_is_not_there_is_missed_by_each_stage_that_reads_it(
    tmp_path: Path, stage: str
) -> None:
    recipe = compared_with(str(tmp_path / "mine.jsonl"), "gpqa-diamond")
    found = [line for line in missing(recipe, tmp_path, [stage]) if "benchmark" in line]
    assert [line.split(":")[0] for line in found] == [
        "benchmark 'mine.jsonl'",
        "benchmark 'gpqa-diamond' is read from its protected archive alone",
    ]
    assert not any("benchmark" in line for line in missing(recipe, tmp_path, ["publish"]))


@pytest.mark.parametrize(
    ("stage", "said"), [("curate", True), ("verify", True), ("publish", False)]
)
def test_benchmarks_from_the_hub_need_the_hub(
    tmp_path: Path, stage: str, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = list(missing(compared_with("math-500"), tmp_path, [stage]))
    assert any("HF_HUB_OFFLINE" in line for line in found) == said


def student_lines(tmp_path: Path, model: str = "smol-135m", *overrides: str) -> list[str]:
    """What training is missing, as one text a problem."""
    recipe = load_recipe(model=model, overrides=overrides)
    return list(missing(recipe, tmp_path, ["train"]))


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))


@pytest.mark.usefixtures("no_token")
@pytest.mark.parametrize(("model", "gated"), [("llama-8b", True), ("qwen-7b", False)])
def test_only_gated_weights_need_a_token_and_their_page_is_named(
    tmp_path: Path, model: str, gated: bool
) -> None:
    lines = student_lines(tmp_path, model)
    said = [line for line in lines if "https://huggingface.co/meta-llama/Llama-3.1-8B" in line]
    assert bool(said) == gated
    assert any("token" in line.lower() for line in lines) == gated


def test_a_base_without_a_chat_template_is_named_before_it_is_downloaded(tmp_path: Path) -> None:
    lines = student_lines(tmp_path, "llama-8b", "student.chat_template=null")
    assert any("has no chat template" in line for line in lines)


def published(tmp_path: Path, columns: dict[str, list[object]]) -> RunFolder:
    """A run whose dataset has these columns, and whose publish stage is done."""
    run = open_run(load_recipe(), tmp_path)
    (run.folder("publish") / "data").mkdir()
    file = run.folder("publish") / "data" / "train-00000-of-00001.parquet"
    pq.write_table(pa.table(columns), file)
    run.finish("publish", run.begin("publish"), [])
    return run


TURN = {"role": "user", "content": "What is 1 + 1?"}
WHOLE: dict[str, list[object]] = {"sample_id": ["a"], "messages": [[TURN]], "reasoning": ["r"]}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (WHOLE, None),
        ({"sample_id": ["a"], "text": ["b"]}, "lacks the column(s) messages, reasoning; it has"),
        ({**WHOLE, "messages": [[{"from": "human", "value": "?"}]]}, "list of {role, content}"),
        ({**WHOLE, "messages": ["?"]}, "list of {role, content}"),
        ({**WHOLE, "reasoning": [1]}, "reasoning a text, they are"),
    ],
)
def test_a_dataset_of_other_columns_is_named_before_training_starts(
    tmp_path: Path, columns: dict[str, list[object]], said: str | None
) -> None:
    run = published(tmp_path, columns)
    found = [line for line in missing(run.recipe, tmp_path, ["train"]) if "parquet" in line]
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_what_is_looked_at_first_leaves_prefect_to_be_set_up_after_it(tmp_path: Path) -> None:
    """Prefect reads its settings once: imported before they are made, it prints all it does."""
    run = published(tmp_path, WHOLE)
    code = (
        "import sys; from pathlib import Path; from flows.preflight import missing\n"
        "from flows.run_folder import existing_run\n"
        f"run = existing_run(Path({str(run.path)!r}))\n"
        "list(missing(run.recipe, run.path.parent, ['train']))\n"
        "print('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_dataset_that_is_gone_is_named_with_what_makes_it_again(tmp_path: Path) -> None:
    run = published(tmp_path, WHOLE)
    shutil.rmtree(run.folder("publish") / "data")
    (line,) = missing(run.recipe, tmp_path, ["train"])
    assert "holds no dataset to train on" in line
    assert "--again" in line


@pytest.mark.parametrize(("overrides", "said"), [
    (["teacher.model=embedded"], ["--set teacher.cluster=null", "8,192 positions"]),
    (["teacher.model=embedded", "teacher.cluster=null"], ["8,192 positions"]),
    (["teacher.cluster=null"], ["teacher deepseek-r1 needs GPUs"]),
])  # fmt: skip
def test_a_teacher_that_no_plan_takes_is_not_served(
    tmp_path: Path, overrides: list[str], said: list[str]
) -> None:
    recipe = load_recipe(model="qwen-7b", overrides=overrides)
    text = "\n".join(missing(recipe, tmp_path, ["generate"]))
    assert [words for words in said if words not in text] == []


@pytest.mark.usefixtures("no_token")
def test_a_student_to_be_pushed_needs_a_token_before_it_is_measured(tmp_path: Path) -> None:
    recipe = load_recipe(overrides=["student.repo_id=me/it"])
    said = "no Hugging Face token to push the student to me/it"
    assert any(said in line for line in missing(recipe, tmp_path, ["evaluate"]))
    assert not any(said in line for line in missing(recipe, tmp_path, ["train"]))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "needs 8 GPUs, 0 found"),
        ([81_559] * 4, "would fit: --set student.gpus=4"),
        ([24_564] * 8, "there are 24.0 GiB"),
    ],
)
def test_a_student_larger_than_the_hardware_is_told_what_there_is_and_what_would_fit(
    found: list[int], said: str
) -> None:
    problem = size_problem(load_recipe(model="qwen-7b"), found)
    assert problem is not None
    assert said in problem
    assert "would fit" in problem or not found


def test_a_student_that_fits_is_no_problem() -> None:
    assert size_problem(load_recipe(model="qwen-7b"), [81_559] * 8) is None


def test_a_large_student_does_not_fit_this_machines_memory() -> None:
    large = load_recipe(model="qwen-7b").model_copy()
    student = large.student.model_copy(update={"gpus": 0, "launch": "single"})
    problem = size_problem(large.model_copy(update={"student": student}), [])
    assert problem is not None
    assert "for 1 process, there are" in problem


def test_kernels_that_are_asked_for_must_be_installed(tmp_path: Path) -> None:
    lines = student_lines(tmp_path, "qwen-7b", "student.launch=deepspeed", "student.liger=true")
    asked = ("deepspeed", "liger_kernel")
    absent = [name for name in asked if importlib.util.find_spec(name) is None]
    assert [name for name in asked if any(line.startswith(name) for line in lines)] == absent
