"""Chunks of rows through worker processes: in order, a few at a time, none left behind."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from prompts.errors import RunError

Job = TypeVar("Job")
Result = TypeVar("Result")

# Chunks read ahead for each worker: enough that none waits, few enough that memory is bounded.
_AHEAD = 2
# So many jobs take less time than workers take to start.
_ALONE = 4


def in_workers(
    function: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Iterator[Result]:
    """The function's results in the order of the jobs, which are taken as results are.

    A few jobs, or those for one worker, are done in this process: a small set starts nothing. The
    function and its jobs must be picklable. Raises RunError when a worker is killed.
    """
    waiting = iter(jobs)
    first = list(islice(waiting, _ALONE + 1))
    if workers == 1 or len(first) <= _ALONE:
        yield from map(function, chain(first, waiting))
        return
    # Not fork: a flow has threads, and a forked copy of their locks can hang.
    context = get_context("forkserver")
    context.set_forkserver_preload([function.__module__])
    with ProcessPoolExecutor(workers, context, _end_with_parent) as pool:
        running: deque[Future[Result]] = deque()
        try:
            for job in chain(first, waiting):
                running.append(pool.submit(function, job))
                if len(running) > workers * _AHEAD:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        except BrokenProcessPool as error:
            raise RunError(
                "a worker process was killed, most often for want of memory; "
                "free some, then type the same command again"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however that happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None, "a worker has a parent"

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
