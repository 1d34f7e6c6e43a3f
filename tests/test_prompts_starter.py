"""The starter sets: sizes, splits, references that hold, and bytes that can be made again."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from prompts.curate import Curated, PromptsRecipe, curate
from prompts.decontaminate import find_hits
from prompts.record import Prompt, normalise_question, prompt_id
from prompts.sources import SOURCES
from prompts.sources.choice import SourceChoice
from prompts.starter import draw, make_code, make_math, make_science
from prompts.template import render

NAMES = ("math", "code", "science")
LEAST = {"math": (200, 40), "code": (80, 40), "science": (80, 40)}


@pytest.fixture(scope="module")
def curated() -> Curated:
    sources = tuple(SourceChoice(name=f"starter-{name}") for name in NAMES)
    return curate(PromptsRecipe(sources=sources))


@pytest.mark.parametrize("name", NAMES)
def test_every_row_becomes_a_prompt_and_both_splits_are_large_enough(
    curated: Curated, name: str
) -> None:
    counts = curated.counts[f"starter-{name}"]
    assert (counts.rejected, counts.duplicates, counts.contaminated) == (0, 0, 0)
    assert counts.rows == SOURCES[f"starter-{name}"].rows_hint
    assert counts.train >= LEAST[name][0]
    assert counts.test >= LEAST[name][1]


def test_no_train_prompt_shares_ten_words_with_a_held_out_one(curated: Curated) -> None:
    assert curated.hits == []
    assert find_hits(curated.train, curated.test, 10) == []


def test_about_a_fifth_is_hard_and_every_level_is_known(curated: Curated) -> None:
    for split in (curated.train, curated.test):
        levels = Counter(p.difficulty for p in split)
        assert set(levels) == {"easy", "medium", "hard"}
        assert 0.05 <= levels["hard"] / len(split) <= 0.3


def test_every_held_out_family_has_train_members() -> None:
    for name in NAMES:
        rows = _rows(draw.FOLDER / f"{name}.jsonl")
        train = {row["family"] for row in rows if row["split"] == "train"}
        assert {row["family"] for row in rows if row["split"] == "test"} <= train


def test_no_shot_of_a_template_is_in_a_starter_set(curated: Curated) -> None:
    prompts = curated.train + curated.test
    shots = [
        message["content"].rpartition("\n")[0]
        for kind in {p.reference_kind for p in prompts}
        for message in render(_of_kind(prompts, kind), "few-shot")[:-1]
        if message["role"] == "user"
    ]
    assert len(shots) >= 15
    assert not {normalise_question(s) for s in shots} & {
        normalise_question(p.question) for p in prompts
    }
    shown = [_prompt_from(shot) for shot in shots]
    assert find_hits(shown, [p for p in prompts if p.split == "test"], 10) == []


def test_every_code_task_states_its_function_and_its_solution_passes(curated: Curated) -> None:
    tasks = [p for p in curated.train + curated.test if p.domain == "code"]
    for task in tasks:
        name = task.reference.partition("(")[0].removeprefix("def ")
        assert f" {name}(" in task.question
        assert len(task.tests) >= 4
    program = "\n".join("\n".join((task.reference, *task.tests)) for task in tasks)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-500:]


def test_code_asserts_tell_a_solution_from_one_that_returns_nothing(curated: Curated) -> None:
    for task in (p for p in curated.train if p.domain == "code"):
        name = task.reference.partition("(")[0].removeprefix("def ")
        stub = f"def {name}(*args): return None\n" + "\n".join(task.tests)
        with pytest.raises(AssertionError):
            exec(stub, {})


def test_the_letter_of_a_choice_stands_before_the_right_option(curated: Curated) -> None:
    tasks = [p for p in curated.train + curated.test if p.reference_kind == "choice"]
    assert len({task.reference for task in tasks}) == 4
    for task in tasks:
        option = task.choices["ABCD".index(task.reference)]
        assert f"\n{task.reference}) {option}" in task.question
        assert len(set(task.choices)) == 4


@pytest.mark.parametrize("maker", [make_math, make_code, make_science])
def test_the_shipped_file_is_what_its_script_writes(maker: object, tmp_path: Path) -> None:
    if maker is make_math:
        pytest.importorskip("reasoning_gym", reason="reasoning-gym makes part of math.jsonl")
    name = maker.__name__.rpartition("make_")[2]  # type: ignore[attr-defined]
    made = draw.write(name, maker.families(), tmp_path)  # type: ignore[attr-defined]
    assert made.read_bytes() == (draw.FOLDER / f"{name}.jsonl").read_bytes()


def test_a_family_too_small_for_its_share_says_so() -> None:
    family = draw.Family("tiny", "math_answer", "easy", 3, 1, [draw.Candidate("What is 1?", "1")])
    with pytest.raises(ValueError, match="tiny: only 1 test and 0 train"):
        draw.draw(family)


def test_twins_never_stand_on_both_sides() -> None:
    pairs = [(a, b) for a in range(9) for b in range(9)]
    candidates = [draw.Candidate(f"{a} and {b}", "x", str(sorted((a, b)))) for a, b in pairs]
    rows = draw.draw(draw.Family("pairs", "math_answer", "easy", 40, 10, candidates))
    twins: dict[str, set[str]] = {"train": set(), "test": set()}
    for row in rows:
        twins[row["split"]].add(str(sorted(row["question"].split(" and "))))
    assert not twins["train"] & twins["test"]


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _of_kind(prompts: list[Prompt], kind: str) -> Prompt:
    return next(p for p in prompts if p.reference_kind == kind)


def _prompt_from(question: str) -> Prompt:
    one = prompt_id("math", question)
    return Prompt(one, "math", "shots", "", "train", question, "math_answer", "0")
