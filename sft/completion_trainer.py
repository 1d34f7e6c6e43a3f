"""TRL's SFTTrainer on planned steps, computing logits only where a completion's token is."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from transformers import TrainerCallback
from trl.trainer.sft_trainer import SFTTrainer

from prompts.errors import RunError
from sft.allocator import give_back_scattered_memory
from sft.gradient_sums import sum_in_float32
from sft.messages import IGNORED
from sft.processor_sharding import shard_on_processors
from sft.progress import JsonLines
from sft.saved_student import saving
from sft.steps import NOTHING_TOKENS, Bin, Step, StepPlan
from sft.token_rows import TokenRows

TRIM_EVERY_STEPS = 8  # freed pages go back so often, on processors


class CompletionTrainer(SFTTrainer):
    """SFTTrainer whose batches are whole optimiser steps, with a cheaper loss on processors.

    A batch is {"bins", "scored", "tokens"}: the tensors of each pass of this rank, and the
    completion tokens in the loss and all tokens of the step over all ranks. The loss is their
    sum over completion tokens, divided by their number in the step, however rows lie in bins.

    TRL's fused head scores every position where there is no Triton, and entropy besides; at a
    vocabulary of 49,152 that is a fifth of a small model's work, half of it for prompt tokens.
    """

    def __init__(
        self,
        model: Any,
        arguments: Any,
        *,
        rows: TokenRows,
        plan: StepPlan,
        rank: int,
        eos: int,
        report: JsonLines,
        saved_dtype: str,
        **settings: Any,
    ) -> None:
        # TRL takes from one row which columns there are; batches come from the plan.
        sample = [{"input_ids": rows[0].input_ids, "labels": rows[0].labels}]
        first_row = datasets.Dataset.from_list(sample)
        super().__init__(model, arguments, train_dataset=first_row, **settings)
        self.rows, self.plan, self.rank, self.eos, self.report = rows, plan, rank, eos, report
        self.saved_dtype = saved_dtype
        self.add_callback(report)
        self.add_callback(_TrueEpoch(plan.per_epoch))

    def create_accelerator_and_postprocess(self) -> None:
        """Sharding over processes on the processor works too, and sums are of float32."""
        super().create_accelerator_and_postprocess()
        shard_on_processors(self)
        sum_in_float32(self.accelerator)

    def get_train_dataloader(self) -> Any:
        """One item an optimiser step, in the plan's order; only this rank's rows."""
        steps = RankSteps(self.plan, self.rank, self.rows, self.data_collator, self.eos)
        return DataLoader(steps, batch_size=1, collate_fn=lambda items: items[0])

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """The gradient of a whole step, pass by pass; returns its loss, this rank's part."""
        one_pass: Any = super().training_step
        # Here, where no gradient and no activation is left between what is free.
        if self.args.device.type == "cpu" and self.state.global_step % TRIM_EVERY_STEPS == 0:
            give_back_scattered_memory()
        total = torch.zeros((), device=self.args.device)
        for number, batch in enumerate(inputs["bins"], 1):
            last = number == len(inputs["bins"])
            self.accelerator.gradient_state._set_sync_gradients(last)
            # Sharded gradients are reduced at each pass: unreduced ones are as large as the model.
            wait = not last and not self.is_fsdp_enabled
            with self.accelerator.no_sync(model) if wait else contextlib.nullcontext():
                total += one_pass(model, batch, inputs["scored"])
        self.report.count(inputs["tokens"])
        return total

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """A step's loss and norm, and what training took until then."""
        super().log({**logs, **self.report.so_far()} if "loss" in logs else logs, start_time)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Negative log-likelihood of a pass's completion tokens, over those of the step."""
        assert not return_outputs
        if inputs["input_ids"].device.type != "cpu":
            plain: Any = super().compute_loss
            return plain(model, inputs, False, num_items_in_batch)
        labels = inputs.pop("labels")[:, 1:]
        scored = (labels != IGNORED).any(0).nonzero().flatten()
        logits = model(**inputs, use_cache=False, logits_to_keep=scored).logits
        total = functional.cross_entropy(
            logits.float().flatten(0, 1),
            labels[:, scored].flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        # Ranks' gradients are averaged; num_items counts the tokens of all of them.
        return total / num_items_in_batch * self.accelerator.num_processes

    def _save_checkpoint(self, *args: Any) -> None:
        """RunError, with the room there is, where a checkpoint cannot be written."""
        with saving(Path(str(self.args.output_dir)), "the last whole checkpoint is kept"):
            whole: Any = super()
            whole._save_checkpoint(*args)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The student whole, in one place; a checkpoint of sharded weights is each rank's own part.

        Through one rank a checkpoint of 70 B would be 850 GB in its memory, and all others wait.
        """
        if _internal_call or self.is_deepspeed_enabled:
            super().save_model(output_dir, _internal_call)
            return
        gathered = self.accelerator.get_state_dict(self.model)
        if self.args.should_save:
            self._save(output_dir, gathered)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Gathered weights as the recipe has them: no second copy of a tied one, in its type.

        Weights of bfloat16 students are float32 under FSDP, and on processors without bfloat16; a
        checkpoint continues from what was trained.
        """
        if state_dict is None:
            super()._save(output_dir)
            return
        tied = getattr(self.accelerator.unwrap_model(self.model), "all_tied_weights_keys", {})
        own = {name: held for name, held in state_dict.items() if name not in tied}
        super()._save(output_dir, {name: _as(held, self.saved_dtype) for name, held in own.items()})
        path = Path(output_dir or str(self.args.output_dir)) / "config.json"
        config = {**json.loads(path.read_text(encoding="utf-8")), "dtype": self.saved_dtype}
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the student's card is written with its scores, not with each checkpoint."""


def _as(weight: torch.Tensor, dtype: str) -> torch.Tensor:
    return weight.to(getattr(torch, dtype)) if weight.is_floating_point() else weight


class RankSteps(Dataset[dict[str, Any]]):
    """The steps of a plan as one rank computes them: item i is step i's batch."""

    def __init__(self, plan: StepPlan, rank: int, rows: TokenRows, collate: Any, eos: int) -> None:
        self.plan, self.rank, self.rows, self.collate, self.eos = plan, rank, rows, collate, eos

    def __len__(self) -> int:
        return len(self.plan.steps)

    def __getitem__(self, index: int) -> dict[str, Any]:
        step = self.plan.steps[index]
        together = [row for ranks in step for held in ranks for row in held]
        return {
            "bins": [
                self._batch(held) if held else self._nothing(step) for held in step[self.rank]
            ],
            "scored": int(self.rows.scored[together].sum()),
            "tokens": int(self.rows.lengths[together].sum()),
        }

    def _batch(self, held: Bin) -> dict[str, Any]:
        """A bin's tensors; RunError if a sequence in it does not learn to stop."""
        rows = [self.rows[row] for row in held]
        batch = self._collated([(row.input_ids, row.labels) for row in rows])
        check_batch(batch, self.eos)
        return batch

    def _nothing(self, step: Step) -> dict[str, Any]:
        """A pass without a token in the loss, for a rank that has no rows left in a step."""
        row = next(row for ranks in step for held in ranks for row in held)
        tokens = self.rows[row].input_ids[:NOTHING_TOKENS]
        return self._collated([(tokens, [IGNORED] * NOTHING_TOKENS)])

    def _collated(self, rows: Sequence[tuple[list[int], list[int]]]) -> dict[str, Any]:
        """Tokens and labels of some rows as tensors."""
        batch: dict[str, Any] = self.collate(
            [{"input_ids": tokens, "labels": labels} for tokens, labels in rows]
        )
        return batch


class _TrueEpoch(TrainerCallback):
    """The trainer takes the whole plan for one epoch; logs count passes over the rows."""

    def __init__(self, per_epoch: int) -> None:
        self.per_epoch = per_epoch

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Epochs done, as a fraction."""
        state.epoch = state.global_step / self.per_epoch


def check_batch(inputs: dict[str, torch.Tensor], eos: int) -> None:
    """RunError if a collated batch has no label, or a sequence of it does not learn to stop.

    Takes both layouts: one packed row (1, T) with boundaries `cu_seq_lens_q`, or rows (B, L)
    with an `attention_mask`.
    """
    labels = inputs["labels"]
    if not bool((labels != IGNORED).any()):
        raise RunError("a batch has no token in the loss: every label is masked")
    if "cu_seq_lens_q" in inputs:
        ends = inputs["cu_seq_lens_q"][1:].long() - 1
        last = labels[0, ends]
    else:
        lengths = inputs["attention_mask"].sum(dim=1)
        last = labels.gather(1, (lengths - 1)[:, None]).flatten()
    if not bool((last == eos).all()):
        raise RunError(
            f"a sequence's last label is not the end token (id {eos}): the student would not stop"
        )
