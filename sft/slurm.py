"""A batch script for Slurm that trains a student, over several nodes and several time limits."""

import re
import shlex
from pathlib import Path

from sft.job import TrainJob
from sft.launch_command import GPUS_PER_NODE, launch_command, nodes_of
from sft.student import StudentRecipe

TIME_LIMIT = "24:00:00"
# Before the limit a checkpoint must be written, and the job put back into the queue.
NOTICE_S = 600
# Known to the shell of the node that runs the words they stand in.
ADDRESS, RANK = "$MASTER_ADDR:$MASTER_PORT", "$SLURM_NODEID"

SCRIPT = """\
#!/bin/bash
# Trains {name} for the job {job}.
# Submit it with `sbatch {script}`; options there go before those here, for instance:
#   sbatch --partition=gpu --account=me --time=8:00:00 {script}
# {notice} s before the time limit the training saves a checkpoint, and the job goes back into the
# queue to continue from it; after a node's failure it continues from the last checkpoint.
#SBATCH --job-name={title}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node=1
{gpus}#SBATCH --exclusive
#SBATCH --mem=0
#SBATCH --time={time}
#SBATCH --signal=B:USR1@{notice}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --chdir={folder}
#SBATCH --output={log}
set -u

export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export OMP_NUM_THREADS=${{OMP_NUM_THREADS:-{threads}}}
stop={stop}
rm -f "$stop"

requeue=
# No command runs in the trap: bash may forget how a training ended that ends meanwhile.
trap 'requeue=yes; : > "$stop"' USR1

srun --kill-on-bad-exit=1 bash -c {command} &
training=$!
wait "$training"
# A signal ends `wait`, not the training; what that ended with is remembered.
while kill -0 "$training" 2>/dev/null; do wait "$training"; done
wait "$training"; code=$?

rm -f "$stop"
if [ "$code" -ne 0 ] && [ -n "$requeue" ]; then
    echo "stillhouse: out of time; the job goes back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
"""


def slurm_script(job: TrainJob, job_file: Path, script: Path, log: Path, python: str) -> str:
    """The script's text: every node runs the launch command with its rank and the first's address.

    Paths must be the same on all nodes, as `python` with this project installed must.
    """
    student = job.student
    words = launch_command(student, job_file, ADDRESS, RANK, python)
    gpus = f"#SBATCH --gpus-per-node={_gpus_per_node(student)}\n" if student.gpus else ""
    return SCRIPT.format(
        name=student.name,
        job=job_file,
        script=shlex.quote(str(script)),
        notice=NOTICE_S,
        nodes=nodes_of(student),
        gpus=gpus,
        time=TIME_LIMIT,
        title=_quoted_for_sbatch(f"stillhouse-{student.name}"),
        folder=_quoted_for_sbatch(str(script.parent)),
        log=_quoted_for_sbatch(str(log).replace("%", "%%")),
        threads="1" if student.gpus else f"$((SLURM_CPUS_ON_NODE / {student.processes}))",
        stop=shlex.quote(str(job.stop_file)),
        command=shlex.quote("exec " + " ".join(_quoted(word) for word in words)),
    )


def _gpus_per_node(student: StudentRecipe) -> int:
    return min(student.gpus, GPUS_PER_NODE)


def _quoted_for_sbatch(value: str) -> str:
    """A value of an #SBATCH line, which sbatch takes apart by itself: blanks, quotes, comments."""
    plain = re.fullmatch(r"[\w./%+-]+", value)
    return value if plain else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _quoted(word: str) -> str:
    """A word of the command; what holds a variable stays open to the node's shell."""
    variables = any(name in word for name in (*ADDRESS.split(":"), RANK))
    return f'"{word}"' if variables else shlex.quote(word)
