"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[str | None, typer.Option(help="student to train, for instance qwen-7b")]
Name = Annotated[str | None, typer.Option("--recipe", help="recipe by name, or a .yaml file")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="override a key: --set sampling.temperature=0.8 (repeatable)"),
]
Urls = Annotated[
    list[str] | None,
    typer.Option("--teacher-url", help="OpenAI-compatible endpoint to use (repeatable)"),
]
Runs = Annotated[Path, typer.Option(help="folder that holds the runs")]
Run = Annotated[Path | None, typer.Argument(help="folder of a run; the newest one if left out")]
Again = Annotated[
    bool, typer.Option("--again", help="do the stage again; stored samples are not sampled again")
]
Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="print the plan, do nothing")]
JsonLines = Annotated[
    bool, typer.Option("--json", help="progress as one JSON object a line, nothing else on stdout")
]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=1, max=65_535, help="tell Prometheus of the sampling at 127.0.0.1:PORT"),
]
