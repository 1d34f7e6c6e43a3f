"""Split a completion into reasoning and answer; the raw text stays in the Sample."""

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"


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
    - No tag at all: the whole text is the answer, the reasoning is empty and `closed` is False,
      so that the trace filters see `empty_reasoning`. With `think_prefilled` (the request itself
      ended in `<think>`) the same text is reasoning that never closed.

    Both parts lose outer white space and the tags, nothing else. Never raises.
    """
    before, close, after = completion.rpartition(CLOSE)
    if close and OPEN not in after:
        return Parts(_without_tags(before), after.strip(), closed=True)
    if think_prefilled or OPEN in completion:
        return Parts(_without_tags(completion), "", closed=False)
    return Parts("", completion.strip(), closed=False)


def _without_tags(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "").strip()
