"""Split a completion into reasoning and answer; the raw text stays in the Sample."""

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"

# How teachers without `<think>` open and close their reasoning. A completion has one of these
# only when it begins with it: in the middle of a text they are words about tags.
_OTHER_BLOCKS = (
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
# `</think>` as small models write it, who have just closed some LaTeX: 2 to 8 % of completions.
_MISTYPED_CLOSES = ("\\end{think}", "\\end{think>")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a completion is made of. `closed` is True only when the thinking came to its end."""

    reasoning: str
    answer: str
    closed: bool


def split_completion(completion: str, think_prefilled: bool = False) -> Parts:
    r"""Split at the last `</think>`: what is before is reasoning, what follows is the answer.

    >>> split_completion("<think>\n2+2=4\n</think>\n\n\\boxed{4}")
    Parts(reasoning='2+2=4', answer='\\boxed{4}', closed=True)

    - `</think>` without `<think>` (the chat template opened the block): the same rule.
    - Several blocks: all but what follows the last `</think>` is reasoning, tags left out.
    - A block opened and not closed (cut by the token limit), also after an earlier answer:
      everything is reasoning, the answer is empty, `closed` is False.
    - A completion that begins with another teacher's tag (`<thinking>`, `<thought>`,
      `<reasoning>`, `<|begin_of_thought|>`) is split at that tag's end by the same rules; so is
      an open block at `\end{think}`, where no `</think>` stands.
    - No tag at all: the whole text is the answer, the reasoning is empty and `closed` is False,
      so that the trace filters see `empty_reasoning`. With `think_prefilled` (the request itself
      ended in `<think>`) the same text is reasoning that never closed.

    Both parts lose outer white space and the tags, nothing else. Never raises.
    """
    opening, closing = _tags_of(completion, think_prefilled)
    before, close, after = completion.rpartition(closing)
    if close and opening not in after:
        return Parts(_without(before, opening, closing), after.strip(), closed=True)
    if think_prefilled or opening in completion:
        return Parts(_without(completion, opening, closing), "", closed=False)
    return Parts("", completion.strip(), closed=False)


def _tags_of(completion: str, think_prefilled: bool) -> tuple[str, str]:
    """The opening and the closing tag this completion uses."""
    if CLOSE in completion:
        return OPEN, CLOSE
    if think_prefilled or OPEN in completion:
        mistyped = (close for close in _MISTYPED_CLOSES if close in completion)
        return OPEN, next(mistyped, CLOSE)
    start = completion[:200].lstrip()
    spoken = (tags for tags in _OTHER_BLOCKS if start.startswith(tags[0]))
    return next(spoken, (OPEN, CLOSE))


def _without(text: str, opening: str, closing: str) -> str:
    return text.replace(opening, "").replace(closing, "").strip()
