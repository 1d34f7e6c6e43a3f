"""Replicas that come and go: a list of URLs in a file, followed while a run goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prompts.errors import PrerequisiteError
from teacher.canary import Replica
from teacher.client import endpoint
from teacher.replicas import Pool

READ_EVERY_S = 2.0
_HEAD = """\
# The replicas of this run, one URL a line. A line added here joins while the run goes on; a line
# taken out leaves, and what it was working on goes on elsewhere.
"""


def write_list(path: Path, replicas: list[Replica]) -> None:
    """Write the list with the replicas a run starts with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + "".join(f"{replica.url}\n" for replica in replicas), encoding="utf-8")


def read_list(path: Path) -> list[str] | None:
    """The URLs in the file, each once, in order; None if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    words = (line.partition("#")[0].strip() for line in lines)
    return list(dict.fromkeys(word for word in words if word))


async def follow(path: Path, pool: Pool, make: Callable[[str], Replica]) -> None:
    """Let replicas join and leave `pool` as the file changes, until cancelled.

    A change counts when it has been read twice in the same words, so that no half-written file
    does. A file that is gone changes nothing; a line that is no URL is skipped and named in
    `pool.note`.
    """
    before = known = read_list(path)
    while True:
        await asyncio.sleep(READ_EVERY_S)
        now = read_list(path)
        if now is not None and now == before and now != known:
            known = now
            _apply(now, pool, make)
        before = now


def _apply(urls: list[str], pool: Pool, make: Callable[[str], Replica]) -> None:
    """Make the pool hold just these replicas."""
    wanted: dict[str, str] = {}
    wrong = []
    for url in urls:
        try:
            wanted[endpoint(url, "").url] = url
        except PrerequisiteError as error:
            wrong.append(str(error))
    present = {slot.endpoint.url: slot.replica.url for slot in pool.slots if not slot.leaving}
    for address, url in wanted.items():
        if address not in present:
            pool.join(make(url))
    for address, url in present.items():
        if address not in wanted:
            pool.leave(url)
    pool.note = "; ".join(wrong)
