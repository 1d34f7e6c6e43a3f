"""What a folder of weights is known by: a model trained again into it is another."""

from pathlib import Path

import pytest

from flows.pins import weights_digest
from prompts.errors import PrerequisiteError


def made(folder: Path, weights: bytes = bytes(300_000)) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_the_same_model_elsewhere_is_the_same(tmp_path: Path) -> None:
    assert weights_digest(made(tmp_path / "one")) == weights_digest(made(tmp_path / "two"))


def test_other_weights_of_the_same_size_are_another_model(tmp_path: Path) -> None:
    folder = made(tmp_path / "model")
    before = weights_digest(folder)
    (folder / "model.safetensors").write_bytes(bytes(range(250)) * 1_200)
    assert weights_digest(folder) != before


def test_weights_of_any_size_are_read_to_their_last_byte(tmp_path: Path) -> None:
    for size in (0, 1, 4_096, 4_097, 300_000):
        folder = made(tmp_path / str(size), bytes(size))
        before = weights_digest(folder)
        (folder / "model.safetensors").write_bytes(bytes(max(0, size - 1)) + b"x" * (size > 0))
        assert (weights_digest(folder) != before) == (size > 0)


def test_another_template_is_another_model(tmp_path: Path) -> None:
    folder = made(tmp_path / "model")
    before = weights_digest(folder)
    (folder / "chat_template.jinja").write_text("{{ messages }}<think>")
    assert weights_digest(folder) != before


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="holds no model"):
        weights_digest(tmp_path)
