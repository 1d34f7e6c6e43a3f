"""What the simulated teacher says: all of it follows from (prompt text, seed), nothing is drawn.

A token is four characters, its id their bytes as one integer, so that ids can be turned back into
text and a completion goes on exactly where it was cut.
"""

import hashlib
import math
import random
import re
import struct
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist

TOKEN_CHARACTERS = 4
# Lognormal lengths as R1's are: with this sigma and the cap at 8.192 medians, the mean of what
# comes out is 1.5 medians (4,000, 6,000 and 32,768 tokens).
SIGMA = 0.9327
CAP_PER_MEDIAN = 8.192
# Half of the variance is the prompt's: siblings are alike in length, as hard questions take long.
# An assumption; every figure of the lengths above holds whatever it is.
PROMPT_SHARE = 0.5
# A prompt's pass rate is Beta(0.6, 0.4): mean 0.6, many prompts (almost) always or never solved.
PASS_RATE_BETA = (0.6, 0.4)

PREMADE_CHARACTERS = 1 << 22
SHORTEST_TOKENS = 16
HEAD = "<think>\n"
_BOXED = re.compile(r"\\boxed\{(-?\d+)\}")
_WORDS = """
a about above add again all an and any are as at back be because before below between both but by
can cannot case check claim clear close compare compute condition consider constant contradiction
correct count could curve defined degree denominator difference digit distance divide divisor each
either element else equal equation even every exactly example expression factor false find first
fixed follows for formula fraction from function further general given gives graph greater half
have hence here holds hold hmm if in inside instead integer into is it its itself just know known
last least left length less let line likely limit linear look lower many maybe mean might minus
modulo more most multiply must namely need negative never next no not notice now number obtain odd
of off on once one only or order other otherwise out over pair part pattern perhaps plus point
positive possible power previous prime problem product proof prove quadratic quick quotient range
rather ratio really recall remainder remains result right root same satisfy second see sequence
set should side sign similarly simple simplify since so solution solve some square start still
step subtract such sum suppose sure symmetric take term than that the their then there therefore
these they thing think this those three through thus to together too total true try twice two
under unless until up upper us use usual value variable verify very wait was way we well what when
where whether which while whole why will with without would wrong yes yet zero
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One completion: `tokens` long when left to end by itself, `cap` at most."""

    tokens: int
    cap: int
    offset: int
    tail: str

    def text(self, start: int, stop: int) -> str:
        """Its characters from `start` to `stop`, cheap for any length: a slice of made text."""
        ends = TOKEN_CHARACTERS * self.tokens
        stop = min(stop, ends)
        body_ends = ends - len(self.tail)
        head = HEAD[start:stop]
        first, last = max(start, len(HEAD)), min(stop, body_ends)
        body = _premade()[self.offset + first : self.offset + last] if last > first else ""
        tail = self.tail[max(0, start - body_ends) : stop - body_ends] if stop > body_ends else ""
        return head + body + tail


@lru_cache(maxsize=4_096)
def pass_rate(prompt: str) -> float:
    """The hidden share of a prompt's samples that are right."""
    seed = int.from_bytes(_digest(prompt, "pass rate"), "big")
    return random.Random(seed).betavariate(*PASS_RATE_BETA)


def right_answer(prompt: str) -> str:
    """The integer of six digits that is right for a prompt's text."""
    return str(100_000 + int.from_bytes(_digest(prompt, "answer")[:8], "big") % 899_999)


def is_right(prompt: str, completion: str) -> bool:
    """Whether the last boxed answer after the thinking is the right one."""
    _, close, answer = completion.rpartition("</think>")
    boxed = _BOXED.findall(answer) if close else []
    return bool(boxed) and boxed[-1] == right_answer(prompt)


def draw(prompt: str, seed: int, median_tokens: int = 4_000) -> Drawn:
    """The completion of a prompt's sample; its seed stands for its index."""
    digest = _digest(prompt, str(seed))
    length, luck, offset = struct.unpack(">QQI", digest[:20])
    deviation = math.sqrt(PROMPT_SHARE) * _prompt_deviation(prompt)
    deviation += math.sqrt(1 - PROMPT_SHARE) * _normal(length)
    natural = round(median_tokens * math.exp(SIGMA * deviation))
    tokens = max(SHORTEST_TOKENS, natural)
    answer = right_answer(prompt)
    if luck / 2**64 >= pass_rate(prompt):
        answer = str(int(answer) + 1)
    tail = f"\n</think>\n\nThe answer is \\boxed{{{answer}}}."
    tail = tail[:-1] + " " * (-len(tail) % TOKEN_CHARACTERS) + "."
    cap = round(CAP_PER_MEDIAN * median_tokens)
    spare = PREMADE_CHARACTERS - TOKEN_CHARACTERS * min(tokens, cap)
    return Drawn(tokens, cap, offset % spare, tail)


@lru_cache(maxsize=4_096)
def _prompt_deviation(prompt: str) -> float:
    return _normal(int.from_bytes(_digest(prompt, "length")[:8], "big"))


def _normal(uniform: int) -> float:
    """A standard normal deviate from 64 uniform bits."""
    return NormalDist().inv_cdf(((uniform >> 11) + 0.5) / 2**53)


def of_size(prompt: str, seed: int, characters: int) -> Drawn:
    """A completion of a given size instead, right or wrong as `draw` has it."""
    drawn, tokens = draw(prompt, seed), characters // TOKEN_CHARACTERS
    return Drawn(tokens, tokens, drawn.offset % (PREMADE_CHARACTERS - characters), drawn.tail)


def encode(text: str) -> list[int]:
    """Token ids of a text; the last is filled up with zero bytes."""
    data = text.encode("utf-8", "surrogatepass")
    data += bytes(-len(data) % TOKEN_CHARACTERS)
    return list(struct.unpack(f">{len(data) // TOKEN_CHARACTERS}I", data))


def decode(ids: list[int]) -> str:
    """The text of token ids. Raises struct.error for what is no id."""
    data = struct.pack(f">{len(ids)}I", *ids)
    return data.replace(b"\0", b"").decode("utf-8", "replace")


def sample_key(prompt: str, seed: int) -> str:
    """Names a sample in the server's log."""
    return f"{_digest(prompt, '')[:8].hex()}-{seed}"


def _digest(prompt: str, what: str) -> bytes:
    data = f"{what}\n{prompt}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=24).digest()


@cache
def _premade() -> str:
    """The text that all thinking is cut from: sentences of common words, in paragraphs."""
    rng, vocabulary = random.Random(1), _WORDS.split()
    parts: list[str] = []
    characters = 0
    while characters < PREMADE_CHARACTERS + TOKEN_CHARACTERS:
        words = rng.choices(vocabulary, k=rng.randint(4, 22))
        ending = rng.choices([". ", "? ", ".\n\n"], [8, 1, 2])[0]
        sentence = " ".join(words).capitalize() + ending
        if rng.random() < 0.3:
            sentence = f"{rng.randint(2, 9_999)} = {rng.randint(2, 99)}x + {sentence}"
        parts.append(sentence)
        characters += len(sentence)
    return "".join(parts)[:PREMADE_CHARACTERS]
