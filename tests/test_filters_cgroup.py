"""Control groups: limits on a whole process tree, and nothing left behind."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from filters.sandbox import cgroup
from filters.sandbox.cgroup import Group, make_group

MIB = 1 << 20
USE_MEMORY = "import sys; sys.stdin.read(1); b = bytearray({mib} << 20); print(len(b))"
FORK = """
import os, sys
sys.stdin.read(1)
made = 0
try:
    for _ in range(30):
        if os.fork() == 0:
            sys.stdin.read()
            os._exit(0)
        made += 1
except BlockingIOError:
    pass
print(made, flush=True)
"""


@pytest.fixture
def group() -> Iterator[Group]:
    made = make_group("test")
    if made is None:
        pytest.skip("no control group can be made here: no root, nothing delegated")
    with closing(made):
        yield made


def run_in(group: Group, code: str) -> tuple[int, str]:
    """Run it inside the group; it starts when it is in."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert group.add(process.pid)
    out, _ = process.communicate("x", timeout=60)
    return process.returncode, out


def folders_of_ours() -> list[str]:
    found: list[str] = []
    for parents, _ in cgroup._places():
        found += [each.name for parent in parents for each in parent.glob("stillhouse-*")]
    # The sandbox that tests share has groups of its own, called by numbers.
    return [name for name in found if re.search(rf"-{os.getpid()}-[a-z]", name)]


def test_memory_beyond_the_limit_ends_the_process_and_is_counted(group: Group) -> None:
    assert group.limit(64 * MIB, 20)
    before = group.oom_kills()
    code, _ = run_in(group, USE_MEMORY.format(mib=200))
    assert code == -9
    assert group.oom_kills() == before + 1


def test_memory_within_the_limit_is_given(group: Group) -> None:
    assert group.limit(256 * MIB, 20)
    assert run_in(group, USE_MEMORY.format(mib=100)) == (0, f"{100 * MIB}\n")
    assert group.oom_kills() == 0


def test_no_more_processes_than_the_limit(group: Group) -> None:
    assert group.limit(512 * MIB, 5)
    assert run_in(group, FORK) == (0, "4\n")


def test_limits_go_up_and_down(group: Group) -> None:
    for mib in (64, 512, 32, 1024, 64):
        assert group.limit(mib * MIB, 20), f"to {mib} MiB"


def test_nothing_is_left_behind(group: Group) -> None:
    assert folders_of_ours()
    group.close()
    assert not folders_of_ours()


def test_a_group_closed_while_in_use_is_removed_by_the_next(group: Group) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert group.add(process.pid)
    group.close()
    assert folders_of_ours()
    process.communicate(b"\n", timeout=60)
    other = make_group("other")
    assert other is not None
    other.close()
    assert not folders_of_ours()


def test_a_group_waits_for_a_process_that_is_dying(group: Group) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert group.add(process.pid)
    process.kill()
    group.close()
    assert not folders_of_ours()
    process.communicate(timeout=60)


def test_what_a_dead_process_left_is_removed_by_the_next(group: Group) -> None:
    code = (
        "from filters.sandbox.cgroup import make_group\n"
        "print(make_group('left') is not None, flush=True)\ninput()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        # Once it is dead, whoever makes the next group removes this one: any test beside us too.
        assert left_by(process.pid)
        process.kill()
    other = make_group("other")
    assert other is not None
    other.close()
    assert not left_by(process.pid)


def left_by(pid: int) -> list[str]:
    parents = next(parents for parents, _ in cgroup._places())
    names = [folder.name for each in parents for folder in each.iterdir()]
    return [name for name in names if name.endswith(f"-{pid}-left")]


def test_threads_may_make_groups_at_once(group: Group) -> None:
    made: list[Group | None] = []

    def make(number: int) -> None:
        for again in range(10):
            one = make_group(f"thread-{number}-{again}")
            made.append(one)
            if one is not None:
                one.close()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 40
    assert None not in made


def test_a_dead_process_is_not_added(group: Group) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert not group.add(process.pid)


def test_where_nothing_may_be_made_there_is_no_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cgroup, "_places", lambda: iter([((tmp_path / "none",), cgroup._SECOND)]))
    assert make_group("test") is None
    plain = tmp_path / "plain"
    plain.mkdir()
    monkeypatch.setattr(cgroup, "_places", lambda: iter([((plain,), cgroup._SECOND)]))
    assert make_group("test") is None
    assert list(plain.iterdir()) == []


def test_version_two_is_looked_for_upwards_from_our_own_group(tmp_path: Path) -> None:
    own = tmp_path / "user" / "session"
    own.mkdir(parents=True)
    for folder, enabled in ((own, ""), (tmp_path / "user", "memory pids"), (tmp_path, "cpu")):
        (folder / "cgroup.controllers").write_text("cpu memory pids" if folder != own else "cpu")
        (folder / "cgroup.subtree_control").write_text(enabled)
    assert next(iter(cgroup._delegated(tmp_path, "/user/session"))) == tmp_path / "user"


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 65, "a b"])
def test_a_name_is_a_word(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a group"):
        make_group(name)
