r"""The exact normal form of a math answer: two answers with the same one are the same.

Only what carries no meaning is dropped: `$ … $`, `\left \right`, thin spaces, sizes of
fractions, text wrappers, a closing full stop. `\dfrac{1}{2}` and ` \frac12 ` both become
`\frac{1}{2}`; `(1,2)` and `[1,2]`, `2 3` and `23` stay apart.
"""

import re
import unicodedata
from functools import lru_cache

_UNICODE = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "÷": "/",
        "π": r"\pi ",
        "∞": r"\infty ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "≠": r"\ne ",
        "±": r"\pm ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∅": r"\emptyset ",
        "∈": r"\in ",
        "°": r"^\circ",
        "％": "%",
        "∖": r"\setminus ",
        "∨": r"\lor ",
        "∧": r"\land ",
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}",
        "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}",
        "⌊": r"\lfloor ",
        "⌋": r"\rfloor ",
        "⌈": r"\lceil ",
        "⌉": r"\rceil ",
        "⟨": r"\langle ",
        "⟩": r"\rangle ",
        "′": "'",
        "α": r"\alpha ",
        "β": r"\beta ",
        "θ": r"\theta ",
        "λ": r"\lambda ",
        "φ": r"\varphi ",
        "∓": r"\mp ",
        "⋅": r"\cdot ",
        "∗": "*",
        "…": "...",
        "，": ",",
        "（": "(",
        "）": ")",
    }
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUPERSCRIPTS = re.compile("[⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ]+")
_SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUBSCRIPTS = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")
_ROOT = re.compile(r"√\s*(?:\{([^{}]*)\}|(\([^()]*\)|\d+|\w))")
_HIGHER_ROOT = re.compile(r"([∛∜])\s*(?:\{([^{}]*)\}|(\([^()]*\)|\d+|\w))")
_DEGREES = {"∛": 3, "∜": 4}
_COMMA_GROUP = re.compile(r"(?<![\d.])(\d+)((?:\{\s*,\s*\}\d+)+)")
_NO_DIGITS = re.compile(r"\D+")
_PHANTOM = re.compile(r"\\[hv]?phantom\s*(?:\{[^{}]*\}|.)")
_GROUP_DIGITS = 3
_DELIMITERS = re.compile(r"\$|(?<!\\)\\[()\[\]]")
_THIN = re.compile(r"(?<!\\)\\[!,;:> ]|\\q?quad\b|~|\\displaystyle\b|\\limits\b")
_THIN_THOUSANDS = re.compile(r"(?<=\d)(?:\\[,! ]|~)(?=\d{3}(?!\d))")
_SIZES = re.compile(r"\\(?:left|right|[bB]ig+[lr]?)(?![a-zA-Z])\.?")
_SYNONYMS = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\leq(?:slant)?(?![a-zA-Z])"), r"\\le "),
    (re.compile(r"\\geq(?:slant)?(?![a-zA-Z])"), r"\\ge "),
    (re.compile(r"\\neq(?![a-zA-Z])"), r"\\ne "),
    (re.compile(r"\\(?:varnothing)(?![a-zA-Z])"), r"\\emptyset "),
    (re.compile(r"\\(?:lbrace)(?![a-zA-Z])"), r"\\{"),
    (re.compile(r"\\(?:rbrace)(?![a-zA-Z])"), r"\\}"),
    (re.compile(r"\^\s*\{\s*(?:\\circ|\\degree)\s*\}|\^\s*\\circ|\\degree"), r"^\\circ "),
    (re.compile(r"\\operatorname\{(\w+)\}"), r"\\\1 "),
    (re.compile(r"\\(?:dots|cdots|ldots)(?![a-zA-Z])"), "..."),
)
_FRAC = re.compile(r"\\frac\s*(\{[^{}]*\}|\d|[a-z])\s*(\{[^{}]*\}|\d|[a-z])")
_SQRT = re.compile(r"\\sqrt\s*(\d|[a-z])(?![a-z])")
_WRAPPERS = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|rm|bf)\s*\{([^{}]*)\}")
_BOLD = re.compile(r"(?<![\w)}])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w({\\])")  # 2**3**2 is a power
_LONGEST_SYMBOL = 3
_GAP = re.compile(r"(?<=[0-9A-Za-z])\s+(?=[0-9A-Za-z])")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=4_096)
def tidy(text: str) -> str:
    """LaTeX with one spelling for each thing, text wrappers kept: what the parsers read."""
    if not text.isascii():
        text = _in_ascii(text)
    text = _BOLD.sub(r"\1", text.strip("`")).replace("\\!", "")
    text = _PHANTOM.sub(" ", text.replace("{:}", ":"))
    text = _COMMA_GROUP.sub(_comma, _THIN_THOUSANDS.sub("", text))
    text = text.replace(r"\$", " ").replace(r"\%", "%")
    text = _DELIMITERS.sub(" ", text)
    text = _SIZES.sub("", _THIN.sub(" ", text))
    for pattern, replacement in _SYNONYMS:
        text = pattern.sub(replacement, text)
    text = _FRAC.sub(lambda m: f"\\frac{_braced(m[1])}{_braced(m[2])}", text)
    text = _SQRT.sub(r"\\sqrt{\1}", text)
    text = _SPACE.sub(" ", text).strip().rstrip(",;").rstrip()
    return text if text.endswith("...") else text.rstrip(".").rstrip()


def _in_ascii(text: str) -> str:
    """Signs and digits of other alphabets as LaTeX has them; letters stay."""
    text = _SUPERSCRIPTS.sub(lambda m: "^{" + m.group().translate(_SUPERSCRIPT) + "}", text)
    text = _SUBSCRIPTS.sub(lambda m: "_{" + m.group().translate(_SUBSCRIPT) + "}", text)
    text = _VULGAR.sub(_vulgar, text)
    text = _HIGHER_ROOT.sub(lambda m: f"\\sqrt[{_DEGREES[m[1]]}]{{{m[2] or m[3]}}}", text)
    text = unicodedata.normalize("NFKC", text.translate(_UNICODE))
    return _ROOT.sub(lambda m: f"\\sqrt{{{m[1] or m[2]}}}", text)


def _vulgar(match: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", match.group()).partition("\u2044")
    return f"\\frac{{{top}}}{{{bottom}}}"


def _comma(match: re.Match[str]) -> str:
    """`1{,}234` groups thousands; `3{,}5` and `0{,}125` are decimals."""
    first, *rest = [match[1], *_NO_DIGITS.split(match[2])[1:]]
    if first != "0" and all(len(group) == _GROUP_DIGITS for group in rest):
        return first + "".join(rest)
    return f"{first}.{rest[0]}" if len(rest) == 1 else match.group()


@lru_cache(maxsize=4_096)
def normal_form(text: str) -> str:
    """The string two equal answers share when nothing but spelling sets them apart."""
    text = unwrap(tidy(text))
    if _is_words(text):
        return text.casefold()
    return _GAP.sub("\x1f", text).replace(" ", "").replace("\x1f", " ")


def _is_words(text: str) -> bool:
    """Words, whose case means nothing; in `AB` and `a-B` it does: those may be variables."""
    longest = max((len(run) for run in re.findall(r"[A-Za-z]+", text)), default=0)
    prose = longest > _LONGEST_SYMBOL or text.casefold() in ("yes", "no", "odd")
    return prose and re.fullmatch(r"[A-Za-z][A-Za-z' \-]+", text) is not None


@lru_cache(maxsize=4_096)
def unwrap(text: str) -> str:
    r"""Drop `\text{…}` and its like, keeping what they hold."""
    return _SPACE.sub(" ", _WRAPPERS.sub(r" \1 ", text)).strip()


def _braced(argument: str) -> str:
    return argument if argument.startswith("{") else "{" + argument + "}"
