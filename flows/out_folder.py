"""The folder of `generate --prompts`: what was asked, and whether the same is asked again.

DIR/manifest.json        what decides the data, and the counts at the end
DIR/prompts.parquet      the prompts, with the messages that were sent
DIR/samples-*.parquet    every sample, accepted or not
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_cards.funnel import FunnelRow
from flows.recipe import VerificationRecipe, deciding_values
from flows.run_folder import funnel_dict, read_manifest, write_text
from prompts.errors import PrerequisiteError
from prompts.parquet import table_of, write_table
from prompts.record import Prompt
from teacher.ask import Ask
from teacher.lock import Lock
from teacher.settings import SamplingRecipe

MANIFEST, PROMPTS = "manifest.json", "prompts.parquet"
LOCK = ".lock"
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SHOWN_IDS = 3
# These say when to stop asking: what there is stays good when they change, and is not paid again.
STOP_KEYS = {
    f"sampling.{name}"
    for name in ("keep", "n_min", "n_max", "give_up_after", "max_tokens_per_prompt")
} | {"sampling.max_tokens_per_run"}


@dataclass(frozen=True, slots=True)
class OutFolder:
    """Manifest and prompts of one folder."""

    path: Path

    def manifest(self) -> dict[str, Any]:
        """The manifest as it is on disk; PrerequisiteError where it is none of this command's."""
        manifest = read_manifest(self.path)
        if "decides" not in manifest:
            raise PrerequisiteError(
                f"--out {self.path} is no folder of this command's (a run?): give another"
            )
        return manifest

    def model(self) -> str | None:
        """The model it was sampled from; None in a new folder."""
        return self.manifest()["decides"]["model"] if (self.path / MANIFEST).exists() else None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against a second process; a new one is made, and goes if it stays empty.

        Raises PrerequisiteError while another process has it, or where it cannot be made.
        """
        if self.path.exists() and not self.path.is_dir():
            raise PrerequisiteError(f"--out {self.path} is a file: give a folder")
        is_new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = Lock(self.path / LOCK, self.path)
        except OSError as error:
            raise PrerequisiteError(
                f"cannot write to --out {self.path} ({error.strerror}): give another folder"
            ) from None
        try:
            with lock:
                yield
        finally:
            if is_new:
                with contextlib.suppress(OSError):  # it is not empty: something was sampled
                    self.path.rmdir()

    def begin(
        self, asks: Sequence[Ask], decides: Mapping[str, Any], file: Path, urls: Sequence[str]
    ) -> None:
        """Note what is asked, before the first request. Call it with the folder held."""
        asked = {"file": str(file), "rows": len(asks), "digest": _digest(asks)}
        self._write({"prompts": asked, "decides": dict(decides), "urls": list(urls)}, "running")
        if not (self.path / PROMPTS).exists():
            write_table(self.path / PROMPTS, _prompts_table(asks))

    def finish(self, funnel: Sequence[FunnelRow], facts: Mapping[str, Any]) -> None:
        """Note that all is sampled, with the counts."""
        rows = [funnel_dict(row) for row in funnel]
        self._write({**self.manifest(), "funnel": rows, "facts": dict(facts)}, "done")

    @contextlib.contextmanager
    def stopped_unless_finished(self) -> Iterator[None]:
        """Note that work was left by an error or a Ctrl-C."""
        try:
            yield
        finally:
            if (manifest := self.manifest())["status"] == "running":
                self._write(manifest, "stopped")

    def _write(self, facts: Mapping[str, Any], status: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({**facts, "status": status, "at": at}, indent=2)
        write_text(self.path / MANIFEST, text + "\n")


@dataclass(frozen=True, slots=True)
class Before:
    """What a folder holds already: whether all of it was sampled, and what stops it else now."""

    done: bool
    changes: tuple[str, ...]


def started_before(
    out: OutFolder, asks: Sequence[Ask], decides: Mapping[str, Any], file: Path
) -> Before | None:
    """What the folder holds of the very same; None for an empty or new one.

    Raises PrerequisiteError that says what differs when it was made from other prompts or settings:
    samples of both in one folder could not be told apart. What only says when to stop may differ.
    """
    if not (out.path / MANIFEST).exists():
        _check_free(out.path)
        return None
    manifest = out.manifest()
    lines = _differences(_with_defaults(manifest["decides"]), decides)
    differences = [line for key, line in lines.items() if key not in STOP_KEYS]
    if manifest["prompts"]["digest"] != _digest(asks):
        differences.append(_prompts_difference(out, asks, file))
    if differences:
        raise PrerequisiteError(
            f"{out.path} was made with other settings or prompts; set them back to go on, or give "
            "another --out:\n  " + "\n  ".join(differences)
        )
    return Before(manifest["status"] == "done", tuple(lines.values()))


def _check_free(path: Path) -> None:
    """PrerequisiteError unless it is a new or empty folder."""
    if path.exists() and not path.is_dir():
        raise PrerequisiteError(f"--out {path} is a file: give a folder")
    if path.is_dir() and any(not found.name.startswith(".") for found in path.iterdir()):
        raise PrerequisiteError(
            f"--out {path} holds files that are not this command's: give an empty folder"
        )


def _with_defaults(decides: Mapping[str, Any]) -> dict[str, Any]:
    """What an older version decided by: keys it did not know yet had what is now their default."""
    sections = {"sampling": SamplingRecipe(), "verification": VerificationRecipe()}
    return {
        **decides,
        **{n: {**deciding_values(n, made), **decides[n]} for n, made in sections.items()},
    }


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], at: str = "") -> dict[str, str]:
    """What differs, by key: `sampling.n_max: 4 there, 8 now`."""
    lines: dict[str, str] = {}
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines |= _differences(old, new, f"{at}{key}.")
        elif old != new:
            lines[f"{at}{key}"] = f"{at}{key}: {_shown(old)} there, {_shown(new)} now"
    return lines


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _prompts_difference(out: OutFolder, asks: Sequence[Ask], file: Path) -> str:
    """`prompts of mine.jsonl: 2 are new (a, b), 1 is not there any more (c)`."""
    try:
        rows = pq.read_table(out.path / PROMPTS, partitioning=None).to_pylist()
    except (OSError, pa.ArrowException):
        return f"prompts of {file}: not those that were sampled"
    before, now = {row["prompt_id"]: _row_digest(row) for row in rows}, _digests(asks)
    groups = {
        "new": [name for name in now if name not in before],
        "changed": [name for name in now if name in before and now[name] != before[name]],
        "gone": [name for name in before if name not in now],
    }
    said = [
        f"{len(names):,} {what} ({', '.join(names[:SHOWN_IDS])}{', …' * (len(names) > SHOWN_IDS)})"
        for what, names in groups.items()
        if names
    ]
    return f"prompts of {file}: {', '.join(said)}"


def _prompts_table(asks: Sequence[Ask]) -> pa.Table:
    """Prompts as records, and beside each what was sent for it."""
    table = table_of([ask.prompt for ask in asks], Prompt)
    return table.append_column("messages", pa.array([ask.messages for ask in asks], MESSAGES))


def _digest(asks: Sequence[Ask]) -> str:
    """Sixteen hex digits over all prompts, in whatever order."""
    text = "\n".join(sorted(_digests(asks).values()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _digests(asks: Sequence[Ask]) -> dict[str, str]:
    """A digest of each prompt by its id."""
    names = [field.name for field in fields(Prompt)]
    return {
        ask.prompt.prompt_id: _row_digest(
            {name: getattr(ask.prompt, name) for name in names} | {"messages": ask.messages}
        )
        for ask in asks
    }


def _row_digest(row: Mapping[str, Any]) -> str:
    """The file's name is no part of a prompt."""
    text = json.dumps({**row, "source": ""}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
