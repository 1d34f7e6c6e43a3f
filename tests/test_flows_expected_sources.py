"""What a recipe's sources are expected to give, before a row of them is read."""

import gzip
from pathlib import Path

import pytest
import yaml

from flows.expected_sources import expected_sources, rows_in
from flows.plan import make_plan, plan_text
from flows.recipe import load_recipe

LINES = b'{"question": "Why?"}\n' * 40


@pytest.mark.parametrize("name", ["cut.jsonl.gz", "plain.jsonl.gz", "cut.parquet"])
def test_a_damaged_file_has_no_rows_that_a_plan_could_count(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(LINES)[:-12] if name.startswith("cut") else LINES)
    assert rows_in(path) == 0


def test_rows_of_files_and_folders_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(LINES))
    assert [rows_in(path) for path in sorted(tmp_path.iterdir())] == [40, 40]
    assert rows_in(tmp_path) == 80


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ([], {"a": 40, "b": 80}),
        ([{"traces": 60}], {"a": 20, "b": 40}),
        ([{"traces": 1_000}], {"a": 80, "b": 160}),
        ([{"traces": 30, "source": "b.jsonl"}], {"a": 0, "b": 30}),
        ([{"traces": 10, "domain": "math"}, {"traces": 7, "domain": "code"}], {"a": 10, "b": 7}),
        (
            [{"traces": 90, "difficulty": "hard"}, {"traces": 150}],
            {"a": 80, "b": 160},
        ),
    ],
)
def test_quotas_are_divided_by_rows_and_no_source_gives_more_than_it_has(
    tmp_path: Path, quotas: list[dict[str, object]], expected: dict[str, int]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.jsonl").write_bytes(LINES * 2)
    sources = [
        {"path": str(tmp_path / f"{name}.jsonl"), "domain": domain}
        for name, domain in (("a", "math"), ("b", "code"))
    ]
    mix = {"quotas": quotas, "upsample": 2}
    recipe = load_recipe(
        overrides=[
            f"prompts.sources={yaml.safe_dump(sources)}",
            f"prompts.mix={yaml.safe_dump(mix)}",
        ]
    )
    found = {row["name"].removesuffix(".jsonl"): row["train"] for row in expected_sources(recipe)}
    assert found == expected


@pytest.mark.parametrize(
    ("source", "mix", "why"),
    [
        ({"split": "test", "test_limit": 5}, {}, "held out for evaluation, 5 at most: split"),
        ({"limit": 0}, {}, "its limit is 0"),
        ({"columns": {"split": "part"}}, {}, "held out for evaluation: all its rows are marked"),
        ({"path": "gone.jsonl"}, {}, "no rows found in gone.jsonl"),
        ({}, {"quotas": [{"traces": 9, "domain": "code"}]}, "no quota of prompts.mix takes"),
    ],
)
def test_a_plan_says_why_nothing_of_a_source_is_asked(
    tmp_path: Path, source: dict[str, object], mix: dict[str, object], why: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"question": "Why?", "part": "test"}\n' * 40)
    sources = [{"path": str(tmp_path / "a.jsonl"), "domain": "math", **source}]
    overrides = [f"prompts.sources={yaml.safe_dump(sources)}", f"prompts.mix={yaml.safe_dump(mix)}"]
    assert f"none asked: {why}" in plan_text(make_plan(load_recipe(overrides=overrides)))


def test_a_plan_gives_no_reason_where_prompts_are_asked() -> None:
    assert "none asked" not in plan_text(make_plan(load_recipe()))


@pytest.mark.parametrize(
    ("choice", "held_out", "asked"),
    [
        ({}, 2, 3),
        ({"limit": 2}, 2, 2),
        ({"test_limit": 1}, 1, 3),
        ({"rows": 3}, 2, 1),
        ({"rows": 1}, 1, 0),
        ({"split": "train"}, 0, 5),
        ({"split": "test"}, 5, 0),
        ({"split": "test", "test_limit": 4}, 4, 0),
        ({"columns": {"split": "part"}}, 1, 4),
    ],
)
def test_held_out_prompts_are_those_marked_or_all_and_the_others_are_asked(
    tmp_path: Path, choice: dict[str, object], held_out: int, asked: int
) -> None:
    path = tmp_path / "a.jsonl"
    marks = ['"split": "test"', '"split": "test"', '"split": "train"', '"part": "test"', '"a": 1']
    path.write_text("".join(f'{{"question": "Why?", {mark}}}\n' for mark in marks))
    sources = yaml.safe_dump([{"path": str(path), "domain": "math", **choice}])
    recipe = load_recipe(overrides=[f"prompts.sources={sources}"])
    (row,) = expected_sources(recipe)
    assert (row["held_out"], row["train"]) == (held_out, asked)


def test_a_plan_says_what_measuring_takes(tmp_path: Path) -> None:
    benches = "evals.benchmarks=[math-500, {name: aime-2024, limit: 10, k: 4}, livecodebench]"
    plan = make_plan(load_recipe(overrides=[benches]))
    each = 144 * 3 + 500 * 16 + 10 * 4
    assert plan["evaluation"]["samples_each"] == each
    text = plan_text(plan)
    assert f"about {each:,} samples of each, {each * 96:,} tokens at most, and those of" in text
    assert "livecodebench, whose prompts are not counted" in text
