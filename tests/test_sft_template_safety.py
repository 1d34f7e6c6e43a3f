"""Templates and tokenizers that look well and would spoil a training are named before it."""

import pytest

pytest.importorskip("transformers")

from tiny_student import CHATML, make_row, make_tokenizer, student_values

from prompts.errors import PrerequisiteError
from sft.base_model import load_tokenizer
from sft.messages import TrainingRow, encode_rows
from sft.student import StudentRecipe
from sft.template_safety import refuse_tokens_beyond

END = "<|im_end|>\n"
CONTENT = "message['content']"
DATED = "{{ '<|im_start|>system\nToday is ' + strftime_now('%d %b %Y') + '<|im_end|>\n' }}" + CHATML
NO_ANSWER = CHATML.replace(CONTENT, f"{CONTENT}.split('\\n\\nIt is')[0]")
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
DEFAULT_SYSTEM = (
    "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}"
    "{% endif %}" + CHATML
)
ROWS = [make_row(i) for i in (1, 2, 3)]


def loaded(folder, template, vocab_size=300):
    """What training gets of a base whose tokenizer has this template."""
    from transformers import LlamaConfig

    LlamaConfig(vocab_size=vocab_size).save_pretrained(folder)
    make_tokenizer(template).save_pretrained(folder)
    return load_tokenizer(str(folder), StudentRecipe(**student_values()))


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        (DATED, "writes today's date"),
        (CHATML.partition("{% if add_gen")[0], "ignores add_generation_prompt.*im_start"),
        (CHATML.replace(END, f"<|im_end|>{END}"), r"'<\|im_end\|>' where it must not.*eos_inside"),
        (CHATML.replace(CONTENT, f"{CONTENT}[:12]"), "deletes the reasoning"),
        (NO_ANSWER, "deletes the answer"),
        (CHATML.partition("{% endfor")[0], "does not take the turns.*endfor"),
        ({"rag": CHATML, "tools": CHATML}, "does not take the turns.*no default"),
    ],
    ids=["date", "no-header", "eos-twice", "cut", "no-answer", "syntax", "no-default"],
)
def test_a_template_that_would_spoil_the_student_is_refused(tmp_path, template, problem):
    with pytest.raises(PrerequisiteError, match=rf"(?s){problem}"):
        loaded(tmp_path, template)


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        DEFAULT_SYSTEM,
        CHATML.replace(CONTENT, f"{CONTENT} | trim"),
        {"default": CHATML, "tool_use": NO_SYSTEM},
        # Mistral's way: the end of the question is where the answer begins.
        "{% for m in messages %}{{ '[INST] ' + m.content + ' [/INST]' if m.role == 'user' else "
        "' ' + m.content + '<|im_end|>' }}{% endfor %}",
    ],
    ids=["chatml", "default-system", "trim", "named", "mistral"],
)
def test_a_template_that_keeps_what_matters_is_taken(tmp_path, template):
    assert loaded(tmp_path, template).chat_template


def test_a_template_that_takes_no_system_turn_names_the_row():
    row = make_row(3)
    turns = ({"role": "system", "content": "Think."}, *row["messages"])
    with pytest.raises(PrerequisiteError, match=r"turns of s-003 \(system, user\): no system"):
        encode_rows(
            [TrainingRow("s-003", turns, row["reasoning"])], make_tokenizer(NO_SYSTEM + CHATML), 256
        )


def test_a_row_without_its_answer_is_dropped_as_one_without_its_reasoning():
    rows = [TrainingRow(d["sample_id"], tuple(d["messages"]), d["reasoning"]) for d in ROWS]
    losing = make_tokenizer(CHATML.replace(CONTENT, f"{CONTENT}.replace('boxed{{2}}', '')"))
    assert encode_rows(rows, losing, 256).dropped == {"not_round_trip": 1}


def test_tokens_that_the_embedding_has_no_rows_for_are_refused(tmp_path):
    size = len(make_tokenizer())
    assert loaded(tmp_path / "whole", CHATML, size)
    with pytest.raises(PrerequisiteError, match=rf"makes token \d+, the base's .* {size - 3} rows"):
        loaded(tmp_path / "short", CHATML, size - 3)


def test_the_last_row_of_an_embedding_is_one():
    from transformers import LlamaConfig

    with pytest.raises(PrerequisiteError, match=r"makes token 300, .* has 300 rows"):
        refuse_tokens_beyond(300, LlamaConfig(vocab_size=300))
    refuse_tokens_beyond(299, LlamaConfig(vocab_size=300))
