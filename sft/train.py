"""Full fine-tuning with TRL: `python -m sft.train JOB.json`.

Prints a JSON line per optimiser step and a last one with the summary; everything else goes to
standard error. Exit codes: 0 done, 2 the user's mistake, 3 a fault after which the same command
continues from the last checkpoint.
"""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError, RunError
from sft.allocator import keep_freed_memory
from sft.job import TrainJob, finished_summary, read_job
from sft.messages import Encoded, encode_rows, read_training_rows
from sft.student import StudentRecipe


def main(arguments: list[str]) -> int:
    """Train as the job file says; returns the exit code."""
    out = sys.stdout
    try:
        if len(arguments) != 1:
            raise PrerequisiteError("usage: python -m sft.train JOB.json")
        job = read_job(Path(arguments[0]))
        _keep_off_the_network(job)
        keep_freed_memory()
        # Libraries print what they like; our reader expects JSON lines only.
        with contextlib.redirect_stdout(sys.stderr):
            train(job, out)
    except PrerequisiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    return 0


def _keep_off_the_network(job: TrainJob) -> None:
    """No tracker, and no Hub when the weights are in a local folder."""
    os.environ["DO_NOT_TRACK"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if Path(job.model_dir).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"


def train(job: TrainJob, out: Any) -> None:
    """Encode, train or continue unless that is done, save, and print the summary."""
    from sft.base_model import load_tokenizer, save_student
    from sft.checkpoints import open_checkpoints, training_fingerprint
    from sft.progress import JsonLines

    started = time.monotonic()
    tokenizer = load_tokenizer(job.model_dir, job.student)
    encoded = encode_rows(read_training_rows(job.data), tokenizer, job.student.max_length)
    if not encoded.rows:
        raise PrerequisiteError(f"no row to train on; dropped: {dict(encoded.dropped)}")
    report = JsonLines(out)
    fingerprint = training_fingerprint(job.student, job.model_dir, encoded)
    if (summary := finished_summary(job, fingerprint)) is None:
        checkpoint = open_checkpoints(job.checkpoints, fingerprint, job.resume)
        trainer = make_trainer(job, encoded, tokenizer, report)
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        summary = {
            "rows": len(encoded.rows),
            "dropped": dict(encoded.dropped),
            "tokens": report.tokens,
            "tokens_per_epoch": encoded.tokens,
            "steps": trainer.state.global_step,
            "resumed_from": None if checkpoint is None else checkpoint.name,
            "final_loss": report.final_loss,
            "seconds": round(time.monotonic() - started, 2),
        }
        record = {"fingerprint": fingerprint, "summary": summary}
        save_student(trainer, tokenizer, job.output_dir, record)
    # Killed before this point, the next attempt finds the output whole and comes here at once.
    if os.environ.get("RANK", "0") == "0":
        shutil.rmtree(job.checkpoints, ignore_errors=True)
        report.say(done=True, **summary, output_dir=str(job.output_dir))


def make_trainer(job: TrainJob, encoded: Encoded, tokenizer: Any, report: Any) -> Any:
    """The trainer of a job, its model loaded and its rows in place."""
    from datasets import Dataset
    from transformers import PrinterCallback

    from sft.base_model import load_model
    from sft.checkpoints import MarkWhole
    from sft.completion_trainer import CompletionTrainer
    from sft.master_adamw import MasterAdamW

    student = job.student
    model = load_model(job.model_dir, student, attention_of(student), tokenizer)
    rows = [{"input_ids": row.input_ids, "labels": row.labels} for row in encoded.rows]
    sharded = student.launch in ("fsdp", "deepspeed")
    optimiser = {"lr": student.learning_rate, "fused": True}
    # FSDP and DeepSpeed keep float32 weights of their own.
    own_masters = student.dtype == "bfloat16" and not sharded
    trainer = CompletionTrainer(
        model,
        training_settings(job, sharded),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        report=report,
        eos=tokenizer.eos_token_id,
        callbacks=[MarkWhole()],
        optimizer_cls_and_kwargs=(MasterAdamW, optimiser) if own_masters else None,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def attention_of(student: StudentRecipe) -> str:
    """Which attention honours the boundaries of packed sequences on this machine."""
    import torch
    from transformers.utils.import_utils import is_flash_attn_2_available

    from sft.packed_attention import register_packed_attention

    if not student.packing:
        return "sdpa"
    if not torch.cuda.is_available():
        return register_packed_attention()
    # Without FlashAttention, transformers derives a block mask from the position ids.
    return "flash_attention_2" if is_flash_attn_2_available() else "sdpa"


def training_settings(job: TrainJob, sharded: bool) -> Any:
    """TRL's SFTConfig of a job: nothing is reported, truncated or pushed."""
    import torch
    from trl.trainer.sft_config import SFTConfig

    student = job.student
    saving: dict[str, Any] = {"save_strategy": "epoch"}
    if student.checkpoint_every_steps is not None:
        saving = {"save_strategy": "steps", "save_steps": student.checkpoint_every_steps}
    return SFTConfig(
        output_dir=str(job.checkpoints),
        num_train_epochs=student.epochs,
        per_device_train_batch_size=student.micro_batch_size,
        gradient_accumulation_steps=student.steps_accumulated,
        learning_rate=student.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": student.min_lr_ratio},
        warmup_steps=student.warmup_ratio,
        weight_decay=student.weight_decay,
        max_grad_norm=student.max_grad_norm,
        seed=student.seed,
        max_length=None,
        padding_free=student.packing,
        # Ring attention cuts a row into two pieces for each GPU that shares it.
        pad_to_multiple_of=None
        if student.sequence_parallel == 1
        else 2 * student.sequence_parallel,
        train_sampling_strategy="random" if student.packing else "group_by_length",
        activation_checkpointing=student.gradient_checkpointing,
        bf16=sharded and student.dtype == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        **saving,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
