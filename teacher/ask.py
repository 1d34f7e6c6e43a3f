"""One sample, from its first request to a completion or to the last fault."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prompts.errors import RunError
from prompts.record import Prompt
from teacher.client import Call, Messages
from teacher.completion import NOTHING, Completion, Fault, FaultKind, Partial
from teacher.open_shard import storable
from teacher.parse import OPEN, Parts, split_completion
from teacher.replicas import Pool
from teacher.sample import FAILED, Sample, sample_id
from teacher.settings import SamplingRecipe
from teacher.slot import Flight, Slot

# "Come later" and "nobody there" use no attempt up, but a sample is not sent round for ever.
UNPAID_PER_ATTEMPT = 20
LONGEST_RETRY_WAIT_S = 30.0
_UNPAID = (
    FaultKind.RATE_LIMITED,
    FaultKind.UNREACHABLE,
    FaultKind.DRAINED,
    FaultKind.NOT_CONTINUED,
)
# A rest that starts with a whole beginning of so many characters is no rest.
REPEATED = 32
# Before a domain's first completion has come back, this share of max_tokens is expected of one.
EXPECTED_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt as it is put to the teacher: rendered messages and the template's name.

    `lead` is text its completion begins with that is not to be generated; its tokens count against
    max_tokens. The Sample holds only what follows. vLLM can be led so, others refuse.
    """

    prompt: Prompt
    messages: Messages
    template: str = ""
    lead: Partial = NOTHING


def sample_seed(seed: int, prompt_id: str, sample_index: int) -> int:
    """A sample's own seed, 31 bits of blake2b: the same in every run and on every machine."""
    text = f"{seed}\n{prompt_id}\n{sample_index}"
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(slots=True, eq=False)
class Asking:
    """A sample that is being asked for: what its requests have brought and cost so far.

    `begun` is the text to go on with, written by the replicas in `earlier`; `wasted` tokens were
    paid for and are lost. `flight` is the request on its way. `lose` books lost tokens and answers
    whether the budgets cover asking again; `affordable` is its last answer.
    """

    lose: Callable[[int], bool] = lambda tokens: True
    affordable: bool = True

    attempts: int = 0
    unpaid: int = 0
    begun: Partial = NOTHING
    wasted: int = 0
    earlier: list[str] = field(default_factory=list)
    avoid: set[Slot] = field(default_factory=set)
    refused: set[Slot] = field(default_factory=set)
    flight: Flight | None = None

    def tokens(self) -> int:
        """All completion tokens it has cost so far, as far as heard."""
        return self.begun.tokens + self.wasted + (self.flight.heard.tokens if self.flight else 0)

    def met(self, slot: Slot, fault: Fault, can_go_on: bool) -> None:
        """Note a request that broke: its text is gone on with where that can be, else lost."""
        is_unpaid = fault.kind in _UNPAID
        if fault.kind is FaultKind.NOT_CONTINUED and not self.begun.text:
            is_unpaid = False  # it is the lead that is not taken: it would be the same again
        self.attempts, self.unpaid = self.attempts + (not is_unpaid), self.unpaid + is_unpaid
        self.avoid.add(slot)
        if fault.kind is FaultKind.REFUSED_REQUEST:
            self.refused.add(slot)
        wasted_before = self.wasted
        if fault.kind is FaultKind.NOT_CONTINUED:
            self.wasted += self.begun.tokens + fault.partial.tokens
            self.begun, self.earlier = NOTHING, []
        elif can_go_on and fault.partial.text and fault.partial.tokens:
            text = storable(self.begun.text + fault.partial.text)
            self.begun = Partial(text, self.begun.tokens + fault.partial.tokens)
            self.earlier.append(slot.replica.url)
        else:
            self.wasted += fault.partial.tokens
        if lost := self.wasted - wasted_before:
            self.affordable = self.lose(lost)


class Asker:
    """Asks for samples. `resting` tells how many wait between two attempts, `faults` what came."""

    def __init__(self, pool: Pool, recipe: SamplingRecipe) -> None:
        self._pool, self._recipe = pool, recipe
        self.resting = 0
        self.faults: Counter[str] = Counter()
        self.continued = 0
        self._lengths: dict[str, tuple[int, int]] = {}  # by domain: completions, their tokens

    async def sample(self, ask: Ask, index: int, asking: Asking) -> Sample:
        """Ask until a completion comes or the attempts are used up; never raises a Fault.

        A completion that broke off is gone on with by a vLLM replica, for the price of reading it.
        """
        started_at = datetime.now(UTC)
        while True:
            left = self._expected(ask) - asking.begun.tokens
            asking.flight = flight = await self._pool.acquire(asking.avoid, left)
            came = await self._once(flight, self._call(ask, index, flight.slot, asking.begun))
            asking.flight = None
            if isinstance(came, Fault):
                asking.met(flight.slot, came, self._recipe.stream and flight.slot.is_vllm)
            if (end := self._end(ask, came, asking)) is not None:
                return self._made(ask, index, flight.slot, started_at, asking, end)
            await self._rest(asking.attempts + asking.unpaid)

    async def _once(self, flight: Flight, call: Call) -> Completion | Fault:
        """One request; the place on the replica is given back however it ends."""
        slot = flight.slot
        try:
            completion = await self._pool.wire.complete(
                self._pool.session, slot.endpoint, call, flight.heard
            )
        except Fault as fault:
            return self._broke(flight, fault)
        except RunError as error:  # a key or a model that this replica no longer takes
            return self._broke(flight, Fault(FaultKind.BARRED, str(error)))
        except asyncio.CancelledError:
            self._pool.give_up(flight)
            if not _was_drained(flight):
                raise
            return self._drained(flight)
        except BaseException:
            self._pool.give_up(flight)
            raise
        self._pool.release(flight)
        if len(call.begun.text) >= REPEATED and completion.text.startswith(call.begun.text):
            return self._repeated(slot, completion)
        return completion

    def _broke(self, flight: Flight, fault: Fault) -> Fault:
        self._pool.release(flight, fault)
        self.faults[fault.kind.value] += 1
        return fault

    def _repeated(self, slot: Slot, completion: Completion) -> Fault:
        """The fault of a server that began anew where it was to go on."""
        fault = Fault(FaultKind.NOT_CONTINUED, f"{slot.replica.url} repeated what was begun")
        fault.partial = Partial("", completion.completion_tokens)
        self.faults[fault.kind.value] += 1
        return fault

    def _drained(self, flight: Flight) -> Completion | Fault:
        """What had come of a request when its replica left: all of it, or a part to go on with."""
        try:
            return flight.heard.completion(whole=False)
        except Fault:
            self.faults[FaultKind.DRAINED.value] += 1
            fault = Fault(FaultKind.DRAINED, f"{flight.slot.replica.url} is leaving")
            fault.partial = flight.heard.partial()
            return fault

    def _end(self, ask: Ask, came: Completion | Fault, asking: Asking) -> Completion | str | None:
        """What ends the sample: its completion, or the error after which it is no use, or no
        longer allowed, to ask again. None if neither."""
        if isinstance(came, Completion):
            return came
        most = self._recipe.request_attempts
        if ask.lead.tokens + asking.begun.tokens >= self._recipe.max_tokens:
            return Completion("", "length", 0, 0, None)  # only its end mark was lost
        if (
            self._refused_by_all(came, asking)
            or asking.attempts >= most
            or asking.unpaid >= UNPAID_PER_ATTEMPT * most
        ):
            return str(came)
        if not asking.affordable:
            return f"{came}; with what that has cost, the token budget does not cover a new attempt"
        return None

    def _refused_by_all(self, came: Fault, asking: Asking) -> bool:
        """Whether two replicas, or all there are, have refused this request as such."""
        if came.kind is not FaultKind.REFUSED_REQUEST:
            return False
        others = [slot for slot in self._pool.slots if slot.usable and slot not in asking.refused]
        return len(asking.refused) > 1 or not others

    async def _rest(self, attempts: int) -> None:
        """Wait before the next attempt, twice as long each time, never all at the same moment."""
        self.resting += 1
        self._pool.on_free()
        try:
            wait_s = self._recipe.retry_wait_s * 2 ** min(attempts - 1, 10)
            await asyncio.sleep(min(wait_s, LONGEST_RETRY_WAIT_S) * random.uniform(0.5, 1.0))
        finally:
            self.resting -= 1

    def _expected(self, ask: Ask) -> float:
        """Completion tokens to expect: the mean of the domain's so far."""
        count, tokens = self._lengths.get(ask.prompt.domain, (0, 0))
        return tokens / count if count else EXPECTED_SHARE * self._recipe.max_tokens

    def _seed(self, ask: Ask, index: int) -> int | None:
        """The seed that is sent, None where the recipe sends none."""
        if not self._recipe.send_seed:
            return None
        return sample_seed(self._recipe.seed, ask.prompt.prompt_id, index)

    def _call(self, ask: Ask, index: int, slot: Slot, begun: Partial) -> Call:
        recipe = self._recipe
        # The template has opened the block already: a parser's tag must not open it again.
        opening = f"{OPEN}\n" if recipe.think_prefilled else ""
        text = ask.lead.text + begun.text
        return Call(
            messages=ask.messages,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            max_tokens=recipe.max_tokens,
            seed=self._seed(ask, index),
            stream=recipe.stream,
            stream_interval=recipe.stream_interval if slot.is_vllm else None,
            stall_timeout_s=recipe.stall_timeout_s,
            begun=Partial(text.removeprefix(opening), ask.lead.tokens + begun.tokens),
        )

    def _made(
        self,
        ask: Ask,
        index: int,
        slot: Slot,
        started_at: datetime,
        asking: Asking,
        came: Completion | str,
    ) -> Sample:
        """The Sample of what came, a completion or an error; its tokens are then lost."""
        recipe, error, begun, wasted = self._recipe, None, asking.begun, asking.wasted
        if isinstance(came, str):
            error, came = storable(came), Completion("", FAILED, 0, 0, None)
            begun, wasted = NOTHING, asking.wasted + begun.tokens
        text = storable(begun.text + came.text)
        tokens = begun.tokens + came.completion_tokens
        parts = split_completion(text, recipe.think_prefilled)
        known = None if begun.tokens else came.reasoning_tokens
        reasoning_tokens = _reasoning_tokens(tokens, known, parts)
        if error is None:
            count, total = self._lengths.get(ask.prompt.domain, (0, 0))
            self._lengths[ask.prompt.domain] = (count + 1, total + tokens)
            self.continued += bool(begun.tokens)
        return Sample(
            sample_id=sample_id(ask.prompt.prompt_id, index),
            prompt_id=ask.prompt.prompt_id,
            sample_index=index,
            teacher=slot.replica.model,
            teacher_revision=slot.replica.revision,
            template=ask.template,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            max_tokens=recipe.max_tokens,
            seed=self._seed(ask, index),
            completion=text,
            reasoning=parts.reasoning,
            answer=parts.answer,
            finish_reason=came.finish_reason,
            prompt_tokens=max(0, came.prompt_tokens - begun.tokens),
            completion_tokens=tokens,
            reasoning_tokens=reasoning_tokens,
            answer_tokens=tokens - reasoning_tokens,
            replica=slot.replica.url,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            attempts=asking.attempts + asking.unpaid + (error is None),
            earlier_replicas=" ".join(asking.earlier) if begun.tokens else "",
            wasted_tokens=wasted,
            error=error,
        )


def _was_drained(flight: Flight) -> bool:
    """Whether the cancellation just met was the drain's alone: then the task goes on."""
    task = asyncio.current_task()
    return flight.draining and task is not None and task.uncancel() == 0


def _reasoning_tokens(tokens: int, known: int | None, parts: Parts) -> int:
    """The server's count of reasoning tokens, or a share of all in proportion to characters."""
    if known is not None:
        return min(known, tokens)
    characters = len(parts.reasoning) + len(parts.answer)
    return round(tokens * len(parts.reasoning) / characters) if characters else 0
