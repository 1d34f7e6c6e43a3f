"""What cannot be written is a fault that says where and what is kept; sums are of float32."""

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("accelerate")

from safetensors import SafetensorError  # noqa: E402
from tiny_student import make_base, make_row, write_job_file  # noqa: E402
from transformers import Trainer  # noqa: E402

from prompts.errors import PrerequisiteError, RunError  # noqa: E402
from sft.gradient_sums import sum_in_float32  # noqa: E402
from sft.saved_student import saving  # noqa: E402
from sft.train import main  # noqa: E402


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("Error while serializing: No space left on device (os error 28)"),
        RuntimeError("PytorchStreamWriter failed writing file: No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_written_says_how_much_room_there_is(tmp_path, error):
    where = tmp_path / "not yet there" / ".student.partial"
    said = rf"cannot save to {where}, where \d+\.\d GB are free: .*No space left.*one is kept"
    with pytest.raises(RunError, match=said), saving(where, "one is kept"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[gloo] Connection closed by peer"),
        ConnectionResetError("reset"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
    ],
)
def test_another_fault_while_saving_keeps_its_own_kind(tmp_path, error):
    with pytest.raises(type(error)) as raised, saving(tmp_path, "one is kept"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize("error", [RunError("not the one trained"), PrerequisiteError("x")])
def test_what_is_said_already_is_not_said_otherwise(tmp_path, error):
    with pytest.raises(type(error), match=str(error)), saving(tmp_path, "one is kept"):
        raise error


def test_a_full_disk_at_a_checkpoint_stops_with_exit_3_and_keeps_the_one_before(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    base = make_base(tmp_path / "base")
    job = write_job_file(
        tmp_path, [make_row(i) for i in range(6)], base, checkpoint_every_steps=1, dtype="float32"
    )
    whole = Trainer._save_optimizer_and_scheduler

    def full(trainer, folder):
        if trainer.state.global_step == 2:
            raise OSError(28, "No space left on device")
        whole(trainer, folder)

    monkeypatch.setattr(Trainer, "_save_optimizer_and_scheduler", full)
    assert main([str(job)]) == 3
    captured = capsys.readouterr()
    assert "cannot save to" in captured.out.splitlines()[-1]
    assert "Traceback" in captured.err, "the log tells a programmer more"
    monkeypatch.undo()
    assert main([str(job)]) == 0
    assert '"resumed_from": "checkpoint-1"' in capsys.readouterr().out


def bfloat16_policy():
    """What accelerate makes of `mixed_precision: bf16` under FSDP2, before and after ours."""
    from accelerate.utils import FullyShardedDataParallelPlugin

    plugin = FullyShardedDataParallelPlugin(fsdp_version=2)
    plugin.set_mixed_precision("bf16")
    before = plugin.mixed_precision_policy
    sum_in_float32(SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin)))
    return before, plugin.mixed_precision_policy


def test_ranks_that_share_weights_add_up_gradients_in_float32():
    before, after = bfloat16_policy()
    assert before.reduce_dtype == torch.bfloat16
    assert after.reduce_dtype == torch.float32
    assert after.param_dtype == before.param_dtype == torch.bfloat16


@pytest.mark.parametrize("enabled", [True, False])
def test_deepspeed_adds_up_bfloat16_gradients_in_float32_too(enabled):
    plugin = SimpleNamespace(deepspeed_config={"bf16": {"enabled": enabled}})
    sum_in_float32(SimpleNamespace(state=SimpleNamespace(deepspeed_plugin=plugin)))
    config = plugin.deepspeed_config
    assert config.get("data_types") == ({"grad_accum_dtype": "fp32"} if enabled else None)
    assert config.get("communication_data_type") == ("fp32" if enabled else None)


@pytest.fixture
def one_rank():
    """A process group of this process alone."""
    from torch import distributed

    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield distributed.device_mesh.init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


@pytest.mark.parametrize(("which", "dtype"), [(0, torch.bfloat16), (1, torch.float32)])
def test_weights_shared_in_bfloat16_give_losses_in_float32(tmp_path, one_rank, which, dtype):
    from torch.distributed.fsdp import fully_shard
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    base = make_base(tmp_path / "base", tie_word_embeddings=False)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    add_fused_lm_head(model)
    shared = {"mesh": one_rank, "mp_policy": bfloat16_policy()[which]}
    for layer in model.model.layers:
        fully_shard(layer, **shared)
    # As accelerate 1.15 lays them: the head's own forward is never called.
    fully_shard([model.model.norm, model.lm_head], **shared, reshard_after_forward=False)
    fully_shard(model, **shared)
    inside = []
    model.model.layers[0].register_forward_hook(lambda *made: inside.append(made[-1].dtype))
    tokens = torch.arange(12)[None]
    for _ in range(2):
        found = model(tokens, labels=tokens, fused_lm_head=True)
        assert (found.log_probs.dtype, found.loss.dtype) == (dtype, dtype)
        found.log_probs.sum().backward()
    assert inside == [torch.bfloat16] * 2
    assert model.lm_head.weight.grad is not None


@pytest.mark.parametrize("plugin", [None, SimpleNamespace(mixed_precision_policy=None)])
def test_nothing_changes_where_weights_are_not_sharded_or_all_is_float32(plugin):
    sum_in_float32(SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin)))
