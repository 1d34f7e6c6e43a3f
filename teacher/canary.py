"""Whether a replica generates: a real completion that comes back, never /health."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from teacher.client import (
    Call,
    Endpoint,
    complete,
    endpoint,
    metrics_page,
    served_models,
    wrong_model,
)
from teacher.completion import Completion, Fault, FaultKind, Heard
from teacher.window import Gauges, parse_gauges

CANARY = "Count from one to five."
CANARY_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Replica:
    """One served copy of the teacher.

    `url` may leave `/v1` out. `key_env` names the environment variable with its API key.
    """

    url: str
    model: str
    revision: str = ""
    key_env: str | None = None

    def endpoint(self) -> Endpoint:
        """Its endpoint; raises PrerequisiteError for a bad URL or an unset key variable."""
        return endpoint(self.url, self.model, self.key_env)


async def read_gauges(session: aiohttp.ClientSession, where: Endpoint) -> Gauges | None:
    """What the server says of itself now; None if it has no vLLM /metrics or does not answer."""
    page = await metrics_page(session, where)
    return parse_gauges(page) if page else None


@dataclass(frozen=True, slots=True)
class Wire:
    """All that goes over the network; property tests put a simulation in its place."""

    complete: Callable[[aiohttp.ClientSession, Endpoint, Call, Heard], Awaitable[Completion]] = (
        complete
    )
    served_models: Callable[[aiohttp.ClientSession, Endpoint], Awaitable[dict[str, str]]] = (
        served_models
    )
    gauges: Callable[[aiohttp.ClientSession, Endpoint], Awaitable[Gauges | None]] = read_gauges


WIRE = Wire()


async def generates(
    session: aiohttp.ClientSession,
    where: Endpoint,
    timeout_s: float,
    wire: Wire = WIRE,
    stream: bool = True,
) -> bool:
    """Send a short real request, streamed as all are; returns whether the server is vLLM.

    `/health` is not enough: an engine may pass it and die on its first request. Raises Fault, or
    RunError for a refused key or another model.
    """
    served = await wire.served_models(session, where)
    if served and where.model not in served:
        raise wrong_model(where, served)
    is_vllm = served.get(where.model) == "vllm"
    call = Call(
        messages=[{"role": "user", "content": CANARY}],
        temperature=0.0,
        top_p=1.0,
        max_tokens=CANARY_TOKENS,
        stream=stream,
        stream_interval=CANARY_TOKENS if is_vllm else None,
        stall_timeout_s=timeout_s,
    )
    completion = await wire.complete(session, where, call, Heard())
    if not completion.text.strip():
        raise Fault(FaultKind.EMPTY_CHOICES, f"{where.url}: its canary came back without text")
    return is_vllm


def open_session() -> aiohttp.ClientSession:
    """A session without limits of its own: windows are the pool's business."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
