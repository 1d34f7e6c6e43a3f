"""Tries while training: a few held-out prompts are answered greedily, and graded."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from filters.grader import Grader
from filters.verdict import Outcome, Verdict
from prompts.parquet import read_rows
from prompts.record import Prompt
from sft.answering import Answer, Answering, FailedTryError, rank_and_world
from sft.checkpoints import TRYING
from sft.job import TrainJob
from sft.progress import JsonLines
from sft.stop_request import first_rank_says
from sft.trackers import Tracked
from teacher.parse import OPEN, split_completion
from teacher.sample import Sample, sample_id

MOST_FAILURES = 2  # tries that fail one after the other before no more are made
_SHOWN_CHARS = 300


def read_held_out(path: Path) -> list[Prompt]:
    """The held-out prompts of a run."""
    return read_rows(path, Prompt)


def choose_prompts(prompts: Sequence[Prompt], count: int) -> list[Prompt]:
    """`count` prompts, taken in turn from every domain in the order of their ids, which are
    hashes; none that only a judge could grade."""
    domains: dict[str, list[Prompt]] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.prompt_id):
        if prompt.reference_kind != "rubric":
            domains.setdefault(prompt.domain, []).append(prompt)
    turns = [
        (turn, domain, prompt)
        for domain, group in sorted(domains.items())
        for turn, prompt in enumerate(group)
    ]
    return [prompt for _, _, prompt in sorted(turns, key=lambda one: one[:2])[:count]]


def memory_kills() -> str:
    """This start of this machine, and how many processes it has killed since for want of memory.

    Empty where the system does not say.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        counts = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return f"{boot.strip()} {dict(line.split() for line in counts)['oom_kill']}"
    except (OSError, ValueError, KeyError):
        return ""


def _ended_by_itself(mark: Path) -> bool:
    """Whether the try that left a mark failed, or may have run out of this machine's memory."""
    kills = memory_kills()
    return not kills or mark.read_text(encoding="utf-8") != kills


class Tries(TrainerCallback):
    """Answers the prompts every `eval_every_steps`, each epoch without it, and after the last.

    Prompts are put as at inference, answers are graded as in an evaluation; programs run in the
    sandbox only. Nothing of it reaches the training: random states, mode and settings of the model
    are as before. Ranks share the prompts; with sharded weights they take each token together.
    No fault of a try ends the training: it is said, and after `MOST_FAILURES` in a row, or one that
    ended the process, no more are made. Only where ranks hold parts of the weights, those that are
    left wait for the one that failed: that training ends, and goes on from its last checkpoint
    without tries.
    """

    def __init__(
        self,
        job: TrainJob,
        prompts: Sequence[Prompt],
        tokenizer: Any,
        report: JsonLines,
        tracked: Tracked,
    ) -> None:
        self.job, self.prompts = job, prompts
        self.report, self.tracked = report, tracked
        self.answering, self.failures = Answering(job, tokenizer), 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Make none where the last one ended the process by itself."""
        marks = sorted(self.job.checkpoints.glob(f"{TRYING}*"))
        # Another rank's marks may be gone by the time that it looks: the first one's word counts.
        by_itself = state.is_world_process_zero and any(map(_ended_by_itself, marks))
        if self.prompts and first_rank_says(by_itself, args):
            self._give_up(
                "the last one ended the process (out of memory?). To have them again, remove "
                f"{self.job.checkpoints / TRYING}* and lower student.eval_prompts or "
                "student.eval_max_tokens",
                state,
            )
        elif state.is_world_process_zero:  # killed from outside: no fault of a try's
            for mark in marks:
                mark.unlink(missing_ok=True)

    def _give_up(self, why: str, state: Any) -> None:
        self.prompts = ()
        if state.is_world_process_zero:
            self.report.warn(f"no more tries are made: {why}", state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Make a try where one is due; a step has its loss by then, and no checkpoint yet."""
        student = self.job.student
        every = student.eval_every_steps or max(1, round(state.max_steps / student.epochs))
        due = state.global_step % every == 0 or state.global_step == state.max_steps
        if self.prompts and due and "loss" in (kwargs.get("logs") or {}):
            self._try(kwargs["model"], state)

    def _try(self, model: Any, state: Any) -> None:
        started = time.monotonic()
        with self._marked():
            try:
                answers = self.answering.answers(getattr(model, "module", model), self.prompts)
            except FailedTryError as error:
                self._failed(str(error), state)
                return
            self.failures = 0
            if state.is_world_process_zero:
                self._grade_and_say(answers, started, state)

    def _grade_and_say(self, answers: Sequence[Answer], started: float, state: Any) -> None:
        try:
            facts = self._graded(answers)
        except Exception as error:  # noqa: BLE001 (a grader that breaks is no reason to stop)
            # Not counted: other ranks do not hear of it, and all must end their tries together.
            why = f"a try was not graded, training goes on: {error!r}"
            self.report.warn(why, state.global_step)
            return
        seconds = round(time.monotonic() - started, 2)
        self.report.say(tried=state.global_step, of=state.max_steps, **facts, seconds=seconds)
        curves = {f"tries/{name}": value for name, value in facts.items() if name != "prompts"}
        self.tracked.log(curves, state.global_step)

    def _failed(self, why: str, state: Any) -> None:
        self.failures += 1
        if self.failures == MOST_FAILURES:
            self._give_up(f"{MOST_FAILURES} in a row have failed, the last by {why}", state)
        elif state.is_world_process_zero:
            self.report.warn(f"a try failed, training goes on: {why}", state.global_step)

    @contextmanager
    def _marked(self) -> Iterator[None]:
        """A file lies among the checkpoints meanwhile: found there later, it tells of an end.

        Not of one that was asked for, by SIGTERM or Ctrl-C. It holds `memory_kills`: unless there
        are more by then, somebody's SIGKILL was it and no lack of memory.
        """
        mark = self.job.checkpoints / f"{TRYING}{rank_and_world()[0]}"

        def asked_to_end(number: int, _: FrameType | None) -> None:
            mark.unlink(missing_ok=True)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(memory_kills(), encoding="utf-8")
        former = signal.signal(signal.SIGTERM, asked_to_end)
        try:
            yield
        except Exception:
            mark.write_text("failed", encoding="utf-8")  # and stays: this try ends the process
            raise
        except BaseException:
            mark.unlink(missing_ok=True)
            raise
        else:
            mark.unlink(missing_ok=True)
        finally:
            signal.signal(signal.SIGTERM, former)

    def _graded(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Counts of a try; each answer and its verdict go to the log."""
        verdicts: list[Verdict] = []
        with Grader(workers=1, sandbox=self.job.sandbox) as grader:
            for prompt, answer in zip(self.prompts, answers, strict=True):
                verdicts.append(grader.grade(prompt, self._sample(prompt, answer)))
                said = f"{verdicts[-1].reason}: {answer.text[:_SHOWN_CHARS]!r}"
                print(f"try {prompt.prompt_id} {verdicts[-1].outcome} {said}", file=sys.stderr)
        outcomes = [verdict.outcome for verdict in verdicts]
        return {
            "prompts": len(answers),
            "accepted": outcomes.count(Outcome.ACCEPT),
            "undecided": outcomes.count(Outcome.UNDECIDED),
            "ended": sum(answer.ended for answer in answers),
            "mean_tokens": round(sum(a.tokens for a in answers) / len(answers), 1),
        }

    def _sample(self, prompt: Prompt, answer: Answer) -> Sample:
        """The answer as the graders take it."""
        prefilled = self.answering.prompt_text(prompt).rstrip().endswith(OPEN)
        parts = split_completion(answer.text, prefilled)
        now = datetime.now(UTC)
        return Sample(
            sample_id=sample_id(prompt.prompt_id, 0),
            prompt_id=prompt.prompt_id,
            sample_index=0,
            teacher=self.job.student.published_name,
            teacher_revision="",
            template=self.job.template,
            temperature=0.0,
            top_p=1.0,
            max_tokens=self.job.try_tokens,
            seed=None,
            completion=answer.text,
            reasoning=parts.reasoning,
            answer=parts.answer,
            finish_reason="stop" if answer.ended else "length",
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.tokens,
            reasoning_tokens=0,
            answer_tokens=answer.tokens,
            replica="training",
            started_at=now,
            ended_at=now,
            attempts=1,
        )
