"""Lines of a JSONL file, good and bad: a broken line is a reason, never the end of the file."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from prompts.errors import PrerequisiteError

# A longer line is a broken file; the largest row of a contest set has about 100 MB.
LONGEST_LINE_BYTES = 256 * 1024 * 1024

# Cut of what a rejected row shows of itself: a screen line or two.
SHOWN_CHARACTERS = 200

# Rows go to other processes, and what they hold to other libraries: none takes it much deeper.
MOST_NESTING = 100

# A lone surrogate can only come from an escape, and no file can be written with one.
_ESCAPE = "\\u"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that did not become a prompt: where it stands, why, and how it begins."""

    source: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as read: its 1-based line, and its values or the reason it has none."""

    line: int
    values: dict[str, Any]
    reason: str = ""
    text: str = ""


def read_lines(path: Path) -> Iterator[RawRow]:
    """Rows of a .jsonl or .jsonl.gz file in order; blank lines are skipped, not counted.

    A line that is not UTF-8, not JSON or no object comes back with a `reason` and empty
    `values`. Raises PrerequisiteError when the file cannot be opened or is cut short.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            for number, line in enumerate(_lines(cast(BinaryIO, file)), start=1):
                if len(line) > LONGEST_LINE_BYTES:
                    yield _bad(number, "line too long", line[:SHOWN_CHARACTERS].decode("latin-1"))
                elif line.strip():
                    yield parse_line(number, line)
    except (OSError, EOFError) as error:
        raise PrerequisiteError(f"cannot read prompts from {path}: {error}") from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of a file; of one longer than the longest, its beginning."""
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        yield line
        while len(line) > LONGEST_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE_BYTES + 1)


def parse_line(number: int, line: bytes) -> RawRow:
    """One line as a RawRow: `b'{"question": "What is 3 + 4?"}'` gives its values."""
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        return _bad(number, "not UTF-8", line.decode("utf-8", "replace"))
    try:
        values = _DECODER.decode(text)
    except RecursionError:
        return _bad(number, "nested too deeply", text)
    except ValueError:
        return _bad(number, "not JSON", text)
    if not isinstance(values, dict):
        return _bad(number, "not a JSON object", text)
    if text.count("[") + text.count("{") > MOST_NESTING and is_deep(values):
        return _bad(number, "nested too deeply", text)
    if _ESCAPE in text and has_surrogate(values):
        return _bad(number, "lone surrogate", text)
    return RawRow(number, values, text=text[:SHOWN_CHARACTERS])


def is_deep(value: Any) -> bool:
    """Whether lists and objects stand in each other more than MOST_NESTING deep."""
    level = [value]
    for _ in range(MOST_NESTING + 1):
        held = chain.from_iterable(v.values() if isinstance(v, dict) else v for v in level)
        level = [inner for inner in held if isinstance(inner, list | dict)]
    return bool(level)


def has_surrogate(value: Any) -> bool:
    """Whether any text in a JSON value, not `is_deep`, has half a character: no file holds one."""
    return _SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# One for all lines: making it costs as much as reading a short line.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _bad(number: int, reason: str, text: str) -> RawRow:
    return RawRow(number, {}, reason, text.strip()[:SHOWN_CHARACTERS])
