"""A run is a folder: its recipe, its manifest, one numbered folder a stage."""

import contextlib
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from data_cards.funnel import FunnelRow
from flows.recipe import (
    STAGE_SECTIONS,
    Recipe,
    recipe_of_run,
    recipe_yaml,
    run_fingerprint,
    stage_fingerprint,
)
from flows.runs import RUNS
from prompts.errors import PrerequisiteError, RunError

_LOCK = ".lock"
STAGES: dict[str, str] = {
    "curate": "1-prompts",
    "generate": "2-samples",
    "verify": "3-verdicts",
    "publish": "4-dataset",
    "train": "5-student",
    "evaluate": "6-evals",
}
# Done again, these grade anew what they have sampled.
_SAMPLING = ("generate", "evaluate")
# Of a process that only looks whether somebody has the run (`is_worked_on`).
_LOOK_S = 0.1
_PACKAGES = ("stillhouse", "prefect", "polars", "datasets", "math-verify", "trl", "transformers")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and manifest of one run. The manifest is only ever replaced whole."""

    path: Path
    recipe: Recipe

    @property
    def name(self) -> str:
        """`default-3f2a…`: recipe and fingerprint."""
        return self.path.name

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / "report.html"

    def folder(self, stage: str) -> Path:
        """The stage's folder, made if need be."""
        folder = self.path / STAGES[stage]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        """Where a process started by this run writes its log."""
        return self.path / "logs" / f"{name}.log"

    def manifest(self) -> dict[str, Any]:
        """The manifest as it is on disk."""
        return read_manifest(self.path)

    def is_done(self, stage: str) -> bool:
        """Whether the stage is finished, from the same recipe and after all stages before it."""
        entry = self.manifest()["stages"].get(stage, {})
        return (
            entry.get("status") == "done"
            and entry.get("fingerprint") == stage_fingerprint(self.recipe, stage)
            and (self.path / STAGES[stage]).is_dir()
            and not (stage == "train" and published_again(self.path))
        )

    def need(self, stage: str) -> None:
        """Raise PrerequisiteError unless the stage is finished."""
        if not self.is_done(stage):
            raise PrerequisiteError(
                f"run {self.name}: stage {stage!r} is not finished; run "
                f"`stillhouse {stage} {self.path}` (or `stillhouse distill`) first"
            )

    def need_before(self, stage: str) -> None:
        """Raise PrerequisiteError unless all stages before it are finished."""
        for earlier in list(STAGES)[: list(STAGES).index(stage)]:
            self.need(earlier)

    def begin(self, stage: str, again: bool = False) -> float:
        """Note that the stage runs and that those after it are out of date; when it began, in s.

        That is as much before now as earlier goes at the same work took.
        """
        manifest = self.manifest()
        before = manifest["stages"].get(stage, {})
        spent_s = self._spent_s(stage, before, again)
        later = list(STAGES)[list(STAGES).index(stage) + 1 :]
        for name in later:
            if name in manifest["stages"]:
                manifest["stages"][name]["status"] = "outdated"
        manifest["stages"][stage] = {
            "status": "running",
            "started_at": _now(),
            "fingerprint": stage_fingerprint(self.recipe, stage),
            "spent_s": round(spent_s, 1),
            "goes": 1 + (before.get("goes", 1) if spent_s else 0),
        }
        if stage == "train" and (former := self.former_datasets()):
            manifest["stages"][stage]["learnt_from"] = former
        self._write(manifest)
        return time.monotonic() - spent_s

    def stop(self, stage: str) -> None:
        """Note that the stage was left by an error or a Ctrl-C; typed again it goes on."""
        manifest = self.manifest()
        entry = manifest["stages"].get(stage, {})
        if entry.get("status") == "running":
            spent_s = entry.get("spent_s", 0.0) + time.time() - _began(entry)
            entry |= {"status": "stopped", "spent_s": round(spent_s, 1)}
            self._write(manifest)

    def _spent_s(self, stage: str, entry: Mapping[str, Any], again: bool) -> float:
        """What earlier goes at this very work took: those left unfinished, and samplings that are
        graded anew. One that was killed has lived until its last file was written."""
        folder = self.path / STAGES[stage]
        status, samples = entry.get("status"), stage in _SAMPLING and folder.is_dir()
        if entry.get("fingerprint") != stage_fingerprint(self.recipe, stage):
            return 0.0
        if status == "done" and samples and "shared_from" not in entry:
            return float(entry.get("duration_s", 0.0))
        if status not in ("running", "stopped") or (again and not samples):
            return 0.0
        killed_s = _last_sign(folder) - _began(entry)
        return float(entry.get("spent_s", 0.0) + (max(0.0, killed_s) * (status == "running")))

    def finish(
        self, stage: str, started_s: float, funnel: Sequence[FunnelRow], **facts: Any
    ) -> dict[str, Any]:
        """Note that the stage is done, with its counts and facts; returns its entry."""
        manifest = self.manifest()
        entry = manifest["stages"][stage]
        entry |= {
            "status": "done",
            "fingerprint": stage_fingerprint(self.recipe, stage),
            "ended_at": _now(),
            "duration_s": round(time.monotonic() - started_s, 1),
            "funnel": [funnel_dict(row) for row in funnel],
            **facts,
        }
        entry.pop("spent_s", None)
        self._write(manifest)
        return dict(entry)

    def adopt(self, stage: str, entry: Mapping[str, Any], donor: str) -> None:
        """Note a finished stage whose folder was taken over from the run `donor`, as noted there.

        Its time stays: what depends on it is known by it.
        """
        manifest = self.manifest()
        fingerprint = stage_fingerprint(self.recipe, stage)
        manifest["stages"][stage] = {**entry, "fingerprint": fingerprint, "shared_from": donor}
        self._write(manifest)

    def funnel(self) -> list[FunnelRow]:
        """The funnel rows of all finished stages, in order."""
        stages = self.manifest()["stages"]
        return [
            FunnelRow(row["stage"], row["n_in"], row["outcomes"], row["seconds"])
            for stage in STAGES
            if stages.get(stage, {}).get("status") == "done"
            for row in stages[stage]["funnel"]
        ]

    def identity(self, *stages: str) -> str:
        """What the results of finished stages are known by: it changes when one is done again."""
        entries = self.manifest()["stages"]
        return " ".join(f"{stage} {entries[stage]['ended_at']}" for stage in stages)

    def former_datasets(self) -> dict[str, str]:
        """What earlier rounds' datasets are known by, where the student learns from them too."""
        rounds = self.recipe.rounds
        if rounds is None or rounds.traces != "all":
            return {}
        return _datasets(self.path.parent, rounds.former)

    def note(self, **facts: Any) -> None:
        """Add facts about the whole run to the manifest."""
        self._write({**self.manifest(), **facts})

    def keep_recipe(self) -> None:
        """Write the recipe beside the results that come from it. Call it with the run held."""
        write_text(self.path / "recipe.yaml", recipe_yaml(self.recipe))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run against a second process; PrerequisiteError if one has it."""
        handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not (_taken(handle, fcntl.LOCK_EX) or _taken_later(handle)):
                raise PrerequisiteError(
                    f"run {self.name} is in use by another process; wait for it, or end it first"
                )
            yield
        finally:
            os.close(handle)

    def _write(self, manifest: Mapping[str, Any]) -> None:
        write_text(self.path / "manifest.json", json.dumps(manifest, indent=2) + "\n")


def is_worked_on(run: Path) -> bool:
    """Whether a process holds the run: the kernel takes it from one that is gone, however."""
    try:
        handle = os.open(run / _LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _taken(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def open_run(recipe: Recipe, runs: Path = RUNS) -> RunFolder:
    """The run of this recipe: the one there is, or a new folder with recipe and manifest.

    Raises PrerequisiteError where the folder cannot be made.
    """
    path = run_path(recipe, runs)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PrerequisiteError(f"cannot make the run's folder {path}: {error.strerror}") from None
    run = RunFolder(path, recipe)
    if not (path / "manifest.json").exists():
        run.keep_recipe()
        run._write(
            {
                "run": path.name,
                "recipe": recipe.name,
                "fingerprint": run_fingerprint(recipe),
                "created_at": _now(),
                "machine": {"cpus": os.cpu_count(), "system": platform.platform(terse=True)},
                "python": platform.python_version(),
                "packages": _versions(),
                "stages": {},
            }
        )
    return run


def run_path(recipe: Recipe, runs: Path) -> Path:
    """Where the run of a recipe lies, made or not."""
    return runs / f"{recipe.name}-{run_fingerprint(recipe)[:10]}"


def existing_run(path: Path) -> RunFolder:
    """The run in a folder, with the recipe it was made from.

    Raises PrerequisiteError for a folder that is no run, or was renamed or made by a version with
    other recipes: going on would start another run beside it.
    """
    folder = path.resolve()
    recipe = recipe_of_run(folder)
    expected = run_path(recipe, folder.parent)
    if folder != expected:
        raise PrerequisiteError(
            f"{path} does not bear its recipe's name, {expected.name}: rename it back, or start a "
            f"new run with `stillhouse distill --recipe {path / 'recipe.yaml'}`"
        )
    return RunFolder(folder, recipe)


def all_runs(runs: Path = RUNS) -> list[Path]:
    """Folders of all runs, the one worked on last first."""
    manifests = sorted(runs.glob("*/manifest.json"), key=lambda p: p.stat().st_mtime, reverse=True)
    return [manifest.parent for manifest in manifests]


def has_finished_stage(run: Path) -> bool:
    """Whether anything of the run is finished; a damaged manifest counts as something."""
    try:
        stages = read_manifest(run)["stages"]
    except PrerequisiteError:
        return True
    return any(entry["status"] == "done" for entry in stages.values())


def read_manifest(run: Path) -> dict[str, Any]:
    """A run's manifest; PrerequisiteError where there is none or it is damaged."""
    try:
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = "is no run: it holds no manifest.json" if run.exists() else "is not there"
        raise PrerequisiteError(f"{run} {what} (see `stillhouse runs`)") from None
    except json.JSONDecodeError as error:
        raise PrerequisiteError(f"{run}/manifest.json is damaged: {error}") from None
    return dict(manifest)


def published_again(run: Path) -> list[str]:
    """Earlier rounds whose dataset is another than the student of this one learnt from; one that
    was deleted since is no other."""
    learnt = read_manifest(run).get("stages", {}).get("train", {}).get("learnt_from", {})
    now = _datasets(run.parent, learnt)
    return [name for name, dataset in learnt.items() if now.get(name, dataset) != dataset]


def _datasets(runs: Path, names: Iterable[str]) -> dict[str, str]:
    """What the datasets of runs are known by; those that are gone are left out."""
    there = [name for name in names if (runs / name / "manifest.json").exists()]
    stages = {name: read_manifest(runs / name)["stages"] for name in there}
    return {name: found.get("publish", {}).get("ended_at", "") for name, found in stages.items()}


def write_text(path: Path, text: str) -> None:
    """Replace a file whole: a reader sees the old text or the new. RunError on a full disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def funnel_dict(row: FunnelRow) -> dict[str, Any]:
    """A funnel row as JSON."""
    return {
        "stage": row.stage,
        "n_in": row.n_in,
        "outcomes": dict(row.outcomes),
        "seconds": round(row.seconds, 1),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _taken(handle: int, kind: int) -> bool:
    """Whether an open lock file could be locked at once."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken_later(handle: int) -> bool:
    """The same after the time that `is_worked_on` may have it."""
    time.sleep(_LOOK_S)
    return _taken(handle, fcntl.LOCK_EX)


def _began(entry: Mapping[str, Any]) -> float:
    """When the last go at a stage began, in s since 1970."""
    return datetime.fromisoformat(entry["started_at"]).timestamp()


def _last_sign(folder: Path) -> float:
    """When a file below a folder was last written, in s since 1970; 0 where there is none."""
    times = [0.0]
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            times.append(file.stat().st_mtime)
    return max(times)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


assert list(STAGES) == list(STAGE_SECTIONS)
