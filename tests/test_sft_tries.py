"""Tries while training: real answers, really graded, and a training that does not notice them."""

import json
import os
import random
import subprocess
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tiny_student import make_base, make_row, make_tokenizer, student_values  # noqa: E402
from tiny_student import write_job_file as write_job  # noqa: E402

from prompts.errors import PrerequisiteError  # noqa: E402
from prompts.parquet import write_rows  # noqa: E402
from prompts.record import Prompt, prompt_id  # noqa: E402
from prompts.template import render  # noqa: E402
from sft.answering import Answer, untouched  # noqa: E402
from sft.checkpoints import TRYING, open_checkpoints  # noqa: E402
from sft.job import TrainJob, read_job  # noqa: E402
from sft.launch_command import launch_command  # noqa: E402
from sft.progress import JsonLines  # noqa: E402
from sft.student import StudentRecipe  # noqa: E402
from sft.trackers import Tracked  # noqa: E402
from sft.train import main  # noqa: E402
from sft.tries import Tries, choose_prompts, memory_kills  # noqa: E402
from sft.watching import watchers, watching_problems  # noqa: E402

ROWS = [make_row(i) for i in range(6)]
STATE = SimpleNamespace(global_step=3, max_steps=9, is_world_process_zero=True)
DUE = SimpleNamespace(global_step=9, max_steps=9, is_world_process_zero=True)


def make_prompt(question: str, domain: str = "math", **changes: Any) -> Prompt:
    values = {"reference_kind": "math_answer", "reference": "4", **changes}
    return Prompt(prompt_id(domain, question), domain, "own", "mit", "test", question, **values)


HELD_OUT = [make_prompt(f"What is {i} + {i}?", reference=str(2 * i)) for i in range(6)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """main() sets these for its own process; a test's process gets them back."""
    for name in ("HF_HUB_OFFLINE", "DO_NOT_TRACK", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1")


def job_with_held_out(folder: Path, base: Path, **changes: Any) -> Path:
    folder.mkdir()
    job = write_job(folder, ROWS, base, tracker="none", **changes)
    write_rows(folder / "held_out.parquet", HELD_OUT, Prompt)
    values = {**json.loads(job.read_text()), "held_out": str(folder / "held_out.parquet")}
    job.write_text(json.dumps(values))
    return job


@pytest.fixture(scope="module")
def trainings(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same training without and with tries: its lines, the log and the weights of each."""
    from contextlib import redirect_stderr, redirect_stdout

    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for name, prompts in (("without", 0), ("with", 4)):
        folder = tmp_path_factory.mktemp(name) / "job"
        job = job_with_held_out(folder, base, eval_prompts=prompts, eval_max_tokens=12)
        out, log = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(log):
            assert main([str(job)]) == 0
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        weights = load_file(folder / "student" / "model.safetensors")
        found[name] = (lines, log.getvalue(), weights)
    return found


def test_tries_are_made_each_epoch_and_reported(trainings: dict[str, Any]) -> None:
    lines, log, _ = trainings["with"]
    tries = [line for line in lines if "tried" in line]
    steps = [line["step"] for line in lines if "step" in line]
    assert [one["tried"] for one in tries] == [len(steps) // 2, len(steps)]
    for one in tries:
        assert (one["prompts"], one["mean_tokens"] <= 12) == (4, True)
        assert one["accepted"] + one["undecided"] <= 4
    chosen = {prompt.prompt_id for prompt in choose_prompts(HELD_OUT, 4)}
    assert {line.split()[1] for line in log.splitlines() if line.startswith("try ")} == chosen


def test_a_training_does_not_notice_its_tries(trainings: dict[str, Any]) -> None:
    (plain, _, alone), (tried, _, together) = trainings["without"], trainings["with"]
    losses = [[line["loss"] for line in lines if "step" in line] for lines in (plain, tried)]
    assert losses[0] == losses[1]
    assert all(torch.equal(alone[name], together[name]) for name in alone)


def test_the_model_and_every_random_state_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    def refuse(name: str) -> None:
        if name == "sdpa":
            raise ValueError("none")

    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "vocab_size": 50}
    model = LlamaForCausalLM(LlamaConfig(**shape, num_attention_heads=2, num_key_value_heads=2))
    model.config._attn_implementation = "eager"
    model.train()
    settings = model.generation_config
    random.seed(1)
    torch.manual_seed(1)
    wanted = random.random(), torch.rand(1)
    random.seed(1)
    torch.manual_seed(1)
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="none"):  # noqa: PT012
        patch.setattr(model, "set_attn_implementation", refuse)
        with untouched(model, GenerationConfig()):
            pass
    assert (model.training, model.generation_config) == (True, settings)
    with untouched(model, GenerationConfig()):
        assert not model.training
        assert model.config._attn_implementation == "sdpa"
        assert not torch.is_grad_enabled()
        random.random()
        torch.rand(3)
    assert (random.random(), torch.rand(1)) == wanted
    assert model.training
    assert model.generation_config is settings
    assert model.config._attn_implementation == "eager"


@pytest.fixture
def tries(tmp_path: Path) -> Tries:
    student = StudentRecipe.model_validate(student_values(tracker="none", eval_prompts=2))
    job = TrainJob(data=(tmp_path,), student=student, model_dir="x", output_dir=tmp_path / "s")
    prompts = [make_prompt("What is 2 + 2?"), make_prompt("What is 1 + 3?")]
    *_, last = watchers(job, None, JsonLines(), str)
    assert not isinstance(last, Tries), "no held-out prompts, no tries"
    report = JsonLines()
    return Tries(job, prompts, make_tokenizer(), report, Tracked(job, report))


def test_right_wrong_and_cut_answers_are_counted_as_an_evaluation_would(
    tries: Tries, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [
        Answer("<think>\n2 + 2\n</think>\n\n\\boxed{4}", 20, True, 9),
        Answer("<think>\nIt is \\boxed{4}", 12, False, 9),
    ]
    assert tries._graded(answers) == {
        "prompts": 2,
        "accepted": 1,
        "undecided": 0,
        "ended": 1,
        "mean_tokens": 16.0,
    }
    assert "reject truncated" in capsys.readouterr().err


def test_a_grader_that_breaks_costs_the_try_and_is_said(
    tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries.report.out = StringIO()

    def broken(_: Sequence[Answer]) -> dict[str, Any]:
        raise OSError("no more processes")

    answers = [Answer("4", 1, True, 9)] * 2
    monkeypatch.setattr(tries.answering, "answers", lambda *_: answers)
    monkeypatch.setattr(tries, "_graded", broken)
    for _ in range(3):
        tries._try(None, STATE)
    lines = list(map(json.loads, tries.report.out.getvalue().splitlines()))
    assert [(line["at"], "no more processes" in line["warning"]) for line in lines] == [
        (3, True)
    ] * 3
    assert not list(tries.job.checkpoints.glob(f"{TRYING}*"))


class Faulty:
    """A model that has room for `room` prompts at a time, 0 for none, and shows its batches."""

    def __init__(self, room: int, error: Exception) -> None:
        from transformers import GenerationConfig, LlamaConfig

        self.config = LlamaConfig(max_position_embeddings=512)
        self.generation_config, self.device = GenerationConfig(), torch.device("cpu")
        self.training, self.room, self.error = True, room, error
        self.batches: list[int] = []

    def train(self, mode: bool) -> None:
        self.training = mode

    def eval(self) -> None:
        self.training = False

    def set_attn_implementation(self, name: str) -> None:
        self.config._attn_implementation = name

    def generate(self, input_ids: Any, **_: Any) -> Any:
        self.batches.append(len(input_ids))
        if len(input_ids) > self.room:
            raise self.error
        return torch.cat([input_ids, input_ids[:, :1]], 1)


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to …"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_a_try_without_room_goes_on_with_one_prompt_at_a_time(
    tries: Tries, error: Exception
) -> None:
    tries.report.out = StringIO()
    model = Faulty(1, error)
    tries._try(model, STATE)
    tries._try(model, STATE)
    assert model.batches == [2, 1, 1, 1, 1]
    assert model.training, "left as it was"
    tried = [json.loads(line)["prompts"] for line in tries.report.out.getvalue().splitlines()]
    assert tried == [2, 2]


@pytest.mark.parametrize("error", [*OUT_OF_MEMORY, ValueError("a cache of another kind")])
def test_a_try_that_cannot_be_made_is_said_and_two_in_a_row_are_the_last(
    tries: Tries, error: Exception
) -> None:
    tries.report.out = StringIO()
    broken, whole = Faulty(0, error), Faulty(9, error)
    for model in (broken, whole, broken, broken):
        log = {"model": model, "logs": {"loss": 1.0}}
        tries.on_log(None, DUE, None, **log)
    made = len(broken.batches)
    tries.on_log(None, DUE, None, model=broken, logs={"loss": 1.0})
    assert len(broken.batches) == made
    lines = list(map(json.loads, tries.report.out.getvalue().splitlines()))
    said = [line.get("warning", "tried")[:12] for line in lines]
    assert said == ["a try failed", "tried", "a try failed", "no more trie"]
    assert type(error).__name__ in lines[-1]["warning"]
    assert not list(tries.job.checkpoints.glob(f"{TRYING}*"))


def test_a_template_that_refuses_a_prompt_costs_the_try(tries: Tries) -> None:
    tries.report.out = StringIO()
    tries.answering.tokenizer.chat_template = "{{ raise_exception('no such role') }}"
    tries._try(Faulty(9, ValueError()), STATE)
    assert "no such role" in json.loads(tries.report.out.getvalue())["warning"]


@pytest.mark.parametrize(
    ("number", "memory_kills", "given_up"),
    [(9, 0, False), (9, 1, True), (15, 1, False)],
    ids=["killed", "out-of-memory", "asked"],
)
def test_no_tries_are_made_after_one_that_ended_the_process_by_itself(
    tries: Tries,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    memory_kills: int,
    given_up: bool,
) -> None:
    tries.report.out = StringIO()
    monkeypatch.setattr("sft.tries.memory_kills", lambda: "this start 0")
    pid = os.fork()
    if not pid:  # without a tensor: torch's threads are not in a fork
        try:
            tries.answering.answers = lambda *_: os.kill(os.getpid(), number)
            tries._try(None, STATE)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -number
    monkeypatch.setattr("sft.tries.memory_kills", lambda: f"this start {memory_kills}")
    tries.on_train_begin(None, STATE, None)
    assert (not tries.prompts) == given_up
    assert ("no more tries are made" in tries.report.out.getvalue()) == given_up
    assert bool(list(tries.job.checkpoints.glob("*.rank*"))) == given_up
    open_checkpoints(tries.job.checkpoints, "0" * 32, resume=True)
    assert not list(tries.job.checkpoints.glob("*.rank*")), "another training makes tries again"


def test_a_try_that_raises_where_ranks_share_weights_is_the_last(tries: Tries) -> None:
    tries.report.out = StringIO()

    def answers(*_: Any) -> None:
        raise ValueError("no room")

    tries.answering.answers = answers
    with pytest.raises(ValueError, match="no room"):
        tries._try(None, STATE)
    tries.on_train_begin(None, STATE, None)
    assert not tries.prompts


def test_this_machine_counts_the_processes_it_kills_for_memory() -> None:
    boot, count = memory_kills().split()
    assert len(boot) == 36
    assert int(count) >= 0


def test_an_answer_ends_at_its_end_token_and_keeps_the_tags_of_thinking(tries: Tries) -> None:
    tokenizer = tries.answering.tokenizer
    ids = tokenizer("<think>\nhm</think>4<|im_end|>", add_special_tokens=False)["input_ids"]
    pads = [tokenizer.pad_token_id] * 3
    answering = tries.answering
    assert answering._answer(ids + pads, 5) == Answer("<think>\nhm</think>4", len(ids), True, 5)
    assert answering._answer(ids[:-1], 5) == Answer("<think>\nhm</think>4", len(ids) - 1, False, 5)


@pytest.mark.parametrize(("evaluations", "limit"), [(None, 1_024), (96, 96), (32_768, 1_024)])
def test_an_answer_is_cut_where_an_evaluation_would_at_the_latest(
    tries: Tries, evaluations: int | None, limit: int
) -> None:
    job = tries.job.model_copy(update={"answer_tokens": evaluations})
    assert job.try_tokens == limit


def test_thinking_that_the_template_began_is_the_answers(tries: Tries) -> None:
    tries.answering.tokenizer.chat_template += "{% if add_generation_prompt %}<think>\n{% endif %}"
    sample = tries._sample(tries.prompts[0], Answer("hm</think>4", 5, True, 5))
    assert (sample.reasoning, sample.answer, sample.finish_reason) == ("hm", "4", "stop")


def test_prompts_come_from_every_domain_in_turn_and_always_the_same() -> None:
    code = [make_prompt(f"write {i}", "code", reference_kind="unit_tests") for i in range(9)]
    open_ended = make_prompt("Write a poem.", "general", reference_kind="rubric")
    chosen = choose_prompts([*code, open_ended, *HELD_OUT], 5)
    assert [prompt.domain for prompt in chosen] == ["code", "math"] * 2 + ["code"]
    assert choose_prompts([*reversed(HELD_OUT), open_ended, *reversed(code)], 5) == chosen
    assert len(choose_prompts(HELD_OUT, 99)) == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"eval_prompts": 1, "launch": "deepspeed", "gpus": 1}, "eval_prompts must be 0"),
        ({"tracker": "wandb"}, "student.tracker is wandb"),
    ],
)
def test_what_cannot_work_is_named_before_anything_is_loaded(
    changes: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    student = StudentRecipe.model_validate(student_values(**changes))
    problems = list(watching_problems(student))
    assert problems
    assert all(said in problem for problem in problems)
    job = TrainJob(data=(tmp_path,), student=student, model_dir="x", output_dir=tmp_path)
    with pytest.raises(PrerequisiteError, match=said):
        watchers(job, None, JsonLines(), str)


def memorised(folder: Path, base: Path, **changes: Any) -> Path:
    """The job of a student that learns the held-out answers by heart, then is tried."""
    folder.mkdir()
    asked = [render(prompt, "zero-shot")[0]["content"] for prompt in HELD_OUT]
    rows = [make_row(i, "step " * (i % 3 + 1), asked[i]) for i in range(len(asked))]
    settings = {"epochs": 40, "eval_every_steps": 1_000, "eval_prompts": 5, "eval_max_tokens": 64}
    job = write_job(folder, rows, base, tracker="none", dtype="float32", **settings, **changes)
    write_rows(folder / "held_out.parquet", HELD_OUT, Prompt)
    values = {**json.loads(job.read_text()), "held_out": str(folder / "held_out.parquet")}
    job.write_text(json.dumps(values))
    return job


@pytest.mark.slow
def test_two_ranks_give_the_answers_of_one_with_whole_and_with_sharded_weights(
    base: Path, tmp_path: Path
) -> None:
    found: dict[str, Any] = {}
    for launch, processes in (("single", 1), ("ddp", 2), ("fsdp", 2)):
        share = {"micro_batch_size": 4 // processes, "processes": processes}
        job = memorised(tmp_path / launch, base, launch=launch, **share)
        done = subprocess.run(
            launch_command(read_job(job).student, job),
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        said = [line for line in done.stderr.splitlines() if line.startswith("try ")]
        (tried,) = (one for one in map(json.loads, done.stdout.splitlines()) if "tried" in one)
        found[launch] = ({**tried, "seconds": 0}, said)
    assert found["single"] == found["ddp"] == found["fsdp"]
    counts, answers = found["single"]
    assert counts["accepted"] > 0
    assert counts["ended"] > 0
    assert len(set(answers)) == 5


# The training, but for one rank that has no room for a try.
ONE_RANK_FAILS = """
import os, sys
import sft.answering, sft.train
def full(*_):
    raise MemoryError("no room")
if os.environ["RANK"] == "1":
    sft.answering.Answering._generate = full
sys.exit(sft.train.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_try_that_fails_on_one_of_the_ranks_that_share_weights_is_the_last(
    base: Path, tmp_path: Path
) -> None:
    often = {"checkpoint_every_steps": 2, "eval_prompts": 2, "eval_every_steps": 3}
    share = {"launch": "fsdp", "processes": 2, "micro_batch_size": 2, "dtype": "float32"}
    job = job_with_held_out(tmp_path / "job", base, eval_max_tokens=8, **often, **share)
    script = tmp_path / "one_rank_fails.py"
    script.write_text(ONE_RANK_FAILS)
    *accelerate, module, name, _ = launch_command(read_job(job).student, job)
    assert (module, name) == ("-m", "sft.train")
    project, found = str(Path(__file__).parents[1]), []
    for _ in range(2):
        done = subprocess.run(
            [*accelerate, str(script), str(job)],
            capture_output=True,
            text=True,
            cwd=project,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": project},
        )
        found.append((done.returncode, list(map(json.loads, done.stdout.splitlines()))))
    (failed, _), (code, (warning, *steps, summary)) = found
    assert failed != 0
    assert code == 0, done.stderr[-2_000:]
    assert "no more tries are made" in warning["warning"]
    assert "student.eval_prompts" in warning["warning"]
    assert summary["resumed_from"] == "checkpoint-2"
    assert [line["step"] for line in steps] == list(range(3, summary["steps"] + 1))
