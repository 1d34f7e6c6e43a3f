"""Which sample is asked for next: the adaptive part of rejection sampling, free of any I/O."""

import heapq
from collections.abc import Iterator


class PromptState:
    """How one prompt stands. `tried` and `flying` hold sample indices."""

    __slots__ = ("accepted", "decided", "flying", "order", "queued", "tried")

    def __init__(self, order: int) -> None:
        self.order = order
        self.tried: set[int] = set()  # came back and graded, or failed for good
        self.flying: set[int] = set()  # asked for, or being graded
        self.accepted = 0
        self.queued = 0  # entries in the schedule's heap
        self.decided = False


class Schedule:
    """The next sample to ask for, for prompts 0 … count-1.

    A prompt is decided once it has `keep` accepted samples out of at least `n_min`, or `n_max`
    tried. Until then it is asked for as many samples at once as it needs in any case: to reach
    `n_min`, or `keep` if all were accepted. First samples of all prompts go before second ones,
    and so on. At the tail, when fewer prompts are open than there are places for requests and
    nothing else is left to ask, a prompt that has had a sample without being decided may have up
    to `tail_parallel` in flight, fewest first: idle replicas then trade tokens for time. 1
    switches that off.
    """

    def __init__(
        self, count: int, keep: int, n_min: int, n_max: int, tail_parallel: int = 1
    ) -> None:
        self._keep, self._n_min, self._n_max = keep, n_min, n_max
        self._tail_parallel = tail_parallel
        self._heap: list[tuple[int, int]] = []
        self.prompts = [PromptState(order) for order in range(count)]
        self._open = dict.fromkeys(range(count))
        for prompt in self.prompts:
            self._enqueue(prompt)

    @property
    def decided(self) -> int:
        """How many prompts are decided."""
        return len(self.prompts) - len(self._open)

    def restore(self, order: int, index: int) -> None:
        """A sample that came back in an earlier run: in flight until `came_back` grades it."""
        self.prompts[order].flying.add(index)

    def next(self, places: int) -> tuple[int, int] | None:
        """Take the next (prompt, sample index) to ask for; None if there is none for now.

        `places` is how many requests the teacher takes at once in all.
        """
        while self._heap:
            _, order = heapq.heappop(self._heap)
            prompt = self.prompts[order]
            prompt.queued -= 1
            if not prompt.decided and self._certain(prompt) > prompt.queued:
                return order, self._take(prompt)
        if len(self._open) >= places:
            return None
        speculative = min(self._speculative(), key=lambda p: (len(p.flying), p.order), default=None)
        return (speculative.order, self._take(speculative)) if speculative else None

    def came_back(self, order: int, index: int, accepted: bool) -> bool:
        """Note a graded (or finally failed) sample; returns whether this decided the prompt."""
        prompt = self.prompts[order]
        prompt.flying.discard(index)
        prompt.tried.add(index)
        prompt.accepted += accepted
        return self._settle(prompt)

    def cancelled(self, order: int, index: int) -> None:
        """Note that a sample in flight was given up; its index is free again."""
        self.prompts[order].flying.discard(index)

    def _settle(self, prompt: PromptState) -> bool:
        was_open = not prompt.decided
        enough = prompt.accepted >= self._keep and len(prompt.tried) >= self._n_min
        prompt.decided = prompt.decided or enough or len(prompt.tried) >= self._n_max
        if prompt.decided:
            self._open.pop(prompt.order, None)
        else:
            self._enqueue(prompt)
        return was_open and prompt.decided

    def _room(self, prompt: PromptState) -> int:
        return self._n_max - len(prompt.tried) - len(prompt.flying)

    def _certain(self, prompt: PromptState) -> int:
        """Samples it needs whatever those in flight bring."""
        missing = max(self._keep - prompt.accepted, self._n_min - len(prompt.tried))
        return min(missing - len(prompt.flying), self._room(prompt))

    def _enqueue(self, prompt: PromptState) -> None:
        sent = len(prompt.tried) + len(prompt.flying)
        while prompt.queued < self._certain(prompt):
            heapq.heappush(self._heap, (sent + prompt.queued, prompt.order))
            prompt.queued += 1

    def _speculative(self) -> Iterator[PromptState]:
        """Open prompts that could use another sample; at the tail they are few."""
        for order in self._open:
            prompt = self.prompts[order]
            if prompt.tried and self._room(prompt) > 0 and len(prompt.flying) < self._tail_parallel:
                yield prompt

    def _take(self, prompt: PromptState) -> int:
        used = prompt.tried | prompt.flying
        index = next(i for i in range(self._n_max) if i not in used)
        prompt.flying.add(index)
        return index
