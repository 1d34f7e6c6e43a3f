r"""Knights and knaves: who is what, read from any plain wording and compared person by person.

    {"kind": "knights_and_knaves", "people": ["Zoey", "Oliver"],
     "solution": {"Zoey": "knight", "Oliver": "knave"}}
    {"kind": "knights_and_knaves", "people": ["Zoey", "Oliver"],
     "statements": {"Zoey": ["is", "Oliver", "knave"], "Oliver": ["same", …]}}

A statement is a nested list: `["is", person, role]`, `["not", s]`, `["and", s, …]`, `["or", s, …]`,
`["implies", s, t]`, `["same", s, t]`. Knights tell the truth, knaves lie; where both a solution and
statements are given they must agree. `"roles": ["sage", "fool"]` names other roles, the truthful
one first.

The rule: a person with another role than in the solution, or with both, is a reject, even where
others are left out; an answer that leaves someone out and is right otherwise is undecided, and so
is one with words or signs that may turn the meaning ("not", "if", "says", `≠`, `\cancel`).
"""

import itertools
import re
from collections.abc import Collection, Mapping
from typing import Any

from filters.ruling import Ruling, accept, reject, undecided
from filters.verdict import Reason

MAX_PEOPLE = 12  # 2^12 cases to look through
_MAX_DEPTH = 20
_MAX_TOKENS = 60
_MAX_READINGS = 2
_ROLES = ("knight", "knave")
_WORD = r"[^\W_]+(?:['’][^\W_]+)*"
_NAME = re.compile(rf"{_WORD}(?:[ .-]{{1,2}}{_WORD}){{0,3}}")
# Only what changes nothing: any other command or sign (`\neq`, `\cancel`, ¬, ✗, ?) might.
_MARKUP = re.compile(
    r"\\(?:begin|end)\{\w+\*?\}(?:\{[lcr|@{} ]*\})?"
    r"|\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:bf|it|rm|sf|tt)|emph|underline|boxed|mbox|quad"
    r"|qquad|item|hline|left|right|displaystyle|newline|land|wedge|to|rightarrow|colon|and)"
    r"(?![a-zA-Z])|\\[\\,;:&_#{}()\[\] \n]|->"
)
_SIGN = r"\\[a-zA-Z]*|[^\w\s.,:;=&()\[\]{}*_#`$|\"'“”‘’„«»–—\-→•·∧，、。：；（）]"
# Words that change nothing between names and roles.
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        """a an the is are was were and both all also while whereas but so thus hence therefore must
    be two three four five six one we have that s role roles identity type person people answer
    final solution conclusion name character inhabitant islander respectively who each of them as
    follows first second third""",
    )
)

Roles = dict[str, str]
# (person, role) pairs; a person may have two.
Reading = frozenset[tuple[str, str]]


def check_knights(puzzle: Mapping[str, Any], answer: str) -> Ruling:
    """Accept an answer that gives every person the role of the one solution."""
    names = _names(puzzle)
    wanted = _solution(puzzle)
    if isinstance(wanted, Ruling):
        return wanted
    tokens = _tokens(answer, list(wanted), names)
    if isinstance(tokens, str):
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer}: {tokens!r} may change the meaning")
    readings = _readings(tokens, wanted)
    if len(readings) > 1:
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} can be read in several ways")
    if not readings:
        return undecided(Reason.UNPARSED, f"{answer} does not say who is what")
    return _compare(wanted, readings[0], answer)


def _compare(wanted: Roles, reading: Reading, answer: str) -> Ruling:
    for person, role in sorted(reading):
        if role != wanted[person]:
            detail = f"{answer}: {person} is a {wanted[person]}, not a {role}"
            return reject(Reason.ANSWER_MISMATCH, detail)
    if missing := set(wanted) - {person for person, _ in reading}:
        names = ", ".join(sorted(missing))
        return undecided(Reason.AMBIGUOUS_ANSWER, f"{answer} says nothing of {names}")
    return accept(f"{answer}: all {len(wanted)} are right")


def _names(puzzle: Mapping[str, Any]) -> tuple[str, str]:
    roles = puzzle.get("roles")
    if isinstance(roles, list) and len(roles) == 2 and all(isinstance(r, str) for r in roles):
        return roles[0].casefold(), roles[1].casefold()
    return _ROLES


def _solution(puzzle: Mapping[str, Any]) -> Roles | Ruling:
    """The one solution: as given, or as the statements leave it."""
    names, given, statements = _names(puzzle), puzzle.get("solution"), puzzle.get("statements")
    people = puzzle.get("people") or list(given or statements or ())
    if not _are_people(people):
        return undecided(Reason.UNPARSED, f"the reference needs 1 to {MAX_PEOPLE} `people`")
    roles = {p: str(r).casefold() for p, r in given.items()} if isinstance(given, dict) else None
    if roles is not None and (set(roles) != set(people) or not set(roles.values()) <= set(names)):
        return undecided(Reason.UNPARSED, "the solution does not give each person one of the roles")
    if statements is None:
        return roles or undecided(Reason.UNPARSED, "the reference needs a solution or statements")
    try:
        found = solve(people, statements, names)
    except (TypeError, ValueError, KeyError, IndexError, RecursionError) as error:
        return undecided(Reason.UNPARSED, f"the statements cannot be read: {error}")
    if len(found) != 1 or (roles is not None and found[0] != roles):
        why = f"{len(found)} solutions" if len(found) != 1 else "another solution than the given"
        return undecided(Reason.REFERENCE_SUSPECT, f"the statements have {why}")
    return found[0]


def _are_people(people: Any) -> bool:
    if not isinstance(people, list) or not 1 <= len(people) <= MAX_PEOPLE:
        return False
    folded = {p.casefold() for p in people if isinstance(p, str) and _NAME.fullmatch(p)}
    return len(folded) == len(people)


def solve(
    people: list[str], statements: Mapping[str, Any], names: tuple[str, str] = _ROLES
) -> list[Roles]:
    """All roles under which the truthful say what is true and the others what is not.

    Raises ValueError for a statement of another form.
    """
    truthful, lying = names
    found = []
    for case in itertools.product((True, False), repeat=len(people)):
        honest = dict(zip(people, case, strict=True))
        if all(_holds(s, honest, truthful, 0) is honest[p] for p, s in statements.items()):
            found.append({p: truthful if honest[p] else lying for p in people})
    return found


def _holds(statement: Any, honest: Mapping[str, bool], truthful: str, depth: int) -> bool:
    if not isinstance(statement, list) or not statement or depth > _MAX_DEPTH:
        raise ValueError(f"no statement: {str(statement)[:80]}")
    word, *parts = statement
    if word == "is":
        person, role = parts
        return honest[person] is (str(role).casefold() == truthful)
    held = [_holds(part, honest, truthful, depth + 1) for part in parts]
    if word == "not" and len(held) == 1:
        return not held[0]
    if word == "and" and held:
        return all(held)
    if word == "or" and held:
        return any(held)
    if word == "implies" and len(held) == 2:
        return not held[0] or held[1]
    if word == "same" and len(held) == 2:
        return held[0] is held[1]
    raise ValueError(f"unknown statement {word!r} with {len(held)} parts")


def _tokens(answer: str, people: list[str], names: tuple[str, str]) -> list[str] | str:
    """People as they are called and roles in lower case, in order; or the word not understood."""
    called = {person.casefold(): person for person in people}
    longest_first = sorted(map(re.escape, people), key=len, reverse=True)
    words = re.compile(
        rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)|{_WORD}|{_SIGN}", re.IGNORECASE
    )
    tokens: list[str] = []
    for found in words.finditer(_MARKUP.sub(" ", answer)):
        word = found.group()
        folded = word.casefold().replace("’", "'").removesuffix("'s")
        role = _role_of(folded, names)
        if word in people or (folded in called and folded not in _FILLERS):
            tokens.append(called[folded])
        elif role:
            tokens.append(role)
        elif folded not in _FILLERS and not folded.isdigit():
            return word
        if len(tokens) > _MAX_TOKENS:
            return word
    return tokens


def _role_of(word: str, names: tuple[str, str]) -> str:
    """`knights` is `knight`; "" for a word that is no role. People never have a role's name."""
    for name in names:
        if word in (name, name + "s", name + "es"):
            return name
    return ""


def _readings(tokens: list[str], people: Collection[str]) -> list[Reading]:
    """What the tokens may say, two readings at most: each stretch of them is people with the role
    that follows ("A and B are knights") or that comes before ("knights: A, B")."""
    is_person = [token in people for token in tokens]
    begun: list[set[Reading]] = [{frozenset()}, *(set() for _ in tokens)]
    for start, end in itertools.combinations(range(len(tokens) + 1), 2):
        stretch = tokens[start:end]
        if not begun[start] or is_person[start:end].count(False) != 1:
            continue
        if is_person[start] and not is_person[end - 1]:
            pairs = {(person, stretch[-1]) for person in stretch[:-1]}
        elif not is_person[start] and len(stretch) > 1:
            pairs = {(person, stretch[0]) for person in stretch[1:]}
        else:
            continue
        longer = {reading | pairs for reading in begun[start]}
        begun[end] = set(itertools.islice(begun[end] | longer, _MAX_READINGS))
    return [reading for reading in begun[-1] if reading]
