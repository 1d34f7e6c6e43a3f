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
    node_rank: int = 0,
    python: str = sys.executable,
) -> tuple[str, ...]:
    """The command that trains `job`: plain Python for one process, else accelerate.

    On several nodes the same command is run on each with its `node_rank` and the address of the
    first as `main_address`, HOST:PORT; PrerequisiteError without one.
    """
    training = ("-m", "sft.train", str(job))
    if student.launch == "single":
        return (python, *training)
    processes = max(1, student.gpus)
    nodes = -(-processes // GPUS_PER_NODE)
    return (
        python,
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        str(CONFIGS / f"{student.launch}.yaml"),
        "--num_processes",
        str(processes),
        "--num_machines",
        str(nodes),
        *_parallel(student),
        *_rendezvous(nodes, main_address, node_rank),
        *training,
    )


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


def _rendezvous(nodes: int, main_address: str | None, node_rank: int) -> Sequence[str]:
    """How several nodes find each other."""
    if nodes == 1:
        return ()
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
