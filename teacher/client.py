"""One request to an OpenAI-compatible server: a completion, or a fault with its kind."""

import json
import os
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from prompts.errors import PrerequisiteError, RunError

Messages = list[dict[str, str]]

# A server, or what stands before it, must not put a run to sleep for a day.
LONGEST_RETRY_AFTER_S = 60.0
# No context is longer: a larger count is the server's mistake, and taken as not counted.
MOST_TOKENS = 100_000_000


class FaultKind(StrEnum):
    """What can go wrong with a request: a closed vocabulary, counted in the run's summary."""

    RATE_LIMITED = "rate_limited"  # 429
    SERVER_ERROR = "server_error"  # 5xx, or an error the server wrote into the stream
    REFUSED_REQUEST = "refused_request"  # 4xx: this request will never do; not asked again
    UNREACHABLE = "unreachable"  # no connection: nothing was asked, nothing is paid
    RESET = "reset"  # the connection broke before the headers or in the body
    TRUNCATED_BODY = "truncated_body"  # the stream ended without a finish reason
    STALLED = "stalled"  # connected, but no token for stall_timeout_s
    INVALID_JSON = "invalid_json"
    NOT_JSON = "not_json"  # HTML or the like: a proxy answers, not a model
    EMPTY_CHOICES = "empty_choices"


class Fault(Exception):  # noqa: N818 - most are met and mended, none is the program's error
    """A request that brought no completion. `retry_after_s` is what the server asked for."""

    def __init__(self, kind: FaultKind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served. `url` ends in `/v1`; the key never appears in repr or errors."""

    url: str
    model: str
    key: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        headers = {"Content-Type": "application/json"}
        return headers | ({"Authorization": f"Bearer {self.key}"} if self.key else {})


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: messages and sampling parameters.

    `stream_interval` is a vLLM parameter (tokens between two events); None for other servers.
    Without `stream` no tokens are seen, so `stall_timeout_s` then limits the whole answer.
    """

    messages: Messages
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None = None
    stream: bool = True
    stream_interval: int | None = None
    stall_timeout_s: float = 300.0

    def body(self, model: str) -> bytes:
        """The request body as UTF-8 JSON."""
        body: dict[str, Any] = {
            "model": model,
            "messages": self.messages,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        if self.seed is not None:
            body["seed"] = self.seed
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            if self.stream_interval:
                body["stream_interval"] = self.stream_interval
        return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. Counts are the server's where they can be true, 0 to MOST_TOKENS;
    `reasoning_tokens` is None if it does not say."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None


def endpoint(url: str, model: str, key_env: str | None = None) -> Endpoint:
    """An endpoint from what a user types: `http://host:8000` gains `/v1`, the key is read from
    the environment variable `key_env`. Raises PrerequisiteError for no URL or an unset variable.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise PrerequisiteError(f"{url!r} is no teacher URL; one looks like http://host:8000/v1")
    if key_env and not os.environ.get(key_env):
        raise PrerequisiteError(f"the environment variable {key_env} is not set; {url} needs a key")
    path = parts.path.rstrip("/") or "/v1"
    key = os.environ[key_env] if key_env else ""
    return Endpoint(f"{parts.scheme}://{parts.netloc}{path}", model, key)


async def complete(session: aiohttp.ClientSession, where: Endpoint, call: Call) -> Completion:
    """Ask once. Raises Fault when no completion came, RunError when no request ever will do
    (unknown model, refused key). `finish_reason` `length` is a completion like any other.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=call.stall_timeout_s)
    url = f"{where.url}/chat/completions"
    try:
        async with session.post(
            url, data=call.body(where.model), headers=where.headers(), timeout=timeout
        ) as response:
            if response.status != 200:
                await _raise_for_status(session, where, response)
            return await _read(response, call)
    except aiohttp.SocketTimeoutError as error:
        what = f"{where.url}: no token for {call.stall_timeout_s:g} s"
        raise Fault(FaultKind.STALLED, what) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Fault(FaultKind.UNREACHABLE, _say(where, error)) from error
    except aiohttp.ClientPayloadError as error:
        raise Fault(FaultKind.TRUNCATED_BODY, _say(where, error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Fault(FaultKind.RESET, _say(where, error)) from error
    except (ValueError, RecursionError) as error:  # no JSON, not ours, or nested without end
        raise Fault(FaultKind.INVALID_JSON, _say(where, error)) from error


async def served_models(session: aiohttp.ClientSession, where: Endpoint) -> dict[str, str]:
    """Names of the models the server offers, each with its owner (vLLM says `vllm`).

    Empty when the server has no such list. Raises Fault when it cannot be reached.
    """
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with session.get(
            f"{where.url}/models", headers=where.headers(), timeout=timeout
        ) as response:
            rows = json.loads(await response.read())["data"]
            return {str(row["id"]): str(row.get("owned_by", "")) for row in rows}
    except (aiohttp.ClientError, OSError) as error:
        raise Fault(FaultKind.UNREACHABLE, _say(where, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


async def _raise_for_status(
    session: aiohttp.ClientSession, where: Endpoint, response: aiohttp.ClientResponse
) -> None:
    """Turn a status other than 200 into the Fault or RunError it means."""
    status = response.status
    said = (
        f"{where.url} answered {status}: {_cut((await response.read()).decode(errors='replace'))}"
    )
    said = said.replace(where.key, "***") if where.key else said
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


async def _read(response: aiohttp.ClientResponse, call: Call) -> Completion:
    """The body of a 200, streamed or whole: some servers ignore `stream`, proxies send HTML."""
    if response.content_type == "text/event-stream":
        return await _read_stream(response, call.stall_timeout_s)
    body = await response.read()
    if response.content_type == "text/html" or body.lstrip()[:1] == b"<":
        raise Fault(
            FaultKind.NOT_JSON, f"{response.url} sent {_cut(body.decode(errors='replace'))}"
        )
    heard = _Heard()
    heard.take(_object(json.loads(body)), "message")
    return heard.completion(whole=True)


async def _read_stream(response: aiohttp.ClientResponse, stall_timeout_s: float) -> Completion:
    """Server-sent events up to `[DONE]`. Comments keep a proxy awake but are no tokens."""
    heard, rest, last_token_s = _Heard(), b"", time.monotonic()
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                return heard.completion(whole=False)
            heard.take(_object(json.loads(data)), "delta")
            last_token_s = time.monotonic()
        if time.monotonic() - last_token_s > stall_timeout_s:
            message = f"{response.url}: open, but no token for {stall_timeout_s:g} s"
            raise Fault(FaultKind.STALLED, message)
    return heard.completion(whole=False)


class _Heard:
    """What has been heard of one completion so far, from one message or many deltas."""

    def __init__(self) -> None:
        self.reasoning: list[str] = []
        self.content: list[str] = []
        self.finish_reason: str | None = None
        self.usage: dict[str, Any] = {}
        self.choices = 0

    def take(self, event: dict[str, Any], part: str) -> None:
        """Add one event; `part` is `message` (whole) or `delta` (streamed)."""
        if event.get("error"):
            raise Fault(FaultKind.SERVER_ERROR, f"in the stream: {_cut(str(event['error']))}")
        if event.get("usage"):
            self.usage = _object(event["usage"])
        for choice in _array(event.get("choices") or []):
            self.choices += 1
            said = _object(_object(choice).get(part) or {})
            # vLLM says `reasoning`, older servers `reasoning_content`, some both with one text.
            reasoning = said.get("reasoning") or said.get("reasoning_content")
            self.reasoning.append(_string(reasoning or ""))
            self.content.append(_string(said.get("content") or ""))
            self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def completion(self, whole: bool) -> Completion:
        """The completion, if it came to its end; raises Fault if it did not."""
        if not self.choices:
            raise Fault(FaultKind.EMPTY_CHOICES, "the answer has no choices")
        if not whole and not self.finish_reason:
            raise Fault(FaultKind.TRUNCATED_BODY, "the stream ended without a finish reason")
        if self.finish_reason in ("abort", "error"):
            raise Fault(FaultKind.SERVER_ERROR, f"the server ended it: {self.finish_reason}")
        text = join_parts("".join(self.reasoning), "".join(self.content))
        details = _object(self.usage.get("completion_tokens_details") or {})
        return Completion(
            text=text,
            finish_reason="length" if self.finish_reason == "length" else "stop",
            prompt_tokens=_count(self.usage.get("prompt_tokens")) or 0,
            # A server that does not count is counted at four characters a token.
            completion_tokens=_count(self.usage.get("completion_tokens")) or (len(text) + 3) // 4,
            reasoning_tokens=_count(details.get("reasoning_tokens")),
        )


def join_parts(reasoning: str, content: str) -> str:
    """One raw text from a server that splits it; the block stays open if nothing followed it."""
    if not reasoning:
        return content
    return f"<think>\n{reasoning}\n</think>\n\n{content}" if content else f"<think>\n{reasoning}"


def _object(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object; raises ValueError (an invalid answer) if it is not."""
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object was expected, {_cut(repr(value))} came")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"a JSON array was expected, {_cut(repr(value))} came")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a JSON string was expected, {_cut(repr(value))} came")
    return value


def _count(value: Any) -> int | None:
    """A number of tokens, None if none or an impossible one is given; ValueError for no number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError(f"a number of tokens was expected, {_cut(repr(value))} came")
    return int(value) if 0 <= value <= MOST_TOKENS else None


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
    said = f"{where.url}: {type(error).__name__} {_cut(str(error))}"
    return said.replace(where.key, "***") if where.key else said


def _cut(text: str) -> str:
    return " ".join(text.split())[:300]
