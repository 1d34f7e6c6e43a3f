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


def test_ranks_that_share_weights_add_up_gradients_in_float32():
    from accelerate.utils import FullyShardedDataParallelPlugin

    plugin = FullyShardedDataParallelPlugin(fsdp_version=2)
    plugin.set_mixed_precision("bf16")
    before = plugin.mixed_precision_policy
    assert before.reduce_dtype == torch.bfloat16
    sum_in_float32(SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin)))
    after = plugin.mixed_precision_policy
    assert after.reduce_dtype == torch.float32
    assert (after.param_dtype, after.output_dtype) == (before.param_dtype, before.output_dtype)


@pytest.mark.parametrize("plugin", [None, SimpleNamespace(mixed_precision_policy=None)])
def test_nothing_changes_where_weights_are_not_sharded_or_all_is_float32(plugin):
    sum_in_float32(SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin)))
