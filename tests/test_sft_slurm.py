"""The batch script for Slurm: shell that parses, and the words every node runs."""

import shlex
import subprocess

import pytest
from tiny_student import student_values

from prompts.errors import RunError
from sft.job import TrainJob
from sft.slurm import slurm_script
from sft.stop_request import StopWhenAsked
from sft.student import StudentRecipe, load_student


def script_of(student, folder):
    job = TrainJob(
        data=(folder / "rows.parquet",),
        student=student,
        model_dir="some/base",
        output_dir=folder / "model",
        checkpoint_dir=folder / "checkpoints",
    )
    return slurm_script(job, folder / "job.json", folder / "x.sbatch", folder / "log", "python")


def test_sbatch_gets_paths_with_blanks_and_percents_as_one_value(tmp_path):
    folder = tmp_path / 'a run of 50% "more"'
    student = load_student("smol-135m").model_copy(update={"name": "my student"})
    lines = script_of(student, folder).splitlines()
    quoted = str(folder).replace('"', '\\"')
    assert f'#SBATCH --chdir="{quoted}"' in lines
    assert f'#SBATCH --output="{quoted}/log"'.replace("%", "%%") in lines
    assert '#SBATCH --job-name="stillhouse-my student"' in lines
    assert f"#SBATCH --chdir={tmp_path}" in script_of(student, tmp_path).splitlines()


def command_in(text):
    """What `bash -c` is given."""
    (line,) = [line for line in text.splitlines() if line.startswith("srun")]
    return shlex.split(line)[4]


STUDENTS = ["smol-135m", "qwen-7b", "llama-70b", "openthinker-7b"]


@pytest.mark.parametrize("name", STUDENTS)
def test_the_script_is_shell(tmp_path, name):
    folder = tmp_path / "a run's folder"
    text = script_of(load_student(name), folder)
    for shell in (text, command_in(text)):
        checked = subprocess.run(["bash", "-n"], input=shell, text=True, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("name", "nodes", "gpus"), [("qwen-7b", 1, 8), ("llama-70b", 4, 8)])
def test_it_asks_for_the_nodes_and_gpus_of_the_recipe(tmp_path, name, nodes, gpus):
    asked = script_of(load_student(name), tmp_path).splitlines()
    assert f"#SBATCH --nodes={nodes}" in asked
    assert f"#SBATCH --gpus-per-node={gpus}" in asked
    assert "#SBATCH --ntasks-per-node=1" in asked
    # A node of one's own has as much memory as is asked for, often a little for each core.
    assert {"#SBATCH --exclusive", "#SBATCH --mem=0"} <= set(asked)


def test_a_training_on_processors_asks_for_no_gpu(tmp_path):
    assert "gpus-per-node" not in script_of(load_student("smol-135m"), tmp_path)


def test_every_node_is_told_its_rank_and_the_first_nodes_address(tmp_path):
    command = command_in(script_of(load_student("llama-70b"), tmp_path))
    shown = subprocess.run(
        ["bash", "-c", command.replace("exec ", "printf '%s\\n' ", 1)],
        env={"MASTER_ADDR": "node-1", "MASTER_PORT": "29501", "SLURM_NODEID": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    words = shown.stdout.split("\n")
    for option, value in {
        "--machine_rank": "3",
        "--main_process_ip": "node-1",
        "--main_process_port": "29501",
        "--num_machines": "4",
        "--num_processes": "32",
    }.items():
        assert words[words.index(option) + 1] == value


def run_with(tmp_path, srun):
    """Run the script with commands of our own in the place of Slurm's; what they noted."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "x.sbatch").write_text(script_of(load_student("smol-135m"), folder))
    commands = {
        "srun": srun,
        "scontrol": 'case "$1" in show) echo node-1;; *) echo "$@" >> noted;; esac',
    }
    for name, body in commands.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
    process = subprocess.Popen(
        ["bash", str(folder / "x.sbatch")],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "7", "SLURM_NODEID": "0",
            "SLURM_JOB_NODELIST": "node-1", "SLURM_CPUS_ON_NODE": "2",
        },
        cwd=folder,
    )  # fmt: skip
    code = process.wait(60)
    noted = folder / "noted"
    return code, noted.read_text() if noted.exists() else ""


# The training: asks Slurm's signal of its parent, the script, and ends when the stop file is there.
STOPPED_IN_ORDER = """
kill -USR1 "$PPID"
until [ -e checkpoints.stop ]; do :; done
exit 3
"""


def test_before_the_time_limit_the_training_is_stopped_and_queued_again(tmp_path):
    code, noted = run_with(tmp_path, STOPPED_IN_ORDER)
    assert (code, noted) == (3, "requeue 7\n")
    assert not (tmp_path / "run" / "checkpoints.stop").exists()


def test_a_training_that_ends_well_is_not_queued_again(tmp_path):
    assert run_with(tmp_path, "exit 0") == (0, "")


def test_a_training_that_fails_by_itself_is_not_queued_again(tmp_path):
    assert run_with(tmp_path, "exit 2") == (2, "")


class State:
    """What a callback sees of the trainer."""

    def __init__(self, step):
        self.global_step, self.max_steps, self.is_world_process_zero = step, 10, True
        self.should_save = self.should_training_stop = False


def test_a_stop_file_ends_the_training_at_a_checkpoint(tmp_path):
    asked = StopWhenAsked(tmp_path / "stop")
    state = State(4)
    asked.on_step_end(None, state, state)
    assert not state.should_training_stop
    (tmp_path / "stop").touch()
    asked.on_step_end(None, state, state)
    assert state.should_save
    assert state.should_training_stop
    with pytest.raises(RunError, match="after step 4 of 10"):
        asked.on_train_end(None, state, state)
    assert not (tmp_path / "stop").exists()


def test_the_last_step_needs_no_stopping(tmp_path):
    (tmp_path / "stop").touch()
    asked, state = StopWhenAsked(tmp_path / "stop"), State(10)
    asked.on_step_end(None, state, state)
    asked.on_train_end(None, state, state)
    assert not state.should_training_stop


def test_the_stop_file_lies_beside_the_checkpoints(tmp_path):
    values = student_values()
    job = TrainJob(
        data=(tmp_path / "d",), student=StudentRecipe(**values), model_dir="b",
        output_dir=tmp_path / "model",
    )  # fmt: skip
    assert job.stop_file.parent == job.checkpoints.parent
