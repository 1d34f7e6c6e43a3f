"""Publishing: nothing of the machine leaves it, and what is pushed names where it is pushed."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from data_cards_records import TOKEN, make_run
from tiny_student import student_values

from data_cards import card
from data_cards.assemble import Assembled
from data_cards.funnel import FunnelRow
from data_cards.hub import PushResult
from data_cards.plots import PLOTS
from data_cards.shards import write_dataset
from data_cards.validate import validate_card
from filters.verdict import Verdict
from flows import publish as stage
from flows.public_recipe import public_prompts
from flows.recipe import Recipe, load_recipe
from flows.run_folder import RunFolder, open_run
from prompts.errors import PrerequisiteError, RunError
from prompts.parquet import write_rows
from prompts.record import Prompt
from prompts.sources import SOURCES
from teacher.sample import Sample

REPO = "ada/traces"
# What no reader of the dataset may see; each is set somewhere in `private_recipe`.
PRIVATE = ("s3cr3t", "hunter2", "MY_PROXY_PW", "gpu7", "ADA_KEY", "workspace", "ada-laptop")
CURATED = {"test": 5, "decontamination_checked": 40, "decontamination_removed": 0}


def private_recipe(*more: str) -> Recipe:
    serve = {
        "extra_args": ["--api-key", "s3cr3t"],
        "environment": {"MY_PROXY_PW": "hunter2"},
        "python": "/workspace/venv/bin/python",
    }
    sources = [
        {"path": "/workspace/ada-laptop/mine.jsonl", "domain": "math"},
        {"name": "gsm8k", "path": "/workspace/gsm8k.jsonl"},
        {"name": "sciq"},
    ]
    values = {
        "prompts.sources": sources,
        "teacher.serve": serve,
        "evals.serve": serve,
        "teacher.urls": ["https://gpu7.example.org/v1"],
        "teacher.key_env": "ADA_KEY",
        "teacher.served_name": "/workspace/models/Big-Teacher",
        "student.base": "/workspace/ada-laptop/Base-1B",
        "student.architecture": student_values()["architecture"],
        "student.chat_template": "/workspace/ada-laptop/chat.jinja",
        "dataset.test_fraction": 0.2,
    }
    overrides = [f"{key}={yaml.safe_dump(value)}" for key, value in values.items()]
    return load_recipe(overrides=[*overrides, *more])


def plain_recipe(*more: str) -> Recipe:
    """Prompts from the Hub: a run of it hangs on no file that may change."""
    return load_recipe(overrides=["prompts.sources=[{name: sciq}]", *more])


def graded_run(folder: Path, recipe: Recipe) -> RunFolder:
    """A run whose first three stages are done, from made-up records."""
    run = open_run(recipe, folder / "runs")
    prompts, samples, verdicts = make_run()
    prompts = [
        replace(p, source=("gsm8k", "sciq", "mine.jsonl")[n % 3]) for n, p in enumerate(prompts)
    ]
    samples = [replace(s, teacher=recipe.teacher.served_name) for s in samples]
    write_rows(run.folder("curate") / "train.parquet", prompts, Prompt)
    write_rows(run.folder("curate") / "test.parquet", [], Prompt)
    write_rows(run.folder("generate") / "samples-00000.parquet", samples, Sample)
    write_rows(run.folder("verify") / "verdicts-00000.parquet", verdicts, Verdict)
    finish(run, "curate", **CURATED)
    finish(run, "generate")
    finish(run, "verify")
    return run


def finish(run: RunFolder, name: str, **facts: Any) -> None:
    run.folder(name)
    run.finish(name, run.begin(name), [FunnelRow(name, 3, {"keep": 3}, 1.0)], **facts)


def with_recipe(run: RunFolder, **dataset: Any) -> RunFolder:
    """The same run with other settings of where it is pushed."""
    recipe = run.recipe.model_copy(
        update={"dataset": run.recipe.dataset.model_copy(update=dataset)}
    )
    other = open_run(recipe, run.path.parent)
    assert other.path == run.path
    return other


def card_text(run: RunFolder) -> str:
    return (run.folder("publish") / "README.md").read_text(encoding="utf-8")


def shard_bytes(run: RunFolder) -> dict[str, tuple[bytes, int]]:
    files = run.folder("publish").rglob("*.parquet")
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def no_plots(folder: Path, assembled: Assembled) -> None:
    """Files of the plots' names: drawing them takes a second a card."""
    folder.mkdir(exist_ok=True)
    for name in PLOTS:
        (folder / name).touch()


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes tasks plain functions, so that no Prefect is started; collects what is pushed."""
    for name in ("write_shards", "write_run_card", "push_dataset"):
        monkeypatch.setattr(stage, name, getattr(stage, name).fn)
    for name in ("artifact", "show"):
        monkeypatch.setattr(stage, name, lambda *_: None)
    monkeypatch.setattr(card, "draw_plots", no_plots)
    cards: list[str] = []

    def push(folder: Path, repo_id: str, token: str, private: bool, *, tag: str | None) -> Any:
        assert validate_card(folder) == []
        cards.append((folder / "README.md").read_text(encoding="utf-8"))
        return PushResult(f"https://example.org/{repo_id}", "0" * 40, True)

    monkeypatch.setattr(stage, "push", push)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return cards


def test_nothing_of_the_machine_is_in_card_or_shards(pushed: list[str], tmp_path: Path) -> None:
    run = graded_run(tmp_path, private_recipe())
    stage.publish.fn(run.recipe, run.path.parent)
    folder = run.folder("publish")
    rows = [pq.read_table(file).to_pylist() for file in folder.rglob("*.parquet")]
    for text in (card_text(run), repr(rows)):
        assert [word for word in PRIVATE if word in text] == []
        assert "Big-Teacher" in text
    for raw, _ in shard_bytes(run).values():
        assert [word for word in PRIVATE if word.encode() in raw] == []


def test_the_public_recipe_keeps_what_made_the_data() -> None:
    recipe = private_recipe(f"dataset.repo_id={REPO}")
    shown = yaml.safe_load(stage.public_recipe(recipe))
    assert [source["path"] for source in shown["prompts"]["sources"]] == [
        "mine.jsonl",
        "gsm8k.jsonl",
        None,
    ]
    assert shown["dataset"] == recipe.dataset.model_dump(mode="json")
    assert shown["sampling"] == recipe.sampling.model_dump(mode="json")
    assert shown["student"]["base"] == "Base-1B"
    assert shown["student"]["chat_template"] == "chat.jinja"
    assert not {"urls", "key_env", "serve"} & set(shown["teacher"])
    default = yaml.safe_load(stage.public_recipe(load_recipe()))
    assert default["student"]["base"] == "embedded"


def test_a_benchmark_s_place_is_cut_to_its_name_even_where_the_file_is_gone() -> None:
    where = ["/home/ada/secret-project/mine.jsonl", "openai/gsm8k:main@test", "math-500"]
    recipe = load_recipe().model_dump()
    recipe["prompts"]["decontaminate"]["benchmarks"] = where
    shown = yaml.safe_load(public_prompts(Recipe.model_validate(recipe)))
    places = [one["where"] for one in shown["prompts"]["decontaminate"]["benchmarks"]]
    assert places == ["mine.jsonl", "openai/gsm8k:main@test", ""]


def test_a_base_in_a_folder_beside_us_is_named_without_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shape = yaml.safe_dump(student_values()["architecture"])
    recipe = load_recipe(overrides=["student.base=ada/tiny", f"student.architecture={shape}"])
    assert yaml.safe_load(stage.public_recipe(recipe))["student"]["base"] == "ada/tiny"
    (tmp_path / "ada" / "tiny").mkdir(parents=True)
    assert yaml.safe_load(stage.public_recipe(recipe))["student"]["base"] == "tiny"


def test_endpoints_of_others_get_no_revision_and_no_licence(
    pushed: list[str], tmp_path: Path
) -> None:
    run = graded_run(tmp_path, private_recipe())
    stage.publish.fn(run.recipe, run.path.parent)
    text = card_text(run)
    assert "| teacher | `Big-Teacher` |" in text
    assert "| teacher's revision | not known |" in text
    assert "| teacher's licence | not stated: endpoints were given by address |" in text


def test_sources_on_the_hub_have_their_address(pushed: list[str], tmp_path: Path) -> None:
    run = graded_run(tmp_path, private_recipe())
    stage.publish.fn(run.recipe, run.path.parent)
    lines = card_text(run).splitlines()
    sciq = next(line for line in lines if line.startswith("| sciq"))
    assert "https://huggingface.co/datasets/allenai/sciq" in sciq
    assert sciq.endswith(f"| `{SOURCES['sciq'].revision}` |")
    # A local copy is of no known revision.
    gsm8k = next(line for line in lines if line.startswith("| gsm8k"))
    assert gsm8k.endswith("|  |")


def test_the_funnel_ends_with_one_row_of_publish(pushed: list[str], tmp_path: Path) -> None:
    run = graded_run(tmp_path, plain_recipe())
    for again in (False, True):
        stage.publish.fn(run.recipe, run.path.parent, again)
        finish(run, "train")
        finish(run, "evaluate")
    other = with_recipe(run, repo_id=REPO)
    for text in (card_text(run), card_text(renewed(other))):
        table = text.split("| stage | in |")[1].split("\n\n")[0].splitlines()[2:]
        names = [line.split("|")[1].strip() for line in table]
        assert names == ["curate", "generate", "verify", "publish"]


def renewed(run: RunFolder) -> RunFolder:
    stage.publish.fn(run.recipe, run.path.parent)
    return run


def test_a_repository_named_after_the_run_gets_a_card_that_names_it(
    pushed: list[str], tmp_path: Path
) -> None:
    run = graded_run(tmp_path, plain_recipe())
    stage.publish.fn(run.recipe, run.path.parent)
    assert 'load_dataset("path/to/this/folder"' in card_text(run)
    assert pushed == []
    finish(run, "train")
    before, entry = shard_bytes(run), run.manifest()["stages"]["publish"]
    other = renewed(with_recipe(run, repo_id=REPO))
    assert f'load_dataset("{REPO}", split="train")' in pushed[0]
    assert "path/to/this/folder" not in pushed[0]
    assert shard_bytes(run) == before
    assert other.manifest()["stages"]["publish"] == entry
    assert other.is_done("train")


def test_a_card_that_names_its_repository_is_not_written_again(
    pushed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = graded_run(tmp_path, plain_recipe(f"dataset.repo_id={REPO}"))
    stage.publish.fn(run.recipe, run.path.parent)
    monkeypatch.setattr(stage, "assemble_run", lambda _: pytest.fail("assembled again"))
    renewed(with_recipe(run, tag="v1"))
    assert len(pushed) == 2
    assert pushed[0] == pushed[1]


def test_a_push_without_a_token_is_the_user_s_to_mend(
    pushed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = graded_run(tmp_path, plain_recipe(f"dataset.repo_id={REPO}"))
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(PrerequisiteError, match=r"ada/traces.*not pushed: set HF_TOKEN"):
        stage.publish.fn(run.recipe, run.path.parent)
    assert run.is_done("publish")
    assert pushed == []


def test_the_time_of_publish_covers_assembling_and_writing(
    pushed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = graded_run(tmp_path, plain_recipe())
    seconds = 0.0

    def slow_write(*given: Any) -> Any:
        nonlocal seconds
        seconds = 7.0
        return write_dataset(*given)

    monkeypatch.setattr(stage, "write_dataset", slow_write)
    monkeypatch.setattr("flows.stage.Stage.seconds", lambda _: seconds)
    stage.publish.fn(run.recipe, run.path.parent)
    assert next(row for row in run.funnel() if row.stage == "publish").seconds == 7.0


def test_old_shards_that_cannot_be_removed_stop_the_writing(
    tmp_path: Path, pushed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = graded_run(tmp_path, plain_recipe())
    stage.publish.fn(run.recipe, run.path.parent)

    def busy(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(shutil, "rmtree", busy)
    with pytest.raises(RunError, match="cannot remove the old shards"):
        stage.publish.fn(run.recipe, run.path.parent, again=True)
    assert not run.is_done("publish")
