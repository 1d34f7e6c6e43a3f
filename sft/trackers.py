"""Curves of a training in trackio, on this machine, or in Weights & Biases, by name.

Both speak the same words: `init`, `log`, `finish`. A tracker that fails is warned of once and
left alone: it never ends a training.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback

from data_cards.scrub import last_name, public_name
from sft.checkpoints import OWNER
from sft.job import PROJECT, TrainJob
from sft.progress import JsonLines

# What would send trackio's curves elsewhere than to the folder.
_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_DATASET_ID")
_CURVES = ("loss", "learning_rate", "grad_norm")


class Tracked(TrainerCallback):
    """Logs each step's loss, learning rate, gradient norm and tokens, from the first rank.

    The tracker's run is named by the training's fingerprint: a training that was killed goes on
    in the same run, and steps it makes a second time are not logged again.
    """

    def __init__(self, job: TrainJob, report: JsonLines) -> None:
        self.job, self.report = job, report
        self.run: Any = None
        self.finish: Callable[[], None] = lambda: None
        self.logged_before = -1

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the run, or go on with it."""
        if state.is_world_process_zero:
            wandb = self.job.student.tracker == "wandb"
            opened = self._open_wandb if wandb else self._open_trackio
            self._guarded(lambda: opened(self._name()), "open")

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step's curves."""
        logs: dict[str, float] = kwargs.get("logs") or {}
        if "loss" in logs:
            found = {f"train/{name}": logs[name] for name in _CURVES if name in logs}
            self.log({**found, "train/tokens": self.report.tokens}, state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the run: what is on its way is written."""
        if self.run is not None:
            self._guarded(self.finish, "close")

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log values at a step, unless nothing is open or an earlier attempt logged that step."""
        if self.run is not None and step > self.logged_before:
            self._guarded(lambda: self.run.log(dict(values), step=step), "log to")

    def _open_trackio(self, name: str) -> None:
        """A run in a folder of ours: no network, no browser."""
        import huggingface_hub.constants as hub

        # It would ask the Hub for the owner of a token.
        hub.HF_HUB_OFFLINE = True
        for variable in _ELSEWHERE:
            os.environ.pop(variable, None)
        os.environ["TRACKIO_DIR"] = str(self.job.tracker_folder / "trackio")
        import trackio
        from trackio.sqlite_storage import SQLiteStorage

        self.run = trackio.init(
            PROJECT, name, config=self._settings(), resume="allow", embed=False, auto_log_cpu=False
        )
        self.finish = trackio.finish
        last = SQLiteStorage.get_max_step_for_run(PROJECT, name)
        self.logged_before = -1 if last is None else last

    def _open_wandb(self, name: str) -> None:
        """A run at Weights & Biases that shows the curves and the recipe, nothing else of here."""
        wandb: Any = importlib.import_module("wandb")  # installed only where it is wanted
        self.job.tracker_folder.mkdir(parents=True, exist_ok=True)
        self.run = wandb.init(
            project=PROJECT,
            id=name,
            name=name,
            resume="allow",
            dir=str(self.job.tracker_folder),
            config=self._settings(),
            settings=wandb.Settings(
                console="off", disable_git=True, disable_code=True, x_disable_meta=True
            ),
        )
        self.finish = self.run.finish
        self.logged_before = self.run.step - 1 if self.run.resumed else -1

    def _name(self) -> str:
        """`Tiny-3f2a…`: the student, and what its checkpoints are known by."""
        fingerprint = (self.job.checkpoints / OWNER).read_text(encoding="utf-8").strip()
        return f"{self.job.student.published_name}-{fingerprint[:12]}"

    def _settings(self) -> dict[str, Any]:
        """The recipe, without the folders of this machine."""
        student = self.job.student
        template = student.chat_template and last_name(student.chat_template)
        values = student.model_dump(mode="json")
        return {**values, "base": public_name(student.base), "chat_template": template}

    def _guarded(self, act: Callable[[], None], verb: str, step: int = 0) -> None:
        """Do it; whatever goes wrong is said once and costs the curves, not the training."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 (trackers raise what they like)
            self.run = None
            name = self.job.student.tracker
            self.report.warn(f"cannot {verb} {name}, training goes on: {error!r}", step)
