"""The counts of a sampling run while it goes on, and what they say of the rest."""

from collections import Counter
from collections.abc import Sequence

from teacher.ask import Ask
from teacher.pass_rate import PromptOutcome, pass_rate
from teacher.progress import Flow, Meter, SamplingProgress, SamplingSummary
from teacher.projection import Projector
from teacher.replicas import Pool, time_s
from teacher.sample import FAILED, Sample, was_refused
from teacher.schedule import PromptState, Schedule, Stop
from teacher.shards import Stored

# A prompt's outcomes, one byte an index; 0 is an index that has none.
_CODES: dict[bool | None, int] = {None: 1, False: 2, True: 3}
_OUTCOMES = {code: accepted for accepted, code in _CODES.items()}


class Tally:
    """Counts what comes back and what is graded; `summary` is up to date at any time."""

    def __init__(self, schedule: Schedule, faults: Counter[str]) -> None:
        self.summary = SamplingSummary(prompts=len(schedule.prompts), faults=faults)
        self._schedule = schedule
        self._projector = Projector()
        self._open_by_tried = Counter({0: len(schedule.prompts)})
        self._outcomes: dict[int, bytearray] = {}
        self._accepted_before = 0

    def start(self, now_s: float) -> None:
        """The clock runs from now."""
        self._started_s = now_s
        self._meter, self._flow = Meter(now_s), Flow(now_s)

    def silent_s(self) -> float:
        """How long no token has been heard though requests are in flight, as of the last look."""
        return self._flow.silent_s

    def restored(self) -> None:
        """What was stored with its grade is counted; tokens are those of this process."""
        self._accepted_before = self.summary.accepted

    def came(self, sample: Sample) -> None:
        """A completion, or the last failure of one, has come back in this process."""
        self.summary.prompt_tokens += sample.prompt_tokens
        self.summary.completion_tokens += sample.completion_tokens
        self.summary.wasted_tokens += sample.wasted_tokens

    def cancelled(self, tokens: int) -> None:
        """A request was given up after so many tokens."""
        self.summary.cancelled += 1
        self.summary.wasted_tokens += tokens

    def settled(self, order: int, sample: Sample | Stored, accepted: bool | None) -> None:
        """A sample was graded, or has failed for good."""
        self.summary.count(sample.finish_reason, accepted, was_refused(sample.error))
        if sample.finish_reason != FAILED:
            self._projector.length(sample.completion_tokens)
        self._note(order, sample.sample_index, accepted)

    def left_failed(self, order: int, index: int) -> None:
        """A sample that failed in an earlier run was not asked again: its prompt did not need it.

        It is no error of this run, but was tried: the prompt's row stays what it was.
        """
        self._note(order, index, None)

    def _note(self, order: int, index: int, accepted: bool | None) -> None:
        outcomes = self._outcomes.setdefault(order, bytearray())
        outcomes.extend(bytes(max(0, index + 1 - len(outcomes))))
        outcomes[index] = _CODES[accepted]

    def tried(self, count: int, decided: bool) -> None:
        """An open prompt has had so many samples, and is decided by them or not."""
        self._open_by_tried[count - 1] -= 1
        self._open_by_tried[count] += not decided
        self._projector.note(count, decided)

    def progress(
        self, pool: Pool, under_way: Sequence[int], ungraded: int, trouble: str
    ) -> SamplingProgress:
        """How the run stands; `under_way` are the tokens heard of each request in flight."""
        now_s, summary = time_s(), self.summary
        heard, in_flight = pool.tokens(), pool.in_flight()
        steady_per_s = self._flow.per_s(now_s, heard, in_flight)
        left = self._projector.project(
            self._open_by_tried, under_way, steady_per_s, self._schedule.widest
        )
        tokens = summary.completion_tokens + sum(under_way)
        new = summary.accepted - self._accepted_before
        return SamplingProgress(
            elapsed_s=now_s - self._started_s,
            prompts_done=self._schedule.decided,
            prompts_total=summary.prompts,
            samples=summary.samples,
            accepted=summary.accepted,
            rejected=summary.rejected,
            undecided=summary.undecided,
            errors=summary.errors,
            truncated=summary.truncated,
            in_flight=in_flight,
            ungraded=ungraded,
            completion_tokens=tokens,
            wasted_tokens=summary.wasted_tokens,
            tokens_per_s=self._meter.per_s(now_s, heard),
            tokens_per_accepted=(tokens + summary.wasted_tokens) / new if new else None,
            tokens_left=left.tokens,
            seconds_left=left.seconds,
            seconds_left_low=left.seconds_low,
            seconds_left_high=left.seconds_high,
            faults=dict(summary.faults),
            replicas=pool.progress(),
            trouble=trouble,
        )

    def finish(self, asks: Sequence[Ask], now_s: float) -> SamplingSummary:
        """The summary with its prompts counted by what stopped them, and a row for each."""
        summary = self.summary
        stops = Counter(prompt.stop for prompt in self._schedule.prompts)
        summary.prompts_kept = stops[Stop.KEPT]
        summary.prompts_exhausted = stops[Stop.EXHAUSTED]
        summary.prompts_given_up = stops[Stop.GIVEN_UP]
        summary.prompts_refused = stops[Stop.REFUSED]
        summary.prompts_over_budget = stops[Stop.BUDGET]
        summary.duration_s = now_s - self._started_s
        summary.outcomes = [
            self._outcome(ask.prompt.prompt_id, prompt)
            for ask, prompt in zip(asks, self._schedule.prompts, strict=True)
        ]
        return summary

    def _outcome(self, prompt_id: str, prompt: PromptState) -> PromptOutcome:
        """What became of a prompt; its pass rate is taken from the samples before any gap."""
        codes = self._outcomes.get(prompt.order, b"")
        whole = codes[: codes.index(0)] if 0 in codes else codes
        decided = [_OUTCOMES[code] for code in codes if code > 1]
        return PromptOutcome(
            prompt_id=prompt_id,
            tried=len(codes) - codes.count(0),
            decided=len(decided),
            accepted=sum(accepted is True for accepted in decided),
            pass_rate=pass_rate([_OUTCOMES[code] for code in whole], prompt.rule),
            stopped=str(prompt.stop),
            completion_tokens=prompt.tokens,
        )
