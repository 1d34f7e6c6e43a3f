"""One model's evaluation on one benchmark, a folder: what was asked, what came, what it scored.

evaluation.json       what decides the samples, and how they are scored
prompts.parquet       the items, with the messages that were sent
samples-*.parquet     every sample, as it came
verdicts-00000.parquet  a verdict each
scores.json           the scores

A run's `6-evals/student/math-500` and `stillhouse evaluate --out DIR`'s `DIR/math-500` are the
same. Of a protected benchmark the folder holds ids alone, no question, option or reference, and is
graded with its archive at hand; only the samples are as the model wrote them, and may quote.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from evals.benchmarks import EvalBenchmark, Item, LeftOut
from evals.codeforces_rating import rate, read_contests
from evals.run import EvalsRecipe, score
from evals.scores import HELD_OUT, Rating, Scores
from evals.votes import NO_VOTE
from filters.verdict import Verdict
from flows.benchmark_asks import Asked, asked_items
from flows.grading import grading
from flows.out_folder import MESSAGES
from flows.recipe import VerificationRecipe
from flows.run_folder import write_text
from flows.sample_folder import sample_files, sample_folder, ungraded
from flows.serving import Served
from flows.ungraded_display import UngradedDisplay
from prompts.errors import PrerequisiteError
from prompts.parquet import rows_of, schema_of, table_of, write_rows, write_tables
from prompts.record import Prompt
from prompts.sources.load import files_in
from teacher.ask import Ask
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

ABOUT, PROMPTS, SCORES = "evaluation.json", "prompts.parquet", "scores.json"
# Problems with tests of a megabyte each are written, and graded, so many at a time.
ITEMS_AT_ONCE = 50
SAMPLES_AT_ONCE = 2_000
# What evaluation.json says, as `begin` writes it.
_KEYS = (
    *("benchmark", "choice", "protected", "origin", "model", "template", "temperature", "top_p"),
    *("max_tokens", "seed", "k", "confidence", "standings", "items"),
)
_SCHEMA = (
    schema_of(Prompt)
    .append(pa.field("item_id", pa.string()))
    .append(pa.field("group", pa.string()))
    .append(pa.field("messages", MESSAGES))
)


@dataclass(frozen=True, slots=True)
class EvaluationFolder:
    """One folder; its files are read when they are asked for."""

    path: Path

    def about(self) -> dict[str, Any]:
        """What evaluation.json says; PrerequisiteError where the folder is no evaluation."""
        try:
            about = dict(json.loads((self.path / ABOUT).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise PrerequisiteError(
                f"{self.path} holds no evaluation (no {ABOUT}): give the folder that "
                "`stillhouse evaluate --out` wrote"
            ) from None
        except (ValueError, TypeError) as error:
            raise PrerequisiteError(f"{self.path / ABOUT} is damaged: {error}") from None
        _require(_KEYS, about, self.path / ABOUT)
        return about

    def begin(
        self,
        asked: Iterable[Asked],
        decides: Mapping[str, Any],
        k: int,
        confidence: float,
        standings: str = "",
        left_out: LeftOut | None = None,
    ) -> None:
        """Write the items, then what decides the samples, and how they are scored; items of the
        very same stay. `left_out` counts the rows that were no items, when all are read.
        PrerequisiteError where standings cannot be read, before any is sampled."""
        if standings:
            read_contests(Path(standings))
        if self.differences(decides) == [] and (self.path / PROMPTS).exists():
            before = self.about()
            kept = {"items": before["items"], "left_out": before.get("left_out", {})}
            kept["references"] = before.get("references", "")
        else:
            asked = list(asked) if decides["protected"] else asked
            tables = (_table(some, not decides["protected"]) for some in _in_lists(asked))
            items = write_tables(self.path / PROMPTS, _SCHEMA, tables)
            kept = {"items": items, "left_out": dict(left_out.reasons) if left_out else {}}
            kept["references"] = _references(asked) if decides["protected"] else ""
        scoring = {"k": k, "confidence": confidence, "standings": standings}
        facts = {**decides, **scoring, **kept}
        write_text(self.path / ABOUT, json.dumps(facts, indent=1) + "\n")

    def differences(self, decides: Mapping[str, Any]) -> list[str] | None:
        """What differs from what the folder was begun with; None for a new one."""
        if not (self.path / ABOUT).exists():
            return None
        before = self.about()
        return [
            f"{name}: {before.get(name)} there, {value} now"
            for name, value in json.loads(json.dumps(dict(decides))).items()
            if before.get(name) != value
        ]

    def empty(self) -> None:
        """Delete it with all that was sampled."""
        shutil.rmtree(self.path, ignore_errors=True)

    def asks(self) -> list[Ask]:
        """The items as they are put to a model, without references: nothing is graded meanwhile."""
        if self.about()["protected"]:
            return [
                Ask(_without_reference(asked.item.prompt), asked.messages, self.about()["template"])
                for asked in self._from_archive()
            ]
        names = [name for name in _SCHEMA.names if name not in ("reference", "tests")]
        table = pq.read_table(self.path / PROMPTS, columns=names, partitioning=None)
        messages, template = table["messages"].to_pylist(), self.about()["template"]
        blank = {"reference": [""] * table.num_rows, "tests": [[]] * table.num_rows}
        for name, values in blank.items():
            field = schema_of(Prompt).field(name)
            table = table.append_column(field, pa.array(values, field.type))
        prompts = rows_of(table.select(schema_of(Prompt).names), Prompt)
        return [Ask(p, sent, template) for p, sent in zip(prompts, messages, strict=True)]

    def items(self) -> list[Item]:
        """The items with their references; of a protected benchmark from its archive."""
        if self.about()["protected"]:
            return [asked.item for asked in self._from_archive()]
        table = pq.read_table(self.path / PROMPTS, partitioning=None)
        _require(_SCHEMA.names, table.schema.names, self.path / PROMPTS)
        prompts = rows_of(table.select(schema_of(Prompt).names), Prompt)
        names = zip(table["item_id"].to_pylist(), table["group"].to_pylist(), strict=True)
        return [Item(p, *name) for p, name in zip(prompts, names, strict=True)]

    def is_sampled(self, k: int) -> bool:
        """Whether every item has its first k samples, none of them a failed request."""
        files = sample_files(self.path)
        if not files:
            return False
        came = pl.scan_parquet(files).filter(
            pl.col("error").is_null() & (pl.col("sample_index") < k)
        )
        return int(came.select(pl.len()).collect().item()) == k * int(self.about()["items"])

    def sample(self, served: Served, sampling: SamplingRecipe, name: str) -> None:
        """Ask for what is missing. Raises RunError as `sample_folder` does."""
        sample_folder(self.asks(), served, sampling, self.path, ungraded, UngradedDisplay(name))

    def grade(self, verification: VerificationRecipe, name: str) -> Scores:
        """Grade what is stored and score it: verdicts and scores are kept beside the samples.

        Samples are read a few thousand at a time, and what their scores need of them is kept.
        """
        about, items = self.about(), self.items()
        prompts = [item.prompt for item in items]
        votes = {p.prompt_id for p in prompts if p.reference_kind not in NO_VOTE}
        slim: list[Sample] = []
        verdicts: list[Verdict] = []
        with grading(prompts, verification, name, self._count()) as grade:
            for samples in self._batches({p.prompt_id for p in prompts}):
                verdicts += grade(samples)
                slim += [_slim(sample, sample.prompt_id in votes) for sample in samples]
        self.write_verdicts(self.path, verdicts)
        groups = {item.prompt.prompt_id: item.group or item.prompt.domain for item in items}
        found = score(
            *(prompts, slim, verdicts, about["k"], about["confidence"], about["seed"]),
            about["benchmark"],
            lambda prompt: groups[prompt.prompt_id],
        )
        found = found.model_copy(update={"left_out": about.get("left_out", {})})
        if about["standings"]:
            found = found.model_copy(update={"rating": _rating(about, items, slim, verdicts)})
        write_text(self.path / SCORES, json.dumps(found.to_dict(), indent=1) + "\n")
        return found

    def write_verdicts(self, place: Path, verdicts: Sequence[Verdict]) -> None:
        """Write verdicts into a folder; of a protected benchmark without their details, which
        quote what was compared."""
        if self.about()["protected"]:
            verdicts = [replace(verdict, detail="") for verdict in verdicts]
        write_rows(place / "verdicts-00000.parquet", verdicts, Verdict)

    def _count(self) -> int:
        return sum(pq.read_metadata(file).num_rows for file in sample_files(self.path))

    def _batches(self, asked: set[str]) -> Iterator[list[Sample]]:
        """All samples of what is asked, some thousand at a time."""
        for file in sample_files(self.path):
            with pq.ParquetFile(file) as opened:
                _require(schema_of(Sample).names, opened.schema_arrow.names, file)
                for batch in opened.iter_batches(SAMPLES_AT_ONCE):
                    rows = rows_of(batch, Sample)
                    yield [sample for sample in rows if sample.prompt_id in asked]

    def _from_archive(self) -> list[Asked]:
        """What was asked; PrerequisiteError where it is not in the archive that is there now."""
        about = self.about()
        choice = EvalBenchmark.model_validate(about["choice"])
        column = pq.read_table(self.path / PROMPTS, columns=["prompt_id"], partitioning=None)
        ids = set(column["prompt_id"].to_pylist())
        there = asked_items(choice, about["template"], LeftOut())
        found = [asked for asked in there if asked.item.prompt.prompt_id in ids]
        if len(found) < len(ids):
            raise PrerequisiteError(
                f"{self.path}: {len(ids) - len(found)} of {len(ids)} questions that were asked are "
                f"not in {choice.where}: put the archive there that they came from"
            )
        if about.get("references") and about["references"] != _references(found):
            raise PrerequisiteError(
                f"{self.path}: options or references are not those in {choice.where} now, so that "
                "letters mean others: put the archive there that they came from"
            )
        return found


def begin_settings(
    choice: EvalBenchmark | None, model: str, template: str, sampling: SamplingRecipe
) -> dict[str, Any]:
    """What decides the samples of a benchmark (None: the held-out prompts), k aside: of more there
    may be asked later, and of fewer scored."""
    names = ("temperature", "top_p", "max_tokens", "seed", "think_prefilled")
    return {
        "benchmark": choice.label if choice else HELD_OUT,
        "choice": choice.model_dump(mode="json", exclude={"k", "standings"}) if choice else None,
        "protected": choice is not None and choice.is_protected,
        "origin": _digest(Path(choice.where)) if choice and choice.where else "",
        "model": model,
        "template": template,
        **{name: getattr(sampling, name) for name in names},
    }


def fixed_sampling(sampling: SamplingRecipe, evals: EvalsRecipe, k: int) -> SamplingRecipe:
    """The engine's settings for k samples a prompt, whatever their verdicts."""
    return sampling.model_copy(
        update={
            **dict.fromkeys(("keep", "n_min", "n_max"), k),
            "temperature": evals.temperature,
            "top_p": evals.top_p,
            "max_tokens": evals.max_tokens,
            "in_flight": evals.in_flight,
            "seed": evals.seed,
            **dict.fromkeys(("give_up_after", "max_tokens_per_prompt", "max_tokens_per_run")),
        }
    )


def _rating(
    about: Mapping[str, Any],
    items: Sequence[Item],
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
) -> Rating:
    """The Codeforces rating of the graded samples that are scored: the first k of each prompt."""
    problems = {item.prompt.prompt_id: item.item_id for item in items}
    contests = read_contests(Path(about["standings"]))
    bounds = {"confidence": about["confidence"], "seed": about["seed"]}
    first = [sample for sample in samples if sample.sample_index < about["k"]]
    return rate(problems, first, verdicts, contests, **bounds)


def _require(names: Iterable[str], there: Collection[str], file: Path) -> None:
    """PrerequisiteError where a file lacks what this version writes: another one wrote it."""
    if missing := [name for name in names if name not in there]:
        raise PrerequisiteError(
            f"{file} was written by another version of stillhouse (it has no {missing[0]}): use "
            f"that version, or delete {file.parent} to sample anew"
        )


def _references(asked: Iterable[Asked]) -> str:
    """Sixteen hex digits over options and references, in whatever order the items come."""
    prompts = (one.item.prompt for one in asked)
    each = sorted(repr((one.prompt_id, one.choices, one.reference)) for one in prompts)
    return hashlib.blake2b("\n".join(each).encode(), digest_size=8).hexdigest()


def _digest(path: Path) -> str:
    """Sixteen hex digits over a file's bytes, or over those of a folder's files that are read; of
    what is neither, nothing."""
    digests = [_file_digest(file) for file in files_in(path)] if path.exists() else [""]
    if len(digests) == 1:
        return digests[0]
    return hashlib.blake2b("".join(digests).encode(), digest_size=8).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def _in_lists(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    rest = iter(asked)
    while some := list(islice(rest, ITEMS_AT_ONCE)):
        yield some


def _table(asked: Sequence[Asked], keeps_text: bool) -> pa.Table:
    prompts = [one.item.prompt if keeps_text else _blank(one.item.prompt) for one in asked]
    messages = [one.messages if keeps_text else [] for one in asked]
    return (
        table_of(prompts, Prompt)
        .append_column("item_id", pa.array([one.item.item_id for one in asked], pa.string()))
        .append_column("group", pa.array([one.item.group for one in asked], pa.string()))
        .append_column("messages", pa.array(messages, MESSAGES))
    )


def _blank(prompt: Prompt) -> Prompt:
    return replace(prompt, question="", reference="", choices=(), aliases=(), starter_code="")


def _without_reference(prompt: Prompt) -> Prompt:
    return replace(prompt, reference="", tests=(), aliases=())


def _slim(sample: Sample, votes: bool) -> Sample:
    """What scores need of a sample: its answer where it votes, no other text."""
    answer = sample.answer if votes and sample.finish_reason != "length" else ""
    return replace(sample, completion="", reasoning="", answer=answer)
