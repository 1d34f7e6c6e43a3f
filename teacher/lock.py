"""One writer at a time: a lock file that the kernel lets go of even after SIGKILL."""

import fcntl
import os
from pathlib import Path
from typing import Self

from prompts.errors import PrerequisiteError


class Lock:
    """Held from its making to `release`. Raises PrerequisiteError, with the holder's process id,
    while another process (or another Lock of this one) holds `path`; `what` is named then."""

    def __init__(self, path: Path, what: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle: int | None = _take(path, what)

    @property
    def held(self) -> bool:
        """Whether it was not released yet."""
        return self._handle is not None

    def release(self) -> None:
        """Let the next one in and remove the file. Safe to call twice."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def _take(path: Path, what: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise PrerequisiteError(
            f"{what} is being written by another process (pid {owner}); "
            "wait until it ends or stop it, then run the same command again"
        ) from None
    if not path.exists() or os.stat(path).st_ino != os.fstat(handle).st_ino:
        os.close(handle)  # its last holder has just removed it: take the new one
        return _take(path, what)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
