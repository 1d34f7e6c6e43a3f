"""A written dataset loads as its card says: with datasets itself, plain and streaming."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from data_cards_records import TOKEN, assemble_run, make_facts, make_run
from local_hub import LocalHub

from data_cards.assemble import Assembled, DatasetRecipe, split_of
from data_cards.card import write_card
from data_cards.header import trace_features
from data_cards.shards import write_dataset
from data_cards.validate import validate_card

RECIPE = DatasetRecipe(test_fraction=0.2, max_shard_bytes=10_000)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Assembled]:
    folder = tmp_path_factory.mktemp("dataset")
    assembled = assemble_run(make_run(), RECIPE)
    write_card(folder, make_facts(assembled, write_dataset(folder, assembled, RECIPE), RECIPE))
    return folder, assembled


def test_the_validator_finds_nothing_wrong(written: tuple[Path, Assembled]) -> None:
    assert validate_card(written[0]) == []


def test_load_dataset_opens_it_plain_and_streaming(
    written: tuple[Path, Assembled], tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    folder, assembled = written
    plain = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert set(plain) == {"train", "test"}
    assert len(plain["train"]) + len(plain["test"]) == len(assembled.accepted)
    row = plain["train"][0]
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert (
        row["messages"][1]["content"] == f"<think>\n{row['reasoning']}\n</think>\n\n{row['answer']}"
    )
    rejected = datasets.load_dataset(str(folder), "rejected", cache_dir=str(tmp_path))
    assert sum(map(len, rejected.values())) == len(assembled.rejected)
    stream = datasets.load_dataset(str(folder), split="train", streaming=True)
    assert [r["sample_id"] for r in stream] == plain["train"]["sample_id"][:]
    assert stream.features == plain["train"].features
    assert plain["train"].features._to_yaml_list() == trace_features()


PUSH_AND_LOAD = """
import sys
from pathlib import Path
import datasets
from data_cards.hub import push
_, folder, token, cache = sys.argv
push(Path(folder), "ada/traces", token)
for streaming in (False, True):
    found = datasets.load_dataset("ada/traces", cache_dir=cache, streaming=streaming)
    print(*sorted((name, sum(1 for _ in rows)) for name, rows in found.items()))
"""


@pytest.mark.slow
def test_a_pushed_dataset_opens_from_the_hub(
    written: tuple[Path, Assembled], tmp_path: Path
) -> None:
    folder, assembled = written
    counts = Counter(split_of(trace.prompt_id, RECIPE) for trace in assembled.accepted)
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "1"}
    with LocalHub(TOKEN) as hub:
        environment |= {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", PUSH_AND_LOAD, str(folder), TOKEN, str(tmp_path / "cache")],
            cwd=Path(__file__).parents[1],
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    expected = f"('test', {counts['test']}) ('train', {counts['train']})"
    assert done.stdout.splitlines() == [expected, expected]
