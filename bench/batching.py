"""A replica's engine in simulated time: continuous batching, free of any I/O.

All running sequences advance at one rate, so one number, the progress every sequence has made
since the start of time, tells how far each is; only what happens to a sequence costs work.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReplicaModel:
    """How fast a replica is, and how much it holds.

    A batch of b generates peak x b / (b + half_batch) tokens/s, and no sequence more than
    `sequence_tokens_per_s`. `kv_tokens` are the prompt and completion tokens it can hold.
    As they stand: 16 H100 that serve R1 at the upper end of public reports. Two such, 2:1, with
    1,000 prompts x 4 give an omniscient scheduler 0.955 of the peak, a plain queue 0.94.
    """

    peak_tokens_per_s: float = 2_000.0
    half_batch: float = 6.0
    sequence_tokens_per_s: float = 200.0
    max_num_seqs: int = 128
    kv_tokens: int = 1_500_000

    def sequence_rate(self, batch: int) -> float:
        """Tokens/s of each sequence in a batch."""
        shared = self.peak_tokens_per_s / (batch + self.half_batch)
        return min(shared, self.sequence_tokens_per_s)

    def rate(self, batch: int) -> float:
        """Tokens/s of the whole batch."""
        return batch * self.sequence_rate(batch)

    def scaled(self, share: float) -> "ReplicaModel":
        """A replica with that share of the hardware: speed, places and memory."""
        return ReplicaModel(
            self.peak_tokens_per_s * share,
            self.half_batch * share,
            self.sequence_tokens_per_s,
            round(self.max_num_seqs * share),
            round(self.kv_tokens * share),
        )


@dataclass(eq=False, slots=True)
class Job:
    """A sequence to generate `total` tokens of, told of after its first and each `interval`."""

    prompt_tokens: int
    total: int
    interval: int = 1 << 30
    generated: int = 0  # as of the last time it was looked at
    started: float | None = None  # the batch's progress when it was at no token; None: waits
    number: int = field(default=0)

    def next_event(self) -> int:
        """How many tokens it has when something is to be told of it."""
        if not self.generated:
            return min(1, self.total)
        return min(self.generated + self.interval, self.total)


class Batch:
    """The scheduler of a replica: those that run, those that wait, and the tokens made so far."""

    BLOCK_TOKENS = 16

    def __init__(self, model: ReplicaModel) -> None:
        self.model = model
        self.speed = 1.0  # 0: hangs
        self.now_s = 0.0
        self.busy_s = 0.0
        self.preemptions = 0
        self.tokens = 0  # of sequences that have left
        self.running: dict[Job, None] = {}  # in the order of their admission
        self.waiting: deque[Job] = deque()
        self._progress = 0.0
        self._held = 0.0  # tokens in memory are this + running x progress
        self._due: list[tuple[float, int, Job]] = []
        self._count = 0

    def tokens_so_far(self) -> int:
        """All tokens generated, those of running and waiting sequences among them."""
        return (
            self.tokens
            + sum(self.generated(job) for job in self.running)
            + sum(job.generated for job in self.waiting)
        )

    def generated(self, job: Job) -> int:
        """Tokens of a sequence by now."""
        if job.started is None:
            return job.generated
        made = math.floor(self._progress - job.started + 1e-6)
        return max(job.generated, min(made, job.total))

    def kv_usage(self) -> float:
        """Share of the memory in use."""
        return min(1.0, max(0.0, self._kv() / self.model.kv_tokens))

    def add(self, job: Job) -> None:
        """A request has come (now)."""
        self._count += 1
        job.number = self._count
        self.waiting.append(job)
        self._admit()

    def remove(self, job: Job) -> int:
        """It is over or given up; returns the tokens it has been paid for."""
        job.generated = self.generated(job)
        if job in self.running:
            self._stop(job)
            self._admit()
        elif job in self.waiting:
            self.waiting.remove(job)
        else:
            return job.generated
        self.tokens += job.generated
        return job.generated

    def next_event_s(self) -> float | None:
        """When something happens next, None if nothing will."""
        due = self._next_due()
        rate = self._rate()
        if due is None or not rate:
            return None
        seconds = max(0.0, due - self._progress) / rate
        return self.now_s + min(seconds, self._full_in_s(rate))

    def advance(self, now_s: float) -> list[Job]:
        """Let time pass; returns the sequences that have come to an event, ended ones removed."""
        told: dict[Job, None] = {}
        while (due := self._next_due()) is not None and (rate := self._rate()):
            seconds = max(0.0, due - self._progress) / rate
            full_s = self._full_in_s(rate)
            step_s = min(seconds, full_s)
            if self.now_s + step_s > now_s:
                break
            self._pass(step_s, rate)
            if full_s < seconds:
                self._preempt()
            else:
                self._progress = max(self._progress, due)
                told[self._tell()] = None
        self._pass(max(0.0, now_s - self.now_s), self._rate())
        return list(told)

    def _pass(self, seconds: float, rate: float) -> None:
        self.now_s += seconds
        self._progress += seconds * rate
        self.busy_s += seconds if self.running else 0.0

    def _rate(self) -> float:
        return self.speed * self.model.sequence_rate(len(self.running)) if self.running else 0.0

    def _kv(self) -> float:
        return self._held + len(self.running) * self._progress

    def _full_in_s(self, rate: float) -> float:
        """Time until the memory is full; one sequence alone always fits."""
        if len(self.running) < 2:
            return math.inf
        return max(0.0, self.model.kv_tokens - self._kv()) / (rate * len(self.running))

    def _next_due(self) -> float | None:
        while self._due and not self._is_live(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _is_live(self, due: float, number: int, job: Job) -> bool:
        return job.started is not None and due == job.started + job.next_event()

    def _tell(self) -> Job:
        """The sequence that is due has come to its next event."""
        job = heapq.heappop(self._due)[2]
        job.generated = job.next_event()
        if job.generated >= job.total:
            self._stop(job)
            self.tokens += job.generated
            self._admit()
        else:
            self._expect(job)
        return job

    def _expect(self, job: Job) -> None:
        assert job.started is not None
        heapq.heappush(self._due, (job.started + job.next_event(), job.number, job))

    def _admit(self) -> None:
        """Let the first in line run while there are places and memory."""
        while self.waiting and len(self.running) < self.model.max_num_seqs:
            job = self.waiting[0]
            need = job.prompt_tokens + job.generated + self.BLOCK_TOKENS * (len(self.running) + 1)
            if self.running and self._kv() + need > self.model.kv_tokens:
                return
            self.waiting.popleft()
            job.started = self._progress - job.generated
            self.running[job] = None
            self._held += job.prompt_tokens - job.started
            self._expect(job)

    def _stop(self, job: Job) -> None:
        assert job.started is not None
        del self.running[job]
        self._held -= job.prompt_tokens - job.started
        job.started = None

    def _preempt(self) -> None:
        """The youngest gives its memory up and stands first in line, its tokens kept."""
        job = next(reversed(self.running))
        job.generated = self.generated(job)
        self._stop(job)
        self.waiting.appendleft(job)
        self.preemptions += 1
