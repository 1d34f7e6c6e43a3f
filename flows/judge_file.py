r"""`stillhouse judge PROBLEM.jsonl SOLUTIONS.jsonl`: a verdict for each solution, in its order.

Both files are read through first, so that a row that cannot be judged is named before anything
runs; after that a problem is read again when its solutions come (tests may be larger than memory),
and the last few are kept. A solution's line is not written anew: its columns stay as they are.
"""

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from filters.programs.judging import Judgement, judge, worth_nothing
from filters.ruling import reject, undecided
from filters.sandbox.backend import Backend
from filters.verdict import Reason
from flows.judge_rows import (
    Solution,
    naming_line,
    numbered_lines,
    read_row,
    read_solution,
    with_verdict,
)
from flows.judge_tally import Tally
from flows.problem_book import ProblemBook
from flows.progress import plain
from flows.whole_file import whole_file
from prompts.counted import counted
from prompts.errors import PrerequisiteError

AHEAD_PER_WORKER = 8  # a slow solution holds up those read after it, not the workers

R = TypeVar("R")


def judge_files(
    problems: Path,
    solutions: Path,
    out: Path | None,
    backend: Backend,
    every_test: bool,
    workers: int,
) -> None:
    """Judge each solution and write its row with the verdict to `out` (None: standard output).

    Progress and counts go to standard error. Raises PrerequisiteError that names file and line of
    a row that cannot be judged, before anything runs.
    """
    book = ProblemBook(problems)
    languages = _read_through(solutions, book)
    _require_languages(backend, languages)
    tally = Tally(sum(languages.values()))

    def work(line: bytes) -> tuple[bytes, Solution, Judgement]:
        solution = read_solution(read_row(line))
        problem = book.problem(solution.problem_id)
        if solution.program is None:
            verdict = reject(Reason.NO_CODE, "no complete fenced block of the language")
            return line, solution, worth_nothing(problem, verdict)
        try:
            return line, solution, judge(problem, solution.program, backend, every_test)
        except Exception as error:  # noqa: BLE001 (one solution never ends a file)
            ruling = undecided(Reason.GRADER_FAILED, f"{type(error).__name__}: {error}")
            return line, solution, Judgement(ruling)

    lines = (text for _, text in numbered_lines(solutions))
    with _opened(out) as stream:
        for line, solution, judgement in _in_order(lines, work, workers):
            stream.write(with_verdict(line, judgement))
            tally.add(solution.problem_id, judgement.ruling)
    print(tally.summary(), file=sys.stderr, flush=True)


def _read_through(path: Path, book: ProblemBook) -> Counter[str]:
    """How many solutions there are in each language; PrerequisiteError for a bad row."""
    languages: Counter[str] = Counter()
    for line, text in numbered_lines(path):
        with naming_line(path, line.number):
            solution = read_solution(read_row(text))
        if solution.problem_id not in book:
            raise PrerequisiteError(
                f"{path}:{line.number}: problem_id {plain(solution.problem_id, 80)!r} is not "
                f"among the problems ({book.size:,})"
            )
        languages[solution.program.language if solution.program else ""] += 1
    if not languages:
        raise PrerequisiteError(f"{path}: the file holds no solutions")
    return languages


def _require_languages(backend: Backend, languages: Counter[str]) -> None:
    """PrerequisiteError where nothing can run; a word on standard error where a language cannot."""
    asked = [language for language in languages if language]
    problems = {language: backend.problem(language) for language in asked}
    lacking = {language: problem for language, problem in problems.items() if problem}
    if lacking and len(lacking) == len(asked):
        raise PrerequisiteError("; ".join(dict.fromkeys(lacking.values())))
    for language, problem in lacking.items():
        lost = f"{counted(languages[language], 'solution')} in {language}"
        print(f"judge     undecided: {lost}; {problem}", file=sys.stderr, flush=True)


def _in_order(lines: Iterator[bytes], work: Callable[[bytes], R], workers: int) -> Iterator[R]:
    """What `work` makes of each line, in their order, some lines ahead in as many threads."""
    waiting: deque[Future[R]] = deque()
    threads = ThreadPoolExecutor(workers, thread_name_prefix="judge")
    try:
        for line in lines:
            waiting.append(threads.submit(work, line))
            if len(waiting) >= workers * AHEAD_PER_WORKER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # who closes the sandbox ends them


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that takes its name once it is whole."""
    if out is None or str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file(out) as part, part.open("wb") as stream:
        yield stream


def judge_here(
    problems: Path, solutions: Path, out: Path | None, every_test: bool, workers: int
) -> None:
    """The same in this machine's own sandbox, `workers` runs at a time."""
    from filters.sandbox.bubblewrap import Bubblewrap

    for given in (problems, solutions):
        if out is not None and out.exists() and given.exists() and out.samefile(given):
            raise PrerequisiteError(f"--out {out} is what is read: name another file")
    with Bubblewrap(workers) as backend:
        judge_files(problems, solutions, out, backend, every_test, workers)
