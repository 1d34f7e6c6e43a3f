"""Benchmarks that models are measured on, by name, file or Hub id: their items as prompts.

    aime-2024, math-500=math500.jsonl          one of KNOWN, from the Hub or a local copy
    gpqa-diamond=dataset.zip                   GPQA from its protected archive alone
    livecodebench@2024-08..2025-01             problems of contests held in these months
    mine.jsonl, owner/name:config@split        any rows in the project's own columns; the domain may
                                               be left out where the reference_kind tells it
    {where: my.csv, columns: {question: problem, reference: answer}, reference_kind: math_answer,
     domain: math}                             or in others
    {name: codeforces, standings: FOLDER}      with a rating (evals/codeforces_rating.py)

Where a known benchmark lies on the Hub is what prompts/contamination/benchmarks.py says, so that
what is measured on is what training data are kept clean of. Columns are as their cards say; loading
from the Hub was not run where this was written.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from evals.sources.codeforces import COLUMNS as CODEFORCES_COLUMNS
from evals.sources.codeforces import read_codeforces
from evals.sources.contest_math import read_aime, read_math_500
from evals.sources.gpqa import RIGHT, WRONG, read_gpqa
from evals.sources.livecodebench import read_livecodebench
from evals.sources.own import BadRows, missing_columns, read_own
from evals.sources.reading import Reading
from prompts.contamination.benchmarks import BENCHMARKS
from prompts.contamination.protected_archive import rows_in_archive
from prompts.counted import counted
from prompts.errors import PrerequisiteError
from prompts.record import Domain, Prompt, ReferenceKind, prompt_id
from prompts.sources import codeforces
from prompts.sources.choice import SourceChoice
from prompts.sources.draft import RowError, check, check_message, prompt_of
from prompts.sources.hub import HubSet, hub_rows, hub_set
from prompts.sources.jsonl import RawRow
from prompts.sources.load import FILE_KINDS, rows_at, rows_in_file

# Scores lie in a folder of this name; file systems take 255 bytes, and `-budgets-waits-16` follows.
_LABEL = re.compile(r"(?!\.)[^\x00-\x1f\x7f]{1,150}")
_MOST_LABEL_BYTES = 200
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WINDOW = re.compile(r"(\d{4}-\d\d(?:-\d\d)?)\.\.(\d{4}-\d\d(?:-\d\d)?)")


@dataclass(frozen=True, slots=True)
class Known:
    """A known benchmark: how its rows are read, and how many samples its published scores take.

    `k` as in the R1 paper (arXiv 2501.12948). `named` is its name among the benchmarks of
    contamination, which says where it lies; `revision` the Hub's commit, as public evaluations pin
    it ("main" where none could be confirmed), `config` the set's where it is another than the one
    that is compared with; `dated`, that its items have a date.
    """

    read: Callable[[Mapping[str, Any]], Reading]
    k: int
    domain: Domain
    license: str
    columns: tuple[str, ...]
    named: str
    revision: str = "main"
    config: str = ""
    dated: bool = False

    @property
    def archive(self) -> str:
        """The file in a protected archive that it is read from; "" for a set on the Hub."""
        return BENCHMARKS[self.named].archive

    @property
    def place(self) -> HubSet:
        """Its set on the Hub."""
        found = hub_set(BENCHMARKS[self.named].sets[0])
        assert found is not None, f"{self.named} lies on the Hub"
        return replace(found, revision=self.revision, config=self.config or found.config)


_AIME = ("id", "problem", "answer")
_LIVE = (
    *("question_content", "question_id", "contest_date", "starter_code", "difficulty", "metadata"),
    *("public_test_cases", "private_test_cases"),
)

KNOWN: dict[str, Known] = {
    "aime-2024": Known(
        *(read_aime, 64, "math", "unknown", _AIME, "aime-2024"),
        revision="2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
    ),
    "aime-2025": Known(
        *(read_aime, 64, "math", "unknown", _AIME, "aime-2025"),
        revision="6f71d77b0b89b9dabe07ab466c51df33f514df7f",
    ),
    "math-500": Known(
        *(read_math_500, 16, "math", "MIT"),
        ("problem", "answer", "level", "unique_id"),
        "math-500",
        revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
    ),
    "gpqa-diamond": Known(
        *(read_gpqa, 64, "science", "CC-BY-4.0"),
        ("Question", RIGHT, *WRONG, "Record ID"),
        "gpqa-diamond",
    ),
    "livecodebench": Known(
        *(read_livecodebench, 8, "code", "CC", _LIVE, "livecodebench"), dated=True
    ),
    "codeforces": Known(
        *(read_codeforces, 16, "code", codeforces.SOURCE.license, CODEFORCES_COLUMNS),
        "codeforces-test",
        revision=codeforces.SOURCE.revision,
        config=codeforces.SOURCE.config,
    ),
}


class EvalBenchmark(BaseModel):
    """One benchmark of a recipe or a command: a known name, a local copy, or rows of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", description="a known benchmark; with `where`, what scores are to call it")
    where: str = Field("", description="a local file or folder, or a Hub id: owner/name:config")
    since: str = Field("", description="first day or month of contests, where items have a date")
    until: str = Field("", description="last day or month, all of it")
    k: int | None = Field(None, ge=1, le=1_000, description="samples per prompt")
    limit: int | None = Field(None, ge=1, description="its first so many items alone, for a try")
    columns: Mapping[str, str] = Field({}, description="wanted column to its name in the rows")
    reference_kind: ReferenceKind | None = Field(None, description="of rows that name none")
    domain: Domain | None = Field(None, description="of rows that name none")
    standings: str = Field("", description="folder of contests' standings, for a Codeforces rating")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """`math-500`, `NAME=PATH`, `livecodebench@2024-08..2025-01`, a path, a Hub id, or a mapping
        as it stands in a recipe."""
        if isinstance(value, str) and value.startswith("{"):
            try:
                value = yaml.safe_load(value)
            except yaml.YAMLError as error:
                why = str(error).splitlines()[0]
                raise ValueError(f"{value!r} is no mapping: {why}") from None
        if not isinstance(value, str):
            return value
        name, equals, where = value.partition("=")
        if "/" in name:  # a path, whatever it holds
            return {"where": value}
        if not equals and ("/" in value or value.endswith((*FILE_KINDS, ".zip"))):
            return {"where": value}
        if equals and not where:
            raise ValueError(f"{value!r} names no file behind `=`; write {name}={name}.jsonl")
        name, at, window = name.partition("@")
        found = _WINDOW.fullmatch(window)
        if at and not found:
            raise ValueError(f"{window!r} is no window of dates; write {name}@2024-08..2025-01")
        dates = {"since": found[1], "until": found[2]} if found else {}
        return {"name": name, "where": where, **dates}

    @field_validator("since", "until", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """YAML reads 2024-08-01 as a date."""
        return value.isoformat() if isinstance(value, date) else value

    @model_validator(mode="after")
    def _makes_sense(self) -> "EvalBenchmark":
        if not self.name and not self.where:
            raise ValueError("give a benchmark a name, or `where` it is to be read from")
        known = KNOWN.get(self.name)
        if known is None and not self.where:
            near = get_close_matches(self.name, KNOWN, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"no benchmark {self.name!r}.{hint} Known: {', '.join(KNOWN)}. For one of your own "
                f"give its file ({', '.join(FILE_KINDS)}) or Hub id (owner/name:config@split)"
            )
        if (self.since or self.until) and (known is None or not known.dated):
            raise ValueError(f"{self.name or self.where}: its items have no dates, so no window")
        size = len(self.label.encode("utf-8", "surrogateescape"))
        if not _LABEL.fullmatch(self.label) or size > _MOST_LABEL_BYTES:
            raise ValueError(f"{self.label!r} can name no folder: give another `name`")
        if self.standings and self.name != "codeforces":
            raise ValueError(f"{self.name or self.where}: standings are Codeforces' alone")
        if known is not None and (self.columns or self.reference_kind or self.domain):
            raise ValueError(f"{self.name} has its own columns; those are for rows of one's own")
        if known is None:
            try:
                self.own()
            except ValidationError as error:
                why = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ValueError(why) from None
        return self

    @model_validator(mode="after")
    def _window_can_hold_a_day(self) -> "EvalBenchmark":
        for name, day in (("since", self.since), ("until", self.until)):
            if day and not _is_day_or_month(day):
                raise ValueError(f"{name}: {day!r} is no day or month; write 2024-08-31 or 2024-08")
        if self.until and self.since[: len(self.until)] > self.until:
            raise ValueError(f"the window {self.since}..{self.until} ends before it starts")
        return self

    @property
    def label(self) -> str:
        """What its scores and its folder are called."""
        window = f"@{self.since}..{self.until}" if self.since or self.until else ""
        return f"{self.name or Path(self.where).name}{window}".replace("/", "-")

    def own(self) -> SourceChoice:
        """How rows of one's own are read."""
        return SourceChoice(
            path=Path(self.where),
            columns=self.columns,
            reference_kind=self.reference_kind,
            domain=self.domain,
        )

    @property
    def is_protected(self) -> bool:
        """Whether none of its text may be written anywhere."""
        known = KNOWN.get(self.name)
        return known is not None and known.archive != ""

    def samples(self, default: int) -> int:
        """Samples per prompt: as given, else as published, else the default."""
        known = KNOWN.get(self.name)
        return self.k or (known.k if known else default)


def _is_day_or_month(text: str) -> bool:
    try:
        date.fromisoformat(text if _DAY.fullmatch(text) else f"{text}-01")
    except ValueError:
        return False
    return len(text) in (len("2024-08"), len("2024-08-31"))


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark as a prompt; `item_id` and `group` are the benchmark's own."""

    prompt: Prompt
    item_id: str = ""
    group: str = ""


@dataclass(slots=True)
class LeftOut:
    """Rows that were not made into items, by reason, as they are met."""

    reasons: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = (f"{count:,} {reason}" for reason, count in self.reasons.most_common())
        return f"{counted(self.reasons.total(), 'row')} left out: {', '.join(counts)}"


def benchmark_problem(choice: EvalBenchmark) -> str:
    """What is wrong with a choice, as far as it shows without reading anything; else ""."""
    if (choice.is_protected or "gpqa" in Path(choice.where).name.lower()) and not (
        choice.is_protected and choice.where.endswith(".zip")
    ):
        return (
            f"benchmark {choice.label!r} is read from its protected archive alone: download "
            "dataset.zip from github.com/idavidrein/gpqa, leave it packed, and give "
            "gpqa-diamond=PATH/dataset.zip"
        )
    if choice.where and not Path(choice.where).exists() and not is_on_hub(choice):
        return f"benchmark {choice.label!r}: there is no {choice.where}"
    if (
        Path(choice.where).is_file()
        and not choice.is_protected
        and not choice.where.endswith(FILE_KINDS)
    ):
        kinds = ", ".join(FILE_KINDS)
        return f"benchmark {choice.label!r}: {choice.where} holds no rows; it takes {kinds}"
    if choice.standings and not Path(choice.standings).is_dir():
        return f"benchmark {choice.label!r}: there is no folder of standings {choice.standings}"
    if choice.name not in KNOWN and Path(choice.where).exists():
        missing = missing_columns(choice.own())
        return f"benchmark {choice.label!r}: {missing}" if missing else ""
    return ""


def is_on_hub(choice: EvalBenchmark) -> bool:
    """Whether reading a benchmark takes the Hub."""
    if not choice.where:
        return not choice.is_protected
    is_file = Path(choice.where).exists() or choice.where.endswith((*FILE_KINDS, ".zip"))
    return not is_file and hub_set(choice.where) is not None


def benchmark_items(choice: EvalBenchmark, left_out: LeftOut) -> Iterator[Item]:
    """The items of a benchmark in its order, each question once, read as it goes.

    Rows of a known benchmark that cannot be graded (a problem with several right answers and no
    checker) are counted in `left_out`; of a user's own, PrerequisiteError names them. So it does
    what cannot be read, an archive that is not there, and a benchmark without an item.
    """
    if problem := benchmark_problem(choice):
        raise PrerequisiteError(problem)
    items = _items(choice, left_out)
    if (first := next(items, None)) is None:
        why = str(left_out) if left_out.reasons else _no_rows(choice)
        raise PrerequisiteError(f"benchmark {choice.label!r}: nothing can be asked; {why}")
    yield first
    yield from items


def _no_rows(choice: EvalBenchmark) -> str:
    dates = f" from {choice.since} to {choice.until}" if choice.since or choice.until else ""
    return f"{choice.where or 'its set on the Hub'} has no rows{dates}"


def _items(choice: EvalBenchmark, left_out: LeftOut) -> Iterator[Item]:
    known, own, seen = KNOWN.get(choice.name), choice.own(), dict[str, Prompt]()
    bad = BadRows()
    for row in _rows(choice, known):
        try:
            reading = _reading(own, known, row)
            if not _is_within(reading.date, choice):
                continue
            item = _item(choice, known, reading)
        except RowError as error:
            if known is None:
                bad.add(f"row {row.line}: {error}")
            else:
                left_out.reasons[str(error)] += 1
            continue
        item = replace(item, prompt=_told_apart(item.prompt, seen))
        first = seen.setdefault(item.prompt.prompt_id, item.prompt)
        if first is not item.prompt:
            other = "" if first.reference == item.prompt.reference else ", with another reference"
            left_out.reasons[f"asked already{other}"] += 1
            continue
        if not bad.count:
            yield item
        if len(seen) == choice.limit:
            break
    if bad.count:
        raise PrerequisiteError(f"benchmark {choice.label!r}: {bad.told(choice.where)}")


def _told_apart(prompt: Prompt, seen: Mapping[str, Prompt]) -> Prompt:
    """The prompt, under an id with its options where the question was asked with others."""
    first = seen.get(prompt.prompt_id)
    if first is None or first.choices == prompt.choices:
        return prompt
    whole = "\n".join((prompt.question, *prompt.choices))
    return replace(prompt, prompt_id=prompt_id(prompt.domain, whole))


def _rows(choice: EvalBenchmark, known: Known | None) -> Iterator[RawRow]:
    if known is None:
        return rows_at(choice.where)
    if known.archive:
        return rows_in_archive(Path(choice.where), known.archive)
    if not choice.where:
        return hub_rows(known.place, also=known.columns)
    if is_on_hub(choice):
        return rows_at(choice.where, known.columns)
    return rows_in_file(Path(choice.where), also=known.columns)


def _reading(own: SourceChoice, known: Known | None, row: RawRow) -> Reading:
    if row.reason:
        raise RowError(row.reason)
    if known is not None:
        return known.read(row.values)
    return read_own(own, row)


def _is_within(day: str, choice: EvalBenchmark) -> bool:
    """Whether a day lies in the window: 2025-01-31 does in `..2025-01`; RowError without a day."""
    if not choice.since and not choice.until:
        return True
    if not _DAY.fullmatch(day):
        raise RowError("no date to lie in a window")
    return choice.since <= day and day[: len(choice.until)] <= choice.until


def _item(choice: EvalBenchmark, known: Known | None, reading: Reading) -> Item:
    draft = check(reading.draft)
    check_message(draft)
    domain = known.domain if known else draft.domain
    settled = replace(draft, domain=domain, split="test")
    prompt = prompt_of(settled, choice.label, known.license if known else "unknown", "en")
    return Item(prompt, reading.item_id, reading.group)
