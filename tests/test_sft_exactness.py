"""A training is what a plain loop over its rows would be: losses, rates, weights, by hand."""

import io
import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tiny_families import FAMILIES, make_family  # noqa: E402
from tiny_student import make_row, write_job_file  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402
from trl.trainer.sft_trainer import SFTTrainer  # noqa: E402

from sft.attention_choice import choose_attention  # noqa: E402
from sft.base_model import load_tokenizer  # noqa: E402
from sft.completion_trainer import CompletionTrainer  # noqa: E402
from sft.job import read_job  # noqa: E402
from sft.progress import JsonLines  # noqa: E402
from sft.token_rows import rows_key, token_rows  # noqa: E402
from sft.train import make_trainer, plan_of  # noqa: E402

ONE_TURN = [make_row(i, "and so on " * (3 * i % 7)) for i in range(5)]
SYSTEM = {"role": "system", "content": "Think first."}
SEVERAL_TURNS = {
    **make_row(5),
    "messages": [SYSTEM, *make_row(6)["messages"], *make_row(5)["messages"]],
}
ROWS = [*ONE_TURN, SEVERAL_TURNS, {**make_row(7), "messages": [SYSTEM, *make_row(7)["messages"]]}]
SETTINGS = {
    "dtype": "float32", "batch_size": 4, "micro_batch_size": 1, "max_length": 400, "epochs": 3,
    "warmup_ratio": 0.4, "weight_decay": 0.1, "max_grad_norm": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module", params=FAMILIES)
def base(request, tmp_path_factory):
    return make_family(tmp_path_factory.mktemp(request.param), request.param)


def trainer_of(base, folder, **changes):
    """A trainer of ROWS in float32, with what it logged at each step."""
    job = read_job(write_job_file(folder, ROWS, base, **{**SETTINGS, **changes}))
    tokenizer = load_tokenizer(job.model_dir, job.student)
    rows = token_rows(job, tokenizer, rows_key(job, tokenizer))
    attention = choose_attention(job.model_dir, job.student)
    plan = plan_of(job.student, rows.lengths, attention)
    trainer = make_trainer(job, rows, tokenizer, JsonLines(io.StringIO()), attention, plan)
    return trainer, tokenizer


def spoken(row, tokenizer):
    """A row's ids, and how many of them the last answer has: spelt out, without any template."""
    turns = [f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>" for m in row["messages"]]
    answer = row["messages"][-1]["content"] + "<|im_end|>"
    ids = tokenizer("\n".join(turns))["input_ids"]
    return torch.tensor(ids), len(tokenizer(answer)["input_ids"])


def by_hand(base, trainer, tokenizer):
    """(loss, learning rate) of each step, and the weights: a loop over rows, one at a time."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    decayed = [p for n, p in model.named_parameters() if "norm" not in n and "bias" not in n]
    others = [p for n, p in model.named_parameters() if "norm" in n or "bias" in n]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=5e-3, betas=(0.9, 0.999), eps=1e-8)
    steps, warmup, said = len(trainer.plan.steps), math.ceil(0.4 * len(trainer.plan.steps)), []
    for number, step in enumerate(trainer.plan.steps):
        rows = [spoken(ROWS[row], tokenizer) for ranks in step for held in ranks for row in held]
        losses = []
        for ids, answered in rows:
            logits = model(ids[None]).logits[0, -answered - 1 : -1]
            losses.append(cross_entropy(logits, ids[-answered:], reduction="sum"))
        loss = sum(losses) / sum(answered for _, answered in rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        done = (number - warmup) / (steps - warmup)
        share = number / warmup if number < warmup else 0.1 + 0.45 * (1 + math.cos(math.pi * done))
        for group in optimiser.param_groups:
            group["lr"] = 5e-3 * share
        optimiser.step()
        optimiser.zero_grad()
        said.append((loss.item(), 5e-3 * share))
    return said, model.state_dict()


@pytest.mark.parametrize("packing", [True, False], ids=["packed", "padded"])
def test_a_training_is_what_a_loop_over_its_rows_would_be(base, packing, tmp_path):
    trainer, tokenizer = trainer_of(base, tmp_path, packing=packing)
    wanted, weights = by_hand(base, trainer, tokenizer)
    trainer.train()
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert [(e["loss"], e["learning_rate"]) for e in logged] == [
        (pytest.approx(loss, abs=2e-5), pytest.approx(rate, rel=1e-6)) for loss, rate in wanted
    ]
    for name, weight in trainer.model.state_dict().items():
        torch.testing.assert_close(weight, weights[name], atol=5e-5, rtol=0)


def test_the_loss_on_gpus_is_that_on_processors(base, tmp_path):
    trainer, _ = trainer_of(base, tmp_path)
    batch = trainer.get_train_dataloader().dataset[0]
    for held in batch["bins"]:
        losses = [
            kind.compute_loss(trainer, trainer.model, dict(held), False, batch["scored"])
            for kind in (CompletionTrainer, SFTTrainer)
        ]
        torch.testing.assert_close(losses[1], losses[0], atol=1e-5, rtol=0)


def test_the_highest_token_of_all_rows_is_known_before_the_model_is_loaded(base, tmp_path):
    trainer, _ = trainer_of(base, tmp_path)
    assert trainer.rows.largest_token == max(max(row.input_ids) for row in trainer.rows)
