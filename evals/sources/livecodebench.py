r"""LiveCodeBench's code generation: contest problems with the date of their contest.

    {"question_content": "…", "question_id": "abc387_b", "contest_date": "2025-01-04T00:00:00",
     "starter_code": "", "difficulty": "easy", "metadata": "{}",
     "public_test_cases": "[{\"input\": \"1\\n\", \"output\": \"2\\n\", \"testtype\": \"stdin\"}]",
     "private_test_cases": "eJxr…"}

Private tests are base64 over zlib over a pickle that holds one text, JSON as the public tests are.
The pickle is read as data, opcode by opcode: nothing in it is ever run, and one that holds anything
but a text is refused. All tests of a problem are kept, the benchmark's own limit of 6 seconds holds
for each, and outputs are compared word by word.
"""

import base64
import binascii
import json
import pickletools
import zlib
from collections.abc import Mapping
from typing import Any

from evals.sources.reading import Reading
from prompts.sources.draft import Draft, RowError, json_of, text_if_any, text_of

TIME_LIMIT_S = 6.0
MEMORY_LIMIT_BYTES = 1 << 30
MOST_TEST_BYTES = 512 << 20
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
# A header, notes for a memory that a lone text never needs, the end.
_AROUND = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}
_READS = "Write a program in Python 3 that reads standard input and prints to standard output."
_CALLED = "Write it in Python 3."


def read_livecodebench(row: Mapping[str, Any]) -> Reading:
    """A problem with all its tests, its group the difficulty; RowError where a test is none."""
    tests = [*_public(row), *_private(row)]
    if not tests:
        raise RowError("no tests")
    function = _function(row)
    kinds = {test.pop("testtype") for test in tests}
    if not function and "functional" in kinds:  # run as standard input, no answer would pass
        raise RowError("tests are calls of a function that metadata does not name")
    problem: dict[str, Any] = {
        "tests": tests,
        "time_limit_s": TIME_LIMIT_S,
        "memory_limit_bytes": MEMORY_LIMIT_BYTES,
        "languages": ["python"],
    }
    if function:
        problem["function"] = function
    starter, difficulty = row.get("starter_code"), text_if_any(row, "difficulty")
    question = f"{text_of(row, 'question_content')}\n\n{_CALLED if function else _READS}"
    draft = Draft(
        question,
        "program",
        json_of(problem, "a test"),
        difficulty=difficulty,
        starter_code=starter if isinstance(starter, str) else "",
    )
    date = str(row.get("contest_date") or "")[:10]
    return Reading(draft, text_if_any(row, "question_id"), difficulty, date)


def decoded(packed: str) -> str:
    """The text in base64 over zlib over a pickle of a text; RowError for anything else."""
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(base64.b64decode(packed, validate=True), MOST_TEST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise RowError("private tests are not base64 of zlib") from error
    if inflater.unconsumed_tail:
        raise RowError("private tests are larger than 512 MiB")
    if not inflater.eof:
        raise RowError("private tests are cut short")
    return _text_in_pickle(data)


def _text_in_pickle(data: bytes) -> str:
    """The one text that a pickle holds, found by its opcodes, none of which is carried out."""
    texts: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _TEXTS:
                texts.append(str(argument))
            elif opcode.name not in _AROUND:
                raise RowError("private tests are a pickle of more than a text")
    except (ValueError, IndexError, MemoryError, UnicodeError) as error:
        raise RowError("private tests are no pickle") from error
    if len(texts) != 1:
        raise RowError("private tests are a pickle of more than a text")
    return texts[0]


def _public(row: Mapping[str, Any]) -> list[dict[str, str]]:
    return _tests(text_if_any(row, "public_test_cases") or "[]")


def _private(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Private tests, packed or (as in some copies) as JSON."""
    packed = text_of(row, "private_test_cases")
    return _tests(packed if packed.startswith("[") else decoded(packed))


def _tests(text: str) -> list[dict[str, str]]:
    try:
        tests = json.loads(text)
        found = [
            {name: test[name] for name in ("input", "output")}
            | {"testtype": str(test.get("testtype", ""))}
            for test in tests
        ]
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError) as error:
        raise RowError("tests are no list of inputs and outputs") from error
    if not all(isinstance(text, str) for test in found for text in test.values()):
        raise RowError("tests are no list of inputs and outputs")
    return found


def _function(row: Mapping[str, Any]) -> str:
    """`Solution.minCost` of a problem whose tests are calls; "" where they are standard input."""
    metadata = row.get("metadata")
    try:
        facts = json.loads(metadata) if isinstance(metadata, str) and metadata else metadata or {}
    except (ValueError, RecursionError) as error:
        raise RowError("metadata is not JSON") from error
    name = facts.get("func_name") if isinstance(facts, Mapping) else None
    return f"Solution.{name}" if isinstance(name, str) and name else ""
