"""Rows checked in a process of their own: the quick layers are pure Python and hold its lock.

The process is made to be lost. A row it hangs on ends it by SIGALRM, left at its default so that
it ends even inside a C call; when the parent's end of the socket closes it ends by itself.
"""

import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from filters.checking import grade, prompt_of
from filters.grader import Grader, worker_environment
from filters.verdict import Outcome, Reason
from prompts.errors import PrerequisiteError

# Above the Grader's own limits, of which a row may meet several: SymPy's start on a busy machine
# (120 s), one comparison (10 s), a program's tests in the sandbox.
ROW_LIMIT_S = 200
REQUIRED = ("reference", "completion")
COLUMNS = ("outcome", "reason", "detail")
USED = (*REQUIRED, "domain", "question", "prompt", "choices", "aliases")

# A line of JSONL as it stands in the file, or the columns of one row of Parquet.
Row = bytes | Mapping[str, Any]


class Checked(NamedTuple):
    """The three columns a row is given; `problem` instead where the row cannot be checked.

    `checked_before` says that the row has such columns already.
    """

    outcome: str = ""
    reason: str = ""
    detail: str = ""
    problem: str = ""
    checked_before: bool = False


class CheckerLostError(Exception):
    """The process ended before its answer came."""


class RowChecker:
    """One process that checks rows, and our end of its socket. One thread at a time."""

    def __init__(self, domain: str) -> None:
        ours, its = socket.socketpair()
        with ours, its:
            self._process = subprocess.Popen(
                # -P: a folder called filters where the user stands is not ours
                [sys.executable, "-P", "-c", _COMMAND, str(its.fileno()), domain],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=worker_environment(),
            )
            self._connection = Connection(ours.detach())

    def check(self, rows: Sequence[Row]) -> list[Checked]:
        """Each row's columns, in order; CheckerLostError when the process ended meanwhile."""
        try:
            self._connection.send(rows)
            found: list[Checked] = self._connection.recv()
        except (EOFError, OSError) as error:
            self.kill()
            raise CheckerLostError(f"it ended with code {self._process.returncode}") from error
        return found

    def kill(self) -> None:
        """End the process, also in the middle of a row."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._connection.close()


_COMMAND = "from flows.row_checker import main; main()"


def main() -> None:
    """`python -c "from flows.row_checker import main; main()" SOCKET DOMAIN`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    with Connection(int(sys.argv[1])) as connection, Grader(workers=1) as grader:
        while True:
            try:
                rows = connection.recv()
            except (EOFError, OSError):
                return
            connection.send([_check_in_time(row, sys.argv[2], grader) for row in rows])


def _check_in_time(row: Row, domain: str, grader: Grader) -> Checked:
    signal.alarm(ROW_LIMIT_S)
    checked = check_row(row, domain, grader)
    signal.alarm(0)
    return checked


def check_row(row: Row, domain: str, grader: Grader) -> Checked:
    """One row's verdict, or what is wrong with the row; `domain` is for a row that names none."""
    try:
        values = read_row(row) if isinstance(row, bytes) else row
        _require_columns(values)
        prompt = prompt_of(
            values["reference"],
            values.get("domain") or domain,
            _question(values),
            _texts(values.get("choices")),
            _texts(values.get("aliases")),
        )
    except PrerequisiteError as error:
        return Checked(problem=str(error))
    before = any(column in values for column in COLUMNS)
    try:
        verdict = grade(grader, prompt, values["completion"])
    except Exception as error:  # noqa: BLE001 (one row never ends a file)
        said = f"{type(error).__name__}: {error}"
        return Checked(Outcome.UNDECIDED.value, Reason.GRADER_FAILED.value, said, "", before)
    return Checked(verdict.outcome.value, verdict.reason.value, verdict.detail, "", before)


def read_row(line: bytes) -> dict[str, Any]:
    """The object of one line; PrerequisiteError where it holds none.

    orjson is four times as fast as the standard library, which takes what orjson does not: lone
    surrogates, NaN, integers beyond 64 bits.
    """
    import json

    import orjson

    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            values = json.loads(line, parse_int=_integer)
        except UnicodeDecodeError as error:
            raise PrerequisiteError(f"not UTF-8 at byte {error.start}: save it as UTF-8") from None
        except (ValueError, RecursionError) as error:
            raise PrerequisiteError(
                f"not JSON ({error}): each line holds one object, "
                '{"reference": "1/2", "completion": "…"}'
            ) from None
    if not isinstance(values, dict):
        raise PrerequisiteError('no object: each line holds {"reference": …, "completion": …}')
    return values


def _integer(digits: str) -> int | str:
    """An integer; its digits where they are more than Python turns into one."""
    try:
        return int(digits)
    except ValueError:
        return digits


def _require_columns(values: Mapping[str, Any]) -> None:
    missing = [column for column in REQUIRED if column not in values]
    if missing:
        raise PrerequisiteError(
            f"no column {' and no column '.join(missing)}; the row has "
            f"{', '.join(map(str, values))[:200] or 'none'}. Rename what holds the gold answer to "
            "`reference` and the model's raw text to `completion`"
        )


def _question(values: Mapping[str, Any]) -> str:
    for column in ("question", "prompt"):
        if isinstance(values.get(column), str):
            return str(values[column])
    return ""


def _texts(value: Any) -> tuple[str, ...]:
    """A column's list of texts; anything else is another's column of that name."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return ()
