r"""The rows `bench-verify` grades: the open set, and the mix of a real run, with the truth known.

The mix: 60 % of the answers are plainly the reference, 30 % plainly are not, 10 % are hard pairs
of the open set. Each stands at the end of a trace of 15 kB, as a reasoning model writes them.
"""

import gzip
import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
GOLDEN = ROOT / "tests" / "golden" / "filters_math_answer_open.json"
MULTI_SAMPLE = DATA / "traces" / "multi_sample_llama3b_step400_amc23_aime24.jsonl.gz"
REFERENCES = ("math500.jsonl", "math_train_2000.jsonl", "OlymMATH-EN-EASY.jsonl",
              "OlymMATH-EN-HARD.jsonl")  # fmt: skip
TRACE_CHARS = 15_000
PLAINLY_EQUAL, PLAINLY_DIFFERENT = 0.6, 0.3

_NUMBER = re.compile(r"-?\d{1,9}")
# What stays a single value when 1 is added to it: no list, relation, unit, text or interval.
_EXPRESSION = re.compile(r"(?:[\d+\-*/^{}() ]|\\(?:d?frac|sqrt|pi|left|right|cdot)(?![a-zA-Z]))+")
_THOUGHTS = (
    "Wait, let me check that again: $a_{%d} = \\frac{%d}{%d}$, so $x^2 + %d x - %d = 0$.",
    "Hmm, so we need $\\sum_{k=1}^{%d} k^2$ then divide by $%d$: $%d$ over $%d$ or $%d$.",
    "Let me set $n = %d$. Then \\[ f(n) = \\sqrt{%d} + %d \\] which gives %d, not %d.",
    "Alternatively, by symmetry (there are %d cases, %d of them good) we get %d - %d = %d.\n\n",
    "So the area is $%d\\pi$ and the angle is $%d^\\circ$; the ratio would be %d : %d, about %d.",
)


class Row(NamedTuple):
    """One pair with its truth; `part` is what of the mix, or which rule, it stands for."""

    part: str
    reference: str
    answer: str
    equal: bool

    @property
    def short_completion(self) -> str:
        return f"So the answer is \\boxed{{{self.answer}}}."


def open_rows() -> list[Row]:
    """The open labelled set, in its order; `part` is the rule."""
    return [
        Row(group["rule"], case["reference"], case["answer"], case["equal"])
        for group in json.loads(GOLDEN.read_text())["groups"]
        for case in group["cases"]
    ]


def mixed_rows(count: int, seed: int) -> list[Row]:
    """`count` rows of the mix, the same ones for the same seed, in random order."""
    rng = random.Random(seed)
    references, hard = _references(), open_rows()
    rng.shuffle(hard)
    rows = []
    for index in range(count):
        share = index / count
        if share < PLAINLY_EQUAL:
            rows.append(_plainly_equal(rng, rng.choice(references)))
        elif share < PLAINLY_EQUAL + PLAINLY_DIFFERENT:
            rows.append(_plainly_different(rng, references))
        else:
            rows.append(hard[index % len(hard)]._replace(part="hard"))
    rng.shuffle(rows)
    return rows


def trace(row: Row, rng: random.Random) -> str:
    """A completion of 15 kB that ends in the row's answer, as R1 lays its answers out."""
    reasoning = _reasoning(rng)
    answer = (
        "To solve the problem, we use what was found above.\n\n### Step 1\nFrom the conditions we "
        "obtain the relation \\[ a + b = c, \\] and substituting gives the result.\n\n### Step 2\n"
        "Simplifying and checking both cases leaves one value.\n\n"
        f"**Final Answer**\n\\boxed{{{row.answer}}}"
    )
    return f"<think>\n{reasoning}\n</think>\n\n{answer}"


def multi_sample() -> list[dict[str, Any]]:
    """70 prompts with 50 real completions each, and whether each is correct; [] if not here."""
    if not MULTI_SAMPLE.exists():
        return []
    with gzip.open(MULTI_SAMPLE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _plainly_equal(rng: random.Random, reference: str) -> Row:
    """The reference's own text in most rows, in the rest with the freedoms every model takes."""
    answer = reference
    if rng.random() < 0.3:
        answer = rng.choice(
            (reference.replace("\\frac", "\\dfrac"), f"{reference}", f"{reference}.")
        )
        answer = answer.replace(", ", ",") if rng.random() < 0.5 else answer
    return Row("plainly equal", reference, answer, True)


def _plainly_different(rng: random.Random, references: list[str]) -> Row:
    while True:
        reference, other = rng.choice(references), rng.choice(references)
        if _NUMBER.fullmatch(reference) and _NUMBER.fullmatch(other):
            if int(reference) != int(other):
                return Row("plainly different", reference, other, False)
        elif _EXPRESSION.fullmatch(reference) and re.search(r"\d|pi", reference):
            return Row("plainly different", reference, f"{reference}+1", False)


@cache
def _references() -> list[str]:
    """Gold answers of MATH and OlymMATH where they are, else the references of the open set."""
    files = [DATA / "math" / name for name in REFERENCES]
    if not all(file.exists() for file in files):
        return [row.reference for row in open_rows()]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [str(json.loads(line)["answer"]) for line in lines]


def _reasoning(rng: random.Random) -> str:
    """Real reasoning about mathematics where it is, one text after the other, else made up."""
    pieces, length = [], 0
    real = _real_thoughts()
    while length < TRACE_CHARS:
        if real:
            piece = rng.choice(real)
        else:
            piece = rng.choice(_THOUGHTS) % tuple(rng.randint(2, 99) for _ in range(5))
        pieces.append(piece)
        length += len(piece) + 1
    return "\n".join(pieces)[:TRACE_CHARS]


@cache
def _real_thoughts() -> list[str]:
    texts = [c["text"] for prompt in multi_sample() for c in prompt["completions"]]
    return [t.split("</think>")[0].replace("<think>", "") for t in texts if "</think>" in t]
