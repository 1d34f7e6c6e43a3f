"""Made-up traces in the manner of R1, some with one known fault each: what bench/trace_filters.py
looks through."""

import random
from collections.abc import Callable
from dataclasses import dataclass

REASONING_BYTES = 18_000
ANSWER_BYTES = 2_000

_OPENERS = [
    "Okay, so",
    "Hmm,",
    "Wait,",
    "Let me see:",
    "First,",
    "Now,",
    "So",
    "Then",
    "Alternatively,",
    "But",
    "Therefore,",
    "Right,",
    "In that case,",
    "Let's check:",
    "Since we need it,",
    "Looking back,",
    "For the next step,",
    "Now suppose",
]
_SUBJECTS = [
    "the sum",
    "the product",
    "the first train",
    "this triangle",
    "the remainder",
    "the second equation",
    "the area",
    "every divisor",
    "the sequence",
    "that probability",
    "the number of ways",
    "the slower pump",
    "the polynomial",
    "the left side",
    "our estimate",
    "the angle at B",
    "a smaller case",
    "the total cost",
    "the last digit",
]
_VERBS = [
    "comes to",
    "must equal",
    "is at most",
    "cannot exceed",
    "reduces to",
    "grows like",
    "is divisible by",
    "adds up to",
    "would give",
    "turns into",
    "factors as",
    "is close to",
    "differs by",
    "leaves",
    "has to be",
    "simplifies to",
]
_TAILS = [
    "which fits the first condition",
    "because both terms are positive",
    "as long as n is odd",
    "and that is what the question asks about",
    "but I should double check the boundary",
    "so the case with equality remains",
    "by the same argument as before",
    "when x is replaced by y",
    "after dividing both sides",
    "if the two events are independent",
    "using the identity from above",
    "and nothing else is left",
    "unless the denominator vanishes",
    "which is easy to verify by hand",
]
_SYMBOLS = ("²", "→", "≤", "×", "π", "√", "α", "–", "’")


@dataclass(frozen=True, slots=True)
class Written:
    """A trace with what it is asked and the reason it is to be rejected for, if any."""

    reasoning: str
    answer: str
    fault: str | None
    question: str = "How many apples are left?"
    before: str = ""  # stands before the think block


def write_trace(draw: random.Random, fault: str | None) -> Written:
    """One trace of 20 kB; a fault is a key of FAULTS, None writes a fit one."""
    value = draw.randrange(2, 10_000)
    reasoning = _prose(draw, REASONING_BYTES) + f"\n\nSo the answer is \\boxed{{{value}}}."
    answer = _prose(draw, ANSWER_BYTES) + f"\n\nThe final answer is \\boxed{{{value}}}."
    fit = Written(reasoning, answer, fault)
    return fit if fault is None else FAULTS[fault](draw, fit)


def _prose(draw: random.Random, size: int) -> str:
    paragraphs: list[str] = []
    written = 0
    while written < size:
        sentences = [_sentence(draw) for _ in range(draw.randrange(1, 6))]
        paragraphs.append(" ".join(sentences))
        written += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs)


def _sentence(draw: random.Random) -> str:
    a, b = draw.randrange(2, 2_000), draw.randrange(2, 2_000)
    parts = [draw.choice(_OPENERS), draw.choice(_SUBJECTS), draw.choice(_VERBS)]
    form = draw.randrange(4)
    if form == 0:
        parts.append(f"{a} + {b} = {a + b},")
    elif form == 1:
        parts.append(rf"$\frac{{{a}}}{{{b}}} \cdot x^{draw.randrange(2, 9)}$,")
    elif form == 2 and draw.random() < 0.1:
        parts.append(f"{a}{draw.choice(_SYMBOLS)}{b},")
    else:
        parts.append(f"{a},")
    return " ".join([*parts, draw.choice(_TAILS)]) + "."


def _insert(draw: random.Random, text: str, passage: str) -> str:
    paragraphs = text.split("\n\n")
    place = draw.randrange(1, len(paragraphs) - 1)
    return "\n\n".join([*paragraphs[:place], passage, *paragraphs[place:]])


def _inserting(fault: str, *passages: str) -> Callable[[random.Random, Written], Written]:
    def spoil(draw: random.Random, fit: Written) -> Written:
        reasoning = _insert(draw, fit.reasoning, draw.choice(passages))
        return Written(reasoning, fit.answer, fault)

    return spoil


def _looping(draw: random.Random, fit: Written) -> Written:
    unit = _prose(draw, draw.choice([40, 300, 2_000]))
    rounds = "\n\n".join([unit] * (REASONING_BYTES * 8 // 10 // len(unit)))
    return Written(_prose(draw, REASONING_BYTES // 5) + "\n\n" + rounds, fit.answer, "repetition")


def _one_line_over_and_over(draw: random.Random, fit: Written) -> Written:
    lines = fit.reasoning.split("\n\n")
    every = [part for line in lines for part in (line, "Wait, let me check that.")]
    return Written("\n\n".join(every), fit.answer, "repetition")


def _endless(draw: random.Random, fit: Written) -> Written:
    text = fit.reasoning.replace("\n\n", " ", 40)
    return Written(text, fit.answer, "long_paragraph")


def _two_blocks(draw: random.Random, fit: Written) -> Written:
    reasoning = _insert(draw, fit.reasoning, "</think>\n\nHold on.\n\n<think>")
    return Written(reasoning, fit.answer, "bad_format")


def _disagreeing(draw: random.Random, fit: Written) -> Written:
    return Written(fit.reasoning[: -len(".")] + ".", "It is \\boxed{123457}.", "answer_disagrees")


def _key(draw: random.Random, fit: Written) -> Written:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    body = "".join(draw.choices(letters, k=36))
    key = draw.choice([f"ghp_{body}", f"sk-{body}", f"hf_{body}", f"AKIA{body[:16].upper()}"])
    return Written(_insert(draw, fit.reasoning, f"The key {key} works."), fit.answer, "secret")


FAULTS: dict[str, Callable[[random.Random, Written], Written]] = {
    "repetition": _looping,
    "line": _one_line_over_and_over,
    "long_paragraph": _endless,
    "bad_format": _two_blocks,
    "answer_disagrees": _disagreeing,
    "secret": _key,
    "language_mixed": _inserting(
        "language_mixed",
        "我们先计算这两个数的和。",
        "Сначала сложим эти два числа.",
        "まず足し算をします。",
        "먼저 두 수를 더합니다.",
    ),
    "code_in_reasoning": _inserting("code_in_reasoning", "```python\nprint(6 * 7)\n```"),
    "self_identification": _inserting(
        "self_identification",
        "As an AI language model, I cannot see the picture.",
        "I am DeepSeek-R1, so I reason step by step.",
    ),
    "email_address": _inserting(
        "email_address", "I would ask m.keller@uni-bonn.de about that.", "Mail anna.b@gmail.com."
    ),
    "refusal": lambda draw, fit: Written(
        fit.reasoning, "I'm sorry, but I can't help with that.", "refusal"
    ),
    "no_final_answer": lambda draw, fit: Written(
        fit.reasoning, "I could not find it.", "no_final_answer"
    ),
    "empty_reasoning": lambda draw, fit: Written("", fit.answer, "empty_reasoning"),
}
