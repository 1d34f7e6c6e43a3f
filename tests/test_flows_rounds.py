"""distill --rounds: each round's student teaches the next, in a run of its own."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from compared_runs import finish, made_run, measured_run, scores_of, write_scores
from student_folder import make_student_folder

import flows.distill
import flows.rounds
from flows.compare import has_scores
from flows.dataset_files import dataset_files
from flows.overview import summary_text
from flows.pins import check_pins
from flows.plan import make_plan
from flows.public_recipe import public_recipe
from flows.recipe import Recipe, load_recipe, recipe_of_run, stage_fingerprint
from flows.rounds import distill_rounds, further_rounds, next_round
from flows.run_folder import RunFolder, existing_run, open_run, run_path, write_text
from flows.serving import teacher_weights
from flows.student_card import write_student_card
from prompts.errors import PrerequisiteError

RIGHT = {f"question {n}": 1 for n in range(8)}
TURN = {"role": "user", "content": "1 + 1?"}


@pytest.fixture
def first(tmp_path: Path) -> RunFolder:
    return measured_run(load_recipe(), tmp_path / "runs", RIGHT)


def test_the_student_is_asked_as_it_was_trained(first: RunFolder) -> None:
    recipe = next_round(first.recipe, first, 2)
    teacher = recipe.teacher
    assert teacher.folder == first.path.resolve() / "5-student" / "model"
    assert teacher.template == first.recipe.dataset.template == "zero-shot"
    assert teacher.served_name == first.recipe.student.published_name
    assert (teacher.urls, teacher.cluster, teacher.dollars_per_million_tokens) == ((), None, None)


def test_the_plan_says_who_teaches_a_later_round(tmp_path: Path) -> None:
    run = measured_run(load_recipe(model="qwen-1.5b"), tmp_path, RIGHT)
    recipe = next_round(run.recipe, run, 2)
    teacher = make_plan(recipe)["teacher"]
    assert teacher["model"] == recipe.student.published_name.removesuffix("-round-2")
    assert teacher["layout"] == f"one vLLM replica here of {recipe.teacher.folder}"


def test_a_teacher_somewhere_else_is_not_asked_in_later_rounds(tmp_path: Path) -> None:
    recipe = load_recipe(teacher_urls=["http://10.0.0.5:8000"])
    run = measured_run(recipe, tmp_path, RIGHT)
    assert next_round(recipe, run, 2).teacher.urls == ()


def test_the_next_student_starts_from_the_base_again(first: RunFolder) -> None:
    recipe = next_round(first.recipe, first, 2)
    assert recipe.student.base == first.recipe.student.base
    assert recipe.student.published_name == "SmolLM2-135M-Stillhouse-round-2"


def test_rounds_push_to_repositories_of_their_own(tmp_path: Path) -> None:
    run = measured_run(load_recipe(overrides=["dataset.repo_id=ada/traces"]), tmp_path, RIGHT)
    assert next_round(run.recipe, run, 3).dataset.repo_id == "ada/traces-round-3"


def test_the_round_is_another_run_of_the_same_prompts(first: RunFolder) -> None:
    recipe = next_round(first.recipe, first, 2)
    runs = first.path.parent
    assert run_path(recipe, runs) != first.path
    assert recipe.prompts == first.recipe.prompts
    assert recipe.name == "default-round-2"


def test_a_student_trained_anew_begins_another_round(first: RunFolder) -> None:
    before = next_round(first.recipe, first, 2)
    write_text(first.path / "5-student" / "model" / "training.json", '{"fingerprint": "another"}')
    after = next_round(first.recipe, first, 2)
    assert stage_fingerprint(before, "generate") != stage_fingerprint(after, "generate")
    with pytest.raises(PrerequisiteError, match="teacher changed"):
        check_pins(before)


def test_a_card_written_later_begins_no_other_round(first: RunFolder) -> None:
    before = next_round(first.recipe, first, 2)
    write_text(first.path / "5-student" / "model" / "README.md", "# A student\n")
    assert next_round(first.recipe, first, 2) == before


def test_a_teacher_that_is_gone_is_named(first: RunFolder) -> None:
    recipe = next_round(first.recipe, first, 2)
    (first.path / "5-student" / "model" / "config.json").unlink()
    with pytest.raises(PrerequisiteError, match=r"5-student/model holds no model"):
        check_pins(recipe)
    with pytest.raises(PrerequisiteError, match=r"5-student/model holds no model"):
        teacher_weights(open_run(recipe, first.path.parent))


def test_a_rounds_recipe_is_read_back_as_it_was_written(first: RunFolder) -> None:
    recipe = next_round(first.recipe, first, 2)
    run = open_run(recipe, first.path.parent)
    assert recipe_of_run(run.path) == recipe
    assert existing_run(run.path).path == run.path


def test_a_card_shows_no_folder_of_this_machine(first: RunFolder) -> None:
    shown = public_recipe(next_round(first.recipe, first, 2))
    assert str(first.path.parent) not in shown
    assert yaml.safe_load(shown)["rounds"]["former"] == [first.name]


@pytest.mark.parametrize(("traces", "rounds"), [("new", 1), ("all", 3)])
def test_a_student_learns_from_its_round_or_from_all(
    tmp_path: Path, traces: str, rounds: int
) -> None:
    run = measured_run(load_recipe(overrides=[f"rounds.traces={traces}"]), tmp_path, RIGHT)
    recipe = run.recipe
    for number in (1, 2, 3):
        data = run.folder("publish") / "data"
        write_text(data / "train-00000-of-00001.parquet", str(number))
        if number < 3:
            wanted = next_round(recipe, run, number + 1)
            run = measured_run(wanted, tmp_path, RIGHT)
    read = [file.read_text() for file in dataset_files(run)]
    assert read == [str(number) for number in range(4 - rounds, 4)]


def test_the_card_of_a_later_student_names_who_taught_it_and_all_it_learnt(tmp_path: Path) -> None:
    row = {"source": "s", "license": "mit", "language": "en", "messages": [TURN] * 2}
    before = measured_run(load_recipe(overrides=["rounds.traces=all"]), tmp_path, RIGHT)
    run = made_run(next_round(before.recipe, before, 2), tmp_path)
    for one in (before, run):
        data = one.folder("publish") / "data"
        data.mkdir()
        pl.DataFrame([row]).write_parquet(data / "train-00000-of-00001.parquet")
    (make_student_folder(run.folder("train") / "model") / "README.md").unlink()
    finish(run, "train", tokens=80, steps=2, final_loss=1.5, training_s=1.0)
    card = write_student_card(run).read_text(encoding="utf-8")
    assert f"| teacher | `{before.recipe.student.published_name}` |" in card
    assert f"traces of earlier rounds: `{before.name}`" in card
    assert str(tmp_path) not in card


def all_rounds(runs: Path) -> tuple[RunFolder, RunFolder]:
    """Two finished rounds, the second's student taught by the traces of both."""
    first = measured_run(load_recipe(overrides=["rounds.traces=all"]), runs, RIGHT)
    return first, measured_run(next_round(first.recipe, first, 2), runs, RIGHT)


def publish_again(run: RunFolder) -> None:
    run.begin("publish")
    entry = run.manifest()
    entry["stages"]["publish"] |= {"status": "done", "ended_at": "2999-01-01T00:00:00+00:00"}
    write_text(run.path / "manifest.json", json.dumps(entry))


def test_a_student_of_all_rounds_is_out_of_date_when_an_earlier_dataset_is_made_again(
    tmp_path: Path,
) -> None:
    first, second = all_rounds(tmp_path)
    assert second.is_done("train")
    assert has_scores(second.path)
    publish_again(first)
    assert not second.is_done("train")
    assert second.is_done("publish")
    assert not has_scores(second.path)
    with pytest.raises(PrerequisiteError, match="'train' is not finished"):
        second.need("train")
    said = summary_text(second.path)
    assert f"the dataset of {first.name} was published again" in said
    finish(second, "train")
    assert second.is_done("train")
    assert "published again" not in summary_text(second.path)


def test_a_student_of_its_own_round_alone_cares_for_no_earlier_dataset(first: RunFolder) -> None:
    second = measured_run(next_round(first.recipe, first, 2), first.path.parent, RIGHT)
    publish_again(first)
    assert second.is_done("train")
    assert has_scores(second.path)


def test_a_round_whose_earlier_run_was_deleted_is_still_finished(tmp_path: Path) -> None:
    first, second = all_rounds(tmp_path)
    shutil.rmtree(first.path)
    assert second.is_done("train")


def test_an_earlier_dataset_that_is_being_made_is_not_trained_on(tmp_path: Path) -> None:
    first, second = all_rounds(tmp_path)
    for run in (first, second):
        write_text(run.folder("publish") / "data" / "train-00000-of-00001.parquet", "x")
    assert len(dataset_files(second)) == 2
    first.begin("publish")
    assert not second.is_done("train")
    with pytest.raises(PrerequisiteError, match=f"publish {first.path}` first"):
        dataset_files(second)


def test_an_earlier_dataset_that_is_gone_is_named(tmp_path: Path) -> None:
    run = measured_run(load_recipe(overrides=["rounds.traces=all"]), tmp_path, RIGHT)
    later = open_run(next_round(run.recipe, run, 2), tmp_path)
    with pytest.raises(PrerequisiteError, match=f"{run.name} is gone"):
        dataset_files(later)


def test_learning_from_all_rounds_is_another_run(first: RunFolder) -> None:
    every = load_recipe(overrides=["rounds.traces=all"])
    assert run_path(every, Path("runs")) == run_path(first.recipe, Path("runs"))
    assert next_round(every, first, 2).name == "default-round-2-all"


def test_a_later_rounds_recipe_is_no_beginning(first: RunFolder) -> None:
    with pytest.raises(PrerequisiteError, match="first round's recipe"):
        distill_rounds(next_round(first.recipe, first, 2), 2, first.path.parent)


def test_the_dry_run_says_what_further_rounds_ask() -> None:
    first = make_plan(load_recipe())
    plan = further_rounds(load_recipe(), first, 3)
    assert plan["samples_at_most_in_each"] == 3 * first["prompts"]
    assert "rounds 2 to 3: the student" in plan["text"]
    assert further_rounds(load_recipe(), first, 2)["text"].startswith("round 2: the student")


@pytest.mark.parametrize(("model", "overrides", "said"), [
    (None, [], r"takes about 67,680 tokens again \(.* s\), .* s of training and .* GB of disk$"),
    (None, ["rounds.traces=all"], r"disk, and as much training more for each round before it$"),
    ("qwen-7b", [], r"each takes about [\d,]+ tokens again, .* of training and .* GB of disk$"),
])  # fmt: skip
def test_the_dry_run_says_what_a_further_round_takes(
    model: str | None, overrides: list[str], said: str
) -> None:
    recipe = load_recipe(model=model, overrides=overrides)
    assert re.search(said, further_rounds(recipe, make_plan(recipe), 2)["text"])


class Played:
    """Stands in for the distill flow: a finished run a call, its student so and so good."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, right: list[int]) -> None:
        self.right, self.recipes = right, list[Recipe]()
        monkeypatch.setattr(flows.distill, "distill", self.distill)
        monkeypatch.setattr(flows.rounds, "require", lambda recipe, runs: None)

    def distill(self, recipe: Recipe, runs: Path) -> str:
        self.recipes.append(recipe)
        run = open_run(recipe, runs)
        if not run.is_done("evaluate"):
            good = self.right[len(self.recipes) - 1]
            run = measured_run(recipe, runs, dict.fromkeys(RIGHT, good))
        return str(run.path)


def test_rounds_follow_each_other_and_are_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played = Played(monkeypatch, [0, 1, 1])
    done = distill_rounds(load_recipe(), 3, tmp_path)
    assert len(set(done)) == 3
    manifests = [json.loads((run / "manifest.json").read_text()) for run in done]
    assert [m.get("round") for m in manifests] == [None, 2, 3]
    assert [m.get("former") for m in manifests[1:]] == [done[0].name, done[1].name]
    assert played.recipes[2].teacher.folder == done[1].resolve() / "5-student" / "model"
    shown = summary_text(done[2])
    assert f"round     3; taught by the student of {done[1].name}" in shown
    said = capsys.readouterr().out
    assert f"round 2   of 3; the student of {done[0].name} is the teacher" in said
    assert "round 2   held-out: +50.0 points over the round before" in said
    assert "n=8: higher" in said
    assert "n=8: no difference shown" in said
    found = json.loads((done[-1] / "comparison.json").read_text())
    assert [row["change"] for row in found["changes"] if row["domain"] == "overall"] == [0.5, 0.5]


def test_the_same_command_goes_on_with_the_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Played(monkeypatch, [0, 1])
    first = distill_rounds(load_recipe(), 2, tmp_path)
    again = Played(monkeypatch, [])
    assert distill_rounds(load_recipe(), 2, tmp_path) == first
    assert again.recipes == []


def test_one_more_round_comes_after_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Played(monkeypatch, [0, 1])
    two = distill_rounds(load_recipe(), 2, tmp_path)
    Played(monkeypatch, [2])
    assert distill_rounds(load_recipe(), 3, tmp_path)[:2] == two


def test_a_round_that_is_worse_ends_nothing_and_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played(monkeypatch, [2, 1, 1])
    assert len(distill_rounds(load_recipe(), 3, tmp_path)) == 3
    assert "-50.0 points" in capsys.readouterr().out


def test_a_prompt_set_is_taken_over_from_the_first_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    played = Played(monkeypatch, [0, 1])
    whole = played.distill

    def look(recipe: Recipe, runs: Path) -> str:
        entries = open_run(recipe, runs).manifest()["stages"]
        taken.extend(stage for stage, entry in entries.items() if "shared_from" in entry)
        return whole(recipe, runs)

    monkeypatch.setattr(flows.distill, "distill", look)
    distill_rounds(load_recipe(), 2, tmp_path)
    assert taken == ["curate"]


def test_rounds_without_scores_say_that_nothing_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played(monkeypatch, [0, 0])

    def unmeasured(recipe: Recipe, runs: Path) -> str:
        run = made_run(recipe, runs, 5)
        write_text(run.folder("train") / "model" / "config.json", "{}")
        write_scores(run.folder("evaluate") / "base", scores_of(RIGHT))
        return str(run.path)

    monkeypatch.setattr(flows.distill, "distill", unmeasured)
    done = distill_rounds(load_recipe(), 2, tmp_path)
    assert "nothing says whether it is better" in capsys.readouterr().out
    assert not (done[-1] / "comparison.md").exists()
