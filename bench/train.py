"""Training the embedded student: ours beside plain TRL, `python -m bench.train [--rows 64]`.

Both train on the same rows for as many epochs with the same batch, learning rate and schedule;
all else is each one's default. Rounds are interleaved, medians and the spread are printed:
tokens/s of real tokens from the first step's start to the last one's end, processor time, and
the mean loss over the training rows of the student each of them saved.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sft.base_model import load_tokenizer
from sft.job import TrainJob, read_job, write_job
from sft.messages import IGNORED, Encoded, encode_rows, read_training_rows
from sft.student import load_student
from teacher.embedded import embedded_model_dir

# TRL's settings beside the shared ones; bfloat16 weights and no recomputation is what someone
# who knows small models on a processor would set.
PEERS: dict[str, dict[str, Any]] = {
    "trl": {},
    "trl bf16": {"model_init_kwargs": {"dtype": "bfloat16"}, "gradient_checkpointing": False},
}
MORE = ("Then", "Later", "After that", "On Monday", "At noon")


def made_up_rows(count: int) -> list[dict[str, Any]]:
    """Sums of one to five terms with their reasoning, 78 to 169 tokens long."""
    draw = random.Random(0)
    rows = []
    for index in range(count):
        total = draw.randint(2, 99)
        question, steps = f"A shop has {total} boxes.", []
        for when in MORE[: draw.randint(1, len(MORE))]:
            more = draw.randint(2, 60)
            question += f" {when} {more} more arrive."
            steps.append(f"{total} + {more} = {total + more}.")
            total += more
        question += " How many boxes are there?\nPlease reason step by step, and put your final "
        reasoning = " ".join(steps)
        answer = f"<think>\n{reasoning}\n</think>\n\nThe answer is \\boxed{{{total}}}"
        messages = [
            {"role": "user", "content": question + "answer within \\boxed{}."},
            {"role": "assistant", "content": answer},
        ]
        rows.append({"sample_id": f"s{index}", "reasoning": reasoning, "messages": messages})
    return rows


def write_training(folder: Path, rows: int, epochs: float) -> TrainJob:
    """The default student's job on made-up rows."""
    data = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(made_up_rows(rows)), data)
    changes = {"epochs": epochs, "eval_prompts": 0, "tracker": "none"}
    student = load_student("smol-135m").model_copy(update=changes)
    model = str(embedded_model_dir())
    job = TrainJob(data=(data,), student=student, model_dir=model, output_dir=folder / "ours")
    write_job(folder / "job.json", job)
    return job


def encoded_of(job: TrainJob) -> tuple[Encoded, Any]:
    """The job's rows as tokens, and their tokenizer."""
    tokenizer = load_tokenizer(job.model_dir, job.student)
    return encode_rows(read_training_rows(job.data), tokenizer, job.student.max_length), tokenizer


def train_peer(name: str, folder: Path) -> None:
    """TRL's SFTTrainer on the job's rows; prints its seconds and saves its student."""
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    job = read_job(folder / "job.json")
    student, (encoded, tokenizer) = job.student, encoded_of(job)
    rows = [{"input_ids": row.input_ids, "labels": row.labels} for row in encoded.rows]
    settings = SFTConfig(
        output_dir=str(folder / "peer"),
        num_train_epochs=student.epochs,
        learning_rate=student.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": student.min_lr_ratio},
        warmup_steps=student.warmup_ratio,
        gradient_accumulation_steps=student.batch_size // 8,  # its default is 8 rows a pass
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **PEERS[name],
    )
    trainer = SFTTrainer(
        job.model_dir, settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
    )
    done = trainer.train()
    trainer.save_model(str(folder / "peer"))
    print(json.dumps({"seconds": done.metrics["train_runtime"]}))


def mean_loss(model_dir: Path, encoded: Encoded) -> float:
    """Mean loss of the rows' completion tokens under a saved student, in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    model.eval()
    total, tokens = 0.0, 0
    with torch.no_grad():
        for row in encoded.rows:
            ids, labels = torch.tensor([row.input_ids]), torch.tensor([row.labels])
            scored = int((labels[0, 1:] != IGNORED).sum())
            total += float(model(ids, labels=labels).loss) * scored
            tokens += scored
    return total / tokens


def one_round(name: str, folder: Path) -> tuple[float, float]:
    """Train in a process of its own; wall seconds of the steps, processor seconds of it all."""
    peer = [sys.executable, "-m", "bench.train", "--peer", name, str(folder)]
    ours = [sys.executable, "-m", "sft.train", str(folder / "job.json")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        ours if name == "ours" else peer, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    seconds = [line["seconds"] for line in lines if "done" not in line][-1]
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(rows: int, epochs: float, rounds: int, peers: Sequence[str], folder: Path) -> None:
    """Interleaved rounds of ours and the peers; a line for each."""
    job = write_training(folder, rows, epochs)
    encoded, _ = encoded_of(job)
    job = job.model_copy(update={"resume": False})
    write_job(folder / "job.json", job)
    tokens = encoded.tokens * epochs
    print(f"{rows} rows x {epochs:g} epochs, {tokens:.0f} tokens; load {os.getloadavg()[0]:.1f}")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ("ours", *peers)}
    losses = {}
    for _ in range(rounds):
        for name, found in times.items():
            found.append(one_round(name, folder))
            losses[name] = mean_loss(folder / ("ours" if name == "ours" else "peer"), encoded)
    for name, found in times.items():
        rates = sorted(tokens / wall for wall, _ in found)
        spread = f"{rates[0]:.0f}-{rates[-1]:.0f}"
        processor = statistics.median(cpu for _, cpu in found)
        ratio = statistics.median(
            peer[0] / own[0] for own, peer in zip(times["ours"], found, strict=True)
        )
        print(
            f"{name:9} {statistics.median(rates):6.0f} tokens/s ({spread})  "
            f"{processor:5.0f} s of processor  loss {losses[name]:.4f}  "
            f"x{ratio:.2f} the time of ours"
        )


def main() -> None:
    """Compare, or be the peer."""
    # As ours does for itself: else who meets other work on the machine would lose by that alone.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=64)
    options.add_argument("--epochs", type=float, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    options.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.peer:
        train_peer(asked.peer[0], Path(asked.peer[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(asked.rows, asked.epochs, asked.rounds, asked.peers, Path(folder))


if __name__ == "__main__":
    main()
