"""A two-layer Llama with a tokenizer of its own, made in a folder: a student for tests."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]


def make_tokenizer(template=CHATML, eos="<|im_end|>", pad="<|endoftext|>"):
    """Byte-level tokens without merges, so it encodes any text; ChatML's special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token=eos, pad_token=pad)
    tokenizer.chat_template = template
    return tokenizer


def make_base(folder, **shape):
    """Write random weights and the tokenizer to `folder`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    settings = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 512, "tie_word_embeddings": True,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }  # fmt: skip
    LlamaForCausalLM(LlamaConfig(**{**settings, **shape})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def student_values(**changes):
    """The keys of a StudentRecipe that trains the tiny model."""
    values = {
        "name": "tiny", "base": "local", "published_name": "Tiny", "learning_rate": 5e-3,
        "epochs": 2, "tracker": "none", "batch_size": 4, "micro_batch_size": 4, "max_length": 256,
        "gradient_checkpointing": False, "packing": True, "launch": "single", "gpus": 0,
        "architecture": {
            "parameters": 100_000, "layers": 2, "hidden_size": 64, "intermediate_size": 128,
            "vocab_size": 261, "heads": 4, "kv_heads": 2, "head_dim": 16, "tied_embeddings": True,
        },
    }  # fmt: skip
    return {**values, **changes}


def make_row(index, reasoning=None, prompt=None):
    """A published row: what sft reads of a Trace."""
    reasoning = f"{index} + {index} = {2 * index}" if reasoning is None else reasoning
    content = f"<think>\n{reasoning}\n</think>\n\n\\boxed{{{2 * index}}}"
    return {
        "sample_id": f"s-{index:03d}",
        "reasoning": reasoning,
        "messages": [
            {"role": "user", "content": prompt or f"What is {index} + {index}?"},
            {"role": "assistant", "content": content},
        ],
    }


def write_dataset(path, rows):
    """One Parquet file of rows."""
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_job_file(folder, rows, model_dir, **changes):
    """A job file and its dataset; returns the job's path."""
    data = write_dataset(folder / "train.parquet", rows)
    job = {
        "data": [str(data)],
        "student": student_values(**changes),
        "model_dir": str(model_dir),
        "output_dir": str(folder / "student"),
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path
