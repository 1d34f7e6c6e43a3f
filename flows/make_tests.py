"""`stillhouse tests PROBLEM.jsonl --url U --out FILE`: tests and checkers made, weak ones flagged.

A model writes generators, validators and checkers; filters/test_making says which are accepted.
What it replied lies in FILE.work/ beside the rows that are done: typed again the command asks
nothing twice and goes on where it stopped. The prompts have not met a capable model yet: the
embedded one cannot write such programs, and tests play a teacher.
"""

import json
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from filters.sandbox.backend import Backend, SandboxFailedError, SandboxUnavailableError
from filters.sandbox.bubblewrap import Bubblewrap
from filters.test_making.asking import statement_of
from filters.test_making.candidates import Reply
from filters.test_making.made_row import (
    ENLARGED,
    FAILED,
    MADE_BEFORE,
    UNCHANGED,
    Done,
    checked_row,
    made_row,
)
from filters.test_making.making import make
from filters.test_making.solutions import Solution, sorted_out
from flows.endpoints import served_by
from flows.generate_file import file_settings
from flows.made_rows import MadeRows
from flows.problem_rows import ProblemRow, digest, problem_rows, read_solutions
from flows.program_replies import ask_programs, questions, read_replies, replies_to, unanswered
from flows.progress import OUTPUT, Progress, clock, plain, say, say_json
from flows.run_folder import write_text
from flows.whole_file import whole_file
from prompts.counted import counted
from prompts.errors import PrerequisiteError, RunError
from teacher.ask import Ask
from teacher.canary import Replica
from teacher.lock import Lock
from teacher.settings import SamplingRecipe

# Raise it with any change of what is accepted: rows made by an older one are made again.
VERSION = 2
WORKERS = os.cpu_count() or 1
_AHEAD = 4  # problems under way for each worker: a slow one does not hold up the others


@dataclass(frozen=True, slots=True)
class Request:
    """What was typed; without `urls` tests are only checked."""

    problems: Path
    out: Path
    urls: tuple[str, ...] = ()
    solutions: Path | None = None
    model: str | None = None
    key_env: str | None = None
    candidates: int = 3
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One problem with all that its row is made of; `replies` is None where it is only checked."""

    row: ProblemRow
    solutions: tuple[Solution, ...]
    replies: tuple[Reply, ...] | None
    model: str

    @property
    def key(self) -> str:
        """A hash of all of it."""
        solutions = [[s.program.language, s.program.code, s.correct] for s in self.solutions]
        replies = None if self.replies is None else [[r.role, r.text] for r in self.replies]
        return digest(VERSION, self.row.values, solutions, replies, self.model)


def make_tests(request: Request) -> None:
    """Write the problems with their tests made (or only checked) to `out`, a summary to stderr.

    Raises PrerequisiteError before anything is sent or run: for a row, an endpoint, a file that
    cannot be; RunError when the endpoints or the sandbox are lost: what is done is kept.
    """
    _check_out(request)
    solutions = read_solutions(request.solutions) if request.solutions else {}
    for own in solutions.values():
        sorted_out(own)  # one that is said to be correct and wrong is named before all else
    total = _count(request.problems, solutions)
    work = request.out.with_name(request.out.name + ".work")
    work.mkdir(exist_ok=True)
    with Lock(work / "lock", request.out), Bubblewrap(WORKERS) as backend:
        if (problem := backend.problem()) is not None:
            raise PrerequisiteError(f"programs cannot be run: {problem}")
        solutions = _runnable(solutions, backend)
        model = _asked(request, work) if request.urls else ""
        replies = read_replies(work, request.candidates)
        jobs = (_job(row, solutions, replies, model) for row in problem_rows(request.problems))
        _write(request.out, work, jobs, total, backend)


def _check_out(request: Request) -> None:
    out = request.out
    if out.suffix != ".jsonl" or out.is_dir():
        raise PrerequisiteError(f"--out {out}: name a file that ends in .jsonl")
    if not out.absolute().parent.is_dir():
        raise PrerequisiteError(f"--out {out}: there is no folder {out.parent}; make it first")
    for given in (request.problems, request.solutions):
        if given is not None and out.resolve() == given.resolve():
            raise PrerequisiteError(f"--out {out} is what is read: name another file")


def _count(path: Path, solutions: dict[str, list[Solution]]) -> int:
    """How many problems there are, each looked at; solutions must be of one of them."""
    names = Counter(row.problem.problem_id for row in problem_rows(path))
    if not names:
        raise PrerequisiteError(f"{path}: the file holds no problems")
    if (
        solutions
        and (twice := next((name for name, n in names.items() if n > 1), None)) is not None
    ):
        raise PrerequisiteError(
            f"{path}: problem_id {twice!r} stands in {names[twice]} rows: solutions name their "
            "problem by it"
        )
    if strays := [name for name in solutions if name not in names]:
        say(f"note: solutions of {counted(len(strays), 'problem')} not in {path.name} are left out")
    return names.total()


def _runnable(solutions: dict[str, list[Solution]], backend: Backend) -> dict[str, list[Solution]]:
    """The solutions in languages that run here."""
    languages = {each.program.language for some in solutions.values() for each in some}
    problems = {name: problem for name in sorted(languages) if (problem := backend.problem(name))}
    for name, problem in problems.items():
        say(f"note: solutions in {name} are left out: {problem}")
    return {
        name: [each for each in some if each.program.language not in problems]
        for name, some in solutions.items()
    }


def _asked(request: Request, work: Path) -> str:
    """Ask whatever has not been asked yet; the model's name."""
    sampling = _sampling(request)
    known = work / "model"
    model = request.model or (known.read_text("utf-8") if known.exists() else None)
    asks = _asks(request, model) if model else []
    if model is None or unanswered(work, asks, request.candidates):
        model = served_by(request.urls, request.model, request.key_env, sampling.max_tokens)
        asks = _asks(request, model)
    write_text(known, model)
    missing = unanswered(work, asks, request.candidates)
    programs = counted(len(asks), "program")
    say(f"tests     {programs} to ask {model} for, {len(missing):,} not yet replied")
    if missing:
        replicas = [Replica(url, model, "", request.key_env) for url in request.urls]
        ask_programs(work, missing, replicas, sampling)
    return model


def _sampling(request: Request) -> SamplingRecipe:
    """So many replies to each question, whatever they are."""
    if wrong := [pair for pair in request.overrides if not pair.startswith("sampling.")]:
        raise PrerequisiteError(f"--set {wrong[0]}: there are only sampling.* here")
    count = request.candidates
    sampling = file_settings(request.overrides).sampling
    return sampling.model_copy(update={"keep": count, "n_min": count, "n_max": count})


def _asks(request: Request, model: str) -> list[Ask]:
    """Each question once, over all problems."""
    asks = (ask for row in problem_rows(request.problems) for ask in questions(row, model).values())
    return list({ask.prompt.prompt_id: ask for ask in asks}.values())


def _job(
    row: ProblemRow,
    solutions: dict[str, list[Solution]],
    replies: dict[str, list[tuple[str, str]]],
    model: str,
) -> Job:
    own = tuple(solutions.get(row.problem.problem_id, ()))
    if not model:
        return Job(row, own, None, "")
    return Job(row, own, tuple(replies_to(questions(row, model), replies)), model)


def _write(out: Path, work: Path, jobs: Iterator[Job], total: int, backend: Backend) -> None:
    """All rows in order, to a file that takes its name once it is whole."""
    tally = Tally()
    with whole_file(out) as part:
        with (
            MadeRows(work / "rows.sqlite") as store,
            part.open("w", encoding="utf-8") as stream,
            Progress("tests", total, "problems") as bar,
        ):
            for number, done in enumerate(_rows(jobs, store, backend), start=1):
                stream.write(json.dumps(done.row) + "\n")
                tally.add(done)
                bar.update(number)
        if tally.outcomes.total() != total:
            raise RunError(
                f"{total:,} problems in, {tally.outcomes.total():,} out: was the file changed?"
            )
    tally.say(out)


def _rows(jobs: Iterator[Job], store: MadeRows, backend: Backend) -> Iterator[Done]:
    """The row of each job in order: from the store, or made with some others side by side."""
    waiting: deque[tuple[str, Done | Future[Done]]] = deque()

    def first() -> Done:
        key, done = waiting.popleft()
        if isinstance(done, Done):
            return done
        made = done.result()
        if made.outcome != FAILED:
            store.put(key, made)
        return made

    threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="tests")
    try:
        for job in jobs:
            known = store.get(job.key)
            waiting.append((job.key, known or threads.submit(_made, job, backend)))
            if len(waiting) >= _AHEAD * WORKERS:
                yield first()
        while waiting:
            yield first()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # closing the sandbox ends them


def _made(job: Job, backend: Backend) -> Done:
    """One row. Raises RunError when there is no sandbox any more."""
    values, problem, known = job.row.values, job.row.problem, sorted_out(job.solutions)
    try:
        if job.replies is None:
            return checked_row(values, problem, known, backend)
        if MADE_BEFORE in values:
            done = checked_row(values, problem, known, backend)
            return Done(done.row, UNCHANGED, "its tests were made before")
        made = make(problem, statement_of(values), job.replies, known, backend)
        return made_row(values, problem, made, known, job.model, backend)
    except SandboxUnavailableError as error:
        raise RunError(f"the sandbox does not run any more: {error}") from error
    except SandboxFailedError as error:
        flags = {"tests_weak": None, "tests_weak_reason": "the sandbox failed"}
        return Done({**values, **flags}, FAILED, f"the sandbox failed: {plain(str(error), 100)}")


@dataclass(slots=True)
class Tally:
    """What came of the problems, every one counted once."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    weak: Counter[str] = field(default_factory=Counter)
    added: int = 0
    started_s: float = field(default_factory=time.monotonic)

    def add(self, done: Done) -> None:
        self.outcomes[done.outcome] += 1
        if done.reason:
            self.reasons[done.reason] += 1
        self.weak[{True: "weak", False: "not weak", None: "unknown"}[done.row["tests_weak"]]] += 1
        if done.outcome == ENLARGED:
            self.added += len(done.row[MADE_BEFORE]["added"])

    def say(self, out: Path) -> None:
        """The summary to standard error, and for machines the counts as the last object."""
        print(self.summary(), file=sys.stderr, flush=True)
        if OUTPUT.as_json:
            counts = {"outcomes": self.outcomes, "reasons": self.reasons, "tests": self.weak}
            said = {"event": "done", "step": "tests", "out": str(out), "tests_added": self.added}
            say_json({**said, **counts})

    def summary(self) -> str:
        """`tests     3 in = 1 enlarged + 2 unchanged   24 tests added   12 s`, reasons below."""
        parts = " + ".join(f"{count:,} {what}" for what, count in self.outcomes.most_common())
        seconds = time.monotonic() - self.started_s
        flags = " + ".join(f"{count:,} {what}" for what, count in self.weak.most_common())
        return "\n".join([
            f"tests     {self.outcomes.total():,} in = {parts}   "
            f"{counted(self.added, 'test')} added   {clock(seconds)}",
            f"          tests of {flags}",
            *(f"          {n:>7,} {plain(why, 160)}" for why, n in self.reasons.most_common()),
        ])  # fmt: skip
