"""The teacher's part of a plan: how it is served, whether it can be, and what its tokens cost."""

from collections.abc import Iterator
from typing import Any

from flows.cost import price_of
from flows.panel import dollars
from flows.recipe import TeacherRecipe
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from sft.bases import BASES
from teacher.teachers import TEACHERS
from teacher.topology import (
    DOLLARS_PER_GPU_HOUR,
    Topology,
    cpu_topology,
    plan_topology,
    sampling_cost,
)


def teacher_topology(teacher: TeacherRecipe) -> Topology:
    """How the teacher is served; PrerequisiteError where it cannot be as the recipe is."""
    if problems := list(teacher_problems(teacher)):
        raise PrerequisiteError("\n".join(problems))
    model, cluster = TEACHERS[teacher.model], teacher.cluster
    on_cores = model.float32_tokens_per_s is not None
    if cluster is None and (on_cores or teacher.urls or teacher.folder):
        return cpu_topology(model, teacher.serve.max_model_len)
    return plan_topology(
        cluster.gpus if cluster else 0,
        cluster.gpu_memory_gib if cluster else 0.0,
        cluster.gpus_per_node if cluster else 1,
        model,
        max_model_len=teacher.serve.max_model_len,
        max_num_seqs=teacher.serve.max_num_seqs,
    )


def teacher_problems(teacher: TeacherRecipe) -> Iterator[str]:
    """What the recipe asks of a teacher for cores that it does not do, each with the fix."""
    model = TEACHERS[teacher.model]
    if model.float32_tokens_per_s is not None and teacher.cluster is not None:
        yield (
            f"teacher.cluster: {model.name} is served on this machine's cores, and its speed is "
            "known there alone: --set teacher.cluster=null"
        )
    positions = BASES[model.name].positions if model.name in BASES else None
    asked = teacher.serve.max_model_len
    if positions and asked > positions and not (teacher.urls or teacher.folder):
        yield (
            f"teacher.serve.max_model_len is {asked:,}, {model.name} has {positions:,} positions: "
            f"--set teacher.serve.max_model_len={positions}, and lower sampling.max_tokens to "
            "leave room for the question"
        )


def teacher_facts(teacher: TeacherRecipe, topology: Topology) -> dict[str, Any]:
    """Who serves it and how, as values and as the lines people read."""
    fit: list[str] = []
    commands: list[str] = []
    model = teacher.model
    if teacher.urls:
        layout = f"the endpoints {', '.join(teacher.urls)}"
    elif teacher.folder is not None:
        model, layout = teacher.served_name, f"one vLLM replica here of {teacher.folder}"
    elif not topology.gpus:
        layout = "one vLLM replica on this machine's cores"
    else:
        kv = topology.kv_tokens_per_replica
        layout = (
            f"{counted(topology.replicas, 'replica')} of TP{topology.tensor_parallel} × "
            f"PP{topology.pipeline_parallel} on {topology.gpus} GPUs in "
            f"{counted(topology.nodes, 'node')}"
        )
        fit = [
            f"weights {topology.weights_gib_per_gpu:.1f} GiB of {topology.gpu_memory_gib:g} GiB a "
            f"GPU; KV cache {kv.low / 1e6:.2f} to {kv.high / 1e6:.2f} M tokens a replica",
        ]
        commands = [" ".join(words) for words in topology.commands()]
    loads = not teacher.urls
    return {"model": model, "layout": layout, "loads": loads, "fit": fit, "commands": commands}


def cost_facts(teacher: TeacherRecipe, topology: Topology, tokens: int) -> dict[str, Any]:
    """Tokens a second that are assumed, and the time and money that so many tokens take."""
    cost = sampling_cost(tokens, topology)
    price = price_of(teacher)
    each = price.per_million_tokens if price else None
    return {
        "tokens_per_s": list(topology.tokens_per_s),
        "rate_from": _rate_from(topology),
        "gpu_hours": list(cost.gpu_hours),
        "wall_s": list(cost.wall_s),
        "dollars": list(cost.dollars) if each is None else [tokens * each / 1e6] * 3,
        "dollars_per_million_tokens": each,
    }


def bill(sampling: dict[str, Any]) -> list[str]:
    """The line of dollars with the price they are of; none where nothing is paid for."""
    spent, hours = sampling["dollars"], sampling["gpu_hours"]
    if (each := sampling["dollars_per_million_tokens"]) is not None:
        return [f"{dollars(spent[1])} at ${each:g} a million completion tokens"]
    if not hours[1]:
        return []
    low, expected, high = DOLLARS_PER_GPU_HOUR
    return [
        f"GPU-hours {hours[1]:,.0f} ({hours[0]:,.0f} to {hours[2]:,.0f}), "
        f"${spent[1]:,.0f} (${spent[0]:,.0f} to ${spent[2]:,.0f}) at ${expected:g} a "
        f"GPU-hour (${low:g} to ${high:g}); the first shard shows the true rate"
    ]


def _rate_from(topology: Topology) -> str:
    """Where the teacher's tokens a second are from."""
    slower = topology.model.float32_tokens_per_s
    if slower is None:
        return "from public reports"
    how = "without" if topology.tokens_per_s == slower else "with"
    return f"measured on two cores {how} bfloat16"
