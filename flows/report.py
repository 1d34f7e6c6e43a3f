"""The run's report.html, from what the run folder holds."""

from collections.abc import Iterator
from typing import Any

from data_cards.report import DifferenceRow, ScoreRow, write_report
from data_cards.shards import read_traces
from flows.run_folder import RunFolder


def write_run_report(run: RunFolder) -> None:
    """Write report.html: funnel, scores with intervals, and traces to look through."""
    evaluation = run.manifest()["stages"].get("evaluate", {})
    write_report(
        run.report,
        title=run.name,
        funnel=run.funnel(),
        traces=read_traces(run.folder("publish")),
        scores=list(_score_rows(evaluation.get("scores", {}))),
        differences=list(_difference_rows(evaluation.get("differences", {}))),
        facts={
            "teacher": f"{run.recipe.teacher.served_name} ({run.recipe.teacher.template})",
            "student": run.recipe.student.name,
        },
    )


def _score_rows(scores: dict[str, Any]) -> Iterator[ScoreRow]:
    for who, rows in scores.items():
        for row in rows:
            if row["pass_at_1"] is None:
                continue
            vote = row["cons_at_k"]
            yield ScoreRow(
                who=who,
                domain=row["domain"],
                prompts=row["prompts"],
                samples_per_prompt=row["k"],
                pass_at_1=row["pass_at_1"]["value"],
                low=row["pass_at_1"]["low"],
                high=row["pass_at_1"]["high"],
                cons_at_k=vote["value"] if vote else None,
            )


def _difference_rows(differences: dict[str, Any]) -> Iterator[DifferenceRow]:
    for pair, rows in differences.items():
        first, second = pair.split(" - ")
        for row in rows:
            if row["domain"] == "overall":
                change = row["change"]
                yield DifferenceRow(first, second, change["value"], change["low"], change["high"])
