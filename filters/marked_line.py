r"""Answers marked by words: a line, a sentence or a heading that says "answer".

Read: `**Answer:** 12`, `### Final Answer` with the answer below, `So the correct answer is (B).`,
`答案：5`, `Respuesta: 5`, `#### 72` as the last line. Not read: "I think the answer is 5" and any
other sentence that only speaks of answers.
"""

import re

_TAIL_CHARS = 20_000  # a final answer stands at the end
_LINE_CHARS = 1_000
_WHOLE_CHARS = 200

_DRESS = r"[ \t*_#>`\-•]{0,20}(?:\\(?:textbf|text|mathbf)\s?\{)?"
_LEAD = (
    r"(?:(?:and|so|thus|hence|then|therefore|finally|consequently|accordingly|in conclusion"
    r"|in summary|as a result|we conclude that|this means(?: that)?|it follows that"
    r"|por (?:lo )?tanto|donc|ainsi|also|daher|somit|portanto|quindi|следовательно)\s?,?\s){0,3}"
)
_OF_WHAT = (
    r"(?:\s(?:to|for)\s(?:the|this)\s[\w'-]+(?:\s[\w'-]+){0,3}\s?(?:[\"“][^\"”]{1,200}[\"”])?"
    r"|\s(?:to|for)\s(?:the\s)?(?:part|question|problem|exercise)\s\(?\w{1,3}\)?"
    r"|\s?\([^()\n]{1,40}\)|\shere)?"
)
_ENGLISH = (
    r"(?:(?:the|our|my)\s)?(?:final\s|correct\s|right\s|best\s|numerical\s|required\s|short\s"
    rf"|exact\s){{0,2}}(?:answer|ans\b\.?|(?:correct|right|best)\s(?:option|choice)){_OF_WHAT}"
)
_OTHERS = (
    r"(?:la )?respuesta(?: final| correcta)?|(?:la )?réponse(?: finale| correcte)?"
    r"|(?:die )?(?:endgültige |richtige |korrekte )?antwort|(?:a )?resposta(?: final| correta)?"
    r"|(?:la )?risposta(?: finale| corretta)?|(?:окончательный |правильный )?ответ"
)
_COLON = r"[ \t*_`]{0,6}(?:[:：]|=(?![=>])|→|⇒|⟹|->|=>)"
_IS = (
    r"[ \t*_`]{1,6}(?:is|are|must be|will be|would be|es|est|ist|lautet|é|è|=)(?![a-zA-Z])"
    r"(?:\s(?:thus|therefore|then|simply|given by|option|choice|la opción)(?=\s))?[:：]?"
)
_MARK = re.compile(
    rf"{_DRESS}{_LEAD}(?:{_ENGLISH}|{_OTHERS})(?P<said>{_COLON}|{_IS})[ \t*_`}}]{{0,6}}"
    r"(?P<answer>.*)",
    re.IGNORECASE | re.DOTALL,
)
_CHOSEN = re.compile(
    rf"{_DRESS}{_LEAD}(?:the\s)?(?:correct\s)?(?:(?:option|choice|answer)\s)?[*_]{{0,3}}"
    r"(?P<answer>\(?[A-J]\)?)[*_]{0,3}\sis(?:\sthe)?(?:\scorrect|\sright|\sbest)"
    r"(?:\s(?:one|answer|option|choice))?[.!*_ ]*",
    re.IGNORECASE,
)
_CJK_MARK = re.compile(
    r"(?:\A|(?<=[\s，。；,;.*#]))(?:因此|所以|故|综上|综上所述|[，,]){0,3}"
    r"(?:(?:最终|正确|本题)的?)?(?:答案|答え|答|正解|정답|최종 답|答えは|故选|故答案)"
    r"\*{0,2}\s?(?:[:：]|应?[是为選选]|应为|は|은|는)\*{0,2}\s?[:：]?\s?\*{0,2}(?P<answer>[^。\n]*)"
    r"|(?:\A|(?<=[\s，。；,;.*]))(?:因此|所以)?(?:故选|应选|选择|选项|选)[:：]?\s?"
    r"(?P<chosen>\(?[A-J]\)?)(?![A-Za-z])(?=\s*(?:[。，,.]|是?正确|\Z))"
)
_HEADING = re.compile(
    rf"{_DRESS}(?:\d+\.\s?)?(?:the\s)?(?P<final>final\s|correct\s)?answer[ \t*_`]{{0,6}}"
    rf"(?:[:：])?[ \t*_`#]{{0,6}}|{_DRESS}(?P<cjk>最终答案|答案)[ \t*_]{{0,6}}[:：]?[ \t*_]{{0,6}}",
    re.IGNORECASE,
)
_GSM8K = re.compile(r"\s*####\s*(?P<answer>[-+]?[$€£]?\d[\d,./]*\s?%?)\s*")
_TITLES = ("Mr", "Ms", "Mrs", "Dr", "St", "Prof", "Gen", "Capt", "Lt", "Sgt", "Gov", "Rev")
_STOP = (
    r"(?<!\b[A-Z])"
    + "".join(rf"(?<!\b{title})" for title in _TITLES)
    + r"(?<!(?<!\d\s)\bMt)(?<!(?<!\d\s)\bFt)\."  # behind a number they are units
)
_SENTENCE = re.compile(rf"(?:{_STOP}|[!?;])[\"”)*]{{0,4}}\s+")
_END_OF_SENTENCE = re.compile(
    rf"{_STOP}\**\s+(?=[A-Z*$\\(])"
    r"|,?\s(?:because|since|which|where|as (?:it|the|this|we|they))\s|, as \w+(?=[\s.]*\Z)"
    r"|，(?=[因即所故其这那])"
    r"|(?:です|である|입니다|이다)(?=\s*\Z)"
)
_BOLD_MARK = re.compile(r"\*\*(?:final |correct )?answer ?(?::\*\*|\*\* ?:)", re.IGNORECASE)
# One of these stands in every marked line, in lower case: looked for before any pattern is tried.
_KEYWORDS = (
    *("answer", "ans:", "ans.", "ans =", "option", "choice", "respuesta", "réponse", "antwort"),
    *("resposta", "risposta", "ответ", "答", "选", "選", "正解", "정답", "최종 답"),
)
_BULLET = re.compile(r"[-*•]\s|\(?[a-z\d]{1,2}[).]\s")
_OUTER_MATH = re.compile(r"(?:\$\$?(.*?)\$?\$|\\\((.*)\\\)|\\\[(.*)\\\])", re.DOTALL)
_DISPLAY = {"\\[": "\\]", "$$": "$$", "\\(": "\\)"}

_NUMBER = re.compile(
    r"[+\-−]?\s?[$€£]?\s?(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
    r"(?:\s?/\s?\d+|[eE][+-]?\d{1,4}|\s?%|\s?(?:[×x*]|\\times)\s?10\s?\^\s?\{?[+-]?\d{1,4}\}?)?"
    r"(?:\s?[A-Za-zµΩ°]{1,4}(?:/[a-z]{1,3})?(?:\^?\{?[23]\}?|²|³)?)?"
)
# "The number of ways is **12**": what such a sentence gives, under the mark of a final answer.
_SAID_OF_IT = re.compile(
    r"The(?: [A-Za-z][A-Za-z'-]*){1,5} is "
    rf"(?P<value>\*\*[^*\n]+\*\*|\$[^$\n]+\$|\\\([^\n()]+\\\)|{_NUMBER.pattern})\.?"
)
_WORDS_IN_MATH = re.compile(r"\\(?:text|textrm|textbf|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
_PROSE = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}\s+[^\W\d_]{2,}")
_LETTER_RUN = re.compile(r"(?<!\\)\b(?<!\\)[A-Za-z]{2,}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_FORMULA_START = re.compile(
    r"[\d+\-−(\[{\\√π]|[A-Za-z](?:_\w|\(\w\))?\s?[=^_+*/<>≤≥∈-]|\(?[A-J]\)?\Z"
)


def last_marked_line(text: str) -> str | None:
    """The answer of the last marked line, sentence or heading of a text, or None."""
    tail = text[-_TAIL_CHARS:]
    if not _has_keyword(tail) and "####" not in tail[-_WHOLE_CHARS:]:
        return None
    lines = tail.splitlines()
    for at in range(len(lines) - 1, -1, -1):
        if len(lines[at]) <= _LINE_CHARS and (found := _answer_of_line(lines, at)):
            return found
    return None


def whole_formula(text: str) -> str | None:
    r"""The text when it is nothing but one formula or number: `42`, `$\frac12$`, `\[ x=3 \]`."""
    body = text.strip() if len(text) < 2 * _WHOLE_CHARS else ""
    if not body or len(body) > _WHOLE_CHARS or "\n\n" in body or "box" in body:
        return None
    bare = undress(body)
    if _NUMBER.fullmatch(bare):
        return bare
    delimited = bare != body.strip("*_. ")
    words = " ".join(_WORDS_IN_MATH.findall(bare))
    symbols = _COMMAND.sub(" ", _WORDS_IN_MATH.sub(" ", bare))
    if not bare or "$" in bare or _PROSE.search(words) or _LETTER_RUN.search(symbols):
        return None
    return bare if delimited or _FORMULA_START.match(bare) else None


def undress(text: str, dots: bool = True, marks: int = 4) -> str:
    """Drop the bold marks, the closing full stop, the math delimiters and a leading "The answer
    is" around an answer; no more than `marks` of the last one behind another."""
    bare = text.strip()
    if dots:
        bare = re.sub(r"^\*\*|^__|\*\*$|__$", "", bare.rstrip("."))
        bare = bare.strip("*_` ").rstrip(".").strip()
        bare = bare.replace("**", "") if bare.count("**") % 2 else bare
        bare = bare.removesuffix("}") if bare.count("}") > bare.count("{") else bare
    if match := _OUTER_MATH.fullmatch(bare):
        inner = next(g for g in match.groups() if g is not None).strip()
        if "$" not in inner.replace("\\$", "") and "\\)" not in inner and "\\]" not in inner:
            bare = inner.rstrip(".").strip() if dots else inner
    is_short = marks > 0 and len(bare) <= _LINE_CHARS
    if is_short and _has_keyword(bare[:40]) and (said := _MARK.fullmatch(bare)):
        return undress(_cut(said["answer"]), dots, marks - 1) or bare
    return bare


def _has_keyword(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _KEYWORDS)


def _answer_of_line(lines: list[str], at: int) -> str | None:
    line = lines[at]
    if line.startswith("####") and (hashes := _GSM8K.fullmatch(line)):
        return hashes["answer"].strip() if not "".join(lines[at + 1 :]).strip() else None
    if not _has_keyword(line):
        return None
    if heading := _HEADING.fullmatch(line):
        return _below(lines[at + 1 :], final=bool(heading["final"] or heading["cjk"]))
    for sentence in reversed(_SENTENCE.split(line)):
        if chosen := _CHOSEN.fullmatch(sentence):
            return str(chosen["answer"])
    starts = _sentence_starts(line)
    bold = (mark.start() for mark in _BOLD_MARK.finditer(line))
    for start in sorted({*starts, *bold}, reverse=True):
        if match := _MARK.match(line, start):
            if match["answer"].strip(" *_"):
                final = "final" in line[start : match.start("answer")].lower()
                return _given(match["answer"], final)
            if start in starts:
                return _below(lines[at + 1 :], final=True)
    if (found := list(_CJK_MARK.finditer(line))) and found[-1].group():
        said = found[-1]["chosen"] or found[-1]["answer"]
        return undress(_cut(said)) or _below(lines[at + 1 :], final=True)
    return None


def _sentence_starts(line: str) -> list[int]:
    return [0, *(match.end() for match in _SENTENCE.finditer(line))]


def _cut(answer: str) -> str:
    """An answer up to the end of its sentence or the reason given for it."""
    for end in _END_OF_SENTENCE.finditer(answer):
        head = answer[: end.start()]
        if head.strip() and head.count("$") % 2 == 0 and head.count("{") == head.count("}"):
            return head
    return answer


def _below(lines: list[str], final: bool) -> str | None:
    """What stands under a heading: the next line with something on it, or a displayed formula.

    A heading that only says "Answer" may open a whole solution: nothing may follow its line.
    """
    full = [line.strip() for line in lines if line.strip()]
    if not full:
        return None
    taken = 1
    if close := _DISPLAY.get(full[0]):
        taken = next((n for n, line in enumerate(full[1:8], 2) if line == close), 1)
    if taken < len(full) and _BULLET.match(full[0]) and _BULLET.match(full[taken]):
        return None  # a list of lines: one of them is not the answer
    answer = " ".join(full[:taken])
    if len(answer) > _LINE_CHARS or (not final and len(full) > taken):
        return None
    return _given(answer, final)


def _given(answer: str, final: bool) -> str | None:
    """The answer that a text behind a mark gives; of a final one's whole sentence, the value."""
    said = _cut(answer).strip()
    if final and (sentence := _SAID_OF_IT.fullmatch(said)):
        said = sentence["value"]
    return undress(said) or None
