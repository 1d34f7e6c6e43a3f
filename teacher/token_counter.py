"""Texts counted and cut by the tokens of the model that answers, as its own server counts them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from prompts.errors import RunError
from teacher.canary import Replica
from teacher.client import Endpoint, Messages, detokenized, tokenized
from teacher.completion import Fault, FaultKind

T = TypeVar("T")

AT_ONCE = 16  # a server's tokenizer works beside its engine
# Waits between two attempts double: 13 s before the last one, 25 s in all.
ATTEMPTS, SHORTEST_WAIT_S = 8, 0.2
TIMEOUT_S = 60.0
# The end of a rendered prompt that is looked at: a tag and the blanks around it.
ENDING_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """How many tokens a text has, and its beginnings of so many tokens as were asked for."""

    tokens: int
    beginnings: tuple[str, ...] = ()


class TokenCounter:
    """Counts by vLLM's /tokenize and /detokenize, on whichever of the replicas answers.

    Raises Fault NOT_CONTINUED where a server has neither, RunError when no replica answers.
    """

    def __init__(self, session: aiohttp.ClientSession, replicas: Sequence[Replica]) -> None:
        self._session = session
        self._places = [replica.endpoint() for replica in replicas]
        self._room = asyncio.Semaphore(AT_ONCE)

    async def measure(self, text: str, cuts: Sequence[int] = ()) -> Measured:
        """The text's tokens, and for each cut what its first so many tokens spell.

        A cut in the middle of a character leaves that character out. Beginnings are the text's
        own, also of tokenizers that spell a first blank or ` ,` another way than it was written.
        """
        ids = await self._ids({"prompt": text, "add_special_tokens": False}) if text else []
        heads = [text if cut >= len(ids) else await self._spelt(ids[:cut]) for cut in cuts]
        own = (head if text.startswith(head) else text[: len(head)] for head in heads)
        return Measured(len(ids), tuple(own))

    async def prompt_ending(self, messages: Messages) -> str:
        """The last characters of the prompt as the chat template renders it: a model's turn may
        begin there already, with `<think>`."""
        ids = await self._ids({"messages": messages, "add_generation_prompt": True})
        return await self._spelt(ids[-ENDING_TOKENS:])

    async def _ids(self, what: dict[str, object]) -> list[int]:
        return await self._asked(lambda place: tokenized(self._session, place, what, TIMEOUT_S))

    async def _spelt(self, ids: Sequence[int]) -> str:
        if not ids:
            return ""
        text = await self._asked(lambda place: detokenized(self._session, place, ids, TIMEOUT_S))
        return text.rstrip("\ufffd")

    async def _asked(self, ask: Callable[[Endpoint], Awaitable[T]]) -> T:
        """The first answer of the replicas in turn, asked again with growing waits."""
        async with self._room:
            for attempt in range(max(ATTEMPTS, len(self._places))):
                if attempt:
                    await asyncio.sleep(SHORTEST_WAIT_S * 2 ** (attempt - 1))
                try:
                    return await ask(self._places[attempt % len(self._places)])
                except (Fault, aiohttp.ClientError, OSError, ValueError) as error:
                    if isinstance(error, Fault) and error.kind is FaultKind.NOT_CONTINUED:
                        raise
        urls = ", ".join(place.url for place in self._places)
        raise RunError(f"no server counts tokens for us: {urls}")
