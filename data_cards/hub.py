"""Pushing a dataset or a model to the Hub: main goes from one whole state to the next, or stays.

`upload_folder` commits in several steps and can leave main half-published, so the files go up
first and one commit then puts them all in place. The client does not retry that commit: its reply
can get lost after the server has made it, and a repetition would be refused with 412. So after
every unclear answer main is read again and compared with the folder, file by file.
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cards.shards import CONFIG_FOLDERS
from data_cards.validate import validate_card
from data_cards.validate_model import validate_model_card
from prompts.errors import PrerequisiteError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT_ATTEMPTS = 4
_CONFLICT = 412
# A server's answers after which the commit may or may not exist, or may come to exist.
_UNCLEAR = frozenset({408, 409, _CONFLICT, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Kind:
    """What is pushed: how the Hub calls it, where the recipe speaks of it, which command pushes it.

    `ours` matches files on the Hub that are ours to delete; other files there are their owner's.
    """

    repo_type: str
    page: str  # between the endpoint and the repository's name
    section: str
    command: str
    message: str
    ours: re.Pattern[str]
    validate: Callable[[Path], list[str]]


DATASET = Kind(
    repo_type="dataset",
    page="datasets/",
    section="dataset",
    command="publish",
    message="Publish the dataset with its card",
    ours=re.compile(f"(?:{'|'.join((*CONFIG_FOLDERS.values(), 'plots'))})/"),
    validate=validate_card,
)
MODEL = Kind(
    repo_type="model",
    page="",
    section="student",
    command="evaluate",
    message="Publish the student with its card",
    # Shards of an earlier student with more or fewer of them.
    ours=re.compile(r"model[^/]*\.safetensors(?:\.index\.json)?$"),
    validate=validate_model_card,
)


@dataclass(frozen=True, slots=True)
class PushResult:
    """Where it is; `changed` is False when the Hub already had these very files."""

    url: str
    commit: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What main lacks or has otherwise, and what of ours it has too many."""

    changed: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """True when main holds exactly the planned files."""
        return not self.changed and not self.stale


def push(
    folder: Path,
    repo_id: str,
    token: str,
    private: bool = True,
    *,
    kind: Kind = DATASET,
    endpoint: str | None = None,
    tag: str | None = None,
    retry_wait_s: float = 5.0,
) -> PushResult:
    """Put the folder on the main branch of `repo_id` in one commit, then tag it.

    The repository is created private and made public, if it is to be, only once it is whole.
    Raises PrerequisiteError for what the user can mend (a card that does not validate, rights of
    the token, a public repository where a private one is asked for, a tag that is taken) and
    RunError for a Hub that fails; either way main is as it was or has the whole folder. The
    token appears in no message.
    """
    if problems := kind.validate(folder):
        raise PrerequisiteError(
            f"not pushed, the {kind.section} is not sound: {'; '.join(problems)}"
        )
    from huggingface_hub import HfApi

    with _errors_named(repo_id, token, kind):
        hub = _Repository(HfApi(endpoint=endpoint, token=token), repo_id, kind)
        _open_repository(hub, private)
        plan = planned_files(folder)
        start = _head(hub)
        _check_tag(hub, tag, start, plan)
        commit = _bring_to(hub, start, plan, retry_wait_s)
        if tag is not None:
            hub.api.create_tag(repo_id, tag=tag, revision=commit, exist_ok=True, **hub.type)
        if not private:
            hub.api.update_repo_settings(repo_id, private=False, **hub.type)
        url = f"{hub.api.endpoint}/{kind.page}{repo_id}"
        return PushResult(url=url, commit=commit, changed=commit != start)


@dataclass(frozen=True, slots=True)
class _Repository:
    """A repository of some kind, and the client that speaks to it."""

    api: Any
    repo_id: str
    kind: Kind

    @property
    def type(self) -> dict[str, Any]:
        return {"repo_type": self.kind.repo_type}


def planned_files(folder: Path) -> dict[str, Path]:
    """Every file of the folder by its path in the repository; hidden and temporary ones stay."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = ((path.relative_to(folder), path) for path in files)
    return {
        name.as_posix(): path
        for name, path in named
        if not any(part.startswith(".") for part in name.parts)
    }


def _difference(hub: _Repository, commit: str, plan: Mapping[str, Path]) -> Difference:
    """Compare a commit's tree with the plan: by SHA-256 for LFS files, by git's hash for others."""
    from huggingface_hub.hf_api import RepoFile

    tree = hub.api.list_repo_tree(hub.repo_id, recursive=True, revision=commit, **hub.type)
    remote = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    changed = [n for n, file in plan.items() if n not in remote or not _same(remote[n], file)]
    ours = filter(hub.kind.ours.match, remote)
    return Difference(tuple(changed), tuple(name for name in ours if name not in plan))


def _same(entry: Any, file: Path) -> bool:
    size = file.stat().st_size
    if entry.size != size:
        return False
    if entry.lfs is not None:
        return bool(entry.lfs.sha256 == _digest(file, hashlib.sha256()))
    return bool(entry.blob_id == _digest(file, hashlib.sha1(f"blob {size}\0".encode())))


def _digest(file: Path, digest: Any) -> str:
    with file.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return str(digest.hexdigest())


def _open_repository(hub: _Repository, private: bool) -> None:
    """Create the repository, private, unless it exists; refuse to fill a public one in private."""
    hub.api.create_repo(hub.repo_id, private=True, exist_ok=True, **hub.type)
    if private and not hub.api.repo_info(hub.repo_id, **hub.type).private:
        section = hub.kind.section
        raise PrerequisiteError(
            f"{hub.repo_id} is public on the Hub but the recipe says `private: true`; make it "
            f"private there, choose another {section}.repo_id, or set dataset.private=false"
        )


def _head(hub: _Repository) -> str:
    return str(hub.api.repo_info(hub.repo_id, revision="main", **hub.type).sha)


def _check_tag(hub: _Repository, tag: str | None, head: str, plan: Mapping[str, Path]) -> None:
    """Refuse a tag that names other files: a published revision never changes under a reader."""
    tags = hub.api.list_repo_refs(hub.repo_id, **hub.type).tags if tag is not None else []
    target = next((ref.target_commit for ref in tags if ref.name == tag), None)
    if target is None:
        return
    if target != head or not _difference(hub, head, plan).is_empty:
        raise PrerequisiteError(
            f"{hub.repo_id} already has a tag {tag!r} on other files (commit {target[:12]}); "
            "choose another dataset.tag"
        )


def _bring_to(hub: _Repository, start: str, plan: Mapping[str, Path], retry_wait_s: float) -> str:
    """Commit until main holds the plan; returns its commit. Only ever commits on top of `start`."""
    operations: list[Any] | None = None
    failure = ""
    for attempt in range(COMMIT_ATTEMPTS + 1):
        head = _head(hub)
        left = _difference(hub, head, plan)
        if left.is_empty:
            return head
        if head != start:
            raise RunError(
                f"someone else committed to {hub.repo_id} during the push; nothing of ours is "
                f"there. Run {hub.kind.command} again to push on top of it"
            )
        if attempt == COMMIT_ATTEMPTS:
            break
        if attempt:
            time.sleep(retry_wait_s * 2 ** (attempt - 1))
        if operations is None:
            operations = _upload(hub, left, plan)
        commit, failure = _try_commit(hub, operations, start)
        if commit is not None:
            return commit
    raise RunError(
        f"the Hub did not take the commit to {hub.repo_id} in {COMMIT_ATTEMPTS} attempts "
        f"({failure}); main is as it was. Run {hub.kind.command} again later"
    )


def _upload(hub: _Repository, left: Difference, plan: Mapping[str, Path]) -> list[Any]:
    """Send the large files, which no one sees yet; returns the operations that put all in place."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adds = [CommitOperationAdd(name, str(plan[name])) for name in left.changed]
    # The operations must keep their content: a commit that fails is tried again with them.
    hub.api.preupload_lfs_files(hub.repo_id, adds, revision="main", free_memory=False, **hub.type)
    return [*adds, *(CommitOperationDelete(name) for name in left.stale)]


def _try_commit(hub: _Repository, operations: list[Any], parent: str) -> tuple[str | None, str]:
    """Send the one commit; returns its id, or None and why it is unclear whether it was made.

    A clear refusal is raised as it came.
    """
    try:
        made = hub.api.create_commit(
            hub.repo_id,
            operations,
            commit_message=hub.kind.message,
            revision="main",
            parent_commit=parent,
            **hub.type,
        )
    except _transport_errors() as error:
        status = _status(error)
        if status is not None and status not in _UNCLEAR:
            raise
        return None, f"HTTP {status}" if status is not None else type(error).__name__
    return str(made.oid), ""


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the client raises for HTTP; its library's base class has moved between versions."""
    from huggingface_hub.errors import HfHubHTTPError

    bases = [base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)]
    return (OSError, *bases)


def _status(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


@contextmanager
def _errors_named(repo_id: str, token: str, kind: Kind) -> "Iterator[None]":
    """Turn the client's errors into the user's or the run's, without the token in the text."""
    caught: tuple[type[Exception], ...] = (*_transport_errors(), ValueError, RuntimeError)
    try:
        yield
    except caught as error:
        status = _status(error)
        text = " ".join(str(error).replace(token, "[token]").split())[:600]
        problem = f"pushing to {repo_id} failed: {text or type(error).__name__}"
    else:
        return
    if status in (401, 403, 404):
        raise PrerequisiteError(
            f"{problem}. Check {kind.section}.repo_id and that HF_TOKEN may write to it"
        )
    raise RunError(f"{problem}. Run {kind.command} again when that is mended")
