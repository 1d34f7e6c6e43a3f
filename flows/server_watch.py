"""A tiny process that ends Prefect's server once the command that started it is gone.

`python server_watch.py PARENT_PID TOKEN`, its standard input a pipe from the parent. Prefect ends
its temporary server in an exit handler, which a SIGKILL leaves out. What is ended runs Prefect's
server and has TOKEN in its environment, so it is that command's and nobody else's.
Standard library only: it is started by path, isolated (-I -S). Where there is no /proc it does
nothing.
"""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator

VARIABLE = "STILLHOUSE_COMMAND"
SERVER = b"prefect.server.api.server:create_app"
POLL_S = 0.5
# A server may be in the midst of starting; one that is asked to end needs a second or two.
SOONEST_ROUNDS, TERM_ROUNDS, ROUNDS = 3, 20, 40


def main(parent: int, token: str) -> None:
    """Wait for the parent's end, then end what it left."""
    while os.getppid() == parent and not select.select([0], [], [], POLL_S)[0]:
        pass
    for number in range(ROUNDS):
        left = list(servers(token))
        if number >= SOONEST_ROUNDS and not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if number < TERM_ROUNDS else signal.SIGKILL)
        time.sleep(POLL_S)


def servers(token: str) -> Iterator[int]:
    """Pids of Prefect's servers that were started with the token."""
    wanted = f"{VARIABLE}={token}".encode()
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry)
            if SERVER in _words(pid, "cmdline") and wanted in _words(pid, "environ"):
                yield pid


def _words(pid: int, file: str) -> list[bytes]:
    with open(f"/proc/{pid}/{file}", "rb") as words:
        return words.read().split(b"\0")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
