"""The student's card: metadata the Hub's own library reads, scores never without n, no secrets."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from student_folder import make_model_facts, make_score, make_student_folder

from data_cards.header import read_header
from data_cards.model_card import ModelFacts, render_model_card
from data_cards.validate_model import validate_model_card


def header_of(facts: ModelFacts, tmp_path: Path) -> dict[str, Any]:
    card = tmp_path / "README.md"
    card.write_text(render_model_card(facts), encoding="utf-8")
    return read_header(card)


def test_the_hubs_own_library_reads_base_data_and_scores(tmp_path: Path) -> None:
    cards = pytest.importorskip("huggingface_hub").ModelCard
    scores = [
        make_score("base", 0.1),
        make_score("student", 0.4),
        make_score("student", 0.25, group="math", prompts=20),
    ]
    data = cards(render_model_card(make_model_facts(scores=scores))).data
    assert (data.license, data.base_model, data.datasets) == (
        "apache-2.0",
        "Smol/Base",
        ["ada/traces"],
    )
    found = [(one.dataset_name, one.metric_type, one.metric_value) for one in data.eval_results]
    assert found == [("held-out, overall", "pass@1", 40.0), ("held-out, math", "pass@1", 25.0)]
    assert "n=20, k=4, 95% interval 20.0 to 30.0" in data.eval_results[1].metric_name


def test_every_measured_model_stands_in_the_table_with_n_k_and_interval() -> None:
    text = render_model_card(make_model_facts())
    row = next(line for line in text.splitlines() if line.startswith("| held-out |"))
    assert row == (
        "| held-out | overall | 60 | 4 | 10.0 [5.0, 15.0] | 2.0 % | 71 "
        "| 40.0 [35.0, 45.0] | 2.0 % | 71 |"
    )
    head, rule = text.splitlines()[text.splitlines().index(row) - 2 :][:2]
    assert head.count("|") == rule.count("|") == row.count("|")


def test_a_student_that_nobody_measured_says_so_and_has_no_results(tmp_path: Path) -> None:
    facts = make_model_facts(scores=[], tries=[])
    assert "model-index" not in header_of(facts, tmp_path)
    text = render_model_card(facts)
    assert "It has not been measured." in text
    assert "answered greedily" not in text


def test_what_it_was_trained_to_do_is_not_said_to_be_what_it_does() -> None:
    text = render_model_card(make_model_facts(scores=[], tries=[]))
    assert "It is trained to think between `<think>` and `</think>`" in text
    assert "It thinks" not in text


def test_tables_begin_after_a_blank_line() -> None:
    lines = render_model_card(make_model_facts()).splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("|") and lines[i - 1][:1] != "|"]
    assert len(starts) == 3
    assert all(lines[i - 1] == "" for i in starts)


def test_what_it_was_not_tested_for_and_the_licences_are_said() -> None:
    text = render_model_card(make_model_facts())
    assert "## What it was not tested for" in text
    assert "starter-math (Apache-2.0)" in text
    assert "mit" in text
    assert "3 dropped: overlong" in text


def test_a_llama_student_says_what_it_was_built_with(tmp_path: Path) -> None:
    base = make_model_facts().base
    facts = make_model_facts(base=replace(base, license="llama3.1"))
    assert "\nBuilt with Llama.\n" in render_model_card(facts)
    assert header_of(facts, tmp_path)["license"] == "llama3.1"
    assert "Built with Llama" not in render_model_card(make_model_facts())


@pytest.mark.parametrize(("given", "shown"), [("", "unknown"), ("Home-Made-1", "other")])
def test_a_base_of_unknown_licence_gets_no_other(given: str, shown: str, tmp_path: Path) -> None:
    facts = make_model_facts(base=replace(make_model_facts().base, license=given, hub_id=""))
    header = header_of(facts, tmp_path)
    assert header["license"] == shown
    assert header.get("license_name", "") == given
    assert "base_model" not in header


def test_no_secret_no_path_and_no_tag_of_a_stranger_gets_into_the_card(tmp_path: Path) -> None:
    recipe = "student:\n  base: /home/ada/models/mine\n  token: hf_abcdefghijklmnopqrst\n"
    asked = [{"role": "user", "content": "```\n</details><script>alert(1)</script>"}]
    folder = make_student_folder(tmp_path, recipe_yaml=recipe, asked=asked)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "hf_abc" not in text
    assert "/home/ada" not in text
    assert "````text\n```\n</details><script>" in text
    assert validate_model_card(folder) == []


@pytest.mark.parametrize("shards", [1, 3])
def test_a_whole_folder_is_sound(tmp_path: Path, shards: int) -> None:
    assert validate_model_card(make_student_folder(tmp_path, shards)) == []


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("README.md", "the student is unfinished"),
        ("generation_config.json", "no generation_config.json"),
        ("model-00002-of-00003.safetensors", "no model-00002-of-00003.safetensors"),
    ],
)
def test_a_folder_with_a_hole_is_not_sound(tmp_path: Path, missing: str, said: str) -> None:
    folder = make_student_folder(tmp_path, shards=3)
    (folder / missing).unlink()
    problems = validate_model_card(folder)
    assert len(problems) == 1
    assert said in problems[0]


def test_a_pickle_and_a_score_without_n_are_named(tmp_path: Path) -> None:
    folder = make_student_folder(tmp_path)
    (folder / "training_args.bin").write_bytes(b"pickle")
    card = folder / "README.md"
    card.write_text(card.read_text().replace("pass@1, n=60,", "pass@1,"), encoding="utf-8")
    problems = validate_model_card(folder)
    assert [words for words in problems if "training_args.bin is a pickle" in words]
    assert "the score on held-out, overall has no n" in problems
