"""What a run came to: funnel, scores, places. For people, and as JSON for machines."""

import json
import shlex
from pathlib import Path
from typing import Any

from data_cards.funnel import FunnelRow
from data_cards.score_table import score_text
from flows.handed_over import handed_over, handed_over_line
from flows.lost import lost_line
from flows.progress import clock, say
from flows.recipe import Recipe, recipe_of_run
from flows.run_folder import (
    STAGES,
    RunFolder,
    all_runs,
    is_worked_on,
    published_again,
    read_manifest,
    run_path,
)
from flows.runs import RUNS
from flows.score_rows import run_score_table
from prompts.counted import counted
from prompts.errors import PrerequisiteError


def show_run(run: Path, as_json: bool) -> None:
    """Print one run."""
    say(json.dumps(run_facts(run), indent=2) if as_json else summary_text(run))


def say_finished(recipe: Recipe, runs: Path) -> bool:
    """Say of a run whose stages are all finished that they are; whether that was so.

    Never of one that is pushed: its push may be left to do.
    """
    run = RunFolder(run_path(recipe, runs), recipe)
    if recipe.dataset.repo_id or recipe.student.repo_id:
        return False
    if not (run.path / "manifest.json").exists() or not all(map(run.is_done, STAGES)):
        return False
    for name in STAGES:
        say(already(run, name))
    say(summary_text(run.path))
    return True


def already(run: RunFolder, stage: str) -> str:
    """The line for a stage that needs no work."""
    return f"{stage:9} finished already  ({run.path / STAGES[stage]})"


def runs_overview(runs: Path, as_json: bool) -> None:
    """Print all runs, a line each."""
    rows = [_overview(run) for run in all_runs(runs)]
    if as_json:
        say(json.dumps(rows, indent=2))
    elif not rows:
        say(f"no runs in {runs}/ yet; `make distill` makes one")
    for row in () if as_json else rows:
        say(f"{row['run']:40} {row['created_at']}  {row['state']}")


def run_facts(run: Path) -> dict[str, Any]:
    """The manifest with its stages as they are now, what goes on with it, and where things are."""
    manifest = _manifest_of_run(run)
    stages = manifest["stages"]
    facts = {"worked_on": is_worked_on(run), "go_on": go_on(run, stages)}
    handed = {"handed_over": handed_over(run, stages)}
    return {**manifest, **facts, **handed, "folder": str(run), "places": _places(run)}


def go_on(run: Path, stages: dict[str, Any]) -> str | None:
    """The command that goes on with an unfinished run; None where it is finished."""
    if all(stages.get(name, {}).get("status") == "done" for name in STAGES):
        return None
    runs = run.resolve().parent
    given = run.parent if run.name else runs  # `show .` in the run itself
    where = "" if runs == RUNS.resolve() else f" --runs {shlex.quote(str(given))}"
    return f"stillhouse distill --recipe {shlex.quote(str(run / 'recipe.yaml'))}{where}"


def summary_text(run: Path) -> str:
    """Funnel, scores with intervals and paired differences, and where things are."""
    manifest = _manifest_of_run(run)
    stages = manifest["stages"]
    lines = [f"run       {run}   {_state(stages)}", ""]
    for name in STAGES:
        entry = stages.get(name, {})
        for row in entry.get("funnel", ()) if entry.get("status") == "done" else ():
            lines.append(
                FunnelRow(row["stage"], row["n_in"], row["outcomes"], row["seconds"]).line()
            )
        if entry.get("status") == "done" and (lost := lost_line(entry)):
            lines.append(lost)
        if entry.get("status") not in (None, "done"):
            lines.append(f"{name:9} {_unfinished(entry)}{_kept(run, name, entry)}")
    lines += _score_lines(run, stages.get("evaluate", {}))
    lines += ["", *(f"{what:9} {place}" for what, place in _places(run).items())]
    if "former" in manifest:
        lines.append(
            f"round     {manifest['round']}; taught by the student of {manifest['former']}"
        )
    for name in published_again(run):
        lines.append(
            f"outdated  the dataset of {name} was published again since this student learnt from "
            f"it: `stillhouse train {run}`, then evaluate"
        )
    if names := taken_over(stages):
        lines.append(f"shared    {names}")
    lines += _what_is_next(run, stages)
    lines.append(
        f"time      {clock(own_seconds(stages))} in {'its own' if names else 'all'} stages"
    )
    return "\n".join(lines)


def _what_is_next(run: Path, stages: dict[str, Any]) -> list[str]:
    """Who has an unfinished run, as far as is known, and what goes on with it."""
    if (command := go_on(run, stages)) is None:
        return []
    if is_worked_on(run):
        return ["at work   a process has it now"]
    if (handed := handed_over(run, stages)) is None:
        return [f"go on     {command}"]
    when = "" if handed["student_is_there"] else "when the job has ended: "
    return [handed_over_line(handed), f"go on     {when}{command}"]


def taken_over(stages: dict[str, Any]) -> str:
    """`curate, generate from default-0123456789`; empty where the run did all itself."""
    names = [name for name in STAGES if "shared_from" in stages.get(name, {})]
    return f"{', '.join(names)} from {stages[names[0]]['shared_from']}" if names else ""


def own_seconds(stages: dict[str, Any]) -> float:
    """Time of the stages that were not taken over."""
    own = (entry for entry in stages.values() if "shared_from" not in entry)
    return float(sum(entry.get("duration_s", entry.get("spent_s", 0)) for entry in own))


def _unfinished(entry: dict[str, Any]) -> str:
    """How a stage stands that is not done."""
    status, since = entry["status"], entry.get("started_at")
    if status == "interrupted":
        return f"interrupted: begun {since}, and the process that did it is gone"
    return f"running since {since}" if status == "running" else str(status)


def _kept(run: Path, stage: str, entry: dict[str, Any]) -> str:
    """What a sampling that was stopped need not ask for again, as far as is known."""
    if (stage, entry["status"]) != ("generate", "stopped"):
        return ""
    from flows.sampled_totals import kept_samples  # the engine's libraries take 0.8 s

    kept = kept_samples(run / STAGES[stage])
    return f": {counted(kept, 'sample')} kept" if kept else ""


def _manifest_of_run(run: Path) -> dict[str, Any]:
    """The run's manifest, a stage whose process is gone `interrupted`.

    Raises PrerequisiteError for a folder of `generate --prompts`.
    """
    manifest = read_manifest(run)
    if "stages" not in manifest:
        raise PrerequisiteError(
            f"{run} is a folder of `stillhouse generate --prompts`, no run: type that command "
            "again for its counts, or read manifest.json, samples-*.parquet and graded-*.parquet"
        )
    running = [one for one in manifest["stages"].values() if one["status"] == "running"]
    if running and not is_worked_on(run):
        # Read again: it may have finished since, and let go of the run.
        manifest = read_manifest(run)
        for entry in manifest["stages"].values():
            if entry["status"] == "running":
                entry["status"] = "interrupted"
    return manifest


def _score_lines(run: Path, evaluation: dict[str, Any]) -> list[str]:
    """The score table and the paired differences; nothing before they are there."""
    if evaluation.get("status") != "done":
        return []
    table = run_score_table(evaluation, recipe_of_run(run))
    return ["", *score_text(table)] if table.rows else []


def _overview(run: Path) -> dict[str, Any]:
    try:
        manifest = _manifest_of_run(run)
    except PrerequisiteError as error:
        return {"run": str(run), "created_at": "-", "state": str(error)}
    return {
        "run": str(run),
        "created_at": manifest["created_at"],
        "state": _state(manifest["stages"]),
    }


def _state(stages: dict[str, Any]) -> str:
    done = [name for name in STAGES if stages.get(name, {}).get("status") == "done"]
    if len(done) == len(STAGES):
        return "finished"
    following = next(name for name in STAGES if name not in done)
    status = stages.get(following, {}).get("status")
    how = f" ({status})" if status else ""
    return f"{len(done)} of {len(STAGES)} stages finished, next: {following}{how}"


def _places(run: Path) -> dict[str, str]:
    """What there is, and where."""
    places = {
        "dataset": run / STAGES["publish"],
        "student": run / STAGES["train"] / "model",
        "scores": run / STAGES["evaluate"],
        "report": run / "report.html",
        "recipe": run / "recipe.yaml",
    }
    return {what: str(place) for what, place in places.items() if place.exists()}
