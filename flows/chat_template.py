"""The chat template a model is asked with, and whether its prompts open the block of thinking."""

import json
import re
from pathlib import Path
from typing import Any

from flows.run_folder import RunFolder
from flows.serving import EMBEDDED, model_folder
from prompts.errors import PrerequisiteError
from sft.base_model import read_template
from teacher.embedded import embedded_model_dir

# `{% generation %}` marks what is learnt; only transformers knows it, and it writes nothing.
_MARKS = re.compile(r"\{%-?\s*(end)?generation\s*-?%\}")


def chat_template(folder: Path) -> str:
    """The chat template of a model's folder; "" where there is none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    found = read_json(folder / "tokenizer_config.json").get("chat_template") or ""
    if isinstance(found, list):  # several by name
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default", found)
    return found if isinstance(found, str) else json.dumps(found)


def read_json(path: Path) -> dict[str, Any]:
    """What a file of a model's folder says, nothing where it is not there; PrerequisiteError for
    one that cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"cannot read {path}: {error}") from None
    return found if isinstance(found, dict) else {}


def student_template(run: RunFolder) -> str:
    """The chat template of a run's student: that of its folder, before its training the recipe's;
    "" where that is the base's, which is not looked for."""
    named = run.recipe.student.chat_template
    return chat_template(model_folder(run)) or (read_template(named) if named else "")


def base_template(run: RunFolder) -> str:
    """The chat template the student is asked with before its training: as after it, but for the
    embedded base, which is served as it is."""
    embedded = run.recipe.student.base == EMBEDDED
    return chat_template(embedded_model_dir()) if embedded else student_template(run)


def opens_thinking(template: str) -> bool:
    """Whether a chat template's prompts end in `<think>`: a question is rendered as servers do.

    One that cannot be rendered, which no server could ask with either, opens nothing.
    """
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals.update(raise_exception=_refuse, strftime_now=str)
    question = {"role": "user", "content": "What is 3 + 4?"}
    try:
        prompt = environment.from_string(_MARKS.sub("", template)).render(
            messages=[question], add_generation_prompt=True, bos_token="", eos_token=""
        )
    except Exception:  # noqa: BLE001  a template of somebody's: any error of its own making
        return False
    return prompt.rstrip().endswith("<think>")


def _refuse(message: str) -> None:
    raise ValueError(message)
