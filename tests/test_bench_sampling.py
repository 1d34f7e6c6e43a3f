"""The benchmark of the sampling engine: its table says what was measured, and it runs."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench import figures
from bench.batching import ReplicaModel
from bench.figures import seeds_of
from bench.fleet import fleet, truth
from bench.measured_client import ClientJob
from bench.sampling import MEASUREMENTS, Row, spread, table

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("row", "target", "reached"),
    [
        (Row("a", "", "", 2.0, most=2.0), "≤ 2.00", True),
        (Row("a", "", "", 2.01, most=2.0), "≤ 2.00", False),
        (Row("a", "", "", 0.98, least=0.99, form="{:.3f}"), "≥ 0.990", False),
        (Row("a", "", "", 0.991, least=0.99), "≥ 0.99", True),
        (Row("a", "", "", 7.0), "", True),
    ],
)
def test_a_figure_says_its_target_and_whether_it_was_reached(
    row: Row, target: str, reached: bool
) -> None:
    assert (row.target, row.reached) == (target, reached)


def test_a_missed_target_stands_out_in_the_table() -> None:
    said = io.StringIO()
    Console(width=140, file=said).print(table([Row("peak", "3 GB", "limit", 3.0, most=1.5)], ""))
    text = said.getvalue()
    assert "NO" in text
    assert "3 GB" in text


def test_spread_is_the_median_with_the_lowest_and_highest() -> None:
    assert spread([3.0, 1.0, 2.0], "{:.0f}") == "2 (1–3)"
    assert spread([1.0, 1.0], "{:.0f}") == "1"


def test_the_peers_and_ours_ask_for_the_same_samples() -> None:
    with fleet([ReplicaModel()], instant=True, completion_bytes=4_000) as servers:
        keys = []
        for client in ("bare", "ours"):
            recipe = {"keep": 2, "n_min": 2, "n_max": 2, "in_flight": 4}
            result = figures.run(ClientJob(client, [(servers[0].url, 4)], 5, recipe))
            log = truth(servers)
            assert (result.samples, log.whole, log.doubled, log.tokens) == (10, 10, 0, 10_000)
            keys.append({k for k in servers[0].stats()["samples"] if not k.endswith("--1")})
            servers[0].admin("forget")
    assert keys[0] == keys[1]
    assert len(set(seeds_of(0, 4))) == 4


def test_a_killed_server_says_first_what_it_has_done() -> None:
    with fleet([ReplicaModel()]) as servers:
        servers[0].kill()
        assert servers[0].stats()["tokens"] == 0
        assert servers[0].process.wait(10) == -9


@pytest.mark.slow
def test_the_quick_benchmark_prints_every_figure() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.sampling", "--quick"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in ("CPU-s", "saturation", "keep=1", "faults", "client killed", "peak memory"):
        assert words in done.stdout
    rounds = [line for line in done.stderr.splitlines() if line.startswith("round 1 ")]
    assert len(rounds) == len(MEASUREMENTS)
    for word in ("lost=0", "doubled=0"):
        assert done.stderr.count(word) >= 5, json.dumps(rounds)
