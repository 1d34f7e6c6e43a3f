"""Benchmarks as prompts: what is read of a row, what is left out, what is refused, what is run."""

import base64
import json
import pickle
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from filters_records import sample as sample_of
from gpqa_archive import archive
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evals.benchmarks import (
    KNOWN,
    EvalBenchmark,
    Item,
    LeftOut,
    benchmark_items,
    benchmark_problem,
    is_on_hub,
)
from evals.sources import livecodebench
from evals.sources.gpqa import read_gpqa
from evals.sources.livecodebench import decoded, read_livecodebench
from filters.grader import Grader
from filters.sandbox.bubblewrap import Bubblewrap
from filters.verdict import Outcome
from flows.benchmark_asks import asked_items
from prompts.contamination.benchmarks import BENCHMARKS
from prompts.errors import PrerequisiteError
from prompts.record import prompt_id
from prompts.sources import codeforces
from prompts.sources.draft import RowError
from prompts.sources.hub import hub_set

DATA = Path(__file__).parent.parent.parent / "shared" / "data"


def choice(value: Any) -> EvalBenchmark:
    return EvalBenchmark.model_validate(value)


def items_of(value: Any, left_out: LeftOut | None = None) -> list[Item]:
    return list(benchmark_items(choice(value), LeftOut() if left_out is None else left_out))


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def packed(text: str, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(text, protocol))).decode()


def live(**changed: Any) -> dict[str, Any]:
    """A problem as LiveCodeBench has them: a sum of two numbers."""
    row = {
        "question_content": "Print the sum of the two numbers.",
        "question_id": "made_a",
        "contest_date": "2025-01-04T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "metadata": "{}",
        "public_test_cases": json.dumps([{"input": "1 2\n", "output": "3", "testtype": "stdin"}]),
        "private_test_cases": packed(
            json.dumps([{"input": "40 2\n", "output": "42\n", "testtype": "stdin"}])
        ),
    }
    return row | changed


def called() -> dict[str, Any]:
    """A problem whose tests are calls of a method."""
    test = {"input": "[1, 2, 3]\n2", "output": "[2, 4, 6]", "testtype": "functional"}
    return live(
        question_content="Multiply each number.",
        question_id="made_b",
        starter_code="class Solution:\n    def times(self, numbers, by):\n        ",
        metadata='{"func_name": "times"}',
        public_test_cases="[]",
        private_test_cases=packed(json.dumps([test])),
    )


# --- choices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "label", "k"),
    [
        ("aime-2024", "aime-2024", 64),
        ("math-500=/x/math500.jsonl", "math-500", 16),
        ("livecodebench@2024-08..2025-01", "livecodebench@2024-08..2025-01", 8),
        ("livecodebench@2024-08..2025-01=test6.jsonl", "livecodebench@2024-08..2025-01", 8),
        ("codeforces", "codeforces", 16),
        ("some/where/mine.jsonl", "mine.jsonl", 3),
        ("owner/name:config@test", "name:config@test", 3),
        ("livecodebench@2025-01-05..2025-01", "livecodebench@2025-01-05..2025-01", 8),
        ({"name": "gpqa-diamond", "where": "dataset.zip", "k": 5}, "gpqa-diamond", 5),
    ],
)
def test_a_benchmark_is_named_in_a_word(text: Any, label: str, k: int) -> None:
    found = choice(text)
    assert found.label == label
    assert found.samples(3) == k


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("maths-500", "Did you mean 'math-500'"),
        ("livecodebench@lately", "no window of dates"),
        ("livecodebench@2025-13..2026-01", "since: '2025-13' is no day or month"),
        ("livecodebench@2025-01..2025-02-30", "until: '2025-02-30' is no day or month"),
        ("livecodebench@2025-13..2024-01", "no day or month"),
        ("livecodebench@2025-01..2024-12", "ends before it starts"),
        ("livecodebench@2025-01-02..2025-01-01", "ends before it starts"),
        ({"name": "livecodebench", "since": "lately"}, "no day or month"),
        ("..=mine.jsonl", "can name no folder"),
        ("{name: [}", "is no mapping"),
        ({"name": "a\nb", "where": "mine.jsonl"}, "can name no folder"),
        ({"name": "数" * 100, "where": "mine.jsonl"}, "can name no folder"),
        ("math-500=", "names no file behind `=`"),
        ("aime-2024@2024-01..2024-12", "have no dates"),
        ({"name": "math-500", "columns": {"question": "q"}}, "has its own columns"),
        ({"k": 4}, "give a benchmark a name"),
        ({"name": "math-500", "split": "test"}, "Extra inputs"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(value: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        choice(value)


def test_what_is_measured_on_is_what_training_data_are_kept_clean_of() -> None:
    for name, known in KNOWN.items():
        assert known.named in BENCHMARKS, name
        if not known.archive:
            place = hub_set(BENCHMARKS[known.named].sets[0])
            assert place is not None
            assert (known.place.id, known.place.split) == (place.id, place.split)


def test_a_local_copy_needs_no_hub(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", {"problem": "1 + 1?", "answer": "2"})
    assert is_on_hub(choice("math-500"))
    assert not is_on_hub(choice(f"math-500={path}"))
    assert not is_on_hub(choice("gpqa-diamond=dataset.zip"))


# --- mathematics ---------------------------------------------------------------------------------


def test_math_500_is_grouped_by_level(tmp_path: Path) -> None:
    row = {"problem": "Half?", "answer": r"\frac{1}{2}", "level": 3, "unique_id": "test/a/1.json"}
    (item,) = items_of(f"math-500={lines(tmp_path / 'm.jsonl', row)}")
    assert (item.item_id, item.group) == ("test/a/1.json", "level 3")
    assert (item.prompt.reference, item.prompt.reference_kind) == (r"\frac{1}{2}", "math_answer")
    assert item.prompt.split == "test"


def test_an_answer_of_aime_is_a_number_without_its_zeros(tmp_path: Path) -> None:
    rows = [{"id": n, "problem": f"{n}?", "answer": a} for n, a in enumerate(("033", "000", 204))]
    found = items_of(f"aime-2024={lines(tmp_path / 'a.jsonl', *rows)}")
    assert [item.prompt.reference for item in found] == ["33", "0", "204"]
    assert [item.item_id for item in found] == ["0", "1", "2"]


def test_all_of_math_500_can_be_asked_and_its_own_answers_are_accepted() -> None:
    path = DATA / "math" / "math500.jsonl"
    if not path.exists():
        pytest.skip("MATH-500 is not beside the project")
    left_out = LeftOut()
    found = items_of(f"math-500={path}", left_out)
    assert (len(found), left_out.reasons.total()) == (500, 0)
    with Grader(workers=1) as grader:
        for item in found[:40]:
            said = f"\\boxed{{{item.prompt.reference}}}"
            assert grader.grade(item.prompt, sample_of(said)).outcome is Outcome.ACCEPT


# --- rows of one's own ---------------------------------------------------------------------------


def test_rows_with_other_columns_are_read_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("problem,answer\nWhat is 3 + 4?,7\n", encoding="utf-8")
    columns = {"question": "problem", "reference": "answer"}
    kind = {"reference_kind": "math_answer", "domain": "math"}
    (item,) = items_of({"where": str(path), "columns": columns, **kind})
    assert (item.prompt.question, item.prompt.reference) == ("What is 3 + 4?", "7")
    assert item.prompt.source == "mine.csv"


@pytest.mark.parametrize(
    ("kind", "reference", "more", "domain"),
    [
        ("math_answer", "7", {}, "math"),
        ("quantity", "7 m", {}, "science"),
        ("choice", "A", {"choices": ["7", "8"]}, "science"),
        ("unit_tests", "f = 7", {"tests": ["assert f == 7"]}, "code"),
        ("short_answer", "seven", {"domain": "general"}, "general"),
        ("math_answer", "7", {"domain": "science"}, "science"),
    ],
)
def test_the_kind_of_reference_tells_the_domain_of_a_row_that_names_none(
    tmp_path: Path, kind: str, reference: str, more: dict[str, Any], domain: str
) -> None:
    row = {"question": "What is 3 + 4?", "reference_kind": kind, "reference": reference} | more
    (item,) = items_of(str(lines(tmp_path / "mine.jsonl", row)))
    assert item.prompt.domain == domain


def test_a_row_whose_domain_nothing_tells_says_what_to_add(tmp_path: Path) -> None:
    row = {"question": "Who?", "reference_kind": "short_answer", "reference": "Ada"}
    path = lines(tmp_path / "mine.jsonl", row)
    with pytest.raises(PrerequisiteError, match="add a column domain to the rows") as error:
        items_of(str(path))
    assert "recipe" not in str(error.value)
    (item,) = items_of({"where": str(path), "domain": "general"})
    assert item.prompt.domain == "general"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"question": "problme"}, "problme, reference_kind; it has answer, kind, problem"),
        (
            {"question": "problem", "reference_kind": "kind", "choices": "options"},
            "options, reference; it has answer",
        ),
        ({}, "question, reference_kind; it has answer, kind, problem"),
        ({"question": "problem"}, "reference_kind; it has"),
        ({"question": "problem", "reference_kind": "kind"}, "reference; it has"),
    ],
)
def test_a_column_that_is_not_there_is_named_before_anything_is_read(
    tmp_path: Path, columns: dict[str, str], says: str
) -> None:
    rows = [{"problem": f"{n}?", "answer": "7", "kind": "math_answer"} for n in range(3)]
    path = lines(tmp_path / "mine.jsonl", *rows)
    problem = benchmark_problem(choice({"where": str(path), "columns": columns}))
    assert f"benchmark 'mine.jsonl': {path} has no column {says}" in problem
    assert "columns: {" in problem


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"question": "3+4?", "reference": "7"}, {}),
        ({"problem": "3+4?", "reference": "7"}, {"question": "problem"}),
    ],
)
def test_rows_of_one_kind_are_told_how_to_say_it(
    tmp_path: Path, row: dict[str, str], columns: dict[str, str]
) -> None:
    where = str(lines(tmp_path / "mine.jsonl", row))
    problem = benchmark_problem(choice({"where": where, "columns": columns}))
    fix = yaml.safe_load(problem.split("told as ")[1])
    assert fix["reference_kind"] == "math_answer"
    assert benchmark_problem(choice(fix)) == ""


def test_a_column_that_only_late_rows_have_is_there(tmp_path: Path) -> None:
    row = {"problem": "1?", "reference": "7", "reference_kind": "math_answer"}
    late = row | {"problem": "2?", "wanted": ["7"]}
    path = lines(tmp_path / "mine.jsonl", *[row] * 200, late)
    columns = {"question": "problem", "aliases": "wanted"}
    assert benchmark_problem(choice({"where": str(path), "columns": columns})) == ""


def test_rows_that_hold_their_prompt_need_no_column_question(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", {"prompt": "3+4, boxed.", "reference": "7"})
    assert benchmark_problem(choice(str(path))) == ""


def test_a_mapping_of_what_nothing_reads_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match=r"'questoin'\. Did you mean 'question'\?"):
        choice({"where": "mine.csv", "columns": {"questoin": "problem"}})


def test_a_date_of_a_recipe_may_stand_as_yaml_reads_it() -> None:
    text = "{name: livecodebench, since: 2024-08-01, until: 2025-01-31}"
    assert choice(text).label == "livecodebench@2024-08-01..2025-01-31"
    with pytest.raises(ValidationError, match="no day or month"):
        choice("{name: livecodebench, since: 2024-08-01 10:00:00}")


def test_a_row_of_ones_own_that_cannot_be_graded_is_named(tmp_path: Path) -> None:
    good = {"question": "1?", "reference_kind": "math_answer", "reference": "1", "domain": "math"}
    path = lines(tmp_path / "mine.jsonl", good, good | {"question": "2?", "reference": ""})
    with pytest.raises(PrerequisiteError, match=r"1 row of .*mine\.jsonl .*\n  row 2: no ref"):
        items_of(str(path))


@pytest.mark.parametrize(
    ("good", "empty", "what"),
    [
        ({"question": "1?", "reference_kind": "math_answer", "reference": "1"}, "question", "row"),
        ({"prompt": "1?", "reference": "1"}, "reference", "prompt"),
    ],
)
def test_the_first_of_many_bad_rows_are_named_and_all_counted(
    tmp_path: Path, good: dict[str, str], empty: str, what: str
) -> None:
    bad = [good | {"prompt_id": f"b{n}", empty: ""} for n in range(7)]
    path = lines(tmp_path / "mine.jsonl", good, *bad)
    with pytest.raises(PrerequisiteError) as raised:
        list(asked_items(choice(str(path)), "r1", LeftOut()))
    first, *named = str(raised.value).splitlines()
    assert first == f"benchmark 'mine.jsonl': 7 rows of {path} cannot be asked:"
    assert [line.split(":")[0].strip() for line in named] == [
        *(f"{what} {n}" for n in range(2, 7)),
        "and 2 more",
    ]


def test_a_bad_row_among_the_first_is_told_though_enough_good_ones_follow(tmp_path: Path) -> None:
    good = {"question": "1?", "reference_kind": "math_answer", "reference": "1"}
    rows = [good, good | {"question": ""}, good | {"question": "2?"}, good | {"question": "3?"}]
    path = lines(tmp_path / "mine.jsonl", *rows, good | {"question": "", "reference": "late"})
    with pytest.raises(PrerequisiteError, match=r"1 row of .*\n  row 2: no question$"):
        items_of({"where": str(path), "limit": 2})


@pytest.mark.parametrize(
    ("row", "says", "can_be_told"),
    [
        ({"prompt": "3+4?", "label": "7"}, "label, prompt", True),
        ({"messages": [{"role": "user"}], "label": "7"}, "label, messages", False),
    ],
)
def test_rows_that_hold_their_prompt_but_no_reference_are_told_by_their_columns(
    tmp_path: Path, row: dict[str, Any], says: str, can_be_told: bool
) -> None:
    path = lines(tmp_path / "mine.jsonl", *[row] * 3)
    problem = benchmark_problem(choice(str(path)))
    assert f"{path} has no column reference (or tests) to grade an answer by; it has {says}." in (
        problem
    )
    assert ("tell it as" in problem) is can_be_told
    if can_be_told:
        told = problem.split("tell it as ")[1].replace("…", "label")
        (item,) = items_of(yaml.safe_load(told))
        assert (item.prompt.question, item.prompt.reference) == ("3+4?", "7")


@pytest.mark.parametrize(
    ("kind", "reference", "says"),
    [
        ("rubric", "It rhymes.", "an open question has no answer to grade"),
        ("program", '{"tests": [{"in": "1"}]}', "reference: "),
        ("puzzle", '{"kind": "chess"}', "reference is no puzzle of countdown"),
    ],
)
def test_a_row_of_which_no_answer_could_be_graded_is_named_before_any_is_sampled(
    tmp_path: Path, kind: str, reference: str, says: str
) -> None:
    row = {"question": "What?", "reference_kind": kind, "reference": reference, "domain": "code"}
    path = lines(tmp_path / "mine.jsonl", row)
    with pytest.raises(PrerequisiteError, match=f"row 1: {says}"):
        items_of(str(path))


def test_a_benchmark_of_which_nothing_can_be_asked_is_refused_with_the_reasons(
    tmp_path: Path,
) -> None:
    path = lines(tmp_path / "m.jsonl", {"question": "1?"}, {"question": "2?"})
    with pytest.raises(PrerequisiteError, match="2 rows left out: 2 no problem"):
        items_of(f"math-500={path}")


def test_a_benchmark_without_rows_says_so(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl")
    with pytest.raises(PrerequisiteError, match=r"nothing can be asked; .*m\.jsonl has no rows$"):
        items_of(str(path))
    lines(path, live())
    with pytest.raises(PrerequisiteError, match="has no rows from 2025-03 to 2025-04"):
        items_of(f"livecodebench@2025-03..2025-04={path}")


def test_a_file_that_holds_no_rows_is_named_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Read me\n", encoding="utf-8")
    assert "README.md holds no rows; it takes .jsonl" in benchmark_problem(choice(str(path)))
    assert "holds no rows" in benchmark_problem(choice(f"math-500={path}"))


def test_a_limit_takes_the_first_items_and_a_question_is_asked_once(tmp_path: Path) -> None:
    rows = [{"problem": f"{n}?", "answer": "1"} for n in (1, 1, 2, 3)]
    path = lines(tmp_path / "m.jsonl", *rows)
    left_out = LeftOut()
    assert len(items_of(f"math-500={path}", left_out)) == 3
    assert left_out.reasons == {"asked already": 1}
    assert len(items_of({"name": "math-500", "where": str(path), "limit": 2})) == 2


def test_a_question_with_other_options_is_another_item(tmp_path: Path) -> None:
    row = {"question": "Which is true?", "reference_kind": "choice", "reference": "A"}
    options = (["red", "blue"], ["cat", "dog"], ["red", "blue"])
    path = lines(tmp_path / "m.jsonl", *(row | {"choices": some} for some in options))
    left_out = LeftOut()
    first, second = items_of(str(path), left_out)
    assert (first.prompt.choices, second.prompt.choices) == (("red", "blue"), ("cat", "dog"))
    assert first.prompt.prompt_id == prompt_id("science", "Which is true?")
    assert second.prompt.prompt_id != first.prompt.prompt_id
    assert left_out.reasons == {"asked already": 1}


def test_a_question_that_comes_with_another_reference_is_said_to(tmp_path: Path) -> None:
    row = {"question": "2 + 2?", "reference_kind": "math_answer", "reference": "4"}
    left_out = LeftOut()
    path = lines(tmp_path / "m.jsonl", row, row | {"reference": "5"})
    assert len(items_of(str(path), left_out)) == 1
    assert left_out.reasons == {"asked already, with another reference": 1}


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    (tmp_path / "run=3").mkdir()
    row = {"question": "2 + 2?", "reference_kind": "math_answer", "reference": "4"}
    path = lines(tmp_path / "run=3" / "mine.jsonl", row)
    assert choice(str(path)).where == str(path)
    assert len(items_of(str(path))) == 1


def test_rows_that_hold_their_prompt_are_sent_as_they_stand(tmp_path: Path) -> None:
    path = lines(tmp_path / "m.jsonl", {"prompt": "3+4, boxed.", "reference": "7"})
    (asked,) = asked_items(choice(str(path)), "r1", LeftOut())
    assert asked.messages == [{"role": "user", "content": "3+4, boxed."}]
    lines(path, {"prompt": "Say something.", "reference": ""})
    with pytest.raises(PrerequisiteError, match="prompt 1: no reference"):
        list(asked_items(choice(str(path)), "r1", LeftOut()))


# --- GPQA ----------------------------------------------------------------------------------------


def quokka(record: str) -> dict[str, str]:
    wrong = {f"Incorrect Answer {n}": f"lantern {n}" for n in (1, 2, 3)}
    return {"Record ID": record, "Question": "Which?", "Correct Answer": "quokka", **wrong}


def test_the_right_option_stands_under_every_letter_about_as_often() -> None:
    readings = [read_gpqa(quokka(f"rec{n}")) for n in range(800)]
    letters = Counter(reading.draft.reference for reading in readings)
    assert set(letters) == set("ABCD")
    assert min(letters.values()) > 150
    for reading in readings:
        at = "ABCD".index(reading.draft.reference)
        assert reading.draft.choices[at] == "quokka"
    assert read_gpqa(quokka("rec7")) == readings[7]


def test_a_right_option_that_stands_twice_makes_no_item() -> None:
    with pytest.raises(RowError, match="stands twice"):
        read_gpqa(quokka("rec1") | {"Incorrect Answer 2": "quokka"})


def test_wrong_options_may_be_alike_as_published_scores_have_them() -> None:
    row = quokka("rec1") | {"Incorrect Answer 1": "emu", "Incorrect Answer 2": "emu"}
    draft = read_gpqa(row).draft
    assert sorted(draft.choices).count("emu") == 2
    assert draft.choices["ABCD".index(draft.reference)] == "quokka"


@pytest.mark.parametrize("where", ["", "=gpqa.csv", "=Idavidrein/gpqa:gpqa_diamond"])
def test_gpqa_is_read_from_its_archive_alone(where: str) -> None:
    with pytest.raises(PrerequisiteError, match="archive"):
        items_of(f"gpqa-diamond{where}")


def test_gpqa_under_another_name_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "gpqa_main.jsonl", {"question": "Which?"})
    with pytest.raises(PrerequisiteError, match="protected archive alone"):
        items_of(str(path))


def test_a_folder_called_gpqa_makes_no_file_in_it_protected(tmp_path: Path) -> None:
    (tmp_path / "gpqa-and-others").mkdir()
    row = {"problem": "1 + 1?", "answer": "2"}
    path = lines(tmp_path / "gpqa-and-others" / "math500.jsonl", row)
    assert len(items_of(f"math-500={path}")) == 1


def test_the_archive_of_gpqa_becomes_choices(tmp_path: Path) -> None:
    row = quokka("recA")
    text = ",".join(row) + ",High-level domain\n" + ",".join(row.values()) + ",Biology\n"
    path = archive(tmp_path / "dataset.zip", "dataset/gpqa_diamond.csv", text.encode())
    (item,) = items_of(f"gpqa-diamond={path}")
    assert (item.item_id, item.group) == ("recA", "Biology")
    assert item.prompt.reference_kind == "choice"


# --- LiveCodeBench -------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_private_tests_of_every_pickle_protocol_are_read(protocol: int) -> None:
    assert decoded(packed('[{"input": "é"}]', protocol)) == '[{"input": "é"}]'


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from([0, 2, 4]))
def test_any_text_comes_back_from_its_pickle(text: str, protocol: int) -> None:
    assert decoded(packed(text, protocol)) == text


class Harmful:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: ["a text", x], lambda x: {"a": x}])
def test_a_pickle_that_would_do_something_is_refused_and_does_nothing(
    tmp_path: Path, wrapped: Any
) -> None:
    path = tmp_path / "touched"
    hostile = pickle.dumps(wrapped(Harmful(path)))
    with pytest.raises(RowError, match="more than a text"):
        decoded(base64.b64encode(zlib.compress(hostile)).decode())
    assert not path.exists()
    pickle.loads(hostile)
    assert path.exists(), "the pickle is one that does something"


@pytest.mark.parametrize(
    "text",
    [
        "no base64!",
        base64.b64encode(b"no zlib").decode(),
        base64.b64encode(zlib.compress(b"no pickle")).decode(),
        base64.b64encode(zlib.compress(pickle.dumps("text"))[:-9]).decode(),
        base64.b64encode(zlib.compress(pickle.dumps(("a", "b")))).decode(),
        base64.b64encode(zlib.compress(b"")).decode(),
    ],
)
def test_what_is_no_packed_text_is_a_bad_row(text: str) -> None:
    with pytest.raises(RowError, match="private tests"):
        decoded(text)


def test_private_tests_that_would_fill_the_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(livecodebench, "MOST_TEST_BYTES", 1_000)
    with pytest.raises(RowError, match="larger than"):
        decoded(packed("0" * 100_000))


def test_a_problem_without_a_date_is_left_out_of_a_window_and_counted(tmp_path: Path) -> None:
    rows = [live(), live(question_content="When?", contest_date=None)]
    path, left_out = lines(tmp_path / "live.jsonl", *rows), LeftOut()
    assert len(items_of(f"livecodebench@2024-12..2025-01={path}", left_out)) == 1
    assert left_out.reasons == {"no date to lie in a window": 1}


def test_a_date_of_a_table_is_a_date() -> None:
    moment = datetime(2025, 1, 4, 8, tzinfo=UTC)
    assert read_livecodebench(live(contest_date=moment)).date == "2025-01-04"


def test_a_test_that_is_no_text_is_refused() -> None:
    with pytest.raises(RowError, match="no list of inputs and outputs"):
        read_livecodebench(live(private_test_cases='[{"input": 1, "output": null}]'))


@pytest.mark.parametrize("metadata", ["{}", None, '{"func_name": ""}', "[]"])
def test_calls_of_a_function_nobody_names_are_not_run_as_standard_input(metadata: Any) -> None:
    with pytest.raises(RowError, match="calls of a function that metadata does not name"):
        read_livecodebench(called() | {"metadata": metadata})


def test_a_window_takes_the_contests_within_it(tmp_path: Path) -> None:
    dates = ("2024-07-31", "2024-08-01", "2025-01-31", "2025-02-01", "")
    rows = [live(question_id=d, question_content=f"{d}?", contest_date=d) for d in dates]
    path = lines(tmp_path / "test.jsonl", *rows)
    found = items_of(f"livecodebench@2024-08..2025-01={path}")
    assert [item.item_id for item in found] == ["2024-08-01", "2025-01-31"]
    found = items_of(f"livecodebench@2024-08-02..2025-02-01={path}")
    assert [item.item_id for item in found] == ["2025-01-31", "2025-02-01"]
    assert len(items_of(f"livecodebench={path}")) == 5


def test_all_tests_public_and_private_are_kept_with_the_benchmarks_limit() -> None:
    reading = read_livecodebench(live())
    problem = json.loads(reading.draft.reference)
    assert [test["output"] for test in problem["tests"]] == ["3", "42\n"]
    assert problem["time_limit_s"] == 6
    assert (reading.item_id, reading.group, reading.date) == ("made_a", "easy", "2025-01-04")


def test_programs_for_livecodebench_are_judged(sandbox: Bubblewrap, tmp_path: Path) -> None:
    path = lines(tmp_path / "test.jsonl", live(), called())
    sums, times = (item.prompt for item in items_of(f"livecodebench={path}"))
    method = "class Solution:\n    def times(self, numbers, by):\n        return {}"
    cases = [
        (sums, "a, b = map(int, input().split())\nprint(a + b)", Outcome.ACCEPT),
        (sums, "print(3)", Outcome.REJECT),
        (times, method.format("[n * by for n in numbers]"), Outcome.ACCEPT),
        (times, method.format("numbers * by"), Outcome.REJECT),
    ]
    with Grader(workers=2) as grader:
        for prompt, program, outcome in cases:
            sample = sample_of(f"So:\n```python\n{program}\n```")
            assert grader.grade(prompt, sample).outcome is outcome, program


# --- Codeforces ----------------------------------------------------------------------------------


def test_codeforces_counts_what_cannot_be_judged(tmp_path: Path) -> None:
    good = {
        "id": "2030/A", "rating": 900, "description": "Print the sum.", "time_limit": 2.0,
        "official_tests": [{"input": "1 2\n", "output": "3\n"}], "official_tests_complete": True,
    }  # fmt: skip
    any_of = good | {"id": "2030/B", "description": "Print any of them."}
    path = lines(tmp_path / "cf.jsonl", good, any_of)
    left_out = LeftOut()
    (item,) = items_of(f"codeforces={path}", left_out)
    assert (item.item_id, item.group) == ("2030/A", "easy")
    assert str(left_out) == "1 row left out: 1 several right answers and no checker"


def test_a_codeforces_problem_is_scored_by_all_its_tests(tmp_path: Path) -> None:
    # In training 60 tests and a million characters are enough; the last tests catch slow programs.
    tests = [{"input": f"{n} 1\n", "output": f"{n + 1}\n"} for n in range(99)]
    tests.append({"input": f"{'9' * 1_100_000} 1\n", "output": "0\n"})
    row = {"id": "2030/A", "description": "Print the sum.", "official_tests": tests}
    (item,) = items_of(f"codeforces={lines(tmp_path / 'cf.jsonl', row)}")
    assert json.loads(item.prompt.reference)["tests"] == tests
    assert len(json.loads(codeforces.to_draft(row).reference)["tests"]) == 60


def test_a_codeforces_problem_of_several_contests_bears_all_its_ids(tmp_path: Path) -> None:
    shared = {
        "id": "2030/A", "aliases": ["2029/C", None, "a b"], "description": "Print the sum.",
        "official_tests": [{"input": "1 2\n", "output": "3\n"}], "official_tests_complete": True,
    }  # fmt: skip
    (item,) = items_of(f"codeforces={lines(tmp_path / 'cf.jsonl', shared)}")
    assert item.item_id == "2030/A 2029/C"
