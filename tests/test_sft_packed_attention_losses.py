"""Packing changes how fast a step is computed, never what it is: losses, gradients, choices."""

import io
import json
from itertools import pairwise
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tiny_families import FAMILIES, make_family  # noqa: E402
from tiny_student import make_row, write_job_file  # noqa: E402

from sft.attention_choice import (  # noqa: E402
    AttentionChoice,
    choose_attention,
    odd_attention,
    slow_attention,
)
from sft.base_model import load_tokenizer  # noqa: E402
from sft.job import TrainJob, read_job  # noqa: E402
from sft.packed_attention import register_packed_attention  # noqa: E402
from sft.progress import JsonLines  # noqa: E402
from sft.token_rows import rows_key, token_rows  # noqa: E402
from sft.train import make_trainer, plan_of  # noqa: E402

PACKING = [register_packed_attention(), "sdpa", "eager"]
# Short and long rows, one of them alone over half of a bin.
ROWS = [make_row(i, "and so on " * (3 * i % 7 + (8 if i == 4 else 0))) for i in range(7)]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Two threads wait for each other longer than these matrices take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=FAMILIES)
def base(request, tmp_path_factory):
    return make_family(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def model(base):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def row_losses(logits, labels, bounds):
    """Mean loss of each row of a packed one; labels are the tokens themselves."""
    pairs = pairwise(bounds)
    return [
        torch.nn.functional.cross_entropy(logits[a : b - 1], labels[a + 1 : b]) for a, b in pairs
    ]


@pytest.mark.parametrize("attention", PACKING)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lengths=st.lists(st.integers(2, 40), min_size=1, max_size=7), seed=st.integers(0, 9))
def test_a_rows_loss_is_the_same_packed_and_alone(model, attention, lengths, seed):
    torch.manual_seed(seed)
    rows = [torch.randint(0, 256, (n,)) for n in lengths]
    bounds = torch.tensor([0, *lengths]).cumsum(0)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        alone = [model(row[None], labels=row[None]).loss for row in rows]
        model.set_attn_implementation(attention)
        places = torch.cat([torch.arange(n) for n in lengths])[None]
        edges = {"cu_seq_lens_q": bounds} if attention == PACKING[0] else {}
        whole = torch.cat(rows)
        logits = model(whole[None], position_ids=places, use_cache=False, **edges).logits[0]
    together = row_losses(logits, whole, bounds.tolist())
    torch.testing.assert_close(torch.stack(together), torch.stack(alone), atol=1e-5, rtol=0)


def trainer_of(base, folder, attention=None, **changes):
    """A trainer on ROWS in float32, ready for its first step; one step an epoch."""
    folder.mkdir(exist_ok=True)
    one_step = {"batch_size": 8, "micro_batch_size": 2, "dtype": "float32", "tracker": "none"}
    job = read_job(write_job_file(folder, ROWS, base, **{**one_step, **changes}))
    tokenizer = load_tokenizer(job.model_dir, job.student)
    rows = token_rows(job, tokenizer, rows_key(job, tokenizer))
    attention = attention or choose_attention(job.model_dir, job.student)
    plan = plan_of(job.student, rows.lengths, attention)
    report = JsonLines(io.StringIO())
    return make_trainer(job, rows, tokenizer, report, attention, plan)


def first_step(trainer):
    """Loss and gradients of the plan's first step, and how many passes it took."""
    batch = trainer.get_train_dataloader().dataset[0]
    loss = trainer.training_step(trainer.model, batch)
    grads = {name: p.grad for name, p in trainer.model.named_parameters() if p.grad is not None}
    return loss, grads, len(batch["bins"])


def test_a_steps_gradient_does_not_depend_on_how_its_rows_lie(base, tmp_path):
    lays = {
        "one bin": AttentionChoice(PACKING[0], 4096),
        "bins of 256": AttentionChoice(PACKING[0], 256),
        "masked bins": AttentionChoice("sdpa", 512),
        "padded": AttentionChoice("sdpa", None),
    }
    steps = {name: first_step(trainer_of(base, tmp_path / name, lay)) for name, lay in lays.items()}
    assert steps["one bin"][2] == 1
    assert steps["bins of 256"][2] > steps["masked bins"][2] > 1
    loss, grads, _ = steps["one bin"]
    for other, gradients, _ in steps.values():
        torch.testing.assert_close(other, loss, atol=1e-5, rtol=0)
        assert gradients.keys() == grads.keys()
        for name, grad in gradients.items():
            torch.testing.assert_close(grad, grads[name], atol=1e-5, rtol=0)


def test_a_pass_without_rows_adds_nothing(base, tmp_path):
    trainer = trainer_of(base, tmp_path)
    steps = trainer.get_train_dataloader().dataset
    loss, grads, _ = first_step(trainer)
    trainer.model.zero_grad()
    batch = steps[0]
    batch["bins"].append(steps._nothing(trainer.plan.steps[0]))
    again = trainer.training_step(trainer.model, batch)
    torch.testing.assert_close(again, loss, atol=1e-6, rtol=0)
    for name, weight in trainer.model.named_parameters():
        torch.testing.assert_close(weight.grad, grads[name], atol=1e-6, rtol=0)


def llama_like(**changes):
    plain = {"layer_types": None, "sliding_window": None, "attention_dropout": 0.0}
    return SimpleNamespace(**{**plain, **changes})


@pytest.mark.parametrize(
    ("config", "odd"),
    [
        (llama_like(), None),
        (llama_like(layer_types=["full_attention"] * 2), None),
        (llama_like(sliding_window=4096, use_sliding_window=False), None),
        (llama_like(sliding_window=4096), "sliding window of 4096"),
        (llama_like(layer_types=["full_attention", "linear_attention"]), "linear_attention"),
        (llama_like(attn_logit_softcapping=50.0), "capped"),
        (llama_like(attention_dropout=0.1), "dropout"),
        (llama_like(kv_lora_rank=512), "latent"),
    ],
)
def test_an_attention_that_is_not_plain_is_named(config, odd):
    found = odd_attention(config)
    assert found is None if odd is None else odd in found


def test_a_base_with_sliding_windows_is_padded_and_the_summary_says_why(tmp_path, capsys):
    from transformers import AutoConfig, MistralConfig, MistralForCausalLM

    from sft.train import main

    base = make_family(tmp_path / "base", "llama")
    plain = AutoConfig.from_pretrained(base).to_dict()
    for name in ("model_type", "architectures"):
        plain.pop(name)
    MistralForCausalLM(MistralConfig(**plain, sliding_window=64)).save_pretrained(base)
    job = write_job_file(tmp_path, ROWS, base, epochs=1, tracker="none")
    assert main([str(job)]) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out.splitlines()[-1])
    assert "sliding" in summary["why_padded"]
    assert 0 < summary["padding_share"] < 0.5
    assert "packing is off: the base has" in captured.err


def choice(base, **changes):
    folder = base.parent
    return choose_attention(str(base), job_of(folder, base, **changes).student)


def job_of(folder, base, **changes) -> TrainJob:
    return read_job(write_job_file(folder, ROWS[:1], base, **changes))


def test_a_student_on_the_processor_takes_its_attention_though_there_is_a_gpu(base, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choice(base).name == "stillhouse_packed"


def test_the_recipe_may_name_the_attention(base):
    bins = {"micro_batch_size": 2, "max_length": 128}
    assert choice(base, **bins) == AttentionChoice("stillhouse_packed", 256)
    # A mask grows with the square of the row: no more than one longest row's worth of it.
    assert choice(base, attention="sdpa", **bins) == AttentionChoice("sdpa", 128)
    assert choice(base, packing=False, **bins) == AttentionChoice("sdpa", None)
    other = choice(base, attention="flex_attention", **bins)
    assert other.bin_tokens is None
    assert "flex_attention" in other.why_padded


EIGHT = {"gpus": 8, "launch": "fsdp", "micro_batch_size": 1, "batch_size": 8, "max_length": 128}


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("changes", [{}, {"packing": False}])
def test_gpus_take_flash_attention_where_there_is_one_packed_or_not(
    base, monkeypatch, changes, there
):
    known = "transformers.utils.import_utils.is_flash_attn_2_available"
    monkeypatch.setattr(known, lambda: there)
    found = choice(base, **EIGHT, **changes)
    assert found.name == ("flash_attention_2" if there else "sdpa")
    assert found.bin_tokens == (None if changes else 128)
    shared = {"sequence_parallel": 2, "packing": False}
    assert choice(base, **EIGHT, **shared) == AttentionChoice("sdpa", None)
    assert choice(base, **EIGHT, **changes, dtype="float32").name == "sdpa"


@pytest.mark.parametrize("packing", [True, False])
def test_a_base_whose_attention_is_not_plain_keeps_torchs_own_on_gpus(base, monkeypatch, packing):
    known = "transformers.utils.import_utils.is_flash_attn_2_available"
    monkeypatch.setattr(known, lambda: True)
    monkeypatch.setattr("sft.attention_choice.odd_attention", lambda _: "latent attention")
    settings = {**EIGHT, "packing": packing, "micro_batch_size": 2, "batch_size": 16}
    found = choice(base, **settings)
    assert (found.name, found.bin_tokens) == ("sdpa", None)
    assert slow_attention(found, job_of(base.parent, base, **settings).student) is None


@pytest.mark.parametrize(
    ("chosen", "changes", "said"),
    [
        (AttentionChoice("sdpa", 128), {}, True),
        (AttentionChoice("sdpa", None), {"packing": False, "micro_batch_size": 2}, True),
        (AttentionChoice("sdpa", None), {"packing": False}, False),
        (AttentionChoice("flash_attention_2", 128), {}, False),
        (AttentionChoice("sdpa", 128), {"attention": "sdpa"}, False),
        (AttentionChoice("sdpa", None, "odd"), {"micro_batch_size": 2}, False),
        (AttentionChoice("stillhouse_packed", 128), {"gpus": 0, "launch": "single"}, False),
    ],
)
def test_a_mask_in_the_place_of_flash_attention_is_said(base, monkeypatch, chosen, changes, said):
    known = "transformers.utils.import_utils.is_flash_attn_2_available"
    monkeypatch.setattr(known, lambda: False)
    settings = {**EIGHT, "batch_size": 16, **changes}
    student = job_of(base.parent, base, **settings).student
    slow = slow_attention(chosen, student)
    assert slow is None if not said else "takes 0.0 GB and more at 128 tokens" in slow
