"""What the simulated teacher says and how fast: the parts that need no server."""

import statistics

import pytest

from bench.batching import Batch, Job, ReplicaModel
from bench.completions import decode, draw, encode, is_right, pass_rate, right_answer
from bench.omniscient import in_order, omniscient
from bench.server_log import MOST_READINGS, ServerLog


def test_lengths_have_the_median_the_mean_and_the_cap_of_r1() -> None:
    lengths = [min((d := draw(f"Q{i}", s)).tokens, d.cap) for i in range(5_000) for s in range(2)]
    assert statistics.median(lengths) == pytest.approx(4_000, rel=0.05)
    assert statistics.mean(lengths) == pytest.approx(6_000, rel=0.05)
    assert max(lengths) == 32_768


def test_pass_rates_have_a_mean_of_three_fifths_and_two_humps() -> None:
    rates = [pass_rate(f"Q{i}") for i in range(4_000)]
    assert statistics.mean(rates) == pytest.approx(0.6, abs=0.02)
    ends = sum(rate < 0.1 or rate > 0.9 for rate in rates) / len(rates)
    assert ends > 0.4


def test_samples_are_right_as_often_as_the_hidden_pass_rate_says() -> None:
    prompt = next(f"Q{i}" for i in range(100) if 0.4 < pass_rate(f"Q{i}") < 0.6)
    drawn = [draw(prompt, seed) for seed in range(2_000)]
    right = [is_right(prompt, d.text(0, 4 * d.tokens)) for d in drawn if d.tokens < d.cap]
    assert statistics.mean(right) == pytest.approx(pass_rate(prompt), abs=0.04)


def test_a_completion_looks_like_r1s_and_is_the_same_by_slices() -> None:
    drawn = draw("Q1", 5, median_tokens=200)
    whole = drawn.text(0, 4 * drawn.tokens)
    assert whole.startswith("<think>\n")
    assert "\n</think>\n\n" in whole
    assert right_answer("Q1").isdigit()
    assert "".join(drawn.text(i, i + 7) for i in range(0, len(whole), 7)) == whole
    assert len(whole) == 4 * drawn.tokens


@pytest.mark.parametrize("text", ["", "abcd", "abcde", "ünïcode 漢字", "<think>\n"])
def test_tokens_turn_back_into_their_text(text: str) -> None:
    assert decode(encode(text)) == text


def finish_times(model: ReplicaModel, jobs: list[Job]) -> dict[Job, float]:
    batch, ended = Batch(model), {}
    for job in jobs:
        batch.add(job)
    while (event_s := batch.next_event_s()) is not None:
        for job in batch.advance(event_s):
            if job.generated >= job.total:
                ended[job] = batch.now_s
    return ended


@pytest.mark.parametrize(("size", "rate"), [(1, 20.0), (6, 100.0), (18, 150.0)])
def test_a_batch_follows_the_throughput_curve_and_the_cap_of_a_sequence(
    size: int, rate: float
) -> None:
    model = ReplicaModel(200.0, 6.0, 20.0, 256, 10**9)
    jobs = [Job(10, 600) for _ in range(size)]
    ended = finish_times(model, jobs)
    assert size * 600 / max(ended.values()) == pytest.approx(rate)


def test_a_request_beyond_the_places_waits_for_one() -> None:
    jobs = [Job(0, 100), Job(0, 200), Job(0, 50)]
    ended = finish_times(ReplicaModel(100.0, 0.0, 1e9, 2, 10**9), jobs)
    # two at 50 tokens/s; the third starts after 2 s, the second has 100 left, both at 50
    assert [ended[job] for job in jobs] == pytest.approx([2.0, 3.5, 3.0])


def test_full_memory_sends_the_youngest_back_in_line_with_its_tokens() -> None:
    batch = Batch(ReplicaModel(100.0, 0.0, 1e9, 8, 1_000))
    old, young = Job(100, 700), Job(100, 700)
    batch.add(old)
    batch.add(young)
    batch.advance(8.0)
    assert batch.preemptions == 1
    assert list(batch.running) == [old]
    assert young.generated == 400
    while (event_s := batch.next_event_s()) is not None:
        batch.advance(event_s)
    assert (old.generated, young.generated) == (700, 700)
    assert batch.now_s == pytest.approx(14.0)
    assert batch.tokens_so_far() == batch.tokens == 1_400


def test_memory_never_holds_more_than_there_is() -> None:
    model = ReplicaModel(1_000.0, 4.0, 1e9, 64, 20_000)
    batch = Batch(model)
    for index in range(200):
        batch.add(Job(50, 100 + 37 * index % 900, 64))
    while (event_s := batch.next_event_s()) is not None:
        batch.advance(event_s)
        held = sum(job.prompt_tokens + batch.generated(job) for job in batch.running)
        assert held <= model.kv_tokens
        assert batch.kv_usage() <= 1.0
    assert batch.tokens == sum(100 + 37 * index % 900 for index in range(200))


def test_a_removed_sequence_is_paid_up_to_that_moment() -> None:
    batch = Batch(ReplicaModel(100.0, 0.0, 1e9, 2, 10**9))
    kept, given_up = Job(0, 500), Job(0, 500)
    batch.add(kept)
    batch.add(given_up)
    batch.advance(4.0)
    assert batch.remove(given_up) == 200
    assert batch.remove(given_up) == 200
    batch.advance(100.0)
    assert batch.tokens == 700


def test_the_omniscient_scheduler_is_never_behind_a_queue() -> None:
    fleet = [ReplicaModel(max_num_seqs=16), ReplicaModel(max_num_seqs=16).scaled(0.5)]
    lengths = [min((d := draw(f"Q{i}", 0)).tokens, d.cap) for i in range(300)]
    best, queue = omniscient(lengths, fleet), in_order(lengths, fleet)
    assert best.tokens == queue.tokens == sum(lengths)
    assert queue.saturation < best.saturation <= 1.0


def test_the_log_stays_small() -> None:
    log = ServerLog()
    for second in range(20_000):
        log.read(float(second), second)
    assert len(log.readings) <= MOST_READINGS
    assert log.readings[0] == (0.0, 0)
    assert log.readings[-1][0] > 19_000
