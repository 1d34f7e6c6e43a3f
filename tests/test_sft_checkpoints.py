"""sft/checkpoints.py: nothing whole is lost, nothing foreign or half-written is continued."""

import os
from types import SimpleNamespace

import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from tiny_student import student_values

from prompts.errors import PrerequisiteError
from sft.checkpoints import (
    MARKER,
    OWNER,
    MarkWhole,
    first_ranks_choice,
    mark_whole,
    open_checkpoints,
    training_fingerprint,
)
from sft.student import StudentRecipe

OURS, THEIRS = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def _one_rank(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)


def left_behind(folder, owner=OURS, whole=(2, 10), partial=(12,)):
    folder.mkdir()
    if owner is not None:
        (folder / OWNER).write_text(owner)
    for step in (*whole, *partial):
        (folder / f"checkpoint-{step}").mkdir()
        (folder / f"checkpoint-{step}" / "model.safetensors").write_text("weights")
    for step in whole:
        mark_whole(folder / f"checkpoint-{step}")
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_whole_checkpoint_is_continued_and_a_partial_one_removed(tmp_path):
    folder = left_behind(tmp_path / "c")
    assert open_checkpoints(folder, OURS, resume=True) == folder / "checkpoint-10"
    assert names(folder) == ["checkpoint-10", "checkpoint-2", OWNER]


@pytest.mark.parametrize(
    ("file", "left"), [("model.safetensors", "weig"), (MARKER, ""), (MARKER, "[1]")]
)
def test_a_checkpoint_that_lost_a_part_makes_way_for_the_one_before(tmp_path, file, left):
    folder, said = left_behind(tmp_path / "c"), []
    (folder / "checkpoint-10" / file).write_text(left)
    assert open_checkpoints(folder, OURS, True, said.append) == folder / "checkpoint-2"
    assert names(folder) == ["checkpoint-2", OWNER]
    assert "checkpoint-10 lost a part" in said[0]


def test_a_file_that_is_gone_is_a_lost_part(tmp_path):
    folder = left_behind(tmp_path / "c", whole=(2,))
    (folder / "checkpoint-2" / "model.safetensors").unlink()
    assert open_checkpoints(folder, OURS, resume=True) is None


def test_checkpoints_of_another_training_are_named_before_they_go(tmp_path):
    said = []
    folder = left_behind(tmp_path / "c", owner=THEIRS)
    assert open_checkpoints(folder, OURS, True, said.append) is None
    assert said == [
        f"checkpoint-10, checkpoint-2 in {folder} came of another recipe, base or rows: removed"
    ]


def test_what_is_asked_to_go_is_not_warned_of(tmp_path):
    said = []
    open_checkpoints(left_behind(tmp_path / "c"), OURS, False, said.append)
    assert said == []


def test_all_ranks_go_on_from_the_first_ones_checkpoint(tmp_path, monkeypatch):
    import torch.distributed as ranks

    assert first_ranks_choice(tmp_path / "checkpoint-2") == tmp_path / "checkpoint-2"

    def broadcast(said, src):
        assert src == 0
        said[0] = tmp_path / "checkpoint-10"

    monkeypatch.setattr(ranks, "is_initialized", lambda: True)
    monkeypatch.setattr(ranks, "broadcast_object_list", broadcast)
    assert first_ranks_choice(tmp_path / "checkpoint-2") == tmp_path / "checkpoint-10"


def test_the_owner_is_not_written_again_when_it_fits(tmp_path):
    folder = left_behind(tmp_path / "c")
    before = (folder / OWNER).stat()
    open_checkpoints(folder, OURS, resume=True)
    after = (folder / OWNER).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("broken", ["", OURS[:7], "{}", "\0" * 32])
def test_a_broken_owner_is_an_error_and_costs_no_checkpoint(tmp_path, broken):
    folder = left_behind(tmp_path / "c", owner=broken)
    before = names(folder)
    with pytest.raises(PrerequisiteError, match=r"training\.json is broken"):
        open_checkpoints(folder, OURS, resume=True)
    assert names(folder) == before


@pytest.mark.parametrize(("owner", "resume"), [(THEIRS, True), (None, True), (OURS, False)])
def test_another_trainings_checkpoints_make_room(tmp_path, owner, resume):
    folder = left_behind(tmp_path / "c", owner=owner)
    assert open_checkpoints(folder, OURS, resume) is None
    assert names(folder) == [OWNER]
    assert (folder / OWNER).read_text() == OURS


def test_a_stop_while_the_owner_is_written_leaves_the_old_one(tmp_path, monkeypatch):
    folder = left_behind(tmp_path / "c", owner=THEIRS)

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        open_checkpoints(folder, OURS, resume=True)
    assert (folder / OWNER).read_text() == THEIRS


@pytest.mark.parametrize("owner", [OURS, THEIRS, None])
def test_other_ranks_change_nothing_and_agree_with_the_first(tmp_path, monkeypatch, owner):
    folder = left_behind(tmp_path / "c", owner=owner)
    before = names(folder)
    monkeypatch.setenv("RANK", "1")
    theirs = open_checkpoints(folder, OURS, resume=True)
    assert names(folder) == before
    monkeypatch.setenv("RANK", "0")
    assert open_checkpoints(folder, OURS, resume=True) == theirs


def test_a_checkpoint_is_marked_only_after_every_rank_has_written_its_part(tmp_path, monkeypatch):
    import torch.distributed as ranks

    marker = tmp_path / "checkpoint-3" / MARKER
    marker.parent.mkdir()
    waited = []
    monkeypatch.setattr(ranks, "is_initialized", lambda: True)
    monkeypatch.setattr(ranks, "barrier", lambda: waited.append(marker.exists()))
    state = SimpleNamespace(is_world_process_zero=True, global_step=3)
    MarkWhole().on_save(SimpleNamespace(output_dir=str(tmp_path)), state, None)
    assert waited == [False]
    assert marker.exists()


def test_a_base_is_known_by_its_weights_and_not_by_its_place(tmp_path):
    student = StudentRecipe.model_validate(student_values())

    def known_as(name, weights):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "model.safetensors").write_bytes(weights)
        return training_fingerprint(student, str(tmp_path / name), "rows")

    first = known_as("base", b"header" + b"1" * 300_000)
    assert known_as("elsewhere", b"header" + b"1" * 300_000) == first
    assert known_as("base", b"header" + b"2" * 300_000) != first
