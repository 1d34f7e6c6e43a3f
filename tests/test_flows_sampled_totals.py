"""What samples cost is counted over all goes of a run, from what is stored."""

from pathlib import Path

from filters_records import sample

from flows.sampled_totals import kept_samples, sampled_totals
from prompts.parquet import write_rows
from teacher.closed_shard import write_spent
from teacher.sample import FAILED, Sample
from teacher.shards import Shards


def test_tokens_are_those_of_all_shards_and_of_each_prompts_last_account(tmp_path: Path) -> None:
    first = [sample("a", completion_tokens=10, prompt_tokens=3, wasted_tokens=2)]
    second = [sample("b", completion_tokens=5, prompt_tokens=4, earlier_replicas="http://x/v1")]
    write_rows(tmp_path / "samples-00000.parquet", first, Sample)
    write_rows(tmp_path / "samples-00001.parquet", second, Sample)
    write_spent(tmp_path / "spent-00000.parquet", {"a": 7})
    write_spent(tmp_path / "spent-00001.parquet", {"a": 9, "b": 1})
    assert sampled_totals(tmp_path) == {
        "prompt_tokens": 7,
        "completion_tokens": 15,
        "wasted_tokens": 12,
        "continued": 1,
    }


def test_a_folder_without_a_sample_has_cost_nothing(tmp_path: Path) -> None:
    write_rows(tmp_path / "samples-00000.parquet", [], Sample)
    assert set(sampled_totals(tmp_path).values()) == {0}


def test_what_a_stopped_sampling_keeps_is_counted_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "a #1?"  # an address' own marks
    folder.mkdir()
    assert kept_samples(folder) == 0
    write_rows(folder / "samples-00000.parquet", [sample("a", sample_id="a-0")], Sample)
    with Shards(folder) as shards:
        for name in ("b-0", "b-1", "b-0"):
            shards.append(sample("b", sample_id=name))
        shards.append(sample("", sample_id="c-0", finish_reason=FAILED))
        shards.flush()
        assert kept_samples(folder) is None  # as after a kill: the log is not in the file
    before = sorted(folder.iterdir())
    assert kept_samples(folder) == 3
    assert sorted(folder.iterdir()) == before
    (folder / "samples-00009.sqlite").write_text("no journal of ours, whatever its name may be")
    assert kept_samples(folder) is None
