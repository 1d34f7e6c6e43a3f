"""The command `stillhouse evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.options import DryRun, MetricsPort, Run, Runs
from flows.progress import report_to
from flows.runs import RUNS
from flows.stage_command import stage_of_run
from prompts.errors import PrerequisiteError

Model = Annotated[
    str | None, typer.Option(help="folder or Hub id to serve; with --url, the name it has there")
]
Url = Annotated[list[str] | None, typer.Option(help="OpenAI-compatible endpoint (repeatable)")]
Bench = Annotated[
    list[str] | None, typer.Option(help="benchmark or file to measure on (repeatable)")
]
SamplesEach = Annotated[
    int | None,
    typer.Option("--k", min=1, max=1_000, help="samples per prompt; as published if left out"),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="only the first so many items of each benchmark")
]
Out = Annotated[Path | None, typer.Option(help="folder for samples and scores; evaluations/NAME")]
Budgets = Annotated[
    str | None, typer.Option(help="force thinking to end: tokens, as in 512,1024,2048")
]
Waits = Annotated[int, typer.Option(min=0, help='with --budgets: times that "Wait" makes it go on')]
Sets = Annotated[list[str] | None, typer.Option("--set", help="override a key (repeatable)")]
KeyEnv = Annotated[
    str | None, typer.Option(help="environment variable that holds the endpoints' key")
]
Again = Annotated[bool, typer.Option("--again", help="grade stored samples anew, ask for none")]
JsonLines = Annotated[
    bool, typer.Option("--json", help="progress and scores as one JSON object a line")
]

# What says that no run is meant.
_ALONE = (
    *("--model", "--url", "--bench", "--k", "--limit", "--budgets", "--waits", "--out", "--set"),
    *("--key-env", "--dry-run"),
)


def evaluate(
    run: Run = None,
    model: Model = None,
    url: Url = None,
    bench: Bench = None,
    k: SamplesEach = None,
    limit: Limit = None,
    out: Out = None,
    budgets: Budgets = None,
    waits: Waits = 0,
    set_: Sets = None,
    key_env: KeyEnv = None,
    again: Again = False,
    dry_run: DryRun = False,
    as_json: JsonLines = False,
    metrics_port: MetricsPort = None,
    runs: Runs = RUNS,
) -> None:
    """Score a run's student, before and after, or any model on any benchmark; resumes both.

    stillhouse evaluate                            the newest run

    stillhouse evaluate --model DIR --bench math-500 --bench aime-2024

    stillhouse evaluate --url http://HOST:8000 --bench mine.jsonl --k 4 --json

    stillhouse evaluate --out DIR --again          stored samples, graded by today's verifiers

    stillhouse evaluate --model DIR --bench math-500 --budgets 512,1024,2048 --waits 2

    Benchmarks: aime-2024, aime-2025, math-500, gpqa-diamond=dataset.zip, livecodebench (or
    livecodebench@2024-08..2025-01), codeforces; NAME=FILE reads a local copy. A FILE of your own
    holds question, reference_kind and reference (and domain, where the kind does not tell it, as
    short_answer does not), or rows as `stillhouse generate --prompts` takes them. T=0.6 and top-p
    0.95 unless --set evals.temperature says otherwise.
    """
    values = (model, url, bench, k, limit, budgets, waits, out, set_, key_env, dry_run)
    given = [name for name, value in zip(_ALONE, values, strict=True) if value]
    report_to(as_json, metrics_port)
    if not given:
        stage_of_run("evaluate", run, runs, again)
        return
    if run is not None:
        raise PrerequisiteError(f"give a run ({run}) or {given[0]}, not both")
    if again:
        _grade_again(out, tuple(set_ or ()), given)
        return
    from flows.evaluate_model import Request, evaluate_model

    asked = tuple(bench or ()), model, tuple(dict.fromkeys(url or ())), k, limit, out, key_env
    evaluate_model(Request(*asked, budgets or "", waits, tuple(set_ or ())), dry_run)


def _grade_again(out: Path | None, overrides: tuple[str, ...], given: list[str]) -> None:
    """Grade a folder's samples anew; PrerequisiteError where more was typed than that takes."""
    from flows.evaluate_model import grade_again

    if out is None or not set(given) <= {"--out", "--set"}:
        raise PrerequisiteError("--again takes a run, or --out DIR (and --set verification.…)")
    grade_again(out, overrides)
