"""The scheduler no client can beat: it knows every length, and pays neither HTTP nor waiting.

In virtual time, on the same replica model as the simulated teacher. It bounds what saturation a
fleet can reach on a given set of completions: the last of them run in small, slow batches.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.batching import Batch, Job, ReplicaModel


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a set of completions took: all its tokens, and the time until the last ended."""

    tokens: int
    makespan_s: float
    peak_tokens_per_s: float

    @property
    def saturation(self) -> float:
        """Tokens made, of those the fleet could make in that time at its summed peaks."""
        return self.tokens / (self.makespan_s * self.peak_tokens_per_s)


def omniscient(lengths: Iterable[int], replicas: Sequence[ReplicaModel]) -> Schedule:
    """The best of longest-first on ever fewer places: a smaller batch runs each sequence faster,
    which pays for the longest when there is little else."""
    ordered = sorted(lengths, reverse=True)
    return min((in_order(ordered, replicas, share) for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)),
               key=lambda schedule: schedule.makespan_s)  # fmt: skip


def in_order(
    lengths: Iterable[int], replicas: Sequence[ReplicaModel], share: float = 1.0
) -> Schedule:
    """Start them in the given order, each as a place comes free, `share` of all places used;
    the replica where one sequence more would run fastest goes first."""
    queue = deque(lengths)
    tokens = sum(queue)
    batches = [Batch(model) for model in replicas]
    while True:
        _fill(batches, queue, share)
        events = [event for batch in batches if (event := batch.next_event_s()) is not None]
        if not events:
            break
        now_s = min(events)
        for batch in batches:
            batch.advance(now_s)
    return Schedule(
        tokens, max(b.now_s for b in batches), sum(m.peak_tokens_per_s for m in replicas)
    )


def _fill(batches: Sequence[Batch], queue: deque[int], share: float) -> None:
    while queue:
        free = [b for b in batches if len(b.running) < max(1, share * b.model.max_num_seqs)]
        free = [b for b in free if not b.waiting]
        if not free:
            return
        batch = max(free, key=lambda b: b.model.sequence_rate(len(b.running) + 1))
        batch.add(Job(prompt_tokens=0, total=queue.popleft()))
