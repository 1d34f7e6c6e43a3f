"""What a run came to: funnel, scores, places. For people, and as JSON for machines."""

import json
from pathlib import Path
from typing import Any

from data_cards.funnel import FunnelRow
from flows.lost import lost_line
from flows.progress import clock, say
from flows.recipe import Recipe
from flows.run_folder import STAGES, RunFolder, all_runs, read_manifest, run_path
from prompts.errors import PrerequisiteError


def show_run(run: Path, as_json: bool) -> None:
    """Print one run."""
    say(json.dumps(run_facts(run), indent=2) if as_json else summary_text(run))


def say_finished(recipe: Recipe, runs: Path) -> bool:
    """Say of a run whose stages are all finished that they are; whether that was so."""
    run = RunFolder(run_path(recipe, runs), recipe)
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
    """The manifest, and where things are."""
    manifest = _manifest_of_run(run)
    return {**manifest, "folder": str(run), "places": _places(run)}


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
            lines.append(f"{name:9} {entry['status']}")
    lines += _score_lines(stages.get("evaluate", {}))
    lines += ["", *(f"{what:9} {place}" for what, place in _places(run).items())]
    total_s = sum(entry.get("duration_s", 0) for entry in stages.values())
    lines.append(f"time      {clock(total_s)} in all stages")
    return "\n".join(lines)


def _manifest_of_run(run: Path) -> dict[str, Any]:
    """The run's manifest; raises PrerequisiteError for a folder of `generate --prompts`."""
    manifest = read_manifest(run)
    if "stages" not in manifest:
        raise PrerequisiteError(
            f"{run} is a folder of `stillhouse generate --prompts`, no run: type that command "
            "again for its counts, or read manifest.json, samples-*.parquet and graded-*.parquet"
        )
    return manifest


def _score_lines(evaluation: dict[str, Any]) -> list[str]:
    """The score table: a line per domain and subject, then the paired differences."""
    scores = evaluation.get("scores", {})
    if not scores or evaluation["status"] != "done":
        return []
    first = next(iter(scores.values()))
    lines = ["", f"pass@1 in %, mean of k={first[0]['k']} samples, with 95 % interval; cons@k"]
    lines.append(f"{'':10}" + "".join(f"{f'{who}':>24}" for who in scores))
    for index, row in enumerate(first):
        cells = "".join(f"{_cell(rows[index]):>24}" for rows in scores.values())
        lines.append(f"{row['domain']:10}{cells}   n={row['prompts']}")
    for pair, rows in evaluation.get("differences", {}).items():
        if not rows:
            continue
        change = rows[-1]["change"]
        lines.append(
            f"{pair}: {100 * change['value']:+.1f} points overall, paired 95 % interval "
            f"{100 * change['low']:+.1f} to {100 * change['high']:+.1f}"
        )
    return lines


def _cell(row: dict[str, Any]) -> str:
    one, vote = row["pass_at_1"], row["cons_at_k"]
    if one is None:
        return "-"
    text = f"{100 * one['value']:.1f} [{100 * one['low']:.1f}, {100 * one['high']:.1f}]"
    return f"{text} {100 * vote['value']:.0f}" if vote else f"{text}  -"


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
    return f"{len(done)} of {len(STAGES)} stages finished, next: {following}"


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
