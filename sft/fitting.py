"""What would make a student fit that does not: changes to its recipe, each one planned for."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from sft.launch_command import GPUS_PER_NODE
from sft.memory_plan import GIB, memory_plan
from sft.student import StudentRecipe

SHORTEST_ROW = 1024
MOST_GPUS = 512
Changes = dict[str, Any]


def what_would_fit(
    student: StudentRecipe,
    available_bytes: int,
    longest_row: int | None,
    gpus_found: int | None = None,
) -> list[str]:
    """Changes that make the student fit, cheapest first, as words of a command.

    Of each kind (smaller passes, offloading, more GPUs, shared rows, shorter rows) the smallest
    that does; several together only where none does alone. Empty when nothing does. With
    `gpus_found`, fewer than the recipe asks for, no change takes more; where these few do alone,
    that is the only way. `longest_row` as in `memory_plan`: its plan of the changed recipe is the
    figure.
    """
    fewer = {} if gpus_found is None else _fewer_gpus(student, gpus_found)
    if fewer is None:
        return []

    def first_that_fits(kind: Iterable[Changes]) -> str | None:
        return _first_that_fits(
            student, [{**fewer, **changes} for changes in kind], available_bytes, longest_row
        )

    if fewer and (way := first_that_fits([{}])):
        return [way]
    alone, together = _kinds(student.model_copy(update=fewer), gpus_found or MOST_GPUS)
    ways = [first_that_fits(kind) for kind in alone]
    if not any(ways):
        ways = [first_that_fits(together)]
    return [way for way in ways if way]


def _fewer_gpus(student: StudentRecipe, most: int) -> Changes | None:
    """As many GPUs, up to `most`, as the recipe takes; None if it takes no such number."""
    numbers: list[Changes] = [{"gpus": count} for count in range(most, 0, -1)]
    return next((change for change in numbers if _is_recipe(student, change)), None)


def _first_that_fits(
    student: StudentRecipe, kind: Iterable[Changes], available_bytes: int, longest_row: int | None
) -> str | None:
    """The first of these changes that does, written out, and what it takes then."""
    for changes in kind:
        plan = memory_plan(student.model_copy(update=changes), available_bytes, longest_row)
        if changes and plan.fits and _is_recipe(student, changes):
            settings = " ".join(
                f"--set student.{key}={_text(value)}" for key, value in changes.items()
            )
            return f"{settings} ({plan.total_bytes / GIB:.1f} GiB)"
    return None


def _is_recipe(student: StudentRecipe, changes: Changes) -> bool:
    """Whether the recipe takes the changes: its batch may not divide by so many GPUs."""
    try:
        StudentRecipe.model_validate({**student.model_dump(), **changes})
    except ValidationError:
        return False
    return True


def _kinds(student: StudentRecipe, most_gpus: int) -> tuple[list[list[Changes]], list[Changes]]:
    """Kinds of change, each from the smallest on; and all of them together."""
    one: Changes = {"micro_batch_size": 1} if student.micro_batch_size > 1 else {}
    checkpointed: Changes = (
        {} if student.gradient_checkpointing else {"gradient_checkpointing": True}
    )
    cheaper = {**one, **checkpointed}
    lengths: list[Changes] = [{"max_length": length} for length in _halves(student.max_length)]
    shorter = [{**cheaper, **length} for length in lengths]
    if not student.gpus:
        return [[one, cheaper], shorter], []
    offloaded: Changes = {**cheaper, "activation_offloading": True}
    gpus = [{**cheaper, **more} for more in _more_gpus(student, most_gpus)]
    no_tries: Changes = {"eval_prompts": 0} if student.eval_prompts else {}  # sft/watching.py
    shared: list[Changes] = [
        {**no_tries, "launch": "fsdp", "packing": False, "sequence_parallel": share}
        for share in (2, 4, 8)
        if share > student.sequence_parallel
    ]
    rows_shared = [{**cheaper, **share} for share in shared]
    as_many: list[Changes] = [{}, *gpus]
    together = [{**offloaded, **more, **share} for share in shared for more in as_many]
    together += [{**offloaded, **more, **length} for length in lengths for more in as_many]
    return [[one, cheaper], [offloaded], gpus, rows_shared, shorter], together


def _more_gpus(student: StudentRecipe, most: int) -> list[Changes]:
    """Twice as many, three times and so on, whole nodes, with the weights sharded over them."""
    launch = student.launch if student.launch in ("fsdp", "deepspeed") else "fsdp"
    counts = range(2 * student.gpus, most + 1, student.gpus)
    whole = [count for count in counts if count < GPUS_PER_NODE or count % GPUS_PER_NODE == 0]
    return [{"launch": launch, "gpus": count} for count in whole]


def _halves(length: int) -> list[int]:
    """Half the row, and half again; rows beyond it are dropped."""
    lengths = []
    while length // 2 >= SHORTEST_ROW:
        length //= 2
        lengths.append(length)
    return lengths


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
