"""The shipped chat templates with the real vocabularies: trained is what inference sees.

Bases are tiny models of the real architectures; tokenizers are Qwen's, Llama 3's and R1-Distill's.
"""

import functools
import json
import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from real_tokenizers import (
    LLAMA_SPECIAL,
    QWEN_SPECIAL,
    byte_ranks,
    llama_tokenizer,
    qwen_tokenizer,
    r1_distill_tokenizer,
)
from tiny_student import SHARED_DATA, make_row, make_tokenizer, student_values, write_job_file

from prompts.errors import PrerequisiteError
from sft.base_model import load_model, load_tokenizer, read_template
from sft.messages import IGNORED, TrainingRow, encode_row, encode_rows, leading_bos, render
from sft.student import StudentRecipe, load_student

# family: the tokenizer, the model's kind, the template and the tokens that a recipe sets
FAMILIES = {
    "qwen": (qwen_tokenizer, "qwen2", "chatml", "<|im_end|>", "<|endoftext|>"),
    "llama": (llama_tokenizer, "llama", "llama3", "<|eot_id|>", "<|finetune_right_pad_id|>"),
    "r1": (r1_distill_tokenizer, "qwen2", "r1-distill", None, None),
}
SPECIAL = {"qwen": QWEN_SPECIAL, "llama": LLAMA_SPECIAL}
TEXTS = (
    "2 + 2 = 4",
    "Wait: 12345 × 67 isn't 8,271.15 … it's 827115.\n\n\nSo\n\tdone.",
    "def f(x):\n    return {x: [i for i in range(10)]}  # naïve\n",
    "设 $x=\\frac{1}{2}$，则 Привет 🙂 ﷽",
    "  leading and trailing spaces  ",
    "<b>tags</b> & </thinking>, 1e-5, ```py\nprint('</s>')\n```",
)


# As many of the commonest tokens are enough to cut text by a family's rules.
WORDS = 20_000


@functools.cache
def vocabulary(name, words=WORDS):
    """A family's tokenizer, made once: a test sets the template it is about."""
    return FAMILIES[name][0](words)


# With the commonest tokens of each, and with all of them: those take most of a minute.
WHOLE = [pytest.param((name, None), marks=pytest.mark.slow, id=name) for name in FAMILIES]
COMMON = [pytest.param((name, WORDS), id=f"{name}-common") for name in FAMILIES]


@pytest.fixture(scope="module", params=[*WHOLE, *COMMON])
def family(request, tmp_path_factory):
    """A tiny base of a family in a folder, the recipe that trains it, its tokenizer as loaded."""
    name, words = request.param
    _, kind, template, eos, pad = FAMILIES[name]
    base = make_real_base(tmp_path_factory.mktemp("base"), vocabulary(name, words), kind)
    recipe = recipe_of(template, eos, pad)
    return base, recipe, load_tokenizer(base, recipe)


def make_real_base(folder, tokenizer, kind):
    """Random weights of a real architecture, two layers, for a real vocabulary."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32,
        num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=2048, tie_word_embeddings=True, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def recipe_of(template, eos, pad):
    return StudentRecipe(
        **student_values(chat_template=template, eos_token=eos, pad_token=pad, max_length=1024)
    )


def rows():
    """Conversations with texts that tokenizers differ on, in question and reasoning."""
    dicts = [make_row(i, text.strip(), f"{text} ?") for i, text in enumerate(TEXTS)]
    return [TrainingRow(d["sample_id"], tuple(d["messages"]), d["reasoning"]) for d in dicts]


def saved_afresh(tokenizer, folder):
    """The tokenizer as a server finds it: saved, and loaded from the folder alone."""
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


def test_train_text_is_inference_text_token_for_token(family, tmp_path):
    _, _, tokenizer = family
    fresh = saved_afresh(tokenizer, tmp_path)
    for row in rows():
        question = [dict(row.messages[0])]
        prompt_ids, completion_ids = encode_row(row, tokenizer)
        asked = fresh.apply_chat_template(question, add_generation_prompt=True, return_dict=False)
        assert asked == prompt_ids
        text = fresh.apply_chat_template(question, add_generation_prompt=True, tokenize=False)
        assert fresh(text, add_special_tokens=False)["input_ids"] == prompt_ids
        assert encode_row(row, fresh) == (prompt_ids, completion_ids)
        # What the student writes after that prompt is the answer, with the reasoning whole.
        written = fresh.decode(prompt_ids + completion_ids)
        assert written == text + fresh.decode(completion_ids)
        assert row.messages[1]["content"] in written


def test_the_end_is_learnt_in_every_row_and_padding_in_none(family):
    base, recipe, tokenizer = family
    encoded = encode_rows(rows(), tokenizer, 1024)
    assert (len(encoded.rows), encoded.dropped) == (len(TEXTS), {})
    for row in encoded.rows:
        learnt = [label for label in row.labels if label != IGNORED]
        assert learnt[-1] == tokenizer.eos_token_id
        assert learnt.count(tokenizer.eos_token_id) == 1
        assert tokenizer.pad_token_id not in row.input_ids
    settings = load_model(base, recipe, "sdpa", tokenizer).generation_config
    assert settings.eos_token_id == tokenizer.eos_token_id != settings.pad_token_id


def test_a_row_has_one_bos_where_the_model_has_one(family):
    _, recipe, tokenizer = family
    bos = leading_bos(tokenizer)
    assert (bos is None) == (recipe.chat_template == "chatml")
    for row in encode_rows(rows(), tokenizer, 1024).rows:
        assert row.input_ids.count(tokenizer.bos_token_id) == (bos is not None)
        assert bos in (None, row.input_ids[0])


def llama_with(template):
    """Llama 3's tokenizer with a template and Llama's end of a turn."""
    tokenizer = vocabulary("llama")
    tokenizer.chat_template, tokenizer.eos_token = template, "<|eot_id|>"
    return tokenizer


def test_llamas_tokenizer_would_add_a_second_bos_to_a_rendered_text():
    tokenizer = llama_with(read_template("llama3"))
    text, _ = render(rows()[0], tokenizer)
    naive = tokenizer(text)["input_ids"]
    assert naive.count(tokenizer.bos_token_id) == 2
    assert encode_row(rows()[0], tokenizer)[0] == naive[1:]


def test_reasoning_that_spells_bos_is_dropped():
    row = make_row(1, "a text begins with <|begin_of_text|>")
    spelt = TrainingRow(row["sample_id"], tuple(row["messages"]), row["reasoning"])
    encoded = encode_rows([spelt, rows()[0]], llama_with(read_template("llama3")), 1024)
    assert (len(encoded.rows), encoded.dropped) == (1, {"bos_inside": 1})


def test_a_model_whose_texts_begin_with_bos_wants_the_template_to_write_it():
    without = read_template("llama3").replace("{{ bos_token }}", "")
    with pytest.raises(PrerequisiteError, match="no BOS tokens where the model wants exactly one"):
        encode_rows(rows(), llama_with(without), 1024)


def test_the_published_distill_template_deletes_what_ours_keeps():
    tokenizer = vocabulary("r1")
    path = SHARED_DATA / "r1_distill_qwen_chat_template.json"
    tokenizer.chat_template = json.loads(path.read_text())["chat_template"]
    row = rows()[1]
    with pytest.raises(PrerequisiteError, match="deletes the reasoning"):
        encode_rows([row], tokenizer, 1024)
    published = tokenizer.apply_chat_template([dict(row.messages[0])], tokenize=False)
    tokenizer.chat_template = read_template("r1-distill")
    assert tokenizer.apply_chat_template([dict(row.messages[0])], tokenize=False) == published
    assert row.reasoning in tokenizer.decode(encode_row(row, tokenizer)[1])


def test_the_prefill_is_the_beginning_of_what_is_trained():
    tokenizer = vocabulary("r1")
    tokenizer.chat_template = read_template("r1-distill")
    prompt, completion = render(rows()[0], tokenizer)
    assert prompt.endswith("<｜Assistant｜><think>\n")
    assert completion == "2 + 2 = 4\n</think>\n\n\\boxed{0}<｜end▁of▁sentence｜>"


def test_a_row_without_the_prefilled_tag_is_refused():
    tokenizer = vocabulary("r1")
    tokenizer.chat_template = read_template("r1-distill")
    messages = (rows()[0].messages[0], {"role": "assistant", "content": "2 + 2 = 4, so 4."})
    with pytest.raises(PrerequisiteError, match="differently once it is answered"):
        encode_rows([TrainingRow("s-1", messages, "2 + 2 = 4")], tokenizer, 1024)


@pytest.mark.parametrize("name", ["r1-distill", "chatml", "llama3"])
def test_earlier_turns_are_trained_as_they_are_asked(name):
    tokenizer = make_tokenizer(read_template(name))
    turns = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "<think>\neasy\n</think>\n\n4"},
        {"role": "user", "content": "And 3 + 3?"},
        {"role": "assistant", "content": "<think>\nsix\n</think>\n\n6"},
    )
    prompt, completion = render(TrainingRow("s-1", turns, "six"), tokenizer)
    assert prompt == tokenizer.apply_chat_template(
        [dict(turn) for turn in turns[:-1]], add_generation_prompt=True, tokenize=False
    )
    assert "six\n</think>\n\n6" in completion
    assert prompt.index("Be brief.") < prompt.index("2 + 2?")
    assert ("easy" in prompt) == (name != "r1-distill")


@pytest.mark.parametrize("name", ["qwen-7b", "llama-8b"])
def test_recipes_name_tokens_their_base_has(name):
    student = load_student(name)
    family = name.partition("-")[0]
    special = SPECIAL[family]
    assert {student.eos_token, student.pad_token} <= set(special)
    assert len(byte_ranks(family)) + len(special) <= student.architecture.vocab_size


ASKING = """
import json, sys
from transformers import AutoTokenizer, GenerationConfig
folder, questions = sys.argv[1], json.loads(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(folder)
texts = [
    tokenizer.apply_chat_template(question, add_generation_prompt=True, tokenize=False)
    for question in questions
]
ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
print(json.dumps([ids, GenerationConfig.from_pretrained(folder).eos_token_id]))
"""


@pytest.mark.slow
def test_vllms_libraries_ask_a_trained_student_as_it_was_trained(tmp_path):
    """The serving environment has a transformers of its own: the same folder, the same tokens."""
    python = Path(os.environ.get("STILLHOUSE_VLLM_PYTHON", "/nonexistent"))
    if not python.is_file():
        pytest.skip("needs vLLM's environment: STILLHOUSE_VLLM_PYTHON")
    from sft.train import main

    _, kind, *tokens = FAMILIES["llama"]
    base = make_real_base(tmp_path / "base", vocabulary("llama", None), kind)
    recipe = recipe_of(*tokens)
    changes = recipe.model_dump(exclude={"architecture"}) | {"tracker": "none", "epochs": 1}
    data = [make_row(i, text.strip(), f"{text} ?") for i, text in enumerate(TEXTS)]
    assert main([str(write_job_file(tmp_path, data, base, **changes))]) == 0
    tokenizer = load_tokenizer(base, recipe)
    questions = [[dict(row.messages[0])] for row in rows()]
    done = subprocess.run(
        [python, "-c", ASKING, tmp_path / "student", json.dumps(questions)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    ids, eos = json.loads(done.stdout.splitlines()[-1])
    assert ids == [encode_row(row, tokenizer)[0] for row in rows()]
    assert eos == tokenizer.eos_token_id
