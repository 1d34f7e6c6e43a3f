"""What a simulated teacher has done: the ground truth that clients are held to."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MOST_SAMPLES = 1_000_000
MOST_READINGS = 1_024


@dataclass(slots=True)
class SampleLog:
    """One (prompt, seed): requests, tokens generated in all of them, and how many went out whole.

    A continuation that ends the completion counts as whole.
    """

    attempts: int = 0
    tokens: int = 0
    whole: int = 0


@dataclass(slots=True)
class ServerLog:
    """Counts since the start. Memory is bounded: samples beyond MOST_SAMPLES are only totalled."""

    requests: int = 0
    canaries: int = 0  # requests without a seed
    continuations: int = 0
    strange_continuations: int = 0  # of a text this teacher never said
    whole: int = 0
    tokens: int = 0  # of all requests that are over, aborted or whole
    aborted: int = 0
    aborted_tokens: int = 0
    first_request_s: float | None = None
    last_whole_s: float | None = None
    faults: Counter[str] = field(default_factory=Counter)
    samples: dict[str, SampleLog] = field(default_factory=dict)
    readings: list[tuple[float, int]] = field(default_factory=list)
    reading_every_s: float = 1.0

    def request(self, key: str, now_s: float | None) -> SampleLog:
        """A sample is asked for; returns its entry. Canaries have no time."""
        self.requests += 1
        if self.first_request_s is None:
            self.first_request_s = now_s
        entry = self.samples.get(key)
        if entry is None:
            entry = SampleLog()
            if len(self.samples) < MOST_SAMPLES:
                self.samples[key] = entry
        entry.attempts += 1
        return entry

    def ended(self, entry: SampleLog, tokens: int, whole: bool, now_s: float) -> None:
        """A request is over: its tokens are paid, its completion went out whole or not."""
        entry.tokens += tokens
        self.tokens += tokens
        if whole:
            entry.whole += 1
            self.whole += 1
            self.last_whole_s = now_s
        else:
            self.aborted += 1
            self.aborted_tokens += tokens

    def read(self, now_s: float, tokens: int) -> None:
        """Note the sum of tokens; readings thin out as they become many."""
        if self.readings and now_s < self.readings[-1][0] + self.reading_every_s:
            return
        self.readings.append((round(now_s, 3), tokens))
        if len(self.readings) > MOST_READINGS:
            self.readings = self.readings[::2]
            self.reading_every_s *= 2

    def as_json(self) -> dict[str, Any]:
        """All counts but those by sample."""
        return {
            "requests": self.requests,
            "canaries": self.canaries,
            "continuations": self.continuations,
            "strange_continuations": self.strange_continuations,
            "whole": self.whole,
            "aborted": self.aborted,
            "aborted_tokens": self.aborted_tokens,
            "first_request_s": self.first_request_s,
            "last_whole_s": self.last_whole_s,
            "faults": dict(self.faults),
            "tokens_over_time": self.readings,
        }
