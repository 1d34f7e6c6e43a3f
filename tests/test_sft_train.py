"""sft/train.py: real TRL training of a tiny Llama, killed and continued, and its refusals."""

import json
import math
import os
import signal
import sys

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from held_training import await_step, held_at, start  # noqa: E402
from tiny_student import (  # noqa: E402
    make_base,
    make_row,
    make_tokenizer,
    student_values,
    write_job_file,
)
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling  # noqa: E402

from prompts.errors import RunError  # noqa: E402
from sft import train as train_module  # noqa: E402
from sft.attention_choice import AttentionChoice, choose_attention  # noqa: E402
from sft.checkpoints import training_fingerprint  # noqa: E402
from sft.completion_trainer import RankSteps, check_batch  # noqa: E402
from sft.job import TrainJob, read_job  # noqa: E402
from sft.master_adamw import MasterAdamW  # noqa: E402
from sft.messages import IGNORED  # noqa: E402
from sft.progress import JsonLines  # noqa: E402
from sft.saved_student import finished_summary  # noqa: E402
from sft.steps import StepShape, plan_steps  # noqa: E402
from sft.student import StudentRecipe, load_student  # noqa: E402
from sft.token_rows import TokenRows, rows_key, token_rows  # noqa: E402
from sft.train import main, make_trainer, plan_of, training_settings  # noqa: E402

ROWS = [make_row(i) for i in range(6)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """main() sets these for its own process; a test's process gets them back."""
    for name in ("HF_HUB_OFFLINE", "DO_NOT_TRACK", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1")


def run(job, capsys):
    code = main([str(job)])
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    return code, lines, captured.err


@pytest.mark.slow
def test_a_training_killed_midway_continues_and_ends_as_if_it_had_not_been(base, tmp_path, capsys):
    settings = {"epochs": 8, "checkpoint_every_steps": 2, "dtype": "bfloat16"}
    folders = [tmp_path / "straight", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
    straight, killed = (write_job_file(f, ROWS, base, **settings) for f in folders)
    code, lines, _ = run(straight, capsys)
    assert code == 0
    _kill_at_step(killed, 5)
    assert not (folders[1] / "student").exists()
    code, resumed, _ = run(killed, capsys)
    assert code == 0
    summary = resumed[-1]
    assert summary["resumed_from"] == "checkpoint-4"
    assert resumed[0]["step"] == 5
    assert summary["tokens"] == lines[-1]["tokens"]
    assert summary["peak_memory_bytes"] > 100 << 20
    wanted = {line["step"]: line["loss"] for line in lines[:-1]}
    for line in resumed[:-1]:
        assert line["loss"] == pytest.approx(wanted[line["step"]], abs=2e-3)
    assert not list(folders[1].glob(".student*")), "checkpoints are removed at the end"


def _kill_at_step(job, step):
    """Train in another process and SIGKILL it when it has reported `step`."""
    with start([sys.executable, *held_at(step, job)]) as child:
        await_step(child, step)
        child.kill()
    assert child.returncode == -signal.SIGKILL


def test_a_student_learns_and_is_saved_as_it_was_trained(base, tmp_path, capsys):
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    job = write_job_file(tmp_path, [*ROWS, make_row(7, "long " * 100)], base, epochs=6)
    code, lines, _ = run(job, capsys)
    assert code == 0
    *steps, summary = lines
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert all(line["of"] == 12 for line in steps)
    assert steps[-1]["loss"] < 0.7 * steps[0]["loss"]
    assert (summary["rows"], summary["dropped"]) == (6, {"overlong": 1})
    assert summary["tokens"] == 6 * summary["tokens_per_epoch"] == steps[-1]["tokens"]
    student = tmp_path / "student"
    tokenizer = AutoTokenizer.from_pretrained(student)
    ends = GenerationConfig.from_pretrained(student).eos_token_id
    assert ends == tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokenizer.pad_token_id != ends
    assert AutoModelForCausalLM.from_pretrained(student).dtype == torch.bfloat16


def test_a_finished_training_is_recognised_and_another_replaces_its_student(base, tmp_path, capsys):
    job = write_job_file(tmp_path, ROWS, base, epochs=1)
    code, first, _ = run(job, capsys)
    assert code == 0
    student, checkpoints = tmp_path / "student", tmp_path / ".student.checkpoints"
    # Killed after the student was saved, before the checkpoints were removed.
    (checkpoints / "checkpoint-1").mkdir(parents=True)
    (student / "of the first").touch()
    assert run(job, capsys)[:2] == (0, first[-1:])
    assert not checkpoints.exists()
    assert str(tmp_path) not in (student / "training.json").read_text()

    other = write_job_file(tmp_path, ROWS, base, epochs=2)
    code, lines, _ = run(other, capsys)
    assert (code, lines[-1]["steps"]) == (0, 2 * first[-1]["steps"])
    assert not (student / "of the first").exists()
    assert run(other, capsys)[:2] == (0, lines[-1:])


def test_a_student_is_kept_only_for_the_same_recipe_base_and_rows():
    recipe = StudentRecipe.model_validate(student_values())
    prints = [
        training_fingerprint(recipe, "base", "rows"),
        training_fingerprint(recipe, "another base", "rows"),
        training_fingerprint(recipe.model_copy(update={"seed": 1}), "base", "rows"),
        training_fingerprint(recipe, "base", "other rows"),
    ]
    assert len(set(prints)) == 4
    assert training_fingerprint(recipe, "base", "rows") == prints[0]


@pytest.mark.parametrize(
    "change",
    [
        {"tracker": "wandb"}, {"repo_id": "me/it"}, {"loss_spike": 9.0}, {"eval_prompts": 4},
        {"eval_every_steps": 3}, {"eval_max_tokens": 9}, {"reference_scores": {"aime-2024": 1.0}},
        {"checkpoint_every_steps": 3}, {"gradient_checkpointing": True},
        {"activation_offloading": True}, {"micro_batch_size": 2}, {"packing": False},
        {"launch": "ddp", "processes": 2},
    ],
)  # fmt: skip
def test_what_only_watches_a_training_makes_no_other_student(change):
    recipe = StudentRecipe.model_validate(student_values())
    changed = recipe.model_copy(update=change)
    assert changed != recipe
    assert training_fingerprint(changed, "x", "r") == training_fingerprint(recipe, "x", "r")


@pytest.mark.parametrize(("launch", "same"), [("fsdp", True), ("deepspeed", False)])
def test_a_sharded_student_goes_on_with_another_number_of_gpus_if_its_checkpoint_can(launch, same):
    recipe = StudentRecipe.model_validate(student_values(launch=launch, gpus=4, micro_batch_size=1))
    fewer = recipe.model_copy(update={"gpus": 2})
    prints = {training_fingerprint(one, "base", "rows") for one in (recipe, fewer)}
    assert (len(prints) == 1) == same
    whole = recipe.model_copy(update={"launch": "ddp"})
    assert training_fingerprint(whole, "base", "rows") not in prints


@pytest.mark.parametrize("record", [None, "", "[]", "{}", '{"fingerprint": "f"}'])
def test_an_output_without_a_whole_record_is_trained_again(tmp_path, record):
    job = TrainJob.model_validate(json.loads(write_job_file(tmp_path, ROWS, "base").read_text()))
    job.output_dir.mkdir()
    if record is not None:
        (job.output_dir / "training.json").write_text(record)
    assert finished_summary(job, "f") is None
    whole = '{"fingerprint": "f", "summary": {"steps": 3}}'
    (job.output_dir / "training.json").write_text(whole)
    assert finished_summary(job, "f") == {"steps": 3}
    assert finished_summary(job, "another") is None
    assert finished_summary(job.model_copy(update={"resume": False}), "f") is None


def test_packed_and_padded_batches_train_alike(base, tmp_path, capsys):
    losses = []
    for packing in (True, False):
        folder = tmp_path / str(packing)
        folder.mkdir()
        one_step = {"batch_size": 6, "micro_batch_size": 6, "epochs": 1, "dtype": "float32"}
        job = write_job_file(folder, ROWS, base, packing=packing, **one_step)
        code, lines, _ = run(job, capsys)
        assert code == 0
        losses.append(lines[0]["loss"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_a_loss_that_is_no_number_stops_with_exit_3(base, tmp_path, capsys):
    broken = make_base(tmp_path / "broken")
    import safetensors.torch

    path = broken / "model.safetensors"
    weights = safetensors.torch.load_file(path)
    weights["model.norm.weight"].fill_(math.nan)
    safetensors.torch.save_file(weights, path, metadata={"format": "pt"})
    job = write_job_file(tmp_path, ROWS, broken)
    code, lines, err = run(job, capsys)
    assert (code, lines[-1]["code"]) == (3, 3)
    assert "nan" in lines[-1]["error"]
    assert "nan" in err
    assert "learning_rate" in err
    assert not (tmp_path / "student").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_users_mistakes_exit_2_and_say_what_to_mend(base, tmp_path, capsys):
    cases = [
        (ROWS, base, {"eos_token": "<|stop|>"}, "student.eos_token"),
        (ROWS, base, {"max_length": 4096}, "512 positions"),
        (ROWS, base, {"chat_template": "nonesuch"}, "known are chatml, llama3"),
        (ROWS, base, {"pad_token": "<|im_end|>"}, "student.pad_token"),
        (ROWS, tmp_path / "nowhere", {}, "cannot load"),
        ([make_row(1, "long " * 100)], base, {}, "no row to train on"),
        (ROWS, base, {"learning_rte": 1}, "learning_rte"),
        (ROWS, base, {"gpus": 1}, "sees no GPU here"),
    ]
    for number, (rows, model_dir, changes, message) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, lines, err = run(write_job_file(folder, rows, model_dir, **changes), capsys)
        (said,) = lines
        assert (code, said["code"]) == (2, 2), message
        assert message in said["error"]
        assert message in err
        assert "Traceback" not in err


def test_a_job_that_is_no_job_exits_2(tmp_path, capsys):
    path = tmp_path / "job.json"
    path.write_text("{")
    assert run(path, capsys)[0] == 2
    assert run(tmp_path / "none.json", capsys)[0] == 2


def packed(labels, bounds):
    labels = torch.tensor([labels])
    return {"labels": labels, "cu_seq_lens_q": torch.tensor(bounds)}


def test_a_batch_whose_labels_are_all_masked_is_refused():
    with pytest.raises(RunError, match="every label is masked"):
        check_batch(packed([IGNORED] * 4, [0, 4]), eos=9)


def test_every_sequence_of_a_batch_must_learn_to_stop():
    check_batch(packed([IGNORED, 9, IGNORED, 5, 9], [0, 2, 5]), eos=9)
    with pytest.raises(RunError, match="would not stop"):
        check_batch(packed([IGNORED, 9, IGNORED, 5, 5], [0, 2, 5]), eos=9)
    padded = {
        "labels": torch.tensor([[IGNORED, 9, IGNORED], [IGNORED, 5, 9]]),
        "attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]]),
    }
    check_batch(padded, eos=9)


def test_float32_masters_keep_steps_that_bfloat16_loses():
    def trained(optimiser):
        weight = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
        steps = optimiser([weight], lr=1e-4, weight_decay=0.0)
        for _ in range(200):
            weight.grad = torch.ones_like(weight)
            steps.step()
        return weight

    assert trained(torch.optim.AdamW).tolist() == [1.0] * 4
    assert trained(MasterAdamW)[0].item() == pytest.approx(0.98, abs=4e-3)


def test_masters_survive_a_checkpoint():
    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
    first = MasterAdamW([weight], lr=1e-4)
    weight.grad = torch.ones_like(weight)
    first.step()
    other = torch.nn.Parameter(torch.ones(2, dtype=torch.bfloat16))
    second = MasterAdamW([other], lr=1e-4)
    second.load_state_dict(first.state_dict())
    for one, two in zip(first.param_groups, second.param_groups, strict=True):
        assert torch.equal(one["params"][0], two["params"][0])


@pytest.mark.parametrize(
    ("gpus", "before", "after"),
    [(1, None, "0"), (1, "", ""), (1, "3,5", "3"), (1, "GPU-1a", "GPU-1a"), (0, "3,5", "3,5")],
)
def test_one_process_sees_one_gpu(base, tmp_path, capsys, monkeypatch, gpus, before, after):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before or "")
    if before is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(train_module, "train", lambda *_: None)
    assert run(write_job_file(tmp_path, ROWS, base, gpus=gpus), capsys)[0] == 0
    assert os.environ["CUDA_VISIBLE_DEVICES"] == after


@pytest.mark.parametrize(
    ("gpus", "own", "after"),
    [(1, None, "expandable_segments:True"), (0, None, None), (1, "backend:native", None)],
)
def test_memory_of_gpus_grows_unless_the_user_says_how(
    base, tmp_path, capsys, monkeypatch, gpus, own, after
):
    theirs, ours = "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"
    for name, value in ((theirs, own), (ours, None), ("CUDA_VISIBLE_DEVICES", None)):
        monkeypatch.setenv(name, value or "")  # what main() sets goes with the test
        if value is None:
            monkeypatch.delenv(name)
    monkeypatch.setattr(train_module, "train", lambda *_: None)
    assert run(write_job_file(tmp_path, ROWS, base, gpus=gpus), capsys)[0] == 0
    assert (os.environ.get(theirs), os.environ.get(ours)) == (own, after)


def test_gathered_weights_are_saved_in_the_recipes_dtype_each_once(base, tmp_path):
    from safetensors.torch import load_file

    job = read_job(write_job_file(tmp_path, ROWS, base, dtype="float32"))
    tokenizer = make_tokenizer()
    rows = token_rows(job, tokenizer, rows_key(job, tokenizer))
    attention = choose_attention(job.model_dir, job.student)
    plan = plan_of(job.student, rows.lengths, attention)
    trainer = make_trainer(job, rows, tokenizer, JsonLines(), attention, plan)
    for dtype in (torch.bfloat16, torch.float32):
        # A bfloat16 student has float32 weights under FSDP and on a processor without bfloat16.
        trainer.saved_dtype = str(dtype).removeprefix("torch.")
        trainer._save(str(tmp_path / "saved"), trainer.model.state_dict())
        saved = load_file(tmp_path / "saved" / "model.safetensors")
        assert {weight.dtype for weight in saved.values()} == {dtype}
        assert "lm_head.weight" not in saved
        config = json.loads((tmp_path / "saved" / "config.json").read_text())
        assert config["dtype"] == str(dtype).removeprefix("torch.")


class NotedRows(TokenRows):
    """Token rows that remember which of them were read."""

    def __getitem__(self, index):
        self.read.add(index)
        return super().__getitem__(index)


def test_a_rank_reads_the_rows_of_its_own_bins_alone(base, tmp_path):
    job = read_job(write_job_file(tmp_path, [make_row(i) for i in range(40)], base))
    tokenizer = make_tokenizer()
    token_rows(job, tokenizer, rows_key(job, tokenizer))
    rows = NotedRows(job.checkpoints)
    plan = plan_steps(rows.lengths, StepShape(1, 8, 4, 256, 2, 0))
    collate = DataCollatorForLanguageModeling(tokenizer.pad_token_id, padding_free=True)
    read, totals = [], []
    for rank in (0, 1):
        rows.read = set()
        steps = RankSteps(plan, rank, rows, collate, tokenizer.eos_token_id)
        batches = [steps[at] for at in range(len(steps))]
        read.append(rows.read)
        totals.append([(batch["scored"], batch["tokens"]) for batch in batches])
        assert rows.read == {row for step in plan.steps for held in step[rank] for row in held}
    assert read[0].isdisjoint(read[1])
    # What a step's loss is divided by is the same on all ranks.
    assert totals[0] == totals[1]
    assert sum(scored for scored, _ in totals[0]) == rows.scored.sum()
    assert sum(tokens for _, tokens in totals[0]) == rows.tokens


def test_progress_lines_are_json(capsys):
    JsonLines().say(step=1, of=2)
    assert json.loads(capsys.readouterr().out) == {"step": 1, "of": 2}


@pytest.mark.parametrize(
    ("gpus", "own", "after"), [(0, None, "64"), (0, "9", "9"), (1, None, None)]
)
def test_processors_keep_kernels_of_few_sizes(
    base, tmp_path, capsys, monkeypatch, gpus, own, after
):
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
    for name in names:
        monkeypatch.setenv(name, own or "")
        if own is None:
            monkeypatch.delenv(name)
    monkeypatch.setattr(train_module, "train", lambda *_: None)
    assert run(write_job_file(tmp_path, ROWS, base, gpus=gpus), capsys)[0] == 0
    assert [os.environ.get(name) for name in names] == [after, after]


def test_ranks_wait_for_the_first_one_to_fetch_the_largest_base(base, tmp_path):
    job = read_job(write_job_file(tmp_path, ROWS, base))
    plan = plan_steps([8] * len(ROWS), StepShape(1, 8, 4, 256, 1, 0))
    settings = training_settings(job, False, AttentionChoice("sdpa", None), plan)
    weights_bytes = 2 * load_student("llama-70b").architecture.parameters
    assert settings.ddp_timeout_delta.total_seconds() > weights_bytes / 20e6
