"""The last uncorrected path of a reasoning, where it can be cut out safely.

A teacher tries, doubts, starts again. Its *journey* is all of that; the *shortcut* is what it wrote
after its last correction, if that stands on its own. The rule, all of it required:

1. The path begins with a paragraph that opens with a correction or a new start (`Wait, …`, `Let me
   start over.`, `Alternatively, …`), and no later paragraph or sentence corrects anything.
2. It holds the final answer, and it is a derivation: two sentences and 120 characters at least,
   without wavering (`maybe`, `I'll go with`), that takes up half of the question's numbers, or
   where it has none a third of its words.
3. It does not point back (`as before`, `the same result`, `earlier`).
4. It borrows nothing from what is cut off: every number and every one-letter name it shares with
   that part is in the question too, or is introduced in the path (`x = 4`, `let n be`).

Else nothing is cut. Nothing is rewritten but the opening words, which fall away.
"""

import re

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_OPENING = re.compile(
    r"(?i)\A(?:(?:okay|ok|so|hmm+|well|but|no|oh)[,.]?\s+)*(?:"
    r"(?:wait|hold on|alternatively|actually|scratch that)\b[,.:;!—-]*\s*(?:no[,.]\s+)?"
    r"(?:let me (?:start over|start again|restart|try again|redo this)[^.:\n]*[.:]\s*)?"
    r"|let(?:'s|’s| me| us) (?:start over|start again|start from scratch|restart|try again"
    r"|redo (?:this|it|that)|begin again)[^.:\n]*[.:]\s*"
    r"|let(?:'s|’s| me| us) try (?:a different|another) (?:approach|way|method)[^.:\n]*[.:]\s*"
    r"|(?:hmm+)[,.]+\s*)"
)
_CORRECTION = re.compile(
    r"(?i)\b(?:wait|hold on|scratch that|oops|hmm+|start(?:ing)? over|start again|restart"
    r"|try again|mistake|(?:that|this|which) (?:is|was|can't be|cannot be) (?:wrong|not right)"
    r"|that's (?:wrong|not right)|isn't right|incorrect|i was wrong|contradict\w*|alternatively"
    r"|another (?:approach|way)|different approach|double[- ]check)\b"
    r"|(?:^|[.!?]\s+)(?:No|Actually|But no)[,.]"
)
_POINTS_BACK = re.compile(
    r"(?i)\b(?:above|earlier|before|previous(?:ly)?|again|same (?:answer|result|thing|as)|still"
    r"|also (?:get|got|gives)|we (?:had|saw|found|got|computed|showed)|i (?:had|saw|found|got"
    r"|computed|said)|as (?:i|we) (?:said|noted)|initial(?:ly)?|the first (?:approach|method|way)"
    r"|(?:consistent|agrees?) with|confirms?|equation \(?\d|the other (?:one|case)|back to)\b"
)
_WAVERS = re.compile(
    r"(?i)\b(?:maybe|perhaps|probably|i think|i guess|i believe|i'?m (?:not sure|stuck|confused)"
    r"|not sure|confusing|i'?ll (?:go|stick|proceed|answer)|after all|either way|as (?:is )?stated"
    r"|the (?:standard|classic|intended) (?:solution|answer|problem)|typo)\b"
)
_SENTENCE_END = re.compile(r"[.!?](?:\s|\Z)|\n")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![A-Za-z\\'’])[B-HJ-Zb-z](?![A-Za-z'’])")
_WORD = re.compile(r"[^\W\d_]{4,}")
_LEAST_NUMBERS, _LEAST_WORDS = 1 / 2, 1 / 3
_LEAST_CHARS = 120
_LEAST_SENTENCES = 2
# What comes right before a number or a name where it is introduced.
_INTRODUCED = re.compile(
    r"(?:[=≈:]|\b(?:is|are|be|equals?|gives?|get|let|call|denote|define|suppose|set|say|where|for"
    r"|number|variables?))[\s$({\\]*\Z",
    re.IGNORECASE,
)


def shortcut(reasoning: str, final: str, question: str) -> str | None:
    r"""The path as a reasoning of its own, or None where it cannot be cut out safely.

    `final` is the final answer's text. Never raises; linear in the reasoning's length.

    >>> shortcut("So 3 + 4 = 8.\n\nWait, let me start over. There are 3 red and 4 blue balls, so "
    ... "we add what is in both bags. Adding them up, 3 + 4 = 7. So there are 7 balls in the two "
    ... "bags together.", "7", "3 red and 4 blue balls: how many?")[:24]
    'There are 3 red and 4 bl'
    """
    starts = [0, *(found.end() for found in _PARAGRAPH.finditer(reasoning))]
    opened = [start for start in starts[1:] if _OPENING.match(reasoning[start : start + 200])]
    if not opened:
        return None
    head, last = reasoning[: opened[-1]], reasoning[opened[-1] :]
    opening = _OPENING.match(last)
    path = last[opening.end() if opening else 0 :].strip()
    if not (_stands_alone(path, final) and _takes_up(path, question)):
        return None
    if _borrows(path, head, question):
        return None
    return path[0].upper() + path[1:]


def _stands_alone(path: str, final: str) -> bool:
    return (
        len(path) >= _LEAST_CHARS
        and len(_SENTENCE_END.findall(path)) >= _LEAST_SENTENCES
        and _says(path, final.strip())
        and _CORRECTION.search(path) is None
        and _POINTS_BACK.search(path) is None
        and _WAVERS.search(path) is None
    )


def _takes_up(path: str, question: str) -> bool:
    """Whether the path starts from the question: enough of its numbers, or else of its words."""
    for pattern, least in ((_NUMBER, _LEAST_NUMBERS), (_WORD, _LEAST_WORDS)):
        asked = set(pattern.findall(question.lower()))
        if asked:
            return len(asked & set(pattern.findall(path.lower()))) >= least * len(asked)
    return False


def _says(path: str, final: str) -> bool:
    """Whether the answer stands in the path, and not only as a part of a longer one."""
    whole = rf"(?<![\w.]){re.escape(final)}(?!\w|[.,]\d)"
    return final != "" and re.search(whole, path) is not None


def _borrows(path: str, head: str, question: str) -> bool:
    """Whether the path uses a number or a name of the head that nobody has told its reader."""
    for pattern in (_NUMBER, _NAME):
        known = set(pattern.findall(question))
        shared = set(pattern.findall(head)) - known
        for found in pattern.finditer(path):
            thing = found[0]
            if thing not in shared or thing in known:
                continue
            if not _is_introduced(path, found):
                return True
            known.add(thing)
    return False


def _is_introduced(path: str, found: re.Match[str]) -> bool:
    """Whether it is where the path says what it is: `= 12`, `let x be`, `x = 5`; or a digit."""
    if found[0].isdigit() and len(found[0]) == 1:
        return True
    before, after = path[max(0, found.start() - 24) : found.start()], path[found.end() :][:4]
    return _INTRODUCED.search(before) is not None or after.lstrip(" $").startswith("=")
