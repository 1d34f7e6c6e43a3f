"""The factory without its `sft` extra: plans, prompts, verdicts and cards want no torch."""

import subprocess
import sys

# Only the process that trains imports these, and it says itself what is not installed.
TRAINING = {
    "sft.answering",
    "sft.checkpoints",
    "sft.completion_trainer",
    "sft.loss_guard",
    "sft.master_adamw",
    "sft.packed_attention",
    "sft.progress",
    "sft.stop_request",
    "sft.trackers",
    "sft.tries",
}
IMPORT_ALL = """
import importlib, pkgutil, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "trl", "accelerate", "gguf", "trackio"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
for package in ("prompts", "teacher", "filters", "data_cards", "sft", "evals", "flows"):
    folder = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(folder, package + "."):
        if ".inside" in module.name:  # programs that run in the sandbox
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError:
            print(module.name)
"""


def test_only_training_itself_imports_the_training_libraries():
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == TRAINING
