"""Which attention a student trains with, and whether rows may be packed under it."""

from dataclasses import dataclass
from typing import Any

from sft.student import StudentRecipe

# They read the boundaries of a packed row, in memory that grows with its length.
BY_BOUNDARIES = ("flash_attention_2", "flash_attention_3", "stillhouse_packed")
# transformers masks their scores by the position ids, which start again at each sequence
# (masking_utils.find_packed_sequence_indices); masks grow with the square of a row's length.
BY_MASK = ("sdpa", "eager")

# Plain products beat torch's fused kernel on a processor while the scores fit its cache: 480
# against 360 tokens/s of training at 60-120 tokens a sequence. Their memory grows by the square.
STACKED_UP_TO_TOKENS = 512


@dataclass(frozen=True, slots=True)
class AttentionChoice:
    """transformers' name of the attention; tokens of a packed row, None where rows are padded.

    `why_padded` is the reason where the recipe asks for packing and gets none.
    """

    name: str
    bin_tokens: int | None
    why_padded: str | None = None


def choose_attention(model_dir: str, student: StudentRecipe) -> AttentionChoice:
    """The fastest attention here that keeps packed rows apart, or the recipe's own choice."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(model_dir, revision=student.revision).get_text_config()
    odd = odd_attention(config)
    if not student.packing:
        # Of those with other attention, some models and kernels do not take FlashAttention.
        return AttentionChoice(student.attention or ("sdpa" if odd else _fastest(student)), None)
    if odd is not None:
        why = f"the base has {odd}, for which packed rows are not known to stay apart"
        return AttentionChoice(student.attention or "sdpa", None, why)
    name = student.attention or _fastest(student)
    if name in BY_BOUNDARIES:
        return AttentionChoice(name, student.micro_batch_size * student.max_length)
    if name in BY_MASK:
        return AttentionChoice(name, student.max_length)
    return AttentionChoice(name, None, f"attention {name} is not known to keep packed rows apart")


def odd_attention(config: Any) -> str | None:
    """What in a base's attention is more than plain causal attention over the whole sequence."""
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if kinds:
        return f"layers of {', '.join(sorted(kinds))}"
    windowed = getattr(config, "use_sliding_window", True)
    if windowed and (window := getattr(config, "sliding_window", None)):
        return f"a sliding window of {window} tokens"
    odd = {
        "attn_logit_softcapping": "capped attention scores",
        "attention_chunk_size": "attention in chunks",
        "kv_lora_rank": "latent attention",
        "attention_dropout": "attention dropout",
    }
    return next((what for name, what in odd.items() if getattr(config, name, None)), None)


def _fastest(student: StudentRecipe) -> str:
    """FlashAttention where there is one, ours on a processor, else torch's own under a mask."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    from sft.packed_attention import register_packed_attention

    if student.gpus == 0:
        return register_packed_attention() if student.packing else "sdpa"
    # Sequences are shared under torch's own only (sft/student.py).
    flash = student.arithmetic == "bfloat16" and student.sequence_parallel == 1
    return "flash_attention_2" if flash and is_flash_attn_2_available() else "sdpa"


def slow_attention(choice: AttentionChoice, student: StudentRecipe) -> str | None:
    """That a GPU does without FlashAttention where rows of one pass need a mask; None if not."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    together = choice.bin_tokens is not None or student.micro_batch_size > 1
    wanted = student.attention is None and student.arithmetic == "bfloat16"
    possible = student.gpus and student.sequence_parallel == 1 and choice.why_padded is None
    lacks = choice.name in BY_MASK and not is_flash_attn_2_available()
    if not (together and wanted and possible and lacks):
        return None
    mask_gb = student.max_length**2 / 1e9
    return (
        "FlashAttention is not installed: rows of one pass are kept apart by a mask instead, which "
        f"takes {mask_gb:.1f} GB and more at {student.max_length} tokens and computes what it "
        "hides. Run pip install flash-attn --no-build-isolation"
    )
