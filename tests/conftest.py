"""Settings for all tests: no telemetry, no window, nothing of the user's own."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from filters.sandbox.bubblewrap import Bubblewrap

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# A developer's, or a server's that tests; tests that want one set it.
for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
    os.environ.pop(name, None)
# On a busy machine a server's first start took 90 s.
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "400"
# Test processes beside each other share the cores; torch's threads of all of them would not fit.
if (processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // processes))

# The same examples each time: a test that fails, fails for everybody. On a busy machine too, where
# an example, or the making of it, may take seconds.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


# The longest first, or one process is at work on the last of them while the others wait.
LONGEST = (
    "test_flows_real_vllm",
    "test_sft_parallel",
    "test_sft_tries",
    "test_sft_templates",
    "test_filters_made_tests",
    "test_filters_contest",
    "test_filters_contest_cpp",
    "test_bench_sampling",
    "test_flows_make_tests",
    "test_flows_server_watch",
    "test_flows_schedule",
    "test_filters_hostile_programs",
    "test_sft_base_model",
    "test_flows_train",
    "test_flows_evaluate",
)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """What a test's code sets in the environment (`sft.train` keeps off the Hub) ends with it."""
    with _kept_environment():
        yield


@pytest.fixture(autouse=True, scope="module")
def environment_of_a_file() -> Iterator[None]:
    """And what the fixtures set that a file's tests share, with the file."""
    with _kept_environment():
        yield


@contextmanager
def _kept_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    if (hub := sys.modules.get("huggingface_hub.constants")) is not None:
        hub.HF_HUB_OFFLINE = False  # type: ignore[attr-defined]  # as `sft.trackers` sets it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every process; a file's tests stay together and in theirs."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish() -> None:
    """What all tests have imported stays: no search for garbage goes through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Bubblewrap]:
    """The sandbox of this machine, one for all tests; they skip where there is none."""
    with Bubblewrap(workers=2) as backend:
        if (problem := backend.problem()) is not None:
            # Where bubblewrap is installed, a sandbox that does not start is a fault of ours.
            assert shutil.which("bwrap") is None, problem
            pytest.skip(problem)
        yield backend
