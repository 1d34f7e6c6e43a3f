"""Split a completion into reasoning and answer; the raw text stays in the Sample."""

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"

# How teachers without `<think>` open and close their reasoning. A completion has one of these
# only when it begins with it: in the middle of a text they are words about tags.
_OTHER_BLOCKS = (
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reasoning_process>", "</reasoning_process>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
# Every pair of tags a block of reasoning may stand in, the usual one first.
BLOCKS = ((OPEN, CLOSE), *_OTHER_BLOCKS)
# `</think>` as small models write it, who have just closed some LaTeX: 2 to 8 % of completions.
_MISTYPED_CLOSES = ("\\end{think}", "\\end{think>")
# What follows `<reasoning_process>` in the cold-start form: the answer, and no more than that.
_SUMMARY, _SUMMARY_END = "<summary>", "</summary>"


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
      `<reasoning>`, `<reasoning_process>`, `<|begin_of_thought|>`) and has its end is split there
      by the same rules, unless `</think>` stands later; so is an open block at `\end{think}`, where
      no `</think>` stands.
    - An answer that begins with such a tag itself (a reasoning model was asked for it) is split
      once more: both blocks are reasoning.
    - An answer that begins with `<summary>` loses that tag and the last `</summary>`.
    - No tag at all: the whole text is the answer, the reasoning is empty and `closed` is False,
      so that the trace filters see `empty_reasoning`. With `think_prefilled` (the request itself
      ended in `<think>`) the same text is reasoning that never closed.

    Both parts lose outer white space and the tags, nothing else. Never raises.
    """
    tags = _tags_of(completion, think_prefilled)
    if tags is None:
        return Parts("", completion.strip(), closed=False)
    parts = _split(completion, tags)
    if (again := _other_tags_of(parts.answer)) is not None:
        inner = _split(parts.answer, again)
        reasoning = f"{parts.reasoning}\n\n{inner.reasoning}".strip()
        parts = Parts(reasoning, inner.answer, inner.closed)
    return Parts(parts.reasoning, _unwrapped(parts.answer), parts.closed)


def _split(text: str, tags: tuple[str, str]) -> Parts:
    """Split at the last closing tag, unless a block opens behind it."""
    opening, closing = tags
    before, close, after = text.rpartition(closing)
    if close and opening not in after:
        return Parts(_without(before, tags), after.strip(), closed=True)
    return Parts(_without(text, tags), "", closed=False)


def _tags_of(completion: str, think_prefilled: bool) -> tuple[str, str] | None:
    """The opening and the closing tag this completion uses."""
    other = None if think_prefilled else _other_tags_of(completion)
    if other and completion.rfind(other[1]) > completion.rfind(CLOSE):
        return other
    if CLOSE in completion:
        return OPEN, CLOSE
    if think_prefilled or OPEN in completion:
        mistyped = (close for close in _MISTYPED_CLOSES if close in completion)
        return OPEN, next(mistyped, CLOSE)
    return other


def _other_tags_of(text: str) -> tuple[str, str] | None:
    """The tags of another teacher, where a text begins with one."""
    start = text[:200].lstrip()
    return next((tags for tags in _OTHER_BLOCKS if start.startswith(tags[0])), None)


def _unwrapped(answer: str) -> str:
    """An answer without the `<summary>` around it."""
    if not answer.startswith(_SUMMARY):
        return answer
    inside = answer.removeprefix(_SUMMARY)
    before, close, after = inside.rpartition(_SUMMARY_END)
    return (before + after if close else inside).strip()


def _without(text: str, tags: tuple[str, str]) -> str:
    for tag in dict.fromkeys((*tags, OPEN, CLOSE)):
        text = text.replace(tag, "")
    return text.strip()
