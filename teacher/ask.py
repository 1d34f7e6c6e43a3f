"""One sample, from its first request to a completion or to the last fault."""

import asyncio
import hashlib
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from prompts.record import Prompt
from teacher.client import Call, Completion, Fault, FaultKind, Messages
from teacher.journal import storable
from teacher.parse import Parts, split_completion
from teacher.replicas import Pool, Slot
from teacher.sample import Sample, sample_id
from teacher.settings import SamplingRecipe

# "Come later" and "nobody there" use no attempt up, but a sample is not sent round for ever.
UNPAID_PER_ATTEMPT = 20
LONGEST_RETRY_WAIT_S = 30.0
_UNPAID = (FaultKind.RATE_LIMITED, FaultKind.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt as it is put to the teacher: rendered messages and the template's name."""

    prompt: Prompt
    messages: Messages
    template: str = ""


def sample_seed(seed: int, prompt_id: str, sample_index: int) -> int:
    """A sample's own seed, 31 bits of blake2b: the same in every run and on every machine."""
    text = f"{seed}\n{prompt_id}\n{sample_index}"
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


class Asker:
    """Asks for samples. `resting` tells how many wait between two attempts, `faults` what came."""

    def __init__(self, pool: Pool, recipe: SamplingRecipe) -> None:
        self._pool, self._recipe = pool, recipe
        self.resting = 0
        self.faults: Counter[str] = Counter()

    async def sample(self, ask: Ask, index: int) -> Sample:
        """Ask until a completion comes or the attempts are used up; never raises a Fault."""
        attempts = unpaid = 0
        avoid: set[Slot] = set()
        while True:
            slot = await self._pool.acquire(avoid)
            started_at = datetime.now(UTC)
            came = await self._once(slot, self._call(ask, index, slot))
            is_unpaid = isinstance(came, Fault) and came.kind in _UNPAID
            attempts, unpaid = attempts + (not is_unpaid), unpaid + is_unpaid
            if isinstance(came, Completion) or self._is_final(came, attempts, unpaid):
                return self._made(ask, index, slot, started_at, attempts + unpaid, came)
            avoid.add(slot)
            await self._rest(attempts + unpaid)

    async def _once(self, slot: Slot, call: Call) -> Completion | Fault:
        """One request; the place on the replica is given back however it ends."""
        try:
            completion = await self._pool.complete(self._pool.session, slot.endpoint, call)
        except Fault as fault:
            self._pool.release(slot, fault)
            self.faults[fault.kind.value] += 1
            return fault
        except BaseException:
            self._pool.give_up(slot)
            raise
        self._pool.release(slot)
        return completion

    def _is_final(self, fault: Fault, attempts: int, unpaid: int) -> bool:
        """Whether it is no use, or no longer allowed, to ask again."""
        most = self._recipe.request_attempts
        refused = fault.kind is FaultKind.REFUSED_REQUEST
        return refused or attempts >= most or unpaid >= UNPAID_PER_ATTEMPT * most

    async def _rest(self, attempts: int) -> None:
        """Wait before the next attempt, twice as long each time, never all at the same moment."""
        self.resting += 1
        self._pool.on_free()
        try:
            wait_s = self._recipe.retry_wait_s * 2 ** min(attempts - 1, 10)
            await asyncio.sleep(min(wait_s, LONGEST_RETRY_WAIT_S) * random.uniform(0.5, 1.0))
        finally:
            self.resting -= 1

    def _seed(self, ask: Ask, index: int) -> int | None:
        """The seed that is sent, None where the recipe sends none."""
        if not self._recipe.send_seed:
            return None
        return sample_seed(self._recipe.seed, ask.prompt.prompt_id, index)

    def _call(self, ask: Ask, index: int, slot: Slot) -> Call:
        recipe = self._recipe
        return Call(
            messages=ask.messages,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            max_tokens=recipe.max_tokens,
            seed=self._seed(ask, index),
            stream=recipe.stream,
            stream_interval=recipe.stream_interval if slot.is_vllm else None,
            stall_timeout_s=recipe.stall_timeout_s,
        )

    def _made(
        self,
        ask: Ask,
        index: int,
        slot: Slot,
        started_at: datetime,
        attempts: int,
        came: Completion | Fault,
    ) -> Sample:
        """The Sample of what came, a completion or the last fault."""
        recipe, error = self._recipe, None
        if isinstance(came, Fault):
            error, came = storable(str(came)), Completion("", "error", 0, 0, None)
        text = storable(came.text)
        parts = split_completion(text, recipe.think_prefilled)
        reasoning_tokens = _reasoning_tokens(came, parts)
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
            prompt_tokens=came.prompt_tokens,
            completion_tokens=came.completion_tokens,
            reasoning_tokens=reasoning_tokens,
            answer_tokens=came.completion_tokens - reasoning_tokens,
            replica=slot.replica.url,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            attempts=attempts,
            error=error,
        )


def _reasoning_tokens(completion: Completion, parts: Parts) -> int:
    """The server's count of reasoning tokens, or a share of all in proportion to characters."""
    if completion.reasoning_tokens is not None:
        return min(completion.reasoning_tokens, completion.completion_tokens)
    characters = len(parts.reasoning) + len(parts.answer)
    if not characters:
        return 0
    return round(completion.completion_tokens * len(parts.reasoning) / characters)
