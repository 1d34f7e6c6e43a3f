"""Chat messages from a prompt: one Jinja file per template, in prompts/templates/."""

import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from prompts.errors import PrerequisiteError
from prompts.record import Prompt, normalise_question

FOLDER = Path(__file__).parent / "templates"
# Files that other templates import from; no template by themselves.
PARTS = ("instruction", "question")

# `A) red`, `(A) red`, `A. red` at the start of a line.
_LABEL = re.compile(r"^[ \t]*\(?([A-Z])[).:]", re.MULTILINE)
# `<|im_end|>`, `<｜User｜>`: tokenizers take these for the end of a message wherever they stand.
_MESSAGE_TOKEN = re.compile(r"<\|\w{2,40}\|>|<｜[^｜<>\n]{2,40}｜>")
_VERSION = re.compile(r"\{#-? version (\d+):")


def known_templates() -> list[str]:
    """The names `render` takes, sorted."""
    return sorted(f.stem for f in FOLDER.glob("*.jinja") if f.stem not in PARTS)


def render(prompt: Prompt, template: str) -> list[dict[str, str]]:
    """The messages to send for a prompt: `[{"role": "user", "content": "What is 3 + 4?…"}]`.

    The options of a choice (`A) red`) and the code that an answer begins from follow the question
    where it does not show them itself. A template calls `turn(role)` around each message's text, so
    no sign in a question can end its message; what a tokenizer would end it at (`ends_message`) is
    refused when prompts are gathered. Raises PrerequisiteError for a template that does not exist.
    """
    messages: list[dict[str, str]] = []

    def turn(role: str, caller: Callable[[], str]) -> str:
        messages.append({"role": role, "content": caller().strip("\n")})
        return ""

    options, starter = _unshown_options(prompt), _unshown_starter(prompt)
    _loaded(template).render(prompt=prompt, options=options, starter=starter, turn=turn)
    return messages


def ends_message(text: str) -> bool:
    """Whether a text holds a token such as `<|im_end|>`, behind which a model reads another turn.

    The servers and trainers that take a message's text do not escape these.
    """
    return _MESSAGE_TOKEN.search(text) is not None


def fingerprint(template: str) -> str:
    """Name, version and a hash of the text with its parts: `few-shot@1:5f0c2a9e`.

    Any edit that can change a message changes it.
    """
    _loaded(template)
    text = (FOLDER / f"{template}.jinja").read_text(encoding="utf-8")
    parts = "".join((FOLDER / f"{part}.jinja").read_text(encoding="utf-8") for part in PARTS)
    found = _VERSION.match(text)
    digest = hashlib.blake2b((text + parts).encode(), digest_size=4).hexdigest()
    return f"{template}@{found.group(1) if found else '0'}:{digest}"


def shows_options(question: str, choices: Sequence[str]) -> bool:
    """Whether each option stands in the question at the start of a line, behind its letter.

    One that is only mentioned has no letter to answer with, and a list of the question's own
    (`A. benzene`) is not its options (`B) benzene and phenol`).
    """
    behind: dict[str, list[str]] = {}
    longest = 2 * max(map(len, choices), default=0) + 50  # blanks and spellings differ
    for label in _LABEL.finditer(question):
        text = question[label.end() : label.end() + longest]
        behind.setdefault(label[1], []).append(normalise_question(text))
    return all(
        any(_begins(text, normalise_question(choice)) for text in behind.get(letter, ()))
        for letter, choice in zip(ascii_uppercase, choices, strict=False)
    )


def _begins(text: str, words: str) -> bool:
    """Whether the words stand at the start, and nothing of their line goes on behind them: `1` does
    not begin `10 apples`."""
    return text.startswith(words) and not text[len(words) : len(words) + 1].isalnum()


def _unshown_options(prompt: Prompt) -> list[str]:
    """The options of a choice, a line each; none where the question shows them."""
    if prompt.reference_kind != "choice" or shows_options(prompt.question, prompt.choices):
        return []
    lines = (" ".join(choice.split()) for choice in prompt.choices)
    return [f"{letter}) {line}" for letter, line in zip(ascii_uppercase, lines, strict=False)]


def _unshown_starter(prompt: Prompt) -> str:
    """The code to begin from, "" where there is none or the question shows it."""
    starter = prompt.starter_code.strip("\n").rstrip()
    return "" if starter in prompt.question else starter


@functools.cache
def _loaded(template: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    if template not in known_templates():
        known = ", ".join(known_templates())
        raise PrerequisiteError(
            f"no prompt template {template!r}; known: {known}. "
            f"Add {template}.jinja to prompts/templates/"
        )
    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False
    )
    return environment.get_template(f"{template}.jinja")
