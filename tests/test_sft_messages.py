"""sft/messages.py: what is trained on keeps the reasoning, ends with EOS and is never cut."""

import json
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from tiny_student import CHATML, SHARED_DATA, make_row, make_tokenizer, write_dataset

from prompts.errors import PrerequisiteError
from sft.base_model import read_template
from sft.messages import (
    IGNORED,
    TrainingRow,
    encode_row,
    encode_rows,
    read_training_rows,
    render,
)


def rows_of(*dicts):
    return [TrainingRow(d["sample_id"], tuple(d["messages"]), d["reasoning"]) for d in dicts]


def test_only_the_completion_is_learnt_and_it_ends_with_eos():
    tokenizer = make_tokenizer()
    (row,) = encode_rows(rows_of(make_row(3)), tokenizer, 256).rows
    learnt = [label for label in row.labels if label != IGNORED]
    assert learnt[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(learnt) == "<think>\n3 + 3 = 6\n</think>\n\n\\boxed{6}<|im_end|>"
    assert tokenizer.decode(row.input_ids).startswith("<|im_start|>user\nWhat is 3 + 3?")


def test_the_prompt_is_tokenized_as_at_inference():
    tokenizer = make_tokenizer()
    (row,) = rows_of(make_row(3))
    prompt_ids, _ = encode_row(row, tokenizer)
    asked = tokenizer.apply_chat_template(
        [dict(row.messages[0])], tokenize=False, add_generation_prompt=True
    )
    assert prompt_ids == tokenizer(asked, add_special_tokens=False)["input_ids"]


def test_an_overlong_row_is_dropped_and_counted_never_cut():
    encoded = encode_rows(rows_of(make_row(1), make_row(2, "so " * 200)), make_tokenizer(), 128)
    assert encoded.dropped == {"overlong": 1}
    assert len(encoded.rows) == 1
    assert encoded.tokens == len(encoded.rows[0].input_ids)


def test_a_row_of_exactly_the_limit_is_kept():
    tokenizer = make_tokenizer()
    length = sum(map(len, encode_row(rows_of(make_row(1))[0], tokenizer)))
    assert encode_rows(rows_of(make_row(1)), tokenizer, length).dropped == {}
    assert encode_rows(rows_of(make_row(1)), tokenizer, length - 1).dropped == {"overlong": 1}


def test_reasoning_that_spells_the_end_token_is_dropped():
    rows = rows_of(make_row(1, "then <|im_end|> follows"))
    assert encode_rows(rows, make_tokenizer(), 256).dropped == {"eos_inside": 1}


def test_a_template_that_deletes_the_reasoning_stops_the_run():
    forgetful = CHATML.replace("message['content'] +", "message['content'].split('</think>')[-1] +")
    with pytest.raises(PrerequisiteError, match="deletes the reasoning"):
        encode_rows(rows_of(make_row(1)), make_tokenizer(forgetful), 256)


def test_a_row_that_does_not_round_trip_is_dropped_and_counted():
    odd = make_row(1) | {"reasoning": "not in the assistant's turn"}
    encoded = encode_rows(rows_of(make_row(2), odd, make_row(3)), make_tokenizer(), 256)
    assert encoded.dropped == {"not_round_trip": 1}
    assert len(encoded.rows) == 2


def test_more_than_half_of_the_rows_without_their_reasoning_stop_the_run():
    odd = make_row(1) | {"reasoning": "not in the assistant's turn"}
    tokenizer = make_tokenizer()
    assert encode_rows(rows_of(make_row(2), odd), tokenizer, 256).dropped["not_round_trip"] == 1
    with pytest.raises(PrerequisiteError, match=r"2 of 3 rows: .* deletes the reasoning"):
        encode_rows(rows_of(make_row(2), odd, odd), tokenizer, 256)


def test_the_distill_template_deletes_the_reasoning_and_ours_does_not():
    path = SHARED_DATA / "r1_distill_qwen_chat_template.json"
    if not path.is_file():
        pytest.skip(f"needs {path.name}")
    tokenizer = make_tokenizer(json.loads(path.read_text())["chat_template"])
    with pytest.raises(PrerequisiteError, match="deletes the reasoning"):
        render(rows_of(make_row(1))[0], tokenizer)
    tokenizer.chat_template = read_template("chatml")
    assert "1 + 1 = 2" in render(rows_of(make_row(1))[0], tokenizer)[1]


def test_a_template_that_prefills_what_it_does_not_train_stops_the_run():
    prefilling = CHATML.replace("assistant\n' }}{% endif %}", "assistant\nWell: ' }}{% endif %}")
    with pytest.raises(PrerequisiteError, match="differently once it is answered"):
        encode_rows(rows_of(make_row(1)), make_tokenizer(prefilling), 256)


def test_a_turn_that_does_not_end_with_eos_stops_the_run():
    with pytest.raises(PrerequisiteError, match="never stop"):
        encode_rows(
            rows_of(make_row(1)), make_tokenizer(eos="<|endoftext|>", pad="<|im_start|>"), 256
        )


def test_both_templates_of_ours_keep_reasoning_and_end_the_turn():
    for name, eos in (("chatml", "<|im_end|>"), ("llama3", "<|eot_id|>")):
        tokenizer = make_tokenizer(read_template(name))
        prompt, completion = render(rows_of(make_row(4))[0], tokenizer)
        assert completion.startswith("<think>\n4 + 4 = 8\n</think>")
        assert completion.strip().endswith(eos)
        assert prompt.count("user") == 1


def test_other_columns_are_named(tmp_path):
    path = write_dataset(tmp_path / "x.parquet", [{"text": "hello"}])
    with pytest.raises(PrerequisiteError, match=r"lacks .*messages.* it has text"):
        list(read_training_rows([path]))


def test_a_missing_file_is_named():
    with pytest.raises(PrerequisiteError, match=r"nowhere\.parquet"):
        list(read_training_rows([Path("nowhere.parquet")]))


def test_a_conversation_must_end_with_the_assistant(tmp_path):
    row = make_row(1)
    row["messages"].reverse()
    path = write_dataset(tmp_path / "x.parquet", [row])
    with pytest.raises(PrerequisiteError, match="s-001"):
        list(read_training_rows([path]))
