"""Rounds: the student of one answers the prompts of the next, and what verifies trains another.

Every student starts from the base again, as in STaR (arXiv 2203.14465) and ReST-EM (2312.06585):
from the traces of its own round alone, or with `rounds.traces: all` from those of all rounds, as
in rejection sampling fine-tuning (2308.01825). A round is a run of its own.
"""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from data_cards.paired_change import PairedChange
from evals.scores import OVERALL
from flows.chat_template import opens_thinking, student_template
from flows.compare import compare_paths, has_scores, write_comparison
from flows.former_student import take_over_student
from flows.preflight import require
from flows.progress import clock, say
from flows.recipe import Recipe, RoundsRecipe, pinned
from flows.run_folder import RunFolder, existing_run
from flows.runs import RUNS
from flows.serving import model_folder
from flows.shared_stages import begin_sharing
from flows.variants import carry_out
from prompts.counted import counted
from prompts.errors import PrerequisiteError

Settings = TypeVar("Settings", bound=BaseModel)


def distill_rounds(recipe: Recipe, rounds: int, runs: Path = RUNS) -> list[Path]:
    """Carry out so many rounds, one run each; typed again it goes on; returns their folders.

    A round that is no better than the one before is said to be so, and does not end the rest.
    """
    from flows.stage import resolve

    first = resolve(first_round(recipe))
    say(f"round 1   of {rounds}")
    done = [carry_out(first, runs)]
    for number in range(2, rounds + 1):
        say(f"round {number}   of {rounds}; the student of {done[-1].name} is the teacher")
        done.append(carry_out(_begin_round(first, done[-1], number, runs), runs))
        _say_change(done[-2], done[-1], number)
    measured = [run for run in done if has_scores(run)]
    if len(measured) > 1:
        write_comparison(compare_paths(measured, f"{rounds} rounds of {first.name}"), done[-1])
        say(f"rounds    compared in {done[-1] / 'comparison.html'}")
    return done


def first_round(recipe: Recipe) -> Recipe:
    """The recipe, if it is that of a first round: PrerequisiteError for a later one's."""
    if recipe.rounds is not None and recipe.rounds.former:
        raise PrerequisiteError(
            f"{recipe.name} is the recipe of a later round: give the first round's recipe"
        )
    return recipe


def next_round(first: Recipe, former: RunFolder, number: int) -> Recipe:
    """The recipe of round `number`: that of round 1 with the former round's student as teacher.

    It is asked and read as it was trained, without examples, and served from its folder.
    """
    pupil, opens = former.recipe.student, opens_thinking(student_template(former))
    teacher = first.teacher.model_copy(
        update={
            "folder": model_folder(former).resolve(),
            "served_name": pupil.published_name,
            "template": first.dataset.template,
            "serve": first.evals.serve or first.teacher.serve,
            "urls": (),
            **dict.fromkeys(("key_env", "cluster", "dollars_per_million_tokens")),
        }
    )
    earlier = former.recipe.rounds.former if former.recipe.rounds else ()
    traces = first.rounds.traces if first.rounds else "new"
    rounds = RoundsRecipe(traces=traces, former=(*earlier, former.name))
    ending = f"-round-{number}" + ("-all" if traces == "all" else "")
    changed = {
        "name": first.name[:45] + ending,
        "teacher": teacher,
        "sampling": first.sampling.model_copy(update={"think_prefilled": opens}),
        "dataset": _renamed(first.dataset, ending, "repo_id"),
        "student": _renamed(first.student, ending, "repo_id", "published_name"),
        "rounds": rounds,
    }
    return pinned(first.model_copy(update=changed))


def further_rounds(recipe: Recipe, plan: dict[str, Any], rounds: int) -> dict[str, Any]:
    """What the rounds after the first (`plan`) do and take, as plain values and as text."""
    first_round(recipe)
    prompts: int = plan["prompts"]
    most = prompts * recipe.sampling.n_max
    numbers = f"rounds 2 to {rounds}" if rounds > 2 else "round 2"
    text = (
        f"{numbers}: the student of the round before, served by vLLM from its folder,\n"
        f"            answers the same {counted(prompts, 'prompt')} without examples, at most "
        f"{counted(most, 'sample')} a round;\n"
        "            what verifies trains the next student, from the base again;\n"
        f"            {_again(recipe, plan)}"
    )
    return {"rounds": rounds - 1, "samples_at_most_in_each": most, "text": text}


def _again(recipe: Recipe, plan: dict[str, Any]) -> str:
    """What each round takes; how fast it samples is known where its base is the teacher."""
    sampling, training_s = plan["sampling"], plan["student"]["wall_s"][1]
    alike = recipe.student.base == recipe.teacher.model
    sampled = f" ({clock(sampling['wall_s'][1])})" if alike else ""
    grows = recipe.rounds is not None and recipe.rounds.traces == "all"
    more = ", and as much training more for each round before it" if grows else ""
    return (
        f"each takes about {sampling['expected_tokens']:,} tokens again{sampled}, "
        f"{clock(training_s)} of training and {plan['disk_gb']:,} GB of disk{more}"
    )


def _begin_round(first: Recipe, former: Path, number: int, runs: Path) -> Recipe:
    """The next round's recipe, its run made and linked to the former one's."""
    before = existing_run(former)
    recipe = next_round(first, before, number)
    require(recipe, runs)
    run = begin_sharing(recipe, runs)
    take_over_student(run, before)
    with run.locked():
        run.note(round=number, former=before.name)
    return recipe


def _renamed(section: Settings, ending: str, *names: str) -> Settings:
    """The settings with an ending to those names that are set: a round overwrites no other's."""
    given = {name: getattr(section, name) for name in names}
    return section.model_copy(update={n: v + ending for n, v in given.items() if v is not None})


def _say_change(former: Path, run: Path, number: int) -> None:
    """Whether the round's student is better than the former's, by the paired interval."""
    if not (has_scores(former) and has_scores(run)):
        say(f"round {number}   not measured: nothing says whether it is better than the one before")
        return
    rows = [row for row in compare_paths([former, run]).changes if row.domain == OVERALL]
    for row in rows:
        say(f"round {number}   {change_line(row)}")


def change_line(row: PairedChange) -> str:
    """`held-out: +1.2 points over the round before, 95 % interval …: no difference shown`."""
    return (
        f"{row.benchmark}: {100 * row.change:+.1f} points over the round before, paired interval "
        f"{100 * row.low:+.1f} to {100 * row.high:+.1f}, n={row.prompts:,}: {row.verdict}"
    )
