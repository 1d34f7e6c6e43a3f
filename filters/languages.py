"""Language mixing by writing system: a Chinese sentence in an English trace, an English one in a
Chinese trace.

Languages written in the same letters are not told apart. Latin and Greek letters are in every
mathematical text and never foreign by themselves.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import numpy as np

from filters.text_bytes import Mask, TextBytes, high_bytes

# Ranges of letters by script, compatibility and rare planes left out.
_SCRIPTS = {
    "Han": r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "Kana": r"\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff",
    "Hangul": r"\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "Cyrillic": r"\u0400-\u0481\u048a-\u052f",
    "Arabic": r"\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff",
    "Hebrew": r"\u05d0-\u05ea",
    "Indic": r"\u0904-\u0963\u0971-\u0dff",
    "Thai": r"\u0e01-\u0e4e",
}
# A character of these is a syllable or a word; of the others, a letter.
_DENSE = frozenset({"Han", "Kana", "Hangul"})
_LETTERS_PER_SYLLABLE = 3

_OWN_SCRIPTS = {
    "zh": {"Han"},
    "ja": {"Han", "Kana"},
    "ko": {"Hangul", "Han"},
    "he": {"Hebrew"},
    "th": {"Thai"},
    **{code: {"Cyrillic"} for code in ["ru", "uk", "bg", "be", "mk", "sr", "kk", "ky", "mn"]},
    **{code: {"Arabic"} for code in ["ar", "fa", "ur"]},
    **{code: {"Indic"} for code in ["hi", "bn", "ta", "te", "mr", "ne", "gu", "kn", "ml", "pa"]},
}
NOT_LATIN = tuple(_OWN_SCRIPTS)
# A question that names a language asks for its letters.
_NAMED = {
    "Han": r"chinese(?! remainder)|mandarin|cantonese|japanese|kanji|hanzi|中文|汉语",
    "Kana": r"japanese|hiragana|katakana|日语|日文",
    "Hangul": r"korean|hangul|韩语|韩文",
    "Cyrillic": r"russian|cyrillic|ukrainian|bulgarian|serbian|俄语|俄文",
    "Arabic": r"arabic|persian|farsi|urdu|阿拉伯语",
    "Hebrew": r"hebrew|希伯来语",
    "Indic": r"hindi|sanskrit|devanagari|bengali|tamil|telugu|marathi|印地语",
    "Thai": r"thai|泰语",
    "Latin": r"english|french|german|spanish|latin|translat|英语|英文|翻译|法语|德语",
}
_SENTENCE_END = r"\n.!?。！？"
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)

# Of U+2000 to U+2FFF, punctuation, arrows and mathematics, the first byte is E2.
_FIRST_FOREIGN_BYTE, _SYMBOLS_BYTE = 0xD0, 0xE2


def own_scripts(language: str | None, question: str | None) -> frozenset[str]:
    """The scripts a trace may be written in: its language's, and those its question has or names.

    `Latin` is among them unless the language is written otherwise. No language means English; a
    language may be given by its code (`zh-CN`) or its English name.
    """
    of_language = _OWN_SCRIPTS.get(re.split("[-_]", (language or "en").lower())[0], {"Latin"})
    return frozenset(of_language) | _scripts_in(question or "") | _scripts_in(language or "")


@lru_cache(maxsize=4_096)
def _scripts_in(question: str) -> frozenset[str]:
    written = {name for name, letters in _SCRIPTS.items() if re.search(f"[{letters}]", question)}
    named = {
        name
        for name, words in _NAMED.items()
        if re.search(rf"(?<![a-z])(?:{words})", question, re.I)
    }
    return frozenset(written | named)


def may_be_mixed(texts: TextBytes) -> Mask:
    """False where a text surely holds no letter of a foreign script, for texts in Latin letters."""
    places = high_bytes(texts.data)
    found = texts.data[places]
    leads = places[(found >= _FIRST_FOREIGN_BYTE) & (found != _SYMBOLS_BYTE)]
    counts = np.bincount(texts.rows_of(leads), minlength=len(texts.offsets) - 1)
    return np.asarray(counts > 0)


def is_mixed(text: str, own: Collection[str], foreign_letters: int, latin_words: int) -> bool:
    """Whether a text changes its language.

    It does with `foreign_letters` syllables of foreign scripts (or three times as many letters) in
    one sentence with no Latin letter between, with four times as many in all, or, in a text that is
    not in Latin letters, with that many Latin words in a row outside code blocks.
    """
    foreign = [name for name in _SCRIPTS if name not in own]
    dense = _letters(name for name in foreign if name in _DENSE)
    other = _letters(name for name in foreign if name not in _DENSE)
    return (
        _speaks(text, dense, foreign_letters)
        or _speaks(text, other, _LETTERS_PER_SYLLABLE * foreign_letters)
        or (
            "Latin" not in own and _latin_run(latin_words).search(_FENCED.sub("", text)) is not None
        )
    )


def _letters(names: Iterable[str]) -> str:
    return "".join(_SCRIPTS[name] for name in names)


def _speaks(text: str, letters: str, enough: int) -> bool:
    """Whether there are enough letters in one sentence, or four times as many in the text."""
    if not letters:
        return False
    words = _runs(letters).findall(text)
    if sum(len(re.findall(f"[{letters}]", word)) for word in words) >= 4 * enough:
        return True
    return any(len(re.findall(f"[{letters}]", word)) >= enough for word in words)


@lru_cache(maxsize=256)
def _runs(letters: str) -> re.Pattern[str]:
    """A foreign letter, and others of one sentence with no Latin or Greek letter between."""
    return re.compile(rf"[{letters}](?:[^A-Za-z\u00c0-\u03ff{_SENTENCE_END}]*[{letters}])*")


@lru_cache(maxsize=64)
def _latin_run(words: int) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?<![A-Za-z\\])[A-Za-z]{{2,}}(?:'[a-z]+)?[ ,;:]+){{{words - 1}}}[A-Za-z]"
    )
