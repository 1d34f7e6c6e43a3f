"""The command `stillhouse generate`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.options import DryRun, JsonLines, MetricsPort, Run, Runs, Sets
from flows.progress import report_to
from flows.runs import RUNS
from flows.stage_command import stage_of_run
from prompts.errors import PrerequisiteError


def generate(
    run: Run = None,
    prompts: Annotated[
        Path | None, typer.Option(help="file of prompts, .jsonl or .parquet, instead of a run")
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option(help="OpenAI-compatible endpoint (repeatable)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the samples")] = None,
    model: Annotated[
        str | None, typer.Option(help="model to ask for; may be left out where only one is served")
    ] = None,
    set_: Sets = None,
    key_env: Annotated[
        str | None, typer.Option(help="environment variable that holds the endpoints' key")
    ] = None,
    dry_run: DryRun = False,
    as_json: JsonLines = False,
    metrics_port: MetricsPort = None,
    runs: Runs = RUNS,
) -> None:
    """Sample the teacher for a run's prompts, or any endpoints for a file's; resumes both.

    stillhouse generate                            the newest run

    stillhouse generate --prompts FILE.jsonl --url http://HOST:8000 --out DIR

    A row of FILE holds `prompt` (text, sent as it stands) or `messages` (role and content), and if
    you like prompt_id, domain, reference, reference_kind, tests, choices. With a reference each
    answer is graded as it comes, by its last \\boxed{} (so ask for that); without one a completion
    counts as accepted when it ended by itself (finish_reason stop), and sampling.keep is the
    number of completions you get: --set sampling.keep=4. Keeps and rejects are both in
    DIR/samples-*.parquet, what each was graded in DIR/graded-*.parquet. Typed again, it goes on
    where it stopped.
    """
    alone = {"--url": url, "--out": out, "--model": model, "--set": set_, "--key-env": key_env}
    _run_or_file(run, prompts, {**alone, "--dry-run": dry_run})
    if prompts is None:
        report_to(as_json, metrics_port)
        stage_of_run("generate", run, runs, again=False)
        return
    if not url or out is None:
        raise PrerequisiteError("--prompts needs --url http://HOST:8000 and --out DIR")
    from flows.generate_file import Request, generate_file
    from teacher.client import each_once

    report_to(as_json, metrics_port)
    generate_file(Request(prompts, each_once(url), out, model, key_env, tuple(set_ or ())), dry_run)


def _run_or_file(run: Path | None, prompts: Path | None, alone: dict[str, Any]) -> None:
    """PrerequisiteError where a run and a file of prompts are mixed: each has its own settings."""
    if prompts is not None and run is not None:
        raise PrerequisiteError(f"give a run ({run}) or --prompts {prompts}, not both")
    given = [name for name, value in alone.items() if value]
    if prompts is None and given:
        raise PrerequisiteError(
            f"{', '.join(given)}: only with --prompts FILE; a run has its recipe "
            "(`stillhouse distill --set …` makes another)"
        )
