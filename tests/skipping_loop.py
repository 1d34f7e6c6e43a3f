"""An event loop on simulated time: nothing is waited for, and no thread works beside it."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

# What a thread is given takes this long, so that other tasks can run meanwhile.
THREAD_S = 0.2


class Overtime(BaseException):
    """The simulated time is over, or nothing will ever happen again: what runs hangs."""


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything runs, and then jumps to the next timer.

    Work for a thread is done at once, in the loop, and its result arrives after THREAD_S. Raises
    Overtime when nothing is left to wait for, and when the clock passes `end_s`.
    """

    def __init__(self, end_s: float = 5_000.0) -> None:
        super().__init__(selectors.DefaultSelector())
        self._now_s, self._end_s = 0.0, end_s
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None) -> Any:
            ready = select(0)
            if ready or timeout == 0:
                return ready
            if timeout is None or self._now_s > self._end_s:
                raise Overtime(f"nothing comes any more, at {self._now_s:.0f} s")
            self._now_s += timeout
            return ready

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - handed on as a thread's would be
            self.call_later(THREAD_S, _unless_cancelled, done, done.set_exception, error)
        else:
            self.call_later(THREAD_S, _unless_cancelled, done, done.set_result, result)
        return done


def _unless_cancelled(done: asyncio.Future[Any], set_it: Callable[[Any], None], what: Any) -> None:
    if not done.cancelled():
        set_it(what)
