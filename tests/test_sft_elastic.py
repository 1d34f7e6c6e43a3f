"""A training goes on from its checkpoint with other hardware, and ends as if always on that."""

import json
import subprocess

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from held_training import environment  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from tiny_student import make_base, make_row, write_job_file  # noqa: E402

from sft.job import read_job  # noqa: E402
from sft.launch_command import launch_command  # noqa: E402
from sft.train import main  # noqa: E402

ROWS = [make_row(i, "and so on " * (3 * i % 7)) for i in range(10)]
SETTINGS = {
    "dtype": "float32", "batch_size": 4, "micro_batch_size": 2, "max_length": 128, "epochs": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """main() sets these for its own process; a test's process gets them back."""
    for name in ("HF_HUB_OFFLINE", "DO_NOT_TRACK", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


def weights_of(folder):
    return load_file(folder / "student" / "model.safetensors")


def stopped_after_a_step(folder, base, start, **changes):
    """A training asked to stop before it began: it leaves a checkpoint of its first step."""
    folder.mkdir()
    job = write_job_file(folder, ROWS, base, **{**SETTINGS, **changes})
    read_job(job).stop_file.touch()
    assert start(job) == 3
    assert not read_job(job).stop_file.exists()
    return folder


def straight(folder, base):
    """The weights of a training that nothing interrupts."""
    folder.mkdir()
    assert main([str(write_job_file(folder, ROWS, base, **SETTINGS))]) == 0
    return weights_of(folder)


def goes_on(folder, base, capsys, **changes):
    """Its weights with other settings than it began with, here."""
    capsys.readouterr()
    assert main([str(write_job_file(folder, ROWS, base, **{**SETTINGS, **changes}))]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["resumed_from"] == "checkpoint-1"
    return weights_of(folder)


def same(ours, wanted):
    assert ours.keys() == wanted.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, wanted[name], atol=1e-5, rtol=0)


@pytest.mark.parametrize("changes", [{"micro_batch_size": 1}, {"packing": False}])
def test_rows_laid_otherwise_after_a_stop_make_the_same_student(base, tmp_path, capsys, changes):
    wanted = straight(tmp_path / "straight", base)
    stopped = stopped_after_a_step(tmp_path / "stopped", base, lambda job: main([str(job)]))
    same(goes_on(stopped, base, capsys, **changes), wanted)


def test_another_learning_rate_begins_anew_and_says_what_is_lost(base, tmp_path, capsys):
    stopped = stopped_after_a_step(tmp_path / "stopped", base, lambda job: main([str(job)]))
    capsys.readouterr()
    changed = write_job_file(stopped, ROWS, base, **SETTINGS, learning_rate=1e-3)
    assert main([str(changed)]) == 0
    warning, *_, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert "checkpoint-1 in" in warning["warning"]
    assert summary["resumed_from"] is None


@pytest.mark.slow
def test_one_process_goes_on_where_two_had_to_stop(base, tmp_path, capsys):
    def two(job):
        command = launch_command(read_job(job).student, job)
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert "stopped as asked after step 1" in ended.stdout
        return 3 if ended.returncode else 0  # the launcher's own code

    wanted = straight(tmp_path / "straight", base)
    stopped = stopped_after_a_step(tmp_path / "two", base, two, launch="ddp", processes=2)
    same(goes_on(stopped, base, capsys), wanted)


# The first rank's curves take their time to be sent; the launcher ends it once another has ended.
SLOW_TO_CLOSE = """
import os, sys, time
from sft.checkpoints import MarkWhole
from sft.train import main

def close(self, args, state, control, **_):
    if state.is_world_process_zero:
        time.sleep(5)
        print("closed", file=sys.stderr, flush=True)

MarkWhole.on_train_end = close
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_no_rank_ends_before_the_first_one_has_closed_its_curves(base, tmp_path):
    script = tmp_path / "slow_to_close.py"
    script.write_text(SLOW_TO_CLOSE)

    def two(job):
        *launcher, _, _, name = launch_command(read_job(job).student, job)
        command = [*launcher, str(script), name]
        ended = subprocess.run(command, capture_output=True, text=True, env=environment())
        assert "closed" in ended.stderr
        return 3 if "stopped as asked after step 1" in ended.stdout else ended.returncode

    stopped_after_a_step(tmp_path / "two", base, two, launch="ddp", processes=2)
