"""A tiny parent for a server or a training that never lets it outlive the process that asked.

`python supervise.py GRACE_S PARENT_PID [--stdout] COMMAND…` runs COMMAND in a session of its own,
prints its pid, and waits. It stops COMMAND, and everything that came of it, when its own standard
input closes, when PARENT_PID is no longer its parent (so also after a SIGKILL of the parent whose
forked children still hold the pipe), or on SIGTERM. It exits with COMMAND's code, 128 + N after
signal N. What COMMAND prints goes to standard error; with --stdout it has standard output to
itself, and no pid is printed.
Standard library only: it is started by path, isolated (-I -S), in 20 ms.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from types import FrameType

POLL_S = 0.2
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(grace_s: float, parent: int, command: list[str]) -> int:
    """Run the command until it ends or nobody wants it; then leave no process of it behind."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _close_stdin)
    # Grandchildren whose parent died come to us, so that they can be found and ended too.
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    own_stdout = command[0] == "--stdout"
    server = _start(command[own_stdout:], own_stdout)
    if not own_stdout:
        print(server, flush=True)
    code = None
    while code is None and _wanted(parent):
        code = _reap(server)
    if code is None:
        code = _terminate(server, grace_s)
    _kill_descendants()
    return code


def _start(command: list[str], own_stdout: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # Should this supervisor itself be killed, the server goes with it.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if not own_stdout:
        os.dup2(2, 1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error}\n".encode())
        os._exit(127)


def _wanted(parent: int) -> bool:
    """Whether the asker lives and has not hung up; takes up to POLL_S to say yes."""
    try:
        readable, _, _ = select.select([0], [], [], POLL_S)
    except (OSError, ValueError):
        return False
    return os.getppid() == parent and not readable


def _reap(server: int) -> int | None:
    """Collect every child that ended; the server's exit code if it was among them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == server:
                status = os.waitstatus_to_exitcode(ended[1])
                code = 128 - status if status < 0 else status
    return code


def _terminate(server: int, grace_s: float) -> int:
    """SIGTERM to the server's group, SIGKILL when the grace is over; its exit code."""
    deadline = time.monotonic() + grace_s
    _signal_group(server, signal.SIGTERM)
    while (code := _reap(server)) is None:
        if time.monotonic() > deadline:
            _signal_group(server, signal.SIGKILL)
        time.sleep(0.05)
    return code


def _kill_descendants() -> None:
    """SIGKILL whatever is left, wherever it moved, until nothing is."""
    while alive := _descendants(os.getpid()):
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
        _reap(0)


def _descendants(root: int) -> list[int]:
    """Pids of all living descendants, from /proc; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{int(entry)}/stat") as stat:
            # 4242 (a name (with) brackets) S 1 …: the parent is the second field after the name.
            children.setdefault(int(stat.read().rpartition(")")[2].split()[1]), []).append(
                int(entry)
            )
    found: list[int] = []
    queue = [root]
    while queue:
        queue.extend(children.get(queue.pop(), []))
        found = found + [pid for pid in queue if pid not in found]
    return found


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _close_stdin(_signal: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.close(0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
