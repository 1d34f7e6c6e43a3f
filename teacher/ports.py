"""Local ports: pick a free one, or say who holds the one that was asked for."""

import contextlib
import os
import socket
from pathlib import Path

from prompts.errors import PrerequisiteError

HOST = "127.0.0.1"
LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp


def choose_port(
    asked: int, server: str = "the teacher", setting: str = "teacher.serve.port"
) -> int:
    """The port to serve on: the one asked for, or a free one for 0.

    Raises PrerequisiteError naming server, holder and setting if the port asked for is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port whose last connections only linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, asked))
        except OSError as error:
            raise PrerequisiteError(
                f"cannot start {server} on port {asked}: {error.strerror}; it is held by "
                f"{holder_of(asked)}. Stop that, or set another port "
                f"({setting}; 0 picks a free one)"
            ) from error
        port: int = probe.getsockname()[1]
        return port


def holder_of(port: int) -> str:
    """The process listening on a local TCP port: `process 4242 (python -m http.server 8000)`."""
    inodes = _listening_inodes(port)
    for folder in Path("/proc").glob("[0-9]*"):
        if inodes and inodes & _socket_inodes(folder):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            return f"process {folder.name} ({' '.join(words).strip()[:120]})"
    return "a process this user may not see (ask root: `ss -ltnp`)"


def _listening_inodes(port: int) -> set[str]:
    """Inodes of sockets listening on the port.

    A line: `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:0 0 0 0 31337 …`
    """
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            fields = line.split()
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _socket_inodes(process: Path) -> set[str]:
    links = set()
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                links.add(os.readlink(descriptor))
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
