"""TRL's SFTTrainer, computing logits only where a completion's token is predicted."""

from typing import Any

import torch
from torch.nn import functional
from trl.trainer.sft_trainer import SFTTrainer

from prompts.errors import RunError
from sft.messages import IGNORED
from sft.progress import JsonLines


class CompletionTrainer(SFTTrainer):
    """SFTTrainer with its batches checked, its tokens counted and a cheaper loss on processors.

    TRL's fused head scores every position where there is no Triton, and entropy besides; at a
    vocabulary of 49,152 that is a fifth of a small model's work, half of it for prompt tokens.
    The loss is the same: summed over completion tokens, divided by their number in the step.
    """

    def __init__(self, *args: Any, report: JsonLines, eos: int, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.report = report
        self.eos = eos
        self.add_callback(report)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Mean negative log-likelihood of the completion tokens; RunError if there are none."""
        self.report.count(check_batch(inputs, self.eos))
        on_processor = inputs["input_ids"].device.type == "cpu"
        if not (on_processor and "position_ids" in inputs) or return_outputs:
            plain: Any = super().compute_loss
            return plain(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs.pop("labels")[0, 1:]
        scored = (labels != IGNORED).nonzero().flatten()
        logits = model(**inputs, use_cache=False, logits_to_keep=scored).logits[0]
        total = functional.cross_entropy(logits.float(), labels[scored], reduction="sum")
        if num_items_in_batch is None:
            return total / len(scored)
        # DDP averages gradients over processes, num_items counts the tokens of all of them.
        return total / num_items_in_batch * self.accelerator.num_processes

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the student's card is written with its scores, not with each checkpoint."""


def check_batch(inputs: dict[str, torch.Tensor], eos: int) -> int:
    """Count a collated batch's real tokens; RunError if a sequence does not learn to stop.

    Takes both layouts: one packed row (1, T) with boundaries `cu_seq_lens_q`, or rows (B, L)
    with an `attention_mask`.
    """
    labels = inputs["labels"]
    if not bool((labels != IGNORED).any()):
        raise RunError("a batch has no token in the loss: every label is masked")
    if "cu_seq_lens_q" in inputs:
        ends = inputs["cu_seq_lens_q"][1:].long() - 1
        last, tokens = labels[0, ends], labels.shape[1]
    else:
        lengths = inputs["attention_mask"].sum(dim=1)
        last = labels.gather(1, (lengths - 1)[:, None]).flatten()
        tokens = int(lengths.sum())
    if not bool((last == eos).all()):
        raise RunError(
            f"a sequence's last label is not the end token (id {eos}): the student would not stop"
        )
    return tokens
