"""The run's report.html and its score table as Markdown, from what the run folder holds."""

from data_cards.report import write_report
from data_cards.score_table import score_markdown
from data_cards.shards import read_traces
from flows.run_folder import RunFolder, write_text
from flows.score_rows import run_score_table
from flows.training_history import LOSSES, read_losses


def write_run_report(run: RunFolder) -> None:
    """Write report.html: funnel, scores with intervals, and traces to look through.

    Where scores are, 6-evals/scores.md has their table, to be put into a README.
    """
    table = run_score_table(run.manifest()["stages"].get("evaluate", {}), run.recipe)
    if table.rows:
        write_text(run.folder("evaluate") / "scores.md", score_markdown(table))
    write_report(
        run.report,
        title=run.name,
        funnel=run.funnel(),
        traces=read_traces(run.folder("publish")),
        scores=table,
        facts={
            "teacher": f"{run.recipe.teacher.served_name} ({run.recipe.teacher.template})",
            "student": run.recipe.student.name,
        },
        losses=read_losses(run.folder("train") / LOSSES),
    )
