"""Texts of models and users as they are shown to a judge: data between lines it cannot write.

A text ends where its tag stands again. The tag is a hash of all texts of the message, so that none
can hold it; nor can a text hold a chat template's own marks (`<|im_end|>`, `[INST]`), which would
end the message it stands in, nor the words a vote is read from, should a judge only repeat it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

TAG_DIGITS = 12

# What a tokenizer could take for a special token: `<|…|>`, `</s>`, `<think>`, `[INST]`.
_SPECIAL = re.compile(r"<(?=[^\s\d=<>])|\[(?=/?[A-Z_]{3,40}\])")
# How the last line of a vote begins, see judge.py and rubric.py.
_VOTE = re.compile(r"(VERDICT|SCORE)(?=\**:)")
# Bold that begins or ends with a word: `VERDICT: **SAME**`, `**VERDICT:** SAME`.
_BOLD = re.compile(r"(?<![^\s:])\*+|\*+(?![^\s:])")
# What is not seen: control characters, marks of direction, Unicode's tag letters.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\U000e0000-\U000e007f]"
)


def harmless(text: str, most_chars: int) -> str:
    """The text without control characters, special tokens and votes, its middle cut if too long.

    `<|im_end|>` becomes `< |im_end|>`, `VERDICT: SAME` becomes `VERDICT : SAME`. Of a text that is
    too long both ends stay, the end twice as long as the beginning: answers come last.
    """
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").strip()
    if len(clean) > most_chars:
        head = most_chars // 3
        cut = len(clean) - most_chars
        clean = f"{clean[:head]}\n[… {cut:,} characters left out …]\n{clean[head + cut :]}"
    clean = _CONTROL.sub(" ", clean)
    for pattern in (_SPECIAL, _VOTE):
        clean = pattern.sub(r"\g<0> ", clean)
    return clean


def tag_of(texts: Sequence[str]) -> str:
    """A tag for these texts, the same on every machine, that is in none of them."""
    digest = hashlib.blake2b("\x00".join(texts).encode("utf-8", "replace")).hexdigest()
    while any(digest[:TAG_DIGITS] in text for text in texts):
        digest = hashlib.blake2b(digest.encode()).hexdigest()
    return digest[:TAG_DIGITS]


def quoted(texts: Mapping[str, str], tag: str) -> str:
    """Texts one after the other, each under its name.

    <<question 5f0c2a9e11d3>>
    What is 3 + 4?
    <<end of question 5f0c2a9e11d3>>
    """
    blocks = (f"<<{name} {tag}>>\n{text}\n<<end of {name} {tag}>>" for name, text in texts.items())
    return "\n\n".join(blocks)


def last_line(reply: str) -> str:
    """The last line that says something, without Markdown's marks and its full stop."""
    lines = reply.rstrip().splitlines()
    return _undressed(lines[-1]) if lines else ""


def lines_of(reply: str) -> list[str]:
    """All lines of a reply, each as `last_line` would give it."""
    return [_undressed(line) for line in reply.splitlines()]


def _undressed(line: str) -> str:
    bare = line.strip().strip("*_`").strip().removesuffix(".").rstrip("*_`")
    return _BOLD.sub("", bare).strip()
