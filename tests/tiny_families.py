"""Tiny students of two real architectures, for tests of how they train."""

from tiny_student import make_base

FAMILIES = ("llama", "qwen2")


def make_family(folder, family):
    """Write a tiny base of the family: Qwen2 with biases and an untied head, Llama without."""
    make_base(folder)
    if family == "llama":
        return folder
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from transformers.models.llama import LlamaConfig

    llama = LlamaConfig.from_pretrained(folder)
    names = (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "max_position_embeddings",
        "eos_token_id", "pad_token_id", "bos_token_id",
    )  # fmt: skip
    torch.manual_seed(1)
    config = Qwen2Config(**{name: getattr(llama, name) for name in names})
    model = Qwen2ForCausalLM(config)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):  # they begin as zeros, which would test nothing
            torch.nn.init.normal_(weight, std=0.1)
    model.save_pretrained(folder)
    return folder
