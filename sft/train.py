"""Full fine-tuning with TRL: `python -m sft.train JOB.json`.

Prints a JSON line per optimiser step and a last one with the summary; everything else goes to
standard error. Exit codes: 0 done, 2 the user's mistake, 3 a fault after which the same command
continues from the last checkpoint; the last line is then {"error", "code"}, because what starts
several processes ends with a code of its own.
"""

import contextlib
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError, RunError
from sft.allocator import keep_freed_memory
from sft.attention_choice import AttentionChoice, choose_attention, slow_attention
from sft.job import TrainJob, read_job
from sft.saved_student import finished_summary, put_in_place, save_student
from sft.steps import StepPlan, StepShape, padding_share, plan_steps
from sft.student import StudentRecipe
from sft.token_rows import TokenRows, rows_key, token_rows
from sft.watching import rows_of_steps, watchers

# The first rank may fetch the base while others wait for it: the 141 GB of 70 B at 20 MB/s. With
# the usual half an hour they would end the training. One that dies still ends it at once.
RANKS_WAIT_S = 2 * 3600


def main(arguments: list[str]) -> int:
    """Train as the job file says; returns the exit code."""
    out = sys.stdout
    try:
        if len(arguments) != 1:
            raise PrerequisiteError("usage: python -m sft.train JOB.json")
        job = read_job(Path(arguments[0]))
        _keep_off_the_network(job)
        _let_threads_sleep(job)
        _keep_few_kernels(job)
        _see_one_gpu(job)
        _let_segments_grow(job)
        keep_freed_memory()
        # Libraries print what they like; our reader expects JSON lines only.
        with contextlib.redirect_stdout(sys.stderr):
            train(job, out)
    except PrerequisiteError as error:
        return _ended(error, 2, out)
    except RunError as error:
        return _ended(error, 3, out)
    return 0


def _ended(error: Exception, code: int, out: Any) -> int:
    """Say, in the log and to our reader, what ended the training; returns the exit code."""
    if error.__cause__ is not None:
        traceback.print_exception(error.__cause__, file=sys.stderr)
    print(f"error: {error}", file=sys.stderr)
    print(json.dumps({"error": str(error), "code": code}), file=out, flush=True)
    return code


def _keep_off_the_network(job: TrainJob) -> None:
    """Libraries tell nobody of it, and ask no Hub when the weights are in a local folder."""
    os.environ["DO_NOT_TRACK"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if Path(job.model_dir).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"


def _let_threads_sleep(job: TrainJob) -> None:
    """On processors, threads that wait for each other sleep; read when torch is loaded.

    Spinning, which is usual, takes the core from the thread that is waited for where others use
    the machine: at load 5 on two cores two steps took 134 s, and 40 s with this.
    """
    if job.student.gpus == 0:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _keep_few_kernels(job: TrainJob) -> None:
    """On processors, kernels of sizes that do not come again go; read when torch is loaded.

    Each step has other sizes, and oneDNN and torch's own cache before it hold kernels with their
    scratch memory for the last 1,024: 15 MB more at every step of a model of 135 M, for nothing.
    """
    if job.student.gpus == 0:
        for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
            os.environ.setdefault(name, "64")


def _see_one_gpu(job: TrainJob) -> None:
    """One process trains on one GPU, where a machine has more too; read when torch is loaded.

    TRL refuses to work on several by threads.
    """
    if job.student.launch == "single" and job.student.gpus == 1:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
        os.environ["CUDA_VISIBLE_DEVICES"] = seen.partition(",")[0]


def _let_segments_grow(job: TrainJob) -> None:
    """On GPUs, torch's blocks of memory grow instead of being cut; read when it is loaded.

    Each pass has another number of tokens: what one leaves free is too small for the next, and the
    plan counts with 5 % of waste. A user's own settings stay.
    """
    names = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
    if job.student.gpus and not any(name in os.environ for name in names):
        os.environ[names[0]] = "expandable_segments:True"


def train(job: TrainJob, out: Any) -> None:
    """Encode, train or continue unless that is done, save, and print the summary."""
    from sft.base_model import load_tokenizer
    from sft.checkpoints import first_ranks_choice, open_checkpoints, training_fingerprint
    from sft.progress import JsonLines

    started = time.monotonic()
    _need_gpus(job.student)
    tokenizer = load_tokenizer(job.model_dir, job.student)
    key = rows_key(job, tokenizer)
    report = JsonLines(out)
    fingerprint = training_fingerprint(job.student, job.model_dir, key)
    if (summary := finished_summary(job, fingerprint)) is None:
        rows = token_rows(job, tokenizer, key)
        checkpoint = open_checkpoints(
            job.checkpoints, fingerprint, job.resume, lambda text: report.warn(text, 0)
        )
        attention = choose_attention(job.model_dir, job.student)
        if attention.why_padded is not None:
            print(f"packing is off: {attention.why_padded}", file=sys.stderr)
        if _is_first_rank() and (slow := slow_attention(attention, job.student)) is not None:
            report.warn(slow, 0)
        plan = plan_of(job.student, rows.lengths, attention)
        trainer = make_trainer(job, rows, tokenizer, report, attention, plan)
        checkpoint = first_ranks_choice(checkpoint)
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        summary = {
            "rows": len(rows),
            "dropped": rows.dropped,
            "tokens": report.tokens,
            "tokens_per_epoch": rows.tokens,
            "steps": trainer.state.global_step,
            "padding_share": round(share_of_padding(job.student, rows.lengths, plan, attention), 4),
            "why_padded": attention.why_padded,
            "resumed_from": None if checkpoint is None else checkpoint.name,
            "final_loss": report.final_loss,
            "seconds": round(report.earlier_s + time.monotonic() - started, 2),
            "peak_memory_bytes": peak_memory_bytes(job.student),
        }
        record = {"fingerprint": fingerprint, "summary": summary}
        save_student(trainer, tokenizer, job.output_dir, record)
    # Killed before this point, the next attempt finds a whole student and comes here at once.
    if _is_first_rank():
        put_in_place(job.output_dir)
        shutil.rmtree(job.checkpoints, ignore_errors=True)
        report.say(done=True, **summary, output_dir=str(job.output_dir))


def _is_first_rank() -> bool:
    """As the launcher says it, before ranks are connected and after."""
    return os.environ.get("RANK", "0") == "0"


def _need_gpus(student: StudentRecipe) -> None:
    """PrerequisiteError where a student for GPUs would be trained on the processor without a word.

    A node without its GPUs, or a build of torch that knows none, looks just like that.
    """
    import torch

    if student.gpus and not torch.cuda.is_available():
        raise PrerequisiteError(
            f"student.gpus is {student.gpus} but torch {torch.__version__} sees no GPU here: "
            "install the build for this machine's GPUs, or set student.gpus=0"
        )


def peak_memory_bytes(student: StudentRecipe) -> int:
    """The most that this process has held since it began: on its GPU, or resident."""
    import torch

    if student.gpus:
        return torch.cuda.max_memory_reserved()
    # Not getrusage's: that begins with what the process that started this one held.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def plan_of(student: StudentRecipe, lengths: Sequence[int], attention: AttentionChoice) -> StepPlan:
    """Every optimiser step of the training, laid out for as many ranks as there are."""
    shape = StepShape(
        epochs=student.epochs,
        batch_size=student.batch_size,
        bin_rows=student.micro_batch_size,
        bin_tokens=attention.bin_tokens,
        ranks=int(os.environ.get("WORLD_SIZE", "1")) // student.sequence_parallel,
        seed=student.seed,
    )
    return plan_steps(lengths, shape)


def share_of_padding(
    student: StudentRecipe, lengths: Sequence[int], plan: StepPlan, attention: AttentionChoice
) -> float:
    """Share of the tokens computed that is padding."""
    packed = attention.bin_tokens is not None
    return padding_share(plan, lengths, packed, row_multiple(student) or 1)


def row_multiple(student: StudentRecipe) -> int | None:
    """Ring attention cuts a row into two pieces for each GPU that shares it."""
    return None if student.sequence_parallel == 1 else 2 * student.sequence_parallel


def make_trainer(
    job: TrainJob,
    rows: TokenRows,
    tokenizer: Any,
    report: Any,
    attention: AttentionChoice,
    plan: StepPlan,
) -> Any:
    """The trainer of a job, its model loaded and its rows in place."""
    from transformers import PrinterCallback

    from sft.base_model import load_model
    from sft.checkpoints import MarkWhole
    from sft.completion_trainer import CompletionTrainer
    from sft.master_adamw import MasterAdamW
    from sft.stop_request import StopWhenAsked
    from sft.template_safety import refuse_tokens_beyond

    student = job.student
    sharded = student.launch in ("fsdp", "deepspeed")
    # Before the model: DeepSpeed's settings, kept in these, have it loaded in shards.
    settings = training_settings(job, sharded, attention, plan)
    model = load_model(job.model_dir, student, attention.name, tokenizer)
    refuse_tokens_beyond(rows.largest_token, model.config)
    optimiser = {"lr": student.learning_rate, "fused": True}
    # FSDP and DeepSpeed keep float32 weights of their own.
    own_masters = student.arithmetic == "bfloat16" and not sharded
    trainer = CompletionTrainer(
        model,
        settings,
        processing_class=tokenizer,
        rows=rows,
        plan=plan,
        rank=settings.process_index // student.sequence_parallel,
        eos=tokenizer.eos_token_id,
        report=report,
        saved_dtype=student.dtype,
        callbacks=[
            MarkWhole(),
            *watchers(job, tokenizer, report, rows_of_steps(rows, plan)),
            StopWhenAsked(job.stop_file),
        ],
        optimizer_cls_and_kwargs=(MasterAdamW, optimiser) if own_masters else None,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def training_settings(
    job: TrainJob, sharded: bool, attention: AttentionChoice, plan: StepPlan
) -> Any:
    """TRL's SFTConfig of a job: nothing is reported, truncated or pushed."""
    from trl.trainer.sft_config import SFTConfig

    student = job.student
    return SFTConfig(
        output_dir=str(job.checkpoints),
        max_steps=len(plan.steps),
        per_device_train_batch_size=student.micro_batch_size,  # named, not used: see RankSteps
        learning_rate=student.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": student.min_lr_ratio},
        warmup_steps=student.warmup_ratio,
        weight_decay=student.weight_decay,
        max_grad_norm=student.max_grad_norm,
        seed=student.seed,
        max_length=None,
        padding_free=attention.bin_tokens is not None,
        pad_to_multiple_of=row_multiple(student),
        activation_checkpointing=student.gradient_checkpointing,
        activation_offloading=student.activation_offloading and student.gpus > 0,
        use_liger_kernel=student.liger and student.gpus > 0,
        bf16=sharded and student.arithmetic == "bfloat16",
        use_cpu=student.gpus == 0,
        dataloader_pin_memory=student.gpus > 0,
        ddp_timeout=RANKS_WAIT_S,
        save_strategy="steps",
        save_steps=student.checkpoint_every_steps or plan.per_epoch,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
