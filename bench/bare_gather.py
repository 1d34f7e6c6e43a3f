"""The peer: what anybody would write, a plain aiohttp gather held by places, nothing else.

No journal, no retry, no grading, no stop: completions are kept in a list. Several endpoints share
one queue of places, so that the faster one takes more.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to ask for."""

    prompt: str
    seed: int | None


async def gather(
    requests: Sequence[Request],
    places: Sequence[tuple[str, int]],
    model: str = "sim",
    max_tokens: int = 32_768,
    stream_interval: int | None = None,
) -> list[str]:
    """All completions in order. `places` is (url, requests at once) of each endpoint; with a
    `stream_interval` they are streamed. Any fault raises."""
    free: asyncio.Queue[str] = asyncio.Queue()
    for url, count in places:
        for _ in range(count):
            free.put_nowait(url)

    async def one(request: Request) -> str:
        url = await free.get()
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "user", "content": request.prompt}],
            "max_tokens": max_tokens,
            "temperature": 0.6,
            "top_p": 0.95,
            "seed": request.seed,
        }
        try:
            if stream_interval:
                body |= {"stream": True, "stream_interval": stream_interval}
                return await _streamed(session, url, body)
            async with session.post(f"{url}/chat/completions", json=body) as response:
                answer = await response.json()
                text: str = answer["choices"][0]["message"]["content"]
                return text
        finally:
            free.put_nowait(url)

    timeout, connector = aiohttp.ClientTimeout(total=None), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        return await asyncio.gather(*(one(request) for request in requests))


async def _streamed(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> str:
    parts: list[str] = []
    async with session.post(f"{url}/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                event = json.loads(line[6:])
                parts.append(event["choices"][0]["delta"].get("content") or "")
    return "".join(parts)
