"""One request to an OpenAI-compatible server: a completion, or a fault with its kind.

A request may go on with a completion that another replica began: see `Partial`.
"""

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
import orjson

from prompts.errors import PrerequisiteError, RunError
from teacher.completion import (
    NOTHING,
    Completion,
    Fault,
    FaultKind,
    Heard,
    Partial,
    cut,
    json_array,
    json_object,
    json_string,
    json_value,
    without,
)

Messages = list[dict[str, str]]

_BROKEN_OFF = (FaultKind.RESET, FaultKind.TRUNCATED_BODY, FaultKind.STALLED)
_PORTS = {"http": 80, "https": 443}
# A server, or what stands before it, must not put a run to sleep for a day.
LONGEST_RETRY_AFTER_S = 60.0
# A page that takes longer tells the past.
METRICS_TIMEOUT_S = 5.0
# No event is longer; a line without end must not fill the memory.
MOST_LINE_BYTES = 16 << 20
MOST_BODY_BYTES = 64 << 20
MOST_ERROR_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served. `url` ends in `/v1`; the key never appears in repr or errors."""

    url: str
    model: str
    key: str = field(default="", repr=False)

    def root(self) -> str:
        """Where `/metrics` and `/tokenize` are: the URL without `/v1`."""
        return self.url.removesuffix("/v1")

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        headers = {"Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self.key}"} if self.key else {})


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: messages and sampling parameters.

    `max_tokens` is of the whole completion. `stream_interval` is a vLLM parameter (tokens between
    two events); None for other servers. Without `stream` no tokens are seen, so `stall_timeout_s`
    then limits the whole answer. `begun` is gone on with; vLLM can do that, others refuse.
    """

    messages: Messages
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None = None
    stream: bool = True
    stream_interval: int | None = None
    stall_timeout_s: float = 300.0
    begun: Partial = NOTHING

    def body(self, model: str, prompt_ids: Sequence[int] = ()) -> bytes:
        """The request body as UTF-8 JSON: a chat, or `prompt_ids` to go on from."""
        left = max(1, self.max_tokens - self.begun.tokens)
        body: dict[str, Any] = {
            "model": model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": left if prompt_ids else self.max_tokens,
        }
        body |= {"prompt": list(prompt_ids)} if prompt_ids else {"messages": self.messages}
        if self.seed is not None:
            body["seed"] = self.seed
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            if self.stream_interval:
                body["stream_interval"] = self.stream_interval
                body["stream_options"]["continuous_usage_stats"] = True
        return orjson.dumps(body)


def endpoint(url: str, model: str, key_env: str | None = None) -> Endpoint:
    """An endpoint from what a user types: `http://host:8000` gains `/v1`, the key is read from
    the environment variable `key_env`. Raises PrerequisiteError for no URL or an unset variable.
    """
    try:
        parts = urlsplit(url.strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket without its pair, a port that is no number
        is_url = False
    if not is_url:
        raise PrerequisiteError(f"{url!r} is no teacher URL; one looks like http://host:8000/v1")
    if "@" in parts.netloc or parts.query:
        raise PrerequisiteError(
            f"the teacher URL of host {parts.hostname} holds a login or a query, which would be "
            "written into every sample; put the key into an environment variable and name that"
        )
    if key_env and not os.environ.get(key_env):
        raise PrerequisiteError(f"the environment variable {key_env} is not set; {url} needs a key")
    path = parts.path.rstrip("/") or "/v1"
    key = os.environ[key_env].strip() if key_env else ""
    if not (key.isascii() and key.isprintable()):
        raise PrerequisiteError(
            f"the key in {key_env} holds a line break or another character that no header can: "
            "set it again"
        )
    return Endpoint(f"{parts.scheme}://{_host(parts)}{path}", model, key)


def each_once(urls: Iterable[str]) -> tuple[str, ...]:
    """The URLs, one of each endpoint: `http://host:80/v1/` is another way to write `http://host`.

    Raises PrerequisiteError as `endpoint` does.
    """
    first: dict[str, str] = {}
    for url in urls:
        first.setdefault(endpoint(url, "").url, url)
    return tuple(first.values())


def _host(parts: SplitResult) -> str:
    """Host and port in their normal form: lower case, no port where it is the usual one."""
    host = parts.netloc.lower()
    return host.removesuffix(f":{_PORTS[parts.scheme]}")


async def complete(
    session: aiohttp.ClientSession, where: Endpoint, call: Call, heard: Heard | None = None
) -> Completion:
    """Ask once. Raises Fault when no completion came, RunError when no request ever will do
    (unknown model, refused key). `finish_reason` `length` is a completion like any other.

    Of a call that goes on with a partial text, the completion is the rest alone. `heard` shows
    meanwhile what has come so far.
    """
    heard = heard or Heard()
    heard.most_tokens = call.max_tokens
    try:
        return await _answered(session, where, call, heard)
    except Fault as fault:
        fault.redact(where.key)
        if heard.has_ended() and fault.kind in _BROKEN_OFF:  # only its end mark is missing
            return heard.completion(whole=False)
        fault.partial = heard.partial()
        raise


async def _answered(
    session: aiohttp.ClientSession, where: Endpoint, call: Call, heard: Heard
) -> Completion:
    """The same, with every way in which the network can fail turned into its Fault."""
    whole_s = None if call.stream else call.stall_timeout_s
    timeout = aiohttp.ClientTimeout(total=whole_s, sock_connect=30, sock_read=call.stall_timeout_s)
    goes_on = bool(call.begun.text)
    try:
        ids = await _begun_ids(session, where, call) if goes_on else []
        url = f"{where.url}/completions" if goes_on else f"{where.url}/chat/completions"
        async with session.post(
            url, data=call.body(where.model, ids), headers=where.headers(), timeout=timeout
        ) as response:
            if goes_on and 400 <= response.status < 500 and response.status != 429:
                raise Fault(FaultKind.NOT_CONTINUED, f"{url} answered {response.status}")
            if response.status != 200:
                await _raise_for_status(session, where, response)
            return await _read(response, call, heard)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Fault(FaultKind.UNREACHABLE, _say(where, error)) from error
    except TimeoutError as error:
        what = f"{where.url}: no token for {call.stall_timeout_s:g} s"
        queues = "" if heard.choices else " (if it queues requests so long, lower in_flight)"
        raise Fault(FaultKind.STALLED, what + queues) from error
    except aiohttp.ClientPayloadError as error:
        raise Fault(FaultKind.TRUNCATED_BODY, _say(where, error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Fault(FaultKind.RESET, _say(where, error)) from error
    except (ValueError, RecursionError) as error:  # no JSON, not ours, or nested without end
        raise Fault(FaultKind.INVALID_JSON, _say(where, error)) from error


async def _begun_ids(session: aiohttp.ClientSession, where: Endpoint, call: Call) -> list[int]:
    """Token ids of the rendered prompt and of the text begun, to go on from exactly.

    A chat request could not: templates such as R1's cut the thinking out of earlier turns. Raises
    Fault NOT_CONTINUED where the server has no /tokenize.
    """
    rest: dict[str, Any] = {"prompt": call.begun.text, "add_special_tokens": False}
    ids: list[int] = []
    for part in ({"messages": call.messages, "add_generation_prompt": True}, rest):
        ids += await tokenized(session, where, part, call.stall_timeout_s)
    return ids


async def tokenized(
    session: aiohttp.ClientSession, where: Endpoint, what: dict[str, Any], timeout_s: float
) -> list[int]:
    """The server's token ids of a text or of messages, as its /tokenize takes them.

    Raises Fault, NOT_CONTINUED where the server has no /tokenize, and what aiohttp raises.
    """
    return _token_ids(await _told(session, where, "tokenize", what, timeout_s))


async def detokenized(
    session: aiohttp.ClientSession, where: Endpoint, ids: Sequence[int], timeout_s: float
) -> str:
    """The text that token ids spell; raises as `tokenized` does."""
    answer = await _told(session, where, "detokenize", {"tokens": list(ids)}, timeout_s)
    return json_string(answer.get("prompt"))


async def _told(
    session: aiohttp.ClientSession,
    where: Endpoint,
    route: str,
    what: dict[str, Any],
    timeout_s: float,
) -> dict[str, Any]:
    """What vLLM's /tokenize or /detokenize answers."""
    async with session.post(
        f"{where.root()}/{route}",
        data=orjson.dumps(what | {"model": where.model}),
        headers=where.headers(),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
    ) as response:
        if 400 <= response.status < 500 and response.status != 429:
            raise Fault(FaultKind.NOT_CONTINUED, f"{where.url} has no /{route} for us")
        if response.status != 200:
            await _raise_for_status(session, where, response)
        return json_object(json_value(await _body(response)))


def _token_ids(answer: dict[str, Any]) -> list[int]:
    ids = answer.get("tokens")
    if not ids or not all(type(token) is int and 0 <= token < 2**31 for token in json_array(ids)):
        raise Fault(FaultKind.NOT_CONTINUED, "/tokenize answered something else than token ids")
    return json_array(ids)


async def served_models(session: aiohttp.ClientSession, where: Endpoint) -> dict[str, str]:
    """Names of the models the server offers, each with its owner (vLLM says `vllm`).

    Empty when the server has no such list. Raises Fault when it cannot be reached.
    """
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with session.get(
            f"{where.url}/models", headers=where.headers(), timeout=timeout
        ) as response:
            if response.status >= 500:
                raise Fault(FaultKind.SERVER_ERROR, f"{where.url}/models answers {response.status}")
            rows = json_value(await _body(response))["data"]
            return {str(row["id"]): str(row.get("owned_by", "")) for row in rows}
    except (aiohttp.ClientError, OSError) as error:
        raise Fault(FaultKind.UNREACHABLE, _say(where, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


async def metrics_page(session: aiohttp.ClientSession, where: Endpoint) -> bytes | None:
    """The server's /metrics as it stands, None if it has none or does not answer in time."""
    timeout = aiohttp.ClientTimeout(total=METRICS_TIMEOUT_S)
    try:
        async with session.get(
            f"{where.root()}/metrics", headers=where.headers(), timeout=timeout
        ) as response:
            return await _body(response) if response.status == 200 else None
    except (aiohttp.ClientError, OSError, ValueError):  # a timeout is an OSError
        return None


async def _raise_for_status(
    session: aiohttp.ClientSession, where: Endpoint, response: aiohttp.ClientResponse
) -> None:
    """Turn a status other than 200 into the Fault or RunError it means."""
    status = response.status
    body = await response.content.read(MOST_ERROR_BYTES)  # what has come of it
    said = f"{where.url} answered {status}: {cut(body.decode(errors='replace'))}"
    said = without(where.key, said)
    if status in (401, 403):
        raise RunError(f"{said}; check the key of this teacher")
    if status == 404:
        served = await served_models(session, where)
        if served and where.model not in served:
            raise wrong_model(where, served)
    if status == 429:
        retry_after_s = _retry_after_s(response.headers.get("Retry-After", ""))
        raise Fault(FaultKind.RATE_LIMITED, said, retry_after_s)
    again = status in (404, 408, 409, 425) or not 400 <= status < 500
    raise Fault(FaultKind.SERVER_ERROR if again else FaultKind.REFUSED_REQUEST, said)


def wrong_model(where: Endpoint, served: dict[str, str]) -> RunError:
    """The error that names what the server does offer."""
    names = ", ".join(served)
    return RunError(f"{where.url} does not serve {where.model!r}; it serves {names}")


async def _read(response: aiohttp.ClientResponse, call: Call, heard: Heard) -> Completion:
    """The body of a 200, streamed or whole: some servers ignore `stream`, proxies send HTML."""
    if response.content_type == "text/event-stream":
        return await _read_stream(response, call.stall_timeout_s, heard)
    body = await _body(response)
    if response.content_type == "text/html" or body.lstrip()[:1] == b"<":
        raise Fault(FaultKind.NOT_JSON, f"{response.url} sent {cut(body.decode(errors='replace'))}")
    heard.take(json_object(json_value(body)), "message")
    return heard.completion(whole=True)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; raises ValueError for one without end."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_BODY_BYTES:
            raise ValueError(f"an answer of more than {MOST_BODY_BYTES} bytes")
    return b"".join(chunks)


async def _read_stream(
    response: aiohttp.ClientResponse, stall_timeout_s: float, heard: Heard
) -> Completion:
    """Server-sent events up to `[DONE]`. Comments keep a proxy awake but are no tokens."""
    rest, last_token_s = b"", time.monotonic()
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        now_s = time.monotonic()
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            if line.startswith((b"data: [DONE]", b"data:[DONE]")):
                return heard.completion(whole=False)
            before = heard.tokens + heard.characters
            heard.take(json_object(json_value(line[5:])), "delta")
            if heard.tokens + heard.characters != before:
                last_token_s = now_s
        if len(rest) > MOST_LINE_BYTES:
            raise ValueError(f"an event of more than {MOST_LINE_BYTES} bytes")
        if now_s - last_token_s > stall_timeout_s:
            message = f"{response.url}: open, but no token for {stall_timeout_s:g} s"
            raise Fault(FaultKind.STALLED, message)
    if not heard.choices:
        raise Fault(FaultKind.TRUNCATED_BODY, f"{response.url}: the stream ended before any token")
    return heard.completion(whole=False)


def _retry_after_s(header: str) -> float | None:
    """`Retry-After` in seconds, given as `3` or as an HTTP date; None if it says neither.

    Never more than LONGEST_RETRY_AFTER_S: then the server may say it again.
    """
    try:
        wait_s = float(header)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(0.0, wait_s), LONGEST_RETRY_AFTER_S)


def _say(where: Endpoint, error: BaseException) -> str:
    return without(where.key, f"{where.url}: {type(error).__name__} {cut(str(error))}")
