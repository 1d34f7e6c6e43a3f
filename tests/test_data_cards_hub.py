"""The real Hub client against a local hub: main is always whole, the token is never shown."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from data_cards_records import TOKEN, assemble_run, make_facts, make_run
from local_hub import LocalHub
from student_folder import make_student_folder
from test_data_cards_prompt_set import make_facts as make_prompt_facts
from test_data_cards_prompt_set import make_files

from data_cards.assemble import DatasetRecipe
from data_cards.card import write_card
from data_cards.prompt_set import write_prompt_set
from data_cards.shards import write_dataset

REPO = "ada/traces"
# The client reads its environment when it is imported, so it runs in a process of its own. One
# process serves all tests: it reads {folder, private, tag} lines and answers one line each.
PUSHER = """
import json, sys
from pathlib import Path
from data_cards.hub import DATASET, MODEL, push
from prompts.errors import PrerequisiteError, RunError
for line in sys.stdin:
    ask = json.loads(line)
    folder = Path(ask.pop("folder"))
    kind = MODEL if ask.pop("model", False) else DATASET
    try:
        result = push(folder, token=ask.pop("token"), kind=kind, retry_wait_s=0.01, **ask)
        answer = {"url": result.url, "commit": result.commit, "changed": result.changed}
    except (PrerequisiteError, RunError) as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    print(json.dumps(answer), flush=True)
"""


class Pusher:
    """Pushes in the other process; `said` collects its standard error."""

    def __init__(self, said: Path) -> None:
        self.said = said
        environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        environment |= {"HF_HUB_OFFLINE": "0", "HF_HUB_VERBOSITY": "debug"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PUSHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said.open("w"),
            text=True,
            cwd=Path(__file__).parents[1],
            env=environment,
        )

    def __call__(self, folder: Path, hub: LocalHub, **changes: Any) -> dict[str, Any]:
        ask = {"folder": str(folder), "repo_id": REPO, "token": TOKEN, "endpoint": hub.url}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**ask, "private": True, **changes}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert TOKEN not in json.dumps(answer)
        return answer


@pytest.fixture(scope="module")
def push(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusher]:
    pytest.importorskip("huggingface_hub")
    pusher = Pusher(tmp_path_factory.mktemp("push") / "stderr.txt")
    yield pusher
    assert pusher.process.stdin is not None
    pusher.process.stdin.close()
    assert pusher.process.wait(10) == 0
    assert TOKEN not in pusher.said.read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("dataset"), max_shard_bytes=3_000)


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("smaller"), max_shard_bytes=10**6)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(TOKEN) as hub:
        yield hub


def make_folder(folder: Path, max_shard_bytes: int) -> Path:
    recipe = DatasetRecipe(test_fraction=0.2, max_shard_bytes=max_shard_bytes)
    assembled = assemble_run(make_run(), recipe)
    write_card(folder, make_facts(assembled, write_dataset(folder, assembled, recipe), recipe))
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def published(hub: LocalHub) -> dict[str, bytes]:
    return {n: data for n, data in hub.repositories[REPO].tree.items() if n != ".gitattributes"}


def test_a_push_is_one_commit_with_every_file_in_a_private_repository(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    answer = push(folder, hub, tag="v1")
    repository = hub.repositories[REPO]
    assert answer == {
        "url": f"{hub.url}/datasets/{REPO}",
        "commit": repository.main,
        "changed": True,
    }
    assert published(hub) == files_of(folder)
    assert len(repository.commits) == 2
    assert repository.private
    assert repository.tags == {"v1": repository.main}


def test_a_prompt_set_is_pushed_like_any_dataset(
    push: Pusher, hub: LocalHub, tmp_path: Path
) -> None:
    write_prompt_set(tmp_path / "prompt-set", make_files(tmp_path), make_prompt_facts())
    assert push(tmp_path / "prompt-set", hub)["changed"]
    assert published(hub) == files_of(tmp_path / "prompt-set")
    assert "data/test-00000-of-00001.parquet" in published(hub)


def test_a_public_dataset_becomes_public_only_after_its_commit(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    push(folder, hub, private=False)
    assert not hub.repositories[REPO].private
    commit = next(n for n, line in enumerate(hub.log) if "/commit/" in line)
    assert commit < hub.log.index(f"PUT /api/datasets/{REPO}/settings")


def test_pushing_the_same_folder_again_makes_no_commit(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    first = push(folder, hub, tag="v1")
    second = push(folder, hub, tag="v1")
    assert second == {**first, "changed": False}
    assert len(hub.repositories[REPO].commits) == 2


def test_a_commit_whose_reply_was_lost_is_found_and_not_repeated(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    hub.faults = ["lost_reply"]
    answer = push(folder, hub)
    assert answer["commit"] == hub.repositories[REPO].main
    assert len(hub.repositories[REPO].commits) == 2
    assert published(hub) == files_of(folder)


def test_a_hub_that_is_down_for_a_moment_gets_the_commit_when_it_is_back(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    hub.faults = ["unavailable", "unavailable"]
    assert push(folder, hub)["changed"]
    assert len(hub.repositories[REPO].commits) == 2


def test_a_hub_that_stays_down_leaves_main_as_it_was(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    hub.faults = ["unavailable"] * 10
    answer = push(folder, hub)
    assert answer["error"] == "RunError"
    assert "HTTP 503" in answer["text"]
    assert published(hub) == {}


def test_a_refused_commit_leaves_main_as_it_was_and_does_not_show_the_token(
    push: Pusher, hub: LocalHub, folder: Path, smaller: Path
) -> None:
    push(smaller, hub)
    before = hub.repositories[REPO].main
    hub.faults = ["refused"]
    answer = push(folder, hub)
    assert answer["error"] == "PrerequisiteError"
    assert "may write" in answer["text"]
    assert hub.repositories[REPO].main == before


def test_another_s_commit_during_the_push_is_not_overwritten(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    hub.faults = ["overtaken"]
    answer = push(folder, hub)
    assert answer["error"] == "RunError"
    assert "someone else" in answer["text"]
    assert set(published(hub)) == {"notes.md"}
    assert push(folder, hub)["changed"]
    assert set(published(hub)) == {"notes.md", *files_of(folder)}


def test_shards_that_are_gone_are_deleted_and_the_owner_s_files_stay(
    push: Pusher, hub: LocalHub, folder: Path, smaller: Path
) -> None:
    hub.create(REPO).tree["LICENSE"] = b"by hand"
    push(folder, hub)
    push(smaller, hub)
    assert published(hub) == {**files_of(smaller), "LICENSE": b"by hand"}


def test_a_tag_on_other_files_is_refused_before_anything_is_sent(
    push: Pusher, hub: LocalHub, folder: Path, smaller: Path
) -> None:
    push(smaller, hub, tag="v1")
    before = hub.repositories[REPO].main
    answer = push(folder, hub, tag="v1")
    assert answer["error"] == "PrerequisiteError"
    assert "'v1'" in answer["text"]
    assert hub.repositories[REPO].main == before


def test_private_traces_are_not_pushed_to_a_public_repository(
    push: Pusher, hub: LocalHub, folder: Path
) -> None:
    hub.create(REPO, private=False)
    answer = push(folder, hub)
    assert answer["error"] == "PrerequisiteError"
    assert "public" in answer["text"]
    assert published(hub) == {}


def test_a_wrong_token_is_the_user_s_to_mend(push: Pusher, hub: LocalHub, folder: Path) -> None:
    hub.token = "another"
    answer = push(folder, hub)
    assert answer["error"] == "PrerequisiteError"
    assert "HF_TOKEN" in answer["text"]
    assert hub.repositories == {}


def test_an_unsound_folder_is_not_pushed(
    push: Pusher, hub: LocalHub, folder: Path, tmp_path: Path
) -> None:
    answer = push(tmp_path, hub)
    assert answer["error"] == "PrerequisiteError"
    assert "README.md" in answer["text"]
    assert hub.log == []


def test_a_student_is_one_commit_in_a_private_model_repository(
    push: Pusher, hub: LocalHub, tmp_path: Path
) -> None:
    folder = make_student_folder(tmp_path)
    answer = push(folder, hub, tag="v1", model=True)
    repository = hub.repositories[REPO]
    assert (answer["url"], answer["changed"]) == (f"{hub.url}/{REPO}", True)
    assert published(hub) == files_of(folder)
    assert (len(repository.commits), repository.private) == (2, True)
    assert repository.tags == {"v1": repository.main}
    assert any(line.startswith("POST /api/models/") for line in hub.log)
    assert not push(folder, hub, tag="v1", model=True)["changed"]


def test_a_students_lost_reply_is_found_out_and_old_weights_are_deleted(
    push: Pusher, hub: LocalHub, tmp_path: Path
) -> None:
    push(make_student_folder(tmp_path / "large", shards=3), hub, model=True)
    hub.faults = ["lost_reply"]
    small = make_student_folder(tmp_path / "small")
    hub.repositories[REPO].tree["adapter.safetensors"] = b"the owner's"
    answer = push(small, hub, model=True)
    assert answer["commit"] == hub.repositories[REPO].main
    assert published(hub) == {**files_of(small), "adapter.safetensors": b"the owner's"}


def test_a_student_without_its_weights_is_not_pushed(
    push: Pusher, hub: LocalHub, tmp_path: Path
) -> None:
    (make_student_folder(tmp_path) / "model.safetensors").unlink()
    answer = push(tmp_path, hub, model=True)
    assert answer["error"] == "PrerequisiteError"
    assert "the student is not sound: there is no model.safetensors" in answer["text"]
    assert hub.log == []
