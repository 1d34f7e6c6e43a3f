"""Prefect's settings for a command line, made before Prefect is imported."""

import functools
import os
import secrets
import subprocess
import sys
from types import SimpleNamespace

from flows import server_watch

# Kept as long as this process lives: its pipe tells the watch that we do.
_WATCHES: list["subprocess.Popen[bytes]"] = []


def prefect_quietly() -> None:
    """Ask Prefect for patience with a slow start, and for our own lines only.

    What the user has set stays. A server that Prefect starts for this command ends with it, even
    where a SIGKILL ends it, and not before it.
    """
    for name, value in {
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    }.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("PREFECT_API_URL") and not _WATCHES:
        _WATCHES.append(_watch())
        _keep_signals_from_the_server()


def _watch() -> "subprocess.Popen[bytes]":
    """The process that ends what we leave behind; a session of its own keeps signals off it."""
    token = os.environ[server_watch.VARIABLE] = secrets.token_hex(8)
    return subprocess.Popen(
        [sys.executable, "-I", "-S", server_watch.__file__, str(os.getpid()), token],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _keep_signals_from_the_server() -> None:
    """A terminal's Ctrl-C goes to a command and its children alike; this child is still needed.

    Without its server Prefect asks for minutes whether it is there before the command can end. So
    it is started in a process group of its own.
    """
    from prefect.server.api import server

    apart = functools.partial(subprocess.Popen, process_group=0)
    used = {"Popen": apart, "TimeoutExpired": subprocess.TimeoutExpired}
    server.subprocess = SimpleNamespace(**used)  # type: ignore[assignment, attr-defined]
