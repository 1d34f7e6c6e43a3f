r"""An answer's text made ready for the parser: one spelling for each thing, what is prose refused.

`1.5e6` becomes `1.5 \times 10^{6}`, `0.\overline{3}` a fraction, `1,234` 1234 (but `(1,234)` stays
a pair), `\text{ or }` the word, `\mathbf{i}` its letter, `(0,1) U (2,3)` a union.
"""

import re
from fractions import Fraction

from filters.formula.tree import FormulaError
from filters.verifiers.normal_form import tidy

MAX_CHARS = 1_500
_JOINING = re.compile(r"\\(?:text|mathrm|textrm|mbox|rm)\s*\{[\s,]*(and|or|AND|OR)[\s,]*\}")
_COLOUR = re.compile(r"\\(?:color|textcolor)\s*\{[a-zA-Z]+\}")
_WRAPPED = re.compile(
    r"\\(?:underline|mathrm|mathbf|mathit|mathsf|mathcal|boldsymbol|bm|textit|textbf|text|textrm|rm|bf|"
    r"operatorname\*?|mbox|mathop|hat|vec)\s*\{\s*(\\?[A-Za-z]+|[\d.]+)\s*\}"
)
_NAMES = frozenset(
    ("arctg", "arcctg", "tg", "ctg", "sh", "ch", "th", "cosec", "lcm", "gcd", "arcsin", "arccos",
     "arctan", "arccot", "sin", "cos", "tan", "ln", "lg", "log", "exp", "max", "min", "sinh",
     "cosh", "tanh", "Re", "Im", "arg", "arcsinh", "arccosh", "arctanh")
)  # fmt: skip
_FLAT = re.compile(r"\\begin\{(?:cases|aligned|align|gathered|array)\}(?:\{[lcr|]*\})?([^&]*?)"
                   r"\\end\{(?:cases|aligned|align|gathered|array)\}")  # fmt: skip
_SCIENTIFIC = re.compile(r"(?<![A-Za-z\d.])(\d+(?:\.\d*)?|\.\d+)[eE]([+-]?\d{1,5})(?![\d.A-Za-z])")
_TIMES_TEN = re.compile(r"(?<=[\d.])\s*[xX]\s*(?=10\s*(?:\^|\*\*))")
_REPEATING = re.compile(
    r"(?<![\d.])(\d*)\.(\d{0,20})(?:\\overline\s*\{?(\d{1,20})\}?|\\bar\s*\{?(\d{1,20})\}?"
    r"|\\dot\s*\{?(\d)\}?(?:(\d*)\\dot\s*\{?(\d)\}?)?|\((\d{1,20})\))"
)
_GOING_ON = re.compile(r"(?<![\d.])(\d*)\.(\d{0,20}?)(\d{1,6}?)\3{2,}\s*\.\.\.")
_UNION_LETTER = re.compile(r"(?<=[)\]}])\s*U\s*(?=[(\[{\\])")
_MIXED = re.compile(r"(?<![\d.,/^_{])(\d+)\s+(\d+)\s*/\s*(\d+)(?![\d.])")
_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?!\d|,\d)")
_BRACKET = re.compile(r"\\[{}]|[()\[\]{}]")
_LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_FUNCTION_RUN = re.compile(  # sinx, xlnx, arctanxy
    r"(?:[a-zA-Z]{0,2}(?:arc(?:sin|cos|tan|cot|sec|csc)h?|a(?:sin|cos|tan)|(?:sin|cos|tan|cot)h?|sec|csc"
    r"|cbrt|sqrt|exp|log|ln|lg|lcm|gcd|max|min|floor|ceil|abs|pi|infinity|infty|inf|mod)){1,4}[a-zA-Z]{0,3}"
)
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|hat|vec|boldsymbol|bm|widehat|overrightarrow)\s*\{\s*(?:\\(?:mathbf|bf)\s*\{?)?"
    r"\\?([ij])(?:math)?\s*\}{1,2}"
)
_THIRD_VECTOR = re.compile(
    r"\\(?:mathbf|hat|vec|boldsymbol|bm|widehat|overrightarrow)\s*\{\s*k\s*\}"
)
_OUTWARD = re.compile(r"(\]|\[)\s*([^\[\](),]+),\s*([^\[\](),]+?)\s*(\[|\])")
_GOING_UP = re.compile(
    r"(?<![\d.,\w])(-?\d{1,6}),\s*(-?\d{1,6}),\s*(?:(-?\d{1,6}),\s*)?\.\.\.,?\s*(-?\d{1,6})(?![\d.])"
)
_MOST_MEMBERS = 60
_DERIVATIVE = re.compile(
    r"\\frac\s*\{\s*(?:d|\\mathrm\{d\}|\\partial)\b[^{}]*\}\s*\{\s*(?:d\s*[a-z]|\\partial)"
)
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3}(?: \d{3})+)(?![\d.]|\s*\d|\s*\\frac)")
_SYNONYMS = (
    (re.compile(r"\\(?:lt)(?![a-zA-Z])"), "<"),
    (re.compile(r"\\(?:gt)(?![a-zA-Z])"), ">"),
    (re.compile(r"\\(?:l|r)?[vV]ert(?![a-zA-Z])|\\\|"), "|"),
    (re.compile(r"\^\s*\{?\s*\\prime\s*\}?"), "'"),
    (re.compile(r"\\(?:tbinom|dbinom)(?![a-zA-Z])"), r"\\binom"),
    (re.compile(r"\\(?:mathrm|rm|text)\s*\{\s*d\s*\}"), "d"),
    (re.compile(r"=<"), "<="),
    (re.compile(r"\\(?:bf|it|rm|sf)(?![a-zA-Z{])"), " "),
    (re.compile(r"=>"), ">="),
    (re.compile(r"\\(?:nolimits|limits|displaystyle|textstyle|hspace\{[^{}]*\}|mathrm|mathbf)"
                r"(?![a-zA-Z{])"), " "),
)  # fmt: skip
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[a-zA-Z]+\}")
_LONGEST_RUN = 24
_LONGEST_PRODUCT = 3  # letters in a row that may be a product: xyz; longer ones are words


def prepared(text: str) -> str:
    """The text as the parser's scanner wants it. Raises FormulaError for prose and giants."""
    if len(text) > MAX_CHARS:
        raise FormulaError(f"{len(text):,} characters, the limit is {MAX_CHARS:,}")
    text = tidy(_COLOUR.sub(" ", _JOINING.sub(lambda m: f" {m[1].lower()} ", text)))
    text = _FLAT.sub(lambda m: m[1].replace(r"\\", ",").strip(" ,"), text)
    for pattern, spelling in _SYNONYMS:
        text = pattern.sub(spelling, text)
    text = _THIRD_VECTOR.sub(r"\\veck ", _UNIT_VECTOR.sub(r"\\vec\1 ", text))
    text = _OUTWARD.sub(_inward, text)
    text = _WRAPPED.sub(_unwrapped, text)
    text = _MIXED.sub(_mixed, text)
    text = _TIMES_TEN.sub(r" \\times ", text)
    text = _SCIENTIFIC.sub(r"\1 \\times 10^{\2} ", text)
    text = _REPEATING.sub(_as_fraction, text)
    text = _GOING_ON.sub(lambda m: _fraction(m[1], m[2], m[3]), text)
    text = _GOING_UP.sub(_written_out, text)
    text = _UNION_LETTER.sub(r" \\cup ", text)
    if _DERIVATIVE.search(text):
        raise FormulaError("a derivative")
    text = _SPACED.sub(lambda m: m[1].replace(" ", ""), text)
    text = _closed(_without_thousands(text))
    _refuse_prose(text)
    return text


def _unwrapped(match: re.Match[str]) -> str:
    """A wrapped letter, number or function is itself; a wrapped word stays for others to read."""
    inner = match[1]
    if len(inner) == 1 or inner[0].isdigit() or inner[0] == "\\":
        return f" {inner} "
    return f"\\{inner} " if inner in _NAMES else match.group()


def _inward(match: re.Match[str]) -> str:
    """`]0, 1]` is `(0, 1]`; `[0, 1]` stays."""
    opening = "(" if match[1] == "]" else "["
    closing = ")" if match[4] == "[" else "]"
    return f"{opening}{match[2]}, {match[3]}{closing}"


def _written_out(match: re.Match[str]) -> str:
    """`1, 3, ..., 9` with all its members."""
    first, second, last = int(match[1]), int(match[2]), int(match[4])
    step = second - first
    even = match[3] is None or int(match[3]) == second + step
    if (
        not step
        or not even
        or (last - first) % step
        or not 0 <= (last - first) // step < _MOST_MEMBERS
    ):
        return match.group()
    return ", ".join(str(first + step * k) for k in range((last - first) // step + 1))


def _mixed(match: re.Match[str]) -> str:
    whole, top, bottom = match.groups()
    return f"{whole}\\frac{{{top}}}{{{bottom}}}" if int(top) < int(bottom) else match.group()


def _as_fraction(match: re.Match[str]) -> str:
    whole, before = match[1], match[2]
    dotted = (match[5] or "") + (match[6] or "") + (match[7] or "")
    return _fraction(whole, before, match[3] or match[4] or dotted or match[8])


def _fraction(whole: str, before: str, repeated: str) -> str:
    """0.1(6) as 1/10 + 6/90, in a group of its own."""
    scale = 10 ** len(before)
    value = Fraction(int((whole + before) or "0"), scale)
    value += Fraction(int(repeated), scale * (10 ** len(repeated) - 1))
    return f"{{\\frac{{{value.numerator}}}{{{value.denominator}}}}}"


def _without_thousands(text: str) -> str:
    """`1,234` and `\\{1,000, 2,000\\}` lose their inner commas; the pair `(1,234)` does not."""
    if "," not in text:
        return text
    return _THOUSANDS.sub(lambda m: _thousands_at(text, m), text)


def _thousands_at(text: str, match: re.Match[str]) -> str:
    around = _around(text, match.start(), match.end())
    if around is not None and not re.search(r", |;", around):
        return match.group()
    return match.group().replace(",", "")


def _around(text: str, start: int, end: int) -> str | None:
    """What the innermost brackets around a place hold, None outside of any."""
    opened: list[int] = []
    for mark in _BRACKET.finditer(text):
        if mark.group() in "{}":
            continue  # a group, as of \sqrt{1,234}
        opens = mark.group() in ("(", "[", r"\{")
        if mark.start() >= end and not opens:
            if opened and opened[-1] <= start:
                return text[opened[-1] : mark.start()]
            opened = opened[:-1]
        elif opens:
            opened.append(mark.end())
        elif opened:
            opened.pop()
    return None


def _closed(text: str) -> str:
    """One brace that is missing at the end is put there."""
    depth = 0
    for mark in _BRACKET.finditer(text):
        depth += (mark.group() == "{") - (mark.group() == "}")
        if depth < 0:
            raise FormulaError("a brace closes what was not opened")
    if depth > 1:
        raise FormulaError("braces are left open")
    return text + "}" * depth


def _refuse_prose(text: str) -> None:
    for run in _LETTERS.finditer(_ENVIRONMENT.sub(" ", text)):
        size = len(run.group())
        if size > _LONGEST_RUN or (
            size > _LONGEST_PRODUCT and not _FUNCTION_RUN.fullmatch(run.group())
        ):
            raise FormulaError(f"the word {run.group()[:40]!r}")
