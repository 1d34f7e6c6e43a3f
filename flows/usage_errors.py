"""What was typed wrong on the command line, in words: which word, what it should be, the fix."""

import difflib
from typing import Any


def usage_text(error: Any) -> str:
    """One line for a usage error of typer's: its own words name neither the value nor the fix."""
    where = error.ctx.command_path if error.ctx else "stillhouse"
    return f"{_said(error)}; options and examples: `{where} --help`"


def _said(error: Any) -> str:
    if hasattr(error, "possibilities"):
        return f"no option {error.option_name}; {_nearest_option(error.option_name, error.ctx)}"
    name = _parameter(error)
    if name and error.message:
        return f"{name}{_value(error)}: {_plain(error.message.removeprefix('Input '))}"
    return _plain(error.format_message())


def _nearest_option(option: str, ctx: Any) -> str:
    """`did you mean --bench?`; of a command that has none like it, all it has."""
    names = [name for one in ctx.command.params for name in one.opts if name.startswith("--")]
    by_word = {name.lstrip("-"): name for name in names}
    near = difflib.get_close_matches(option.lstrip("-"), by_word, n=1)
    if near:
        return f"did you mean {by_word[near[0]]}?"
    return f"there are {', '.join(names)}" if names else "a command comes first"


def _parameter(error: Any) -> str:
    """`--k`, or an argument's name; empty where it is about none."""
    found = getattr(error, "param", None)
    return "" if found is None else str(found.opts[0])


def _value(error: Any) -> str:
    """The value that was typed, as far as the fault behind the error tells it."""
    faults = getattr(error.__cause__, "errors", None)
    return "".join(f" {fault['input']}" for fault in faults()[:1]) if faults else ""


def _plain(text: str) -> str:
    """As the middle of a sentence."""
    words = text.strip().rstrip(".?")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
