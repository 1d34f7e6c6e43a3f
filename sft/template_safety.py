"""Proof that a tokenizer trains on what inference will see, before training and on what is saved.

Both sides take the same template, the same tokens and the same end of a turn, so all of it is
decided by the tokenizer's folder: it is shown on a conversation made up here, on the tokenizer as
loaded, and on the folder it is saved to, loaded afresh as a server does.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError, RunError
from sft.messages import TrainingRow, encode_row, encode_rows, render, rendered

# Letters, digits, LaTeX, code, other scripts, white space: what tokenizers differ on.
_REASONING = (
    "First 12345 × 6,789.0: it's $\\frac{1}{2}$, isn't it?\n\n\tfor i in range(10):  # Straße\n"
    "        x+=i\n数学 ≤ мир 🙂"
)
PROBE = TrainingRow(
    sample_id="of the template's test",
    messages=(
        {"role": "user", "content": "What is 12345 × 6,789.0?\nThink – then say."},
        {
            "role": "assistant",
            "content": f"<think>\n{_REASONING}\n</think>\n\nIt is \\boxed{{83810205}}.",
        },
    ),
    reasoning=_REASONING,
)


def prove_tokenizer(tokenizer: Any, config: Any) -> None:
    """Raise PrerequisiteError unless this tokenizer, saved and loaded, trains as it will be asked.

    `config` is the base's, which lies beside the saved tokenizer and decides how it is loaded.
    """
    _refuse_dropped(encode_rows([PROBE], tokenizer, max_length=sys.maxsize).dropped, tokenizer)
    _refuse_unannounced(tokenizer)
    _refuse_date(tokenizer)
    refuse_tokens_beyond(largest_token(tokenizer), config)
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if faults := tokenizer_faults(Path(folder), tokenizer):
            raise PrerequisiteError(
                "the student's tokenizer would not be at inference what it is in training: "
                f"{'; '.join(faults)}. Take a base whose tokenizer is saved and loaded whole"
            )


def _refuse_dropped(dropped: Mapping[str, int], tokenizer: Any) -> None:
    """Raise PrerequisiteError where every row would go: what drops a plain one drops them all."""
    twice = {"eos_inside": tokenizer.eos_token, "bos_inside": tokenizer.bos_token}
    for reason in dropped:
        raise PrerequisiteError(
            f"the chat template writes {twice[reason]!r} where it must not stand, so that every "
            f"row would be dropped ({reason}): one question and its answer are "
            f"{''.join(render(PROBE, tokenizer))!r}. Set student.chat_template to another"
        )


def _refuse_unannounced(tokenizer: Any) -> None:
    """Raise PrerequisiteError unless the template begins the answer when it is asked to.

    Else the student would learn to write what stands before its answer, and servers would show it.
    """
    question, (_, completion) = PROBE.messages[:1], render(PROBE, tokenizer)
    asked = [
        rendered(question, tokenizer, PROBE.sample_id, add_generation_prompt=begun)
        for begun in (True, False)
    ]
    if asked[0] == asked[1] and not completion.lstrip().startswith(("<think>", _REASONING[:5])):
        raise PrerequisiteError(
            "the chat template ignores add_generation_prompt: the answer would begin with "
            f"{completion[:40]!r}. Set student.chat_template to one that writes that itself"
        )


def _refuse_date(tokenizer: Any) -> None:
    """Raise PrerequisiteError where prompts hold the day: the training's is no other day's."""
    template, question = tokenizer.get_chat_template(), PROBE.messages[:1]
    fixed = "{% macro strftime_now(form) %}DAY{% endmacro %}"  # in the place of the clock's
    days = [
        rendered(
            question, tokenizer, PROBE.sample_id, chat_template=fixed.replace("DAY", day) + template
        )
        for day in ("Monday", "Tuesday")
    ]
    if days[0] != days[1]:
        raise PrerequisiteError(
            "the chat template writes today's date into every prompt: the student would learn the "
            "day of its training, and be asked on others. Set student.chat_template to one without"
        )


def largest_token(tokenizer: Any) -> int:
    """The highest id among a plain row's tokens, its end and the padding."""
    prompt_ids, completion_ids = encode_row(PROBE, tokenizer)
    largest: int = max(*prompt_ids, *completion_ids, tokenizer.pad_token_id)
    return largest


def refuse_tokens_beyond(largest: int, config: Any) -> None:
    """Raise PrerequisiteError where a token has no row in the base's embedding.

    On a GPU that ends in an assertion of the device which names nothing.
    """
    rows = config.get_text_config().vocab_size
    if largest >= rows:
        raise PrerequisiteError(
            f"the tokenizer makes token {largest}, the base's embedding has {rows} rows: tokens "
            "were added to the tokenizer and not to the weights. Resize the base's embedding and "
            "save it, or take the tokenizer it came with"
        )


def prove_positions(config: Any) -> None:
    """Raise PrerequisiteError unless a model's positions are saved and loaded as they are."""
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        if faults := position_faults(Path(folder), config):
            raise PrerequisiteError(
                f"the student would not be at inference what it is in training: {'; '.join(faults)}"
            )


def prove_saved(folder: Path, tokenizer: Any, config: Any) -> None:
    """Raise RunError unless the saved student is asked, and stops, as it was trained.

    Compared are the tokenizer, the template, the end and padding tokens of generation, and with
    the `config` it was trained by its positions and RoPE.
    """
    faults = [*tokenizer_faults(folder, tokenizer), *generation_faults(folder, tokenizer)]
    faults += position_faults(folder, config)
    if faults:
        raise RunError(
            f"the student saved to {folder} is not the one that was trained: {'; '.join(faults)}"
        )


def tokenizer_faults(folder: Path, tokenizer: Any) -> list[str]:
    """What differs between a tokenizer and its folder loaded afresh; empty if nothing does."""
    from transformers import AutoTokenizer

    saved: Any = AutoTokenizer.from_pretrained(folder)
    faults = []
    if saved.chat_template != tokenizer.chat_template:
        faults.append("the chat template differs")
    for role in ("bos_token_id", "eos_token_id", "pad_token_id"):
        was, now = getattr(tokenizer, role), getattr(saved, role)
        if was != now:
            faults.append(f"{role} was {was} and is {now}")
    if not _cut_alike(saved, tokenizer):
        faults.append("it cuts text into tokens by other rules")
    asked = saved.apply_chat_template(
        [dict(PROBE.messages[0])], add_generation_prompt=True, return_dict=False
    )
    if list(asked) != encode_row(PROBE, tokenizer)[0]:
        faults.append("it puts a question in other tokens")
    return faults


def _cut_alike(one: Any, other: Any) -> bool:
    """Whether two tokenizers have the same rules for making tokens, however batches are padded."""
    if not (one.is_fast and other.is_fast):
        return bool(one.is_fast == other.is_fast)  # written in Python: no rules to compare
    texts = [tokenizer.backend_tokenizer.to_str() for tokenizer in (one, other)]
    if texts[0] == texts[1]:
        return True
    rules = [json.loads(text) for text in texts]
    for rule in rules:
        rule.update(padding=None, truncation=None)
    return bool(rules[0] == rules[1])


def generation_faults(folder: Path, tokenizer: Any) -> list[str]:
    """What is wrong with a saved generation_config.json: a server stops, or pads, by it."""
    path = folder / "generation_config.json"
    if not path.is_file():
        return ["it has no generation_config.json"]
    settings = json.loads(path.read_text(encoding="utf-8"))
    ends = settings.get("eos_token_id")
    ends = ends if isinstance(ends, list) else [ends]
    faults = []
    if tokenizer.eos_token_id not in ends:
        faults.append(f"its generation_config.json ends at {ends}, not {tokenizer.eos_token!r}")
    if tokenizer.pad_token_id in ends:
        faults.append(f"its generation_config.json ends at the padding {tokenizer.pad_token!r}")
    return faults


def position_faults(folder: Path, config: Any) -> list[str]:
    """What differs between the positions a student was trained with and those it is saved with."""
    from transformers import AutoConfig

    saved: Any = AutoConfig.from_pretrained(folder)
    return [
        f"its config.json has {name} {now}, trained was with {was}"
        for name in ("max_position_embeddings", "rope_parameters")
        if (was := getattr(config, name, None)) != (now := getattr(saved, name, None))
    ]
