"""Several real processes, talking by gloo, train the same student as one; killed ones go on."""

import json
import signal
from contextlib import redirect_stdout
from io import StringIO

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
psutil = pytest.importorskip("psutil")

from held_training import PROJECT, await_step, held_at, start  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from tiny_families import make_family  # noqa: E402
from tiny_student import make_row, write_job_file  # noqa: E402

from sft.job import read_job  # noqa: E402
from sft.launch_command import launch_command  # noqa: E402
from sft.train import main  # noqa: E402

ROWS = [make_row(i, "and so on " * (3 * i % 7)) for i in range(10)]
SETTINGS = {
    "dtype": "float32", "batch_size": 4, "micro_batch_size": 2, "max_length": 128,
    "epochs": 2, "checkpoint_every_steps": 2, "tracker": "none", "processes": 2,
}  # fmt: skip


def finish(training):
    """All lines of a training that ends well."""
    out, _ = training.communicate()
    assert training.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def kill_at_step(training, step):
    """SIGKILL the launcher and every rank once `step` is reported."""
    await_step(training, step)
    ranks = psutil.Process(training.pid).children(recursive=True)
    for process in (psutil.Process(training.pid), *ranks):
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(ranks, timeout=60)
    training.stdout.close()
    assert training.wait() == -signal.SIGKILL
    assert len(ranks) >= 2


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def alone(request, tmp_path_factory):
    """A base, and the losses and weights that one process ends with: this one."""
    folder = tmp_path_factory.mktemp(request.param)
    base = make_family(folder / "base", request.param)
    job = write_job_file(folder, ROWS, base, **{**SETTINGS, "processes": 1, "launch": "single"})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        for name in ("HF_HUB_OFFLINE", "DO_NOT_TRACK", "TOKENIZERS_PARALLELISM"):
            patch.setenv(name, "1")  # main() sets them for its own process
        assert main([str(job)]) == 0
    torch.set_num_threads(threads)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return request.param, base, lines, load_file(folder / "student" / "model.safetensors")


def same_weights(folder, wanted):
    ours = load_file(folder / "student" / "model.safetensors")
    assert ours.keys() == wanted.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, wanted[name], atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("launch", ["ddp", "fsdp"])
def test_two_processes_train_the_same_student_as_one_even_when_killed(alone, launch, tmp_path):
    family, base, lines, weights = alone
    job = write_job_file(tmp_path, ROWS, base, **SETTINGS, launch=launch)
    *launcher, module, name, _ = command = launch_command(read_job(job).student, job)
    assert (module, name) == ("-m", "sft.train")
    # Each launch is killed for one of the two families: half of the time, all of the ways.
    killed = (family, launch) in {("llama", "ddp"), ("qwen2", "fsdp")}
    if killed:
        kill_at_step(start([*launcher, *held_at(5, job)]), 5)
        (checkpoint,) = (tmp_path / ".student.checkpoints").glob("checkpoint-4")
        sharded = (checkpoint / "pytorch_model_fsdp_0").is_dir()
        assert sharded == (launch == "fsdp")
    *steps, summary = finish(start(command))
    if killed:
        assert summary["resumed_from"] == "checkpoint-4"
        assert steps[0]["step"] == 5
    wanted = {line["step"]: line["loss"] for line in lines[:-1]}
    for line in steps:
        assert line["loss"] == pytest.approx(wanted[line["step"]], abs=1e-4)
    same_weights(tmp_path, weights)


@pytest.mark.slow
def test_ranks_that_share_weights_or_sequences_as_gpus_do_train_the_same_student(alone, tmp_path):
    family, base, lines, weights = alone
    # Llama's head is its embedding, Qwen2's another: each is laid in its own way.
    shared = {"llama": {"gpus": 2}, "qwen2": {"gpus": 4, "sequence_parallel": 2, "packing": False}}
    on_gpus = {**SETTINGS, "processes": 1, "launch": "fsdp", **shared[family]}
    job = write_job_file(tmp_path, ROWS, base, **on_gpus)
    *launcher, _, _, name = launch_command(read_job(job).student, job)
    *steps, summary = finish(start([*launcher, str(PROJECT / "tests" / "as_on_gpus.py"), name]))
    assert [line["loss"] for line in steps if "step" in line] == pytest.approx(
        [line["loss"] for line in lines[:-1]], abs=1e-4
    )
    assert (summary["steps"], summary["tokens"]) == (lines[-1]["steps"], lines[-1]["tokens"])
    same_weights(tmp_path, weights)
