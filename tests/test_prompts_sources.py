"""The project's own row format, and what no row may carry into a prompt."""

import datetime
import pickle
from pathlib import Path

import pytest

from prompts.sources import SOURCES, starter
from prompts.sources.choice import SourceChoice, draft_of, rows_of_choice
from prompts.sources.draft import RowError, check
from prompts.sources.jsonl import MOST_NESTING, RawRow


def test_only_an_open_question_may_come_without_a_reference() -> None:
    row = {"question": "Write two lines on rain.", "reference_kind": "rubric"}
    assert check(starter.to_draft(row)).reference == ""
    assert check(starter.to_draft(row | {"reference": "It rhymes."})).reference == "It rhymes."
    with pytest.raises(RowError, match="no reference"):
        starter.to_draft(row | {"reference_kind": "short_answer"})


def test_half_a_character_within_a_columns_json_is_a_reason() -> None:
    half = '{"inputs": ["\\ud800"], "outputs": ["1"]}'
    row = {"question": "q", "input_output": half}
    with pytest.raises(RowError, match="lone surrogate"):
        check(SOURCES["taco"].to_draft(row))


def test_lists_and_objects_may_stand_as_json_text_or_as_themselves() -> None:
    row = {
        "question": "Red?",
        "reference_kind": "choice",
        "reference": "A",
        "choices": '["yes", "no"]',
        "tests": "",
    }
    assert check(starter.to_draft(row)).choices == ("yes", "no")
    with pytest.raises(RowError, match="choices is not a list of texts"):
        starter.to_draft(row | {"choices": "[yes"})
    problem = {"tests": [{"input": "é", "output": "1"}]}
    made = starter.to_draft({"question": "q", "reference_kind": "program", "reference": problem})
    assert check(made).reference == '{"tests": [{"input": "é", "output": "1"}]}'


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "x" * 100_001}, "question too long"),
        ({"reference": "7" * 2_001}, "reference too long"),
        ({"reference_kind": "unit_tests", "tests": ["#" * 1_000_001]}, "tests too long"),
    ],
)
def test_what_no_prompt_could_carry_is_refused(row: dict[str, object], reason: str) -> None:
    good = {"question": "3 + 4?", "reference_kind": "math_answer", "reference": "7"}
    with pytest.raises(RowError, match=reason):
        check(starter.to_draft(good | row))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_a_table_does_not_have_is_missing(value: float) -> None:
    with pytest.raises(RowError, match="no answer"):
        SOURCES["numina-math"].to_draft({"problem": "1+1?", "answer": value})


def test_a_reference_no_json_can_say_is_a_reason() -> None:
    row = {"question": "q", "reference_kind": "puzzle", "reference": {"at": datetime.date.today()}}
    with pytest.raises(RowError, match="reference is not JSON"):
        starter.to_draft(row)


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_a_row_nested_too_deeply_costs_only_itself(kind: str, tmp_path: Path) -> None:
    def row(deep: int) -> str:
        held = "[" * deep + "]" * deep
        return f'{{"question": "\\u0041", "reference_kind": "rubric", "x": {held}}}'

    rows = [row(1), row(MOST_NESTING - 1), row(MOST_NESTING + 1), row(900)]
    file = tmp_path / f"rows.{kind}"
    file.write_text("\n".join(rows) if kind == "jsonl" else f"[{', '.join(rows)}]")

    choice = SourceChoice(path=file, domain="general")
    read = list(rows_of_choice(choice))
    assert [row.reason for row in read] == ["", "", "nested too deeply", "nested too deeply"]
    sent: list[RawRow] = pickle.loads(pickle.dumps(read))  # as to a worker process
    assert [draft_of(choice, row).question for row in sent[:2]] == ["A", "A"]


def test_what_a_row_leaves_out_may_be_null_or_no_number() -> None:
    row = {"question": "3 + 4?", "reference_kind": "math_answer", "reference": 7.0}
    gaps = dict.fromkeys((*starter.ALSO[3:], "tests"), None)
    draft = check(starter.to_draft(row | gaps))
    gap = {name: float("nan") for name in starter.ALSO[3:]}  # as tables write a missing text
    assert check(starter.to_draft(row | gap)) == draft
    assert (draft.difficulty, draft.split, draft.solution, draft.starter_code) == ("", "", "", "")


@pytest.mark.parametrize(
    ("said", "language"), [("de", "de"), ("zh-CN", "zh-cn"), ("English", ""), (5, "")]
)
def test_a_language_is_a_code_or_left_to_the_question(said: object, language: str) -> None:
    row = {"question": "3 + 4?", "reference_kind": "math_answer", "reference": "7"}
    assert starter.to_draft(row | {"language": said}).language == language
