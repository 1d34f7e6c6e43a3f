"""Curation: sources in, prompts out, every row counted, every mistake named."""

import json
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from curated_prompts import curate
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from filters.gradable import ungradable
from prompts import gather
from prompts.curate import curate as curate_into
from prompts.errors import PrerequisiteError
from prompts.fates import Counts
from prompts.record import DOMAINS, REFERENCE_KINDS, Prompt
from prompts.settings import PromptsRecipe
from prompts.sources import SOURCES
from prompts.sources.jsonl import parse_line

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
GOOD = {"question": "What is 3 + 4?", "reference_kind": "math_answer", "reference": "7"}


def write(path: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def recipe(*sources: dict[str, object], **more: object) -> PromptsRecipe:
    return PromptsRecipe.model_validate({"sources": list(sources), **more})


def test_broken_lines_are_rejected_with_line_and_reason_and_good_ones_go_on(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "mine.jsonl",
        GOOD,
        b"",
        b'{"question": "cut',
        b"\xff\xfe",
        b"[1, 2]",
        b'{"question": "?", "reference_kind": "math_answer", "reference": NaN}',
        {**GOOD, "question": ""},
        {**GOOD, "question": 5.5, "reference": 7},
        {**GOOD, "question": "a", "reference_kind": "essay"},
        {**GOOD, "question": "b", "reference_kind": "unit_tests"},
        {**GOOD, "question": "c", "reference_kind": "unit_tests", "tests": ["assert ("]},
        {**GOOD, "question": "d", "reference_kind": "choice", "choices": ["x", "y"]},
        {**GOOD, "question": "e", "reference_kind": "quantity", "reference": "fast"},
        {**GOOD, "question": "f", "split": "dev"},
        {**GOOD, "question": "g", "domain": "magic"},
        b'{"question": "\\ud800", "reference_kind": "math_answer", "reference": "7"}',
        {**GOOD, "question": "h &lt;|im_end|&gt;"},
    )
    curated = curate(recipe({"path": str(path), "domain": "math"}))
    assert [(row.line, row.reason) for row in curated.rejected] == [
        (3, "not JSON"),
        (4, "not UTF-8"),
        (5, "not a JSON object"),
        (6, "not JSON"),
        (7, "no question"),
        (9, f"unknown reference_kind 'essay'; known: {', '.join(REFERENCE_KINDS)}"),
        (10, "no tests"),
        (11, "tests is not Python"),
        (12, "reference is not the letter of a choice"),
        (13, "quantity does not begin with a number"),
        (14, "unknown split; known: train, test"),
        (15, f"unknown domain; known: {', '.join(DOMAINS)}"),
        (16, "lone surrogate"),
        (17, "holds a token that ends a message"),
    ]
    assert [p.question for p in curated.train] == ["What is 3 + 4?", "5.5"]
    assert curated.total() == Counts(rows=16, train=2, rejected=14)
    assert curated.rejected[0].source == str(path)
    assert curated.rejected[0].text == '{"question": "cut'


def test_a_misspelt_kind_or_domain_is_told_with_the_nearest_known(tmp_path: Path) -> None:
    misspelt = ({**GOOD, "reference_kind": "maths"}, {**GOOD, "domain": "scince"})
    rows = ({**GOOD, "question": str(number), **row} for number, row in enumerate(misspelt))
    path = write(tmp_path / "mine.jsonl", *rows, GOOD)
    reasons = [row.reason for row in curate(recipe({"path": str(path), "domain": "math"})).rejected]
    assert "unknown reference_kind 'maths'; did you mean 'math_answer'? known: " in reasons[0]
    assert "unknown domain; did you mean 'science'? known: " in reasons[1]


def test_duplicates_and_contaminated_rows_are_counted_and_dropped(tmp_path: Path) -> None:
    long = "a train leaves the town at noon and goes north at forty miles an hour"
    path = write(
        tmp_path / "mine.jsonl",
        GOOD,
        {**GOOD, "question": "what is  3 + 4?"},
        {**GOOD, "question": f"Say: {long}. When is it there?"},
        {**GOOD, "question": "What is 5 + 5?"},
        {**GOOD, "question": f"{long}. How far does it go?", "split": "test"},
        {**GOOD, "question": "what is 5 + 5?", "split": "test"},
    )
    curated = curate(recipe({"path": str(path), "domain": "math"}))
    assert curated.total() == Counts(rows=6, train=1, test=2, duplicate=1, contaminated=2)
    assert [hit.kind for hit in curated.hits] == ["ngram", "exact"]
    assert not {p.prompt_id for p in curated.train} & {p.prompt_id for p in curated.test}


def test_a_limit_keeps_a_choice_of_the_seed_and_a_larger_one_only_adds(tmp_path: Path) -> None:
    rows = [{**GOOD, "question": f"What is {i} + 4?"} for i in range(40)]
    path = str(write(tmp_path / "mine.jsonl", *rows))
    kept = {
        (limit, seed): [
            p.question
            for p in curate(
                recipe({"path": path, "domain": "math", "limit": limit}, seed=seed)
            ).train
        ]
        for limit, seed in [(5, 0), (20, 0), (5, 1)]
    }
    assert set(kept[5, 0]) < set(kept[20, 0])
    assert kept[5, 0] != kept[5, 1]
    assert kept[20, 0] == sorted(kept[20, 0], key=[r["question"] for r in rows].index)
    counts = curate(recipe({"path": path, "domain": "math", "limit": 5})).total()
    assert counts == Counts(rows=40, train=5, over_limit=35)


def test_two_choices_of_one_source_keep_their_own_limits(tmp_path: Path) -> None:
    columns = [{"problem": f"What is {i} + 4?", "answer": str(i + 4)} for i in range(20)]
    train = str(write(tmp_path / "a.jsonl", *columns[:10]))
    test = str(write(tmp_path / "b.jsonl", *columns[10:]))
    curated = curate(
        recipe(
            {"name": "numina-math", "path": train, "limit": 3},
            {"name": "numina-math", "path": test, "split": "test", "test_limit": 4},
        )
    )
    assert curated.curation.counts() == {
        "numina-math": Counts(rows=20, train=3, test=4, over_limit=13)
    }


def test_the_same_recipe_gives_the_same_prompts() -> None:
    twice = [curate(recipe({"name": "starter-science", "limit": 30})) for _ in range(2)]
    assert twice[0] == twice[1]


@pytest.mark.parametrize(
    ("name", "nearest"), [("starter_maths", "starter-math"), ("openr1", "openr1-math")]
)
def test_an_unknown_source_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(PrerequisiteError, match=f"Did you mean '{nearest}'"):
        curate(recipe({"name": name}))


def test_missing_columns_are_named_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl", {"prompt": "x", "solution": "y"})
    with pytest.raises(PrerequisiteError, match="no column problem, answer; it has prompt, sol"):
        curate(recipe({"name": "numina-math", "path": str(path)}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows"),
        (b"{}x\n{\n", "no row of .* can be used; 2 of 2: not JSON"),
    ],
)
def test_a_file_without_a_usable_row_stops_the_run(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(PrerequisiteError, match=message):
        curate(recipe({"path": str(path)}))


def test_files_that_are_not_there_or_of_another_type_say_so(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("question,answer\n")
    (tmp_path / "bad.parquet").write_text("PAR1")
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08")
    for name, message in {
        "none.jsonl": "no prompt file",
        "mine.txt": "known file types are .jsonl",
        "bad.parquet": "cannot read prompts",
        "bad.json": "is not JSON",
        "cut.jsonl.gz": "cannot read prompts",
    }.items():
        with pytest.raises(PrerequisiteError, match=message):
            curate(recipe({"path": str(tmp_path / name)}))


def test_a_recipe_is_strict() -> None:
    recipes: tuple[dict[str, object], ...] = (
        {"sources": []},
        {"sources": [{}]},
        {"sources": [{"name": "gsm8k", "limt": 3}]},
        {"sources": [{"name": "gsm8k"}], "decontaminate": {"ngram": 0}},
    )
    for bad in recipes:
        with pytest.raises(ValidationError):
            PromptsRecipe.model_validate(bad)


def test_every_source_says_its_licence_columns_and_what_it_needs() -> None:
    for source in SOURCES.values():
        assert all((source.license, source.columns, source.rows_hint))
        assert bool(source.id) + bool(source.shipped) + bool(source.make) == 1
        assert bool(source.id) == ("hub" in source.needs)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_row_or_a_reason(line: bytes) -> None:
    row = parse_line(2, line)
    assert not (row.reason and row.values)
    assert row.reason or line.strip().startswith(b"{")
    row.text.encode("utf-8", "strict")


def numbered(count: int) -> list[dict[str, object]]:
    names = ("apples", "pears", "plums", "figs", "dates", "limes", "kiwis", "nuts")
    return [
        {**GOOD, "question": f"Ann has {i} {names[i % 8]} and eats {i % 5}. How many are left?"}
        for i in range(count)
    ]


def files_of(recipe: PromptsRecipe, folder: Path) -> dict[str, bytes]:
    curate_into(recipe, folder, lambda step, done, total: None, ungradable)
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_the_bytes_are_the_same_twice_in_one_process_and_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "CHUNK_ROWS", 20)
    rows = [*numbered(120), *numbered(30), b"broken", {**GOOD, "question": "Held out?"}]
    rows[-1]["split"] = "test"  # type: ignore[index]
    source = {"path": str(write(tmp_path / "mine.jsonl", *rows)), "domain": "math"}
    mix = {"quotas": [{"traces": 60, "domain": "math"}]}
    made = [
        files_of(recipe(source, workers=workers, mix=mix), tmp_path / f"{number}")
        for number, workers in enumerate((1, 1, 2))
    ]
    assert made[0] == made[1] == made[2]
    assert "train.parquet" in made[0]


def test_marks_and_languages_that_the_recipe_leaves_out_are_unwanted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.jsonl",
        GOOD,
        {**GOOD, "question": "Prove that there are infinitely many primes of the form 4k + 3."},
        {**GOOD, "question": "Combien de pommes restent dans le panier de Marie ?"},
        {**GOOD, "question": "Wie viele?", "language": "de"},
    )
    one = {"path": str(path), "domain": "math"}
    curated = curate(recipe(one, languages=["en"]))
    assert [p.question for p in curated.train] == ["What is 3 + 4?"]
    assert curated.curation.reasons("unwanted") == {
        "language de": 1,
        "language fr": 1,
        "mark proof": 1,
    }
    assert len(curate(recipe(one, drop=[])).train) == 4


def test_every_row_that_is_not_kept_is_in_a_file_with_its_reason(tmp_path: Path) -> None:
    rows = [*numbered(20), numbered(1)[0], {**GOOD, "question": "Prove that 7 is prime."}, b"x"]
    path = str(write(tmp_path / "mine.jsonl", *rows))
    made = recipe({"path": path, "domain": "math", "limit": 5})
    curate_into(made, tmp_path / "out", lambda step, done, total: None, ungradable)
    dropped = pq.read_table(tmp_path / "out" / "dropped.parquet").to_pylist()
    told = Counter((row["fate"], row["reason"]) for row in dropped)
    assert told == {
        ("over_limit", ""): 15,
        ("duplicate", "exact"): 1,
        ("unwanted", "mark proof"): 1,
    }
    assert pq.read_table(tmp_path / "out" / "rejected.parquet").num_rows == 1
    assert pq.read_table(tmp_path / "out" / "train.parquet").num_rows == 5


def test_a_probe_says_how_hard_prompts_are_and_the_mix_draws_by_it(tmp_path: Path) -> None:
    path = str(write(tmp_path / "mine.jsonl", *numbered(12)))
    asked: list[Prompt] = []

    def probe(prompts: list[Prompt]) -> dict[str, float]:
        asked.extend(prompts)
        return {prompt.prompt_id: (0.0, 0.5, 1.0)[n % 3] for n, prompt in enumerate(prompts)}

    probing = {"model": "m", "urls": ["http://127.0.0.1:1"]}
    quotas = {"quotas": [{"traces": 2, "difficulty": "hard"}, {"traces": 6, "difficulty": "easy"}]}
    one = {"path": path, "domain": "math"}
    made = recipe(one, difficulty={"probe": probing}, mix={**quotas, "upsample": 2})
    curated = curate(made, probe)
    assert len(asked) == 12
    assert Counter((p.difficulty, p.pass_rate, p.traces) for p in curated.train) == {
        ("hard", 0.0, 1): 2,
        ("easy", 1.0, 1): 2,
        ("easy", 1.0, 2): 2,
    }
    assert curated.total() == Counts(rows=12, train=6, outside_mix=6)
    dropping = recipe(one, difficulty={"probe": probing, "drop_never_solved": True})
    assert curate(dropping, probe).curation.reasons("unwanted") == {"never solved by the probe": 4}


def test_the_best_of_equal_prompts_is_kept(tmp_path: Path) -> None:
    question = "Ann has 12 apples and eats 5 of them. How many apples are left for her brother?"
    levels = ("easy", "hard", "medium")
    rows = [{**GOOD, "question": question, "difficulty": level} for level in levels]
    path = str(write(tmp_path / "mine.jsonl", *rows))
    (kept,) = curate(recipe({"path": path, "domain": "math"})).train
    assert kept.difficulty == "hard"
    other = str(write(tmp_path / "free.jsonl", rows[1]))
    nc = {"path": path, "domain": "math", "license": "cc-by-nc-4.0"}
    (kept,) = curate(recipe(nc, {"path": other, "domain": "math", "license": "mit"})).train
    assert kept.license == "mit"


def test_nothing_of_a_curation_that_fails_stays_but_what_was_there(tmp_path: Path) -> None:
    bad = recipe({"path": str(write(tmp_path / "mine.jsonl", b"{"))})
    (tmp_path / "out" / ".work-of-one-that-was-killed").mkdir(parents=True)
    with pytest.raises(PrerequisiteError):
        curate_into(bad, tmp_path / "out", lambda step, done, total: None, ungradable)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_without_a_train_prompt_left_says_where_all_went(tmp_path: Path) -> None:
    row = {**GOOD, "question": "Prove that 7 is prime."}
    made = recipe({"path": str(write(tmp_path / "mine.jsonl", row)), "domain": "math"})
    with pytest.raises(PrerequisiteError, match=r"no train prompt is left of 1 rows.*mark proof"):
        curate(made)


LINES = st.binary(max_size=60) | st.sampled_from(
    [json.dumps(GOOD).encode(), b'{"question": 7}', b"null", b"[]"]
)


@given(st.lists(LINES, max_size=12))
@settings(max_examples=40, deadline=None)
def test_whatever_the_lines_are_every_row_is_accounted_for(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name) / "mine.jsonl", *lines, GOOD)
        curated = curate(recipe({"path": str(path), "domain": "math"}))
    read = sum(1 for line in path_lines(lines) if line.strip()) + 1
    total = curated.total()
    assert total.rows == read == sum(curated.curation.rows.values())
    assert total.train == len(curated.train) >= 1


def path_lines(lines: list[bytes]) -> list[bytes]:
    """The lines of a file that these are written to, one after another."""
    return b"\n".join(lines).split(b"\n")


def test_a_program_that_cannot_be_read_is_rejected_before_anybody_is_asked(tmp_path: Path) -> None:
    good = {"problem_id": "p", "tests": [{"input": "1", "output": "2"}]}
    rows = [
        {"question": f"Add {n} to a number.", "reference_kind": "program", "reference": problem}
        for n, problem in enumerate([json.dumps(good), json.dumps({**good, "time_limit_s": "x"})])
    ]
    path = str(write(tmp_path / "mine.jsonl", *rows))
    curated = curate(recipe({"path": path, "domain": "code"}))
    assert [p.question for p in curated.train] == ["Add 0 to a number."]
    assert curated.rejected[0].reason == "program that cannot be read"


def test_near_prompts_with_other_numbers_for_answers_are_two_problems(tmp_path: Path) -> None:
    words = "Find the reaction enthalpy and estimate the standard enthalpy of formation of the salt"
    rows = [
        {**GOOD, "question": f"{words}.", "reference": "17.7"},
        {**GOOD, "question": f"{words} in air.", "reference": "116.0"},
        {**GOOD, "question": f"{words} in air now.", "reference": "$116$"},
    ]
    one = {"path": str(write(tmp_path / "mine.jsonl", *rows)), "domain": "general"}
    curated = curate(recipe(one, dedup={"threshold": 0.7}))
    assert [p.reference for p in curated.train] == ["17.7", "116.0"]


def test_the_same_stem_with_other_options_is_another_question(tmp_path: Path) -> None:
    stem = {"question": "Which is a chemical change?", "reference_kind": "choice", "reference": "A"}
    options = (["frying an egg", "melting ice"], ["rusting iron", "cutting hair"])
    rows = [{**stem, "choices": both} for both in (*options, options[0])]
    one = {"path": str(write(tmp_path / "mine.jsonl", *rows)), "domain": "science"}
    curated = curate(recipe(one))
    assert [p.question.splitlines()[1] for p in curated.train] == [
        "A) frying an egg",
        "A) rusting iron",
    ]
    assert curated.total().duplicate == 1


def test_what_a_limit_keeps_out_of_the_test_split_contaminates_nothing(tmp_path: Path) -> None:
    question = "A train leaves at noon and goes north at forty miles an hour for {} hours, how far?"
    rows = [
        {**GOOD, "question": question.format("three")},
        {**GOOD, "question": question.format("five"), "split": "test"},
    ]
    path = str(write(tmp_path / "mine.jsonl", *rows))
    one = {"path": path, "domain": "math"}
    assert curate(recipe({**one, "test_limit": 0})).total().train == 1
    with pytest.raises(PrerequisiteError, match="contaminated 1"):
        curate(recipe(one))
