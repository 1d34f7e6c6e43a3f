"""Stored samples graded again: `make bench-evals`, or `python -m bench.evals --samples 100000`.

Samples are made from real ones where these lie beside the project (70 contest problems with 50
completions of a small model each), else from the project's own open set of pairs of answers, each
at the end of a long trace. Every copy is changed, so that no two texts are equal: a number is
appended to its trace, and every tenth one answers something else. What is timed is the whole
`stillhouse evaluate --again`: reading, grading, votes, intervals, writing.
"""

import argparse
import dataclasses
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.verify_rows import mixed_rows, multi_sample
from evals.benchmarks import Item
from filters import checking
from flows.benchmark_asks import Asked
from flows.evaluation_folder import EvaluationFolder, begin_settings
from prompts.parquet import schema_of, table_of, write_tables
from prompts.record import Prompt
from teacher.parse import split_completion
from teacher.sample import Sample, sample_id
from teacher.settings import SamplingRecipe

SAMPLES = 100_000
AT_ONCE = 1_000
OTHER_EVERY = 10
MADE_PROMPTS = 500


def main() -> None:
    """Make the samples, have them graded in a process of its own, print the pace."""
    parser = argparse.ArgumentParser(description="regrading of stored math samples")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    wanted = parser.parse_args().samples
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-evals-") as folder:
        out, texts = Path(folder), _texts()
        k = max(1, wanted // len(texts))
        characters = _write(EvaluationFolder(out / "made"), texts, k)
        began_s = time.perf_counter()
        command = [sys.executable, "-m", "flows.cli", "evaluate", "--out", str(out), "--again"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        seconds = time.perf_counter() - began_s
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    console.print(done.stdout)
    samples = k * len(texts)
    console.print(
        f"{samples:,} samples of {len(texts):,} prompts, {characters / samples:,.0f} characters "
        f"each: {seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of CPU time), "
        f"{samples / seconds:,.0f} a second, peak {used.ru_maxrss / 1_000:,.0f} MB"
    )


def _texts() -> list[tuple[Prompt, list[str]]]:
    """Prompts with completions that answer them, real or made."""
    real = [
        (
            _named(checking.prompt_of(row["gold"], "math", row["question"]), row["prompt_id"]),
            [completion["text"] for completion in row["completions"]],
        )
        for row in multi_sample()
    ]
    if real:
        return real
    return [
        (
            _named(checking.prompt_of(row.reference, "math", "How much?"), f"made-{number}"),
            [f"<think>\n{'So it goes on. ' * 200}\n</think>\n\n{row.short_completion}"],
        )
        for number, row in enumerate(mixed_rows(MADE_PROMPTS, seed=0))
    ]


def _named(prompt: Prompt, name: str) -> Prompt:
    return dataclasses.replace(prompt, prompt_id=name)


def _write(folder: EvaluationFolder, texts: list[tuple[Prompt, list[str]]], k: int) -> int:
    """Fill a folder as an evaluation of k samples a prompt leaves it; returns the characters."""
    items = (Asked(Item(prompt, group="math"), []) for prompt, _ in texts)
    decides = begin_settings(None, "made", "r1", SamplingRecipe(keep=1))
    folder.begin(items, {**decides, "benchmark": "made"}, k, 0.95)
    characters = 0

    def tables() -> Iterator[object]:
        nonlocal characters
        some: list[Sample] = []
        for prompt, completions in texts:
            for index in range(k):
                some.append(_sample(prompt, completions[index % len(completions)], index))
                characters += len(some[-1].completion)
                if len(some) == AT_ONCE:
                    yield table_of(some, Sample)
                    some.clear()
        yield table_of(some, Sample)

    write_tables(folder.path / "samples-00000.parquet", schema_of(Sample), tables())
    return characters


def _sample(prompt: Prompt, text: str, index: int) -> Sample:
    if index % OTHER_EVERY == 0:
        text += f"\n\nNo, it is \\boxed{{{index} + \\frac{{1}}{{{index + 3}}}}}."
    text = f"<think>Attempt {index}.</think>{text}" if "<think>" not in text else f"{text} "
    parts, now = split_completion(text), datetime.now(UTC)
    blank = Sample(
        sample_id(prompt.prompt_id, index), prompt.prompt_id, index, "made", "", "r1", 0.6, 0.95,
        32_768, None, text, parts.reasoning, parts.answer, "stop", 100, len(text) // 4, 0,
        len(text) // 4, "made", now, now, 1,
    )  # fmt: skip
    return dataclasses.replace(blank, completion=f"{text}{index:>8}")


if __name__ == "__main__":
    main()
