"""The command line that starts a training, on one processor or on many GPUs."""

import sys
from collections.abc import Sequence
from pathlib import Path

from prompts.errors import PrerequisiteError
from sft.student import StudentRecipe

CONFIGS = Path(__file__).parent / "launch"
GPUS_PER_NODE = 8


def launch_command(
    student: StudentRecipe,
    job: Path,
    main_address: str | None = None,
    node_rank: int | str = 0,
    python: str = sys.executable,
) -> tuple[str, ...]:
    """The command that trains `job`: plain Python for one process, else accelerate.

    With `gpus: 0`, `processes` of them share this machine's cores and talk by gloo. On several
    nodes the same command is run on each with its `node_rank` (a number, or a shell variable that
    holds it) and the address of the first as `main_address`, HOST:PORT; PrerequisiteError
    without one.
    """
    training = ("-m", "sft.train", str(job))
    if student.launch == "single":
        return (python, *training)
    return (
        python,
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        str(CONFIGS / f"{student.launch}.yaml"),
        "--num_processes",
        str(student.ranks),
        "--num_machines",
        str(nodes_of(student)),
        "--mixed_precision",
        _precision(student),
        *_parallel(student),
        *_rendezvous(nodes_of(student), main_address, node_rank),
        *training,
    )


def nodes_of(student: StudentRecipe) -> int:
    """Machines of eight GPUs that the student's GPUs fill; a training on processors has one."""
    return max(1, -(-student.gpus // GPUS_PER_NODE))


def _precision(student: StudentRecipe) -> str:
    """Sharded weights are float32, gathered in bfloat16; otherwise weights are what is used."""
    sharded = student.launch in ("fsdp", "deepspeed")
    return "bf16" if sharded and student.arithmetic == "bfloat16" else "no"


def _parallel(student: StudentRecipe) -> Sequence[str]:
    """Sequences shared by several GPUs, with the weights sharded over all of them."""
    if student.sequence_parallel == 1:
        return ()
    shards = student.gpus // student.sequence_parallel
    return (
        # accelerate checks the first two before it reads the file that says the same.
        "--use_fsdp",
        "--fsdp_version",
        "2",
        "--use_parallelism_config",
        "--parallelism_config_cp_size",
        str(student.sequence_parallel),
        "--parallelism_config_dp_shard_size",
        str(shards),
    )


def _rendezvous(nodes: int, main_address: str | None, node_rank: int | str) -> Sequence[str]:
    """How several nodes find each other; one node takes a free port of its own."""
    if nodes == 1:
        return ("--main_process_port", "0")
    if main_address is None or ":" not in main_address:
        raise PrerequisiteError(
            f"training on {nodes} nodes needs the first node's address as HOST:PORT"
        )
    host, _, port = main_address.rpartition(":")
    return (
        "--machine_rank",
        str(node_rank),
        "--main_process_ip",
        host,
        "--main_process_port",
        port,
    )
