"""Shapes of base models: the known ones by Hub id, any other from its config.json.

A plan of memory and time needs the shape before any weight is downloaded.
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from data_cards.hub_token import hub_token
from prompts.errors import PrerequisiteError
from sft.positions import rope_of

# Model types whose queries, keys and values have biases although their config does not say so.
_BIASED = ("qwen2",)
# Model types that normalise queries and keys by weights of one head's width each.
_NORMALISED_HEADS = ("qwen3",)
_MIXTURES = ("num_experts", "num_local_experts", "n_routed_experts")


class Architecture(BaseModel):
    """A dense decoder's shape, as its config.json says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: int = Field(gt=0, description="all weights, embeddings included")
    layers: int = Field(gt=0, description="decoder layers")
    hidden_size: int = Field(gt=0, description="width of the residual stream")
    intermediate_size: int = Field(gt=0, description="width of the feed-forward layers")
    vocab_size: int = Field(gt=0, description="rows of the embedding")
    heads: int = Field(gt=0, description="attention heads")
    kv_heads: int = Field(gt=0, description="heads of keys and values")
    head_dim: int = Field(gt=0, description="width of a head")
    tied_embeddings: bool = Field(description="whether the head is the embedding")
    positions: int | None = Field(
        default=None, gt=0, description="longest sequence it was made for, in tokens"
    )
    rope_theta: float | None = Field(default=None, gt=0, description="base of its RoPE")


def _shape(
    parameters: int,
    layers: int,
    widths: tuple[int, int, int],
    heads: tuple[int, int, int],
    tied: bool,
    rope: tuple[int, float],
) -> Architecture:
    """One row of the table: `widths` hidden, feed-forward, vocabulary; `heads` q, kv, width."""
    names = ("hidden_size", "intermediate_size", "vocab_size", "heads", "kv_heads", "head_dim")
    return Architecture(
        parameters=parameters,
        layers=layers,
        tied_embeddings=tied,
        positions=rope[0],
        rope_theta=rope[1],
        **dict(zip(names, (*widths, *heads), strict=True)),
    )


_QWEN_7B = (28, (3584, 18944, 152064), (28, 4, 128), False)
_QWEN_32B = (64, (5120, 27648, 152064), (40, 8, 128), False)

# From the config.json of each; parameters as the Hub counts them.
BASES: dict[str, Architecture] = {
    "embedded": _shape(134_515_008, 30, (576, 1536, 49152), (9, 3, 64), True, (8192, 1e5)),
    "HuggingFaceTB/SmolLM2-135M-Instruct": _shape(
        134_515_008, 30, (576, 1536, 49152), (9, 3, 64), True, (8192, 1e5)
    ),
    "Qwen/Qwen2.5-Math-1.5B": _shape(
        1_543_714_304, 28, (1536, 8960, 151936), (12, 2, 128), True, (4096, 1e4)
    ),
    "Qwen/Qwen2.5-Math-7B": _shape(7_615_616_512, *_QWEN_7B, (4096, 1e4)),
    "Qwen/Qwen2.5-7B-Instruct": _shape(7_615_616_512, *_QWEN_7B, (32768, 1e6)),
    "Qwen/Qwen2.5-14B": _shape(
        14_770_033_664, 48, (5120, 13824, 152064), (40, 8, 128), False, (131072, 1e6)
    ),
    "Qwen/Qwen2.5-32B": _shape(32_763_876_352, *_QWEN_32B, (131072, 1e6)),
    "Qwen/Qwen2.5-32B-Instruct": _shape(32_763_876_352, *_QWEN_32B, (32768, 1e6)),
    "meta-llama/Llama-3.1-8B": _shape(
        8_030_261_248, 32, (4096, 14336, 128256), (32, 8, 128), False, (131072, 5e5)
    ),
    "meta-llama/Llama-3.3-70B-Instruct": _shape(
        70_553_706_496, 80, (8192, 28672, 128256), (64, 8, 128), False, (131072, 5e5)
    ),
}


def architecture_of(base: str) -> Architecture:
    """The shape of a base: from the table, else from its folder's config.json or the Hub's.

    PrerequisiteError when there is none to be had, or the model is no dense decoder.
    """
    if base in BASES:
        return BASES[base]
    where = f"{base}/config.json"
    try:
        text = Path(where).read_bytes() if Path(base).is_dir() else _config_of_hub(base)
        return architecture_from(json.loads(text))
    except KeyError as error:
        raise PrerequisiteError(
            f"{where} lacks {error}: no dense decoder that can be planned for; give its shape as "
            "student.architecture"
        ) from None
    except (OSError, ValueError) as error:
        raise PrerequisiteError(
            f"the shape of the base {base!r} is not known: not in sft/bases.py "
            f"({', '.join(BASES)}), and {where} cannot be read ({error}). Give a folder with the "
            "model, or its shape as student.architecture"
        ) from None


def _config_of_hub(base: str) -> bytes:
    """The config.json of a Hub model, from this machine's cache or the Hub; asked once."""
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(base, "config.json")
    if isinstance(cached, str):
        return Path(cached).read_bytes()
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    request = urllib.request.Request(f"{endpoint}/{base}/resolve/main/config.json")
    if token := hub_token():
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def architecture_from(config: Mapping[str, Any]) -> Architecture:
    """The shape in a config.json; KeyError names what is missing, or the mixture it is."""
    if mixture := next((name for name in _MIXTURES if config.get(name)), None):
        raise KeyError(f"a count of dense weights ({mixture} says it is a mixture of experts)")
    heads = config["num_attention_heads"]
    shape = {
        "layers": config["num_hidden_layers"],
        "hidden_size": config["hidden_size"],
        "intermediate_size": config["intermediate_size"],
        "vocab_size": config["vocab_size"],
        "heads": heads,
        "kv_heads": config.get("num_key_value_heads") or heads,
        "head_dim": config.get("head_dim") or config["hidden_size"] // heads,
    }
    tied = bool(config.get("tie_word_embeddings", False))
    positions, theta = rope_of(config)
    return Architecture(
        **shape,
        parameters=_parameters(config, shape, tied),
        tied_embeddings=tied,
        positions=positions,
        rope_theta=theta,
    )


def _parameters(config: Mapping[str, Any], shape: Mapping[str, int], tied: bool) -> int:
    """Weights of a decoder with gated feed-forward layers and RMS norms."""
    hidden, kind = shape["hidden_size"], config.get("model_type")
    queries, keys = shape["heads"] * shape["head_dim"], shape["kv_heads"] * shape["head_dim"]
    attention = hidden * (2 * queries + 2 * keys)
    if config.get("attention_bias") or kind in _BIASED:
        attention += queries + 2 * keys
    if config.get("attention_bias"):
        attention += hidden  # and the output's
    if kind in _NORMALISED_HEADS:
        attention += 2 * shape["head_dim"]
    layer = attention + 3 * hidden * shape["intermediate_size"] + 2 * hidden
    embedding = shape["vocab_size"] * hidden
    return shape["layers"] * layer + embedding * (1 if tied else 2) + hidden
