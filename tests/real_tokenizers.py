"""The vocabularies of Qwen and Llama 3, from PyPI packages that carry them, as tokenizers.

dashscope has Qwen's (Qwen2.5's is the same 151,643 tokens), llama-models has Llama 3's. Cutting
patterns and special tokens are the models' published ones. Reading a whole one and making its
tokenizer takes some seconds, and so does each loading from a folder; `words` keeps that many of
the commonest tokens, which is a tokenizer of the same kind with the same rules.
"""

import base64
import functools
import importlib.util
import json
from pathlib import Path

import pytest
from tiny_student import SHARED_DATA

QWEN_CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA_SPECIAL = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
    "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|reserved_special_token_2|>",
    "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
)  # fmt: skip
# Where each lies in its package.
FILES = {
    "qwen": ("dashscope", "resources/qwen.tiktoken"),
    "llama": ("llama_models", "llama3/tokenizer.model"),
}


def vocabulary_file(family):
    """The path of a vocabulary; skips the test where its package is not installed."""
    package, inside = FILES[family]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"needs {package}: pip install --no-deps {package.replace('_', '-')}")
    return Path(found.origin).parent / inside


def byte_ranks(family, words=None):
    """Each token's bytes with its id; the commonest have the smallest."""
    lines = vocabulary_file(family).read_bytes().splitlines()[:words]
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}


@functools.cache
def byte_pairs(family, words):
    """Tokens by id and the merges that make them, in transformers' form."""
    from transformers.convert_slow_tokenizer import TikTokenConverter

    class FromFile(TikTokenConverter):
        @staticmethod
        def load_tiktoken_bpe(path):
            return byte_ranks(path, words)

    return FromFile().extract_vocab_merges_from_model(family)


def tokenizer_of(family, cuts, special, words, **roles):
    """A fast tokenizer over a vocabulary with special tokens behind it."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary, merges = byte_pairs(family, words)
    core = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=family == "llama"))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(cuts), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, special=True) for token in special])
    return PreTrainedTokenizerFast(tokenizer_object=core, **roles)


def qwen_tokenizer(words=None):
    """Qwen2.5's: no BOS, ChatML's turns."""
    end = QWEN_SPECIAL[0]
    return tokenizer_of("qwen", QWEN_CUTS, QWEN_SPECIAL, words, eos_token=end, pad_token=end)


def llama_tokenizer(words=None):
    """Llama 3's: it begins a text with BOS itself, unless told not to."""
    from tokenizers.processors import TemplateProcessing

    bos = LLAMA_SPECIAL[0]
    tokenizer = tokenizer_of(
        "llama", LLAMA_CUTS, LLAMA_SPECIAL, words, bos_token=bos, eos_token="<|end_of_text|>"
    )
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.bos_token_id)]
    )
    return tokenizer


def r1_distill_tokenizer(words=None):
    """R1-Distill-Qwen's: Qwen's vocabulary, DeepSeek's special tokens and chat template."""
    path = SHARED_DATA / "r1_distill_qwen_chat_template.json"
    if not path.is_file():
        pytest.skip(f"needs {path.name}")
    facts = json.loads(path.read_text())
    tail = facts["tail_tokens"]
    end = tail.index("<｜end▁of▁sentence｜>")
    special = tail[end : tail.index("</think>") + 1]
    tokenizer = tokenizer_of(
        "qwen", QWEN_CUTS, special, words, bos_token="<｜begin▁of▁sentence｜>",
        eos_token=tail[end], pad_token="<|EOT|>",
    )  # fmt: skip
    if words is None:
        assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (facts["bos"], facts["eos"])
    tokenizer.chat_template = facts["chat_template"]
    return tokenizer
