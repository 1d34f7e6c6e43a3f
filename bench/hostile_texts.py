r"""Families of answers that break parsers, solvers and patience. Each is a function of a size.

A family takes a random generator and a size `n`, and gives a text of roughly `n` parts:
`towers(rng, 3)` is `9^{9^{9}}`. Nothing here is run; it is only ever put into an answer.
"""

import random
import re
from collections.abc import Callable

Family = Callable[[random.Random, int], str]


def _digits(rng: random.Random, n: int) -> str:
    return str(rng.randint(1, 9)) + "".join(rng.choices("0123456789", k=max(n - 1, 0)))


def _nest(before: str, inner: str, after: str, n: int) -> str:
    return before * n + inner + after * n


def _repeat(*pieces: str) -> Family:
    return lambda rng, n: rng.choice(pieces) * n


def _joined(separator: str, item: Callable[[random.Random, int], object]) -> Family:
    return lambda rng, n: separator.join(str(item(rng, i)) for i in range(n))


def _one_of(texts: str) -> Family:
    """Fixed texts, two spaces or a line between them; `<d>` becomes a digit from 2 to 9."""
    choices = re.split(r"\s{2,}", texts)
    return lambda rng, n: rng.choice(choices).replace("<d>", str(rng.randint(2, 9)))


def _matrix(rng: random.Random, n: int) -> str:
    side = max(round(n**0.5), 1)
    row = " & ".join(str(rng.randint(0, 9)) for _ in range(side))
    return "\\begin{pmatrix}" + " \\\\ ".join([row] * side) + "\\end{pmatrix}"


def _shuffled(items: list[str], rng: random.Random) -> str:
    rng.shuffle(items)
    return ", ".join(items)


def _radicals(rng: random.Random, n: int) -> str:
    return _shuffled([f"\\sqrt{{{k + 2}}}+{rng.randint(0, 1)}" for k in range(n)], rng)


def _unions(rng: random.Random, n: int) -> str:
    return r"\cup".join(f"({2 * k},{2 * k + rng.choice((1, 2))})" for k in range(n))


def _zalgo(rng: random.Random, n: int) -> str:
    return "".join("7" + chr(rng.randint(0x300, 0x36F)) * 3 for _ in range(n))


NUMBERS: dict[str, Family] = {
    "towers": lambda rng, n: _nest(f"{rng.randint(2, 9)}^{{", "9", "}", n),
    "python towers": lambda rng, n: "**".join(str(rng.randint(2, 9)) for _ in range(n + 1)),
    "negative towers": lambda rng, n: _nest("2^{-", str(rng.randint(2, 9)), "}", n),
    "tower in disguise": _one_of(
        r"""(<d>^{99})^{(9^9)}  (((<d>^{99})^{99})^{99})^{99}
        \left(<d>^9\right)^{\left(9^9\right)^9}
        10^{10^{1<d>}}  <d>^{\frac{9^{99}}{2}}  2^{\binom{999}{<d>9}}  2^{99999!}
        \exp(\exp(\exp(\exp(<d>))))  e^{e^{e^{e^{<d>}}}}"""
    ),
    "factorials": lambda rng, n: _digits(rng, 4) + "!" * n,
    "giant factorials": _one_of(
        r"""(10^<d>)!  <d>00000!  ((<d>!)!)!  \prod_{k=1}^{<d>000} k!  \frac{<d>99999!}{99998!}
        <d>000!-<d>000!+1  (2^{3<d>})!"""
    ),
    "binomials": _one_of(
        r"""\binom{10^9}{5\cdot 10^<d>}  \binom{99999999}{<d>9999999}
        \sum_{k=0}^{99999}\binom{99999}{k}<d>^k  C_{99999999}^{4999999<d>}
        \binom{\binom{99}{<d>9}}{50}  \dbinom{-10^9}{-<d>}"""
    ),
    "literals": _digits,
    "decimals": lambda rng, n: "0." + _digits(rng, n),
    "tiny decimals": lambda rng, n: "0." + "0" * n + str(rng.randint(1, 9)),
    "grouped digits": lambda rng, n: "1" + (rng.choice((",", "{,}", r"\,", " ")) + "234") * n,
    "floats": _one_of(
        r"""1e99999999<d>  -1e-99999999<d>  1.<d>e+308999  1.<d> \times 10^{999999999}  nan  inf
        -inf
        -0  1e  e<d>  0x1p99999<d>  10^{-10^{1<d>}}  <d>.5E99999999999999999999  1_000_00<d>
        ١٢٣<d>  <d>²³⁴⁵⁶⁷⁸⁹"""
    ),
    "recurring": lambda rng, n: f"0.\\overline{{{_digits(rng, n)}}}",
    "fractions of literals": lambda rng, n: f"\\frac{{{_digits(rng, n)}}}{{{_digits(rng, n)}}}",
    "powers of fractions": lambda rng, n: (
        f"\\left(\\frac{{{_digits(rng, 9)}}}{{7}}\\right)^{{{10 ** min(n, 60)}}}"
    ),
    "bases": lambda rng, n: (
        "".join(rng.choices("01", k=n)) + rng.choice(("_2", "_{10000000}", "_{-3}", "_0", "_{1}"))
    ),
    "roots of literals": lambda rng, n: f"\\sqrt[{rng.randint(2, 99999)}]{{{_digits(rng, n)}}}",
    "times": lambda rng, n: ":".join(str(rng.randint(10, 59)) for _ in range(n)),
    "number words": lambda rng, n: " ".join(
        rng.choices(("one", "hundred", "and", "million", "two"), k=n)
    ),
    "zero in disguise": _one_of(
        r"""\frac{<d>}{x-x}  \frac{1}{\sin^2 x+\cos^2 x-1}  \tan\frac{\pi}{2}  \log 0  0^0  0^{-<d>}
        \frac{0}{0}  \frac{<d>}{0}  <d> \bmod 0  \ln(\ln 1)  \frac{1}{\sqrt{2}^2-2}  \sqrt[0]{<d>}
        \log_1 <d>  \frac{\infty}{\infty}  \infty-\infty  \binom{<d>}{-1}  (-<d>)!"""
    ),
    "giant remainders": _one_of(
        r"""<d>^{10^{12}} \bmod 1000007  \gcd(2^{99999}-1, 2^{9999<d>}-1)  i^{10^{1<d>}}
        (1+i)^{99999<d>}  \phi(10^{9<d>}+7)  \lfloor 10^{99}\pi\rfloor \bmod <d>
        2^{99999999}-2^{9999999<d>}"""
    ),
}

EXPRESSIONS: dict[str, Family] = {
    "power of powers": lambda rng, n: _nest("x^{", "x", "}", n),
    "nested fractions": lambda rng, n: _nest(r"\frac{1}{1+", str(rng.randint(2, 9)), "}", n),
    "fraction chains": _repeat(r"\frac", r"\frac{1}", r"\frac{1}{2", r"\dfrac12+"),
    "nested roots": lambda rng, n: _nest(r"\sqrt{2+", str(rng.randint(2, 9)), "}", n),
    "roots without braces": lambda rng, n: r"\sqrt" * n + str(rng.randint(2, 9)),
    "nested brackets": lambda rng, n: _nest(rng.choice("([{"), "1", rng.choice(")]}"), n),
    "nested left and right": lambda rng, n: _nest(r"\left(", "x+1", r"\right)", n),
    "nested text": lambda rng, n: _nest(r"\text{", "a", "}", n),
    "nested bars": lambda rng, n: _nest("|", f"-{rng.randint(1, 9)}", "|", n),
    "nested sines": lambda rng, n: _nest(r"\sin(", "x", ")", n),
    "nested floors": lambda rng, n: _nest(r"\lfloor ", "2.5", r"\rfloor", n),
    "nested subscripts": lambda rng, n: _nest("x_{", "1", "}", n),
    "nested functions": lambda rng, n: _nest("f(", "x", ")", n),
    "expansions": lambda rng, n: f"(x+y+z+{rng.randint(1, 9)})^{{{n}}}",
    "many factors": _joined("", lambda rng, i: f"(x-{rng.randint(1, 99)})"),
    "many terms": _joined("+", lambda rng, i: f"{rng.randint(1, 9)}a_{{{i}}}"),
    "many letters": _joined("", lambda rng, i: rng.choice("abcdefghijklmnopqrstuvwxyz")),
    "signs": _repeat("-", "+-", r"\pm", "--", r"\mp "),
    "plus or minus sums": lambda rng, n: r"\pm".join(
        f"\\sqrt{{{rng.randint(2, 99)}}}" for _ in range(n + 1)
    ),
    "equal signs": lambda rng, n: rng.choice(("=", "x=", "1=1=", "==", r"\approx")) * n + "5",
    "inequality chains": _joined("<", lambda rng, i: rng.choice(("x", "y", i))),
    "sums": _one_of(
        r"""\sum_{k=1}^{10^{1<d>}} \frac{1}{k^<d>}
        \sum_{i=1}^{9999}\sum_{j=1}^{9999}\frac{i}{j^<d>}
        \prod_{k=1}^{10^9}\left(1+\frac{<d>}{k}\right)  \sum_{k=-\infty}^{\infty} <d>^{k^2}
        \sum_{k=1}^{k} k^{<d>}  \sum_{p} p^{-<d>}  \sum_{k=1}^{2^{2^{2^{<d>}}}} k"""
    ),
    "integrals": _one_of(
        r"""\int_0^\infty \frac{\sin(x^<d>)\ln(1+x)}{e^{x}+x^x}dx  \int x^x \tan(x^{<d>}) dx
        \int_0^1\int_0^1\int_0^1 \frac{dx\,dy\,dz}{<d>-xyz}  \int_{-10^9}^{10^9} |\sin(<d>x^2)| dx
        \iiint_V e^{<d>xyz} dV  \oint \frac{e^{z^<d>}}{z^{99}-1}dz"""
    ),
    "limits": _one_of(
        r"""\lim_{n\to\infty}\left(\frac{(n!)^{<d>}}{n^n}\right)^{1/n}
        \lim_{x\to 0} x^{x^{x^{<d>}}}
        \lim_{n\to\infty} \sum_{k=1}^{n^n} \frac{<d>}{k!}
        \frac{d^{999}}{dx^{999}} x^{<d>}e^{x^2}"""
    ),
    "hard equations": _one_of(
        r"""x^{1<d>}-x-1=0  \sin x = x^{<d>}-\ln x  x^x+2^x=<d>  |x-|x-|x-<d>|||=1
        x^5y^7+y^5z^7+z^5x^<d>=1  \left|\frac{x^9-1}{x^<d>+x+1}\right| > \sin x"""
    ),
    "logarithms": lambda rng, n: r"\log_{2}" * n + _digits(rng, 3),
    "continued roots of letters": lambda rng, n: _nest(r"\sqrt{x+", "x", "}", n),
    "huge degrees": lambda rng, n: f"x^{{{_digits(rng, min(n, 40))}}}-1",
    "polynomial quotients": lambda rng, n: f"\\frac{{x^{{{n}}}-1}}{{x-1}}",
    "units": lambda rng, n: "3 m" + "/s".join(rng.choice(("kg", "m", "s")) for _ in range(n)),
    "powers of units": lambda rng, n: f"3\\text{{ m}}^{{{_digits(rng, min(n, 40))}}}",
}

COLLECTIONS: dict[str, Family] = {
    "matrices": _matrix,
    "sets": lambda rng, n: r"\{" + ",".join(str(rng.randint(1, 10**6)) for _ in range(n)) + r"\}",
    "lists of radicals": _radicals,
    "lists of fractions": lambda rng, n: _shuffled(
        [f"\\frac{{{k}}}{{{k + 1}}}" for k in range(n)], rng
    ),
    "lists of letters": lambda rng, n: _shuffled([f"x_{{{k}}}y" for k in range(n)], rng),
    "lists of plus or minus": _joined(",", lambda rng, i: f"\\pm\\sqrt{{{i + 2}}}"),
    "lists of sums": lambda rng, n: _shuffled(
        [f"\\sin {k}+\\cos {rng.randint(k, k + 1)}" for k in range(n)], rng
    ),
    "lists of pairs": lambda rng, n: _shuffled(
        [f"({k},{rng.randint(k, k + 1)})" for k in range(n)], rng
    ),
    "unions": _unions,
    "unions of solutions": _joined(
        r"\cup", lambda rng, i: f"\\{{x: x^{{{i + 2}}}<{rng.randint(1, 9)}\\}}"
    ),
    "dots": _one_of(
        r"""1,2,\ldots,10^{1<d>}  \{1,\dots,99999999<d>\}  1+2+\cdots+10^{<d>0}  1,2,...,n^{<d>}"""
    ),
    "builders": _one_of(
        r"""\{x \mid \sin x = \frac{1}{<d>}\}  \{x\in\mathbb{Q} : x^{<d>} < 2^{99}\}
        \{k^2 : 1\le k\le 10^{1<d>}\}  \{(x,y) : x^y = y^{<d>x}\}  \{\{\{\{<d>\}\}\}\}"""
    ),
    "letters of choices": _joined(",", lambda rng, i: rng.choice("ABCDEFGH")),
    "parts": _joined(
        " ", lambda rng, i: f"({'abcdefghij'[i % 10]}) x_{{{i}}}={rng.randint(1, 9)};"
    ),
    "environments": lambda rng, n: _nest(r"\begin{cases}", "1", r"\end{cases}", n),
    "environments never closed": _repeat(
        r"\begin{pmatrix}", r"\begin{array}{", r"\left[", r"\begin{"
    ),
}

CHARACTERS: dict[str, Family] = {
    "null bytes": lambda rng, n: "\x00".join("12345678"[: n % 8 + 1]) + "\x00" * rng.randint(1, n),
    "lone surrogates": lambda rng, n: "7" + chr(rng.randint(0xD800, 0xDFFF)) * n,
    "right to left": lambda rng, n: "\u202e" * n + str(rng.randint(1, 999)) + "\u202c",
    "zalgo": _zalgo,
    "invisible": lambda rng, n: "\u200b".join(str(rng.randint(0, 9)) for _ in range(n)) + "\ufeff",
    "controls": lambda rng, n: "".join(chr(rng.randint(1, 31)) for _ in range(n)) + "7",
    "mathematical letters": lambda rng, n: "".join(
        chr(rng.randint(0x1D400, 0x1D7FF)) for _ in range(n)
    ),
    "other digits": lambda rng, n: "".join(
        chr(rng.choice((0x660, 0x966, 0xFF10)) + rng.randint(0, 9)) for _ in range(n)
    ),
    "superscripts": lambda rng, n: "9" + "".join(rng.choice("⁰¹²³⁴⁵⁶⁷⁸⁹⁻") for _ in range(n)),
    "vulgar fractions": lambda rng, n: "".join(rng.choice("½⅓¼⅕⅛⅞") for _ in range(n)),
    "emoji": lambda rng, n: "👩\u200d👩\u200d👧\u200d👦7\ufe0f\u20e3" * n,
    "any characters": lambda rng, n: "".join(chr(rng.randint(0, 0x10FFFF)) for _ in range(n)),
    "spaces": lambda rng, n: (
        "1" + rng.choice((" ", "\t", "\n", " ", "~", r"\ ", r"\quad")) * n + "x"
    ),
    "runs": _repeat(
        "{",
        "}",
        "{}",
        "(",
        "()",
        "\\",
        r"\\",
        "$",
        "^",
        "_",
        "'",
        ",",
        ".",
        ":",
        "%",
        "&",
        "!",
        "#",
        r"\%",
        r"\$",
        "1 ",
        "1,",
        "a,",
        "x ",
        "{,}",
        r"\!",
        r"\{",
        r"\text{",
        r"\left",
        "^{",
        "*",
        "`",
        '"',
    ),
    "runs that nearly match": lambda rng, n: (
        rng.choice(("1,234", "1 ", "12:3", "1.2", "a b", "-", r"\, ", "1/")) * n + "?"
    ),
    "macros": _one_of(
        r"""\def\a{\a\a}\a  \newcommand{\x}{\x\x}\x<d>  \input{/etc/passwd}  \write18{ls}
        \loop\iftrue\repeat  \catcode`\@=<d>  \csname x\endcsname  \uppercase{\end}"""
    ),
    "programs": _one_of(
        r"""__import__('os').system('true')  ().__class__.__mro__[<d>]  (lambda:<d>)()  [0]*10**<d>
        exec('while 1: pass')  open('/dev/zero').read()  S('x')**<d>  x.__class__  %s%s%n
        {0.__class__}  '; DROP TABLE t; --  ${jndi:x}"""
    ),
    "prose": lambda rng, n: " ".join(
        rng.choices(("the", "answer", "is", "12", "so", "we", "have", "$x$", "and"), k=n)
    ),
}

FAMILIES: dict[str, Family] = {**NUMBERS, **EXPRESSIONS, **COLLECTIONS, **CHARACTERS}
