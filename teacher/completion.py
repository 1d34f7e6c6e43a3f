"""What comes back of a request: a completion, the start of one, or a fault with its kind."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

# No context is longer: a larger count is the server's mistake, and taken as not counted.
MOST_TOKENS = 100_000_000
# A little more than was asked for may be counted: a stop token, a token a server adds.
SPARE_TOKENS = 16
# The longest tokens are runs of blanks; text beyond this is an endless stream, not an answer.
CHARACTERS_PER_TOKEN, SPARE_CHARACTERS = 128, 65_536
_OTHER_ENDS = ("length", "content_filter", "tool_calls", "function_call")


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
    NOT_CONTINUED = "not_continued"  # the server cannot go on with a completion it did not begin
    DRAINED = "drained"  # its replica is leaving; what was heard goes on elsewhere
    BARRED = "barred"  # this replica will not have us any more: 401, 403, another model


@dataclass(frozen=True, slots=True)
class Partial:
    """The start of a completion: its raw text and what it cost, as the server counted."""

    text: str = ""
    tokens: int = 0


NOTHING = Partial()


class Fault(Exception):  # noqa: N818 - most are met and mended, none is the program's error
    """A request that brought no completion. `retry_after_s` is what the server asked for,
    `partial` what had been heard before."""

    def __init__(self, kind: FaultKind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.partial = NOTHING

    def redact(self, secret: str) -> None:
        """Take a secret out of the message, also where the message was cut in its middle."""
        self.args = (without(secret, str(self)),)


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back of one request. Counts are the server's where they can be true, 0 to
    MOST_TOKENS; `reasoning_tokens` is None if it does not say."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None


class Heard:
    """What has been heard of one completion so far, from one message or many deltas.

    `tokens` are as the server counts them; where it does not count while it streams, four
    characters are taken for one.
    """

    def __init__(self) -> None:
        self.reasoning: list[str] = []
        self.content: list[str] = []
        self.finish_reason: str | None = None
        self.choices = 0
        self.tokens = 0
        self.prompt_tokens = 0
        self.reasoning_tokens: int | None = None
        self.most_tokens = MOST_TOKENS
        self.characters = 0
        self._counted: int | None = None

    def take(self, event: dict[str, Any], part: str) -> None:
        """Add one event; `part` is `message` (whole) or `delta` (streamed)."""
        if error := event.get("error"):
            raise Fault(FaultKind.SERVER_ERROR, f"in the stream: {cut(str(error))}")
        if usage := event.get("usage"):
            self._take_usage(json_object(usage))
        if choices := event.get("choices"):
            for choice in json_array(choices):
                self._take_choice(json_object(choice), part)
        self.tokens = self._counted or max(self.tokens, (self.characters + 3) // 4)
        if self.characters > CHARACTERS_PER_TOKEN * self.most_tokens + SPARE_CHARACTERS:
            raise Fault(FaultKind.SERVER_ERROR, f"more text than {self.most_tokens} tokens can be")

    def _take_usage(self, usage: dict[str, Any]) -> None:
        """Counts of the server; one that is more than was asked for is not believed."""
        self.prompt_tokens = token_count(usage.get("prompt_tokens")) or self.prompt_tokens
        counted = token_count(usage.get("completion_tokens"))
        if counted is not None and counted <= self.most_tokens + SPARE_TOKENS:
            self._counted = counted
        if details := usage.get("completion_tokens_details"):
            self.reasoning_tokens = token_count(json_object(details).get("reasoning_tokens"))

    def _take_choice(self, choice: dict[str, Any], part: str) -> None:
        self.choices += 1
        if said := choice.get(part):
            said = json_object(said)
            # vLLM says `reasoning`, older servers `reasoning_content`, some both with one text.
            if reasoning := said.get("reasoning") or said.get("reasoning_content"):
                self.reasoning.append(json_string(reasoning))
                self.characters += len(reasoning)
            text = said.get("content")
        else:
            text = choice.get("text")
        if text:
            self.content.append(json_string(text))
            self.characters += len(text)
        if reason := choice.get("finish_reason"):
            self.finish_reason = json_string(reason)

    def partial(self) -> Partial:
        """What another replica can go on with."""
        return Partial(join_parts("".join(self.reasoning), "".join(self.content)), self.tokens)

    def has_ended(self) -> bool:
        """Whether the model, not a failing server, has put an end to it."""
        return self.finish_reason not in (None, "abort", "error")

    def completion(self, whole: bool) -> Completion:
        """The completion, if it came to its end; raises Fault if it did not.

        A text of no characters is one only if the server says that it generated something.
        """
        if not self.choices:
            raise Fault(FaultKind.EMPTY_CHOICES, "the answer has no choices")
        if not whole and not self.finish_reason:
            raise Fault(FaultKind.TRUNCATED_BODY, "the stream ended without a finish reason")
        if self.finish_reason and not self.has_ended():
            raise Fault(FaultKind.SERVER_ERROR, "the server ended it before its time")
        if not self.characters and not self.tokens:
            raise Fault(FaultKind.EMPTY_CHOICES, "the answer has no text")
        reason = self.finish_reason if self.finish_reason in _OTHER_ENDS else "stop"
        return Completion(
            text=self.partial().text,
            finish_reason=reason,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.tokens,
            reasoning_tokens=self.reasoning_tokens,
        )


def join_parts(reasoning: str, content: str) -> str:
    """One raw text from a server that splits it; the block stays open if nothing followed it."""
    if not reasoning:
        return content
    return f"<think>\n{reasoning}\n</think>\n\n{content}" if content else f"<think>\n{reasoning}"


def json_value(data: bytes) -> Any:
    """What the JSON says; raises ValueError or RecursionError if it is none.

    orjson is several times as fast; Python's own parser also takes half a surrogate pair.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def json_object(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object; raises ValueError (an invalid answer) if it is not."""
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object was expected, {cut(repr(value))} came")
    return value


def json_array(value: Any) -> list[Any]:
    """The value if it is a JSON array; raises ValueError if it is not."""
    if not isinstance(value, list):
        raise ValueError(f"a JSON array was expected, {cut(repr(value))} came")
    return value


def json_string(value: Any) -> str:
    """The value if it is a JSON string; raises ValueError if it is not."""
    if not isinstance(value, str):
        raise ValueError(f"a JSON string was expected, {cut(repr(value))} came")
    return value


def token_count(value: Any) -> int | None:
    """A number of tokens, None if none or an impossible one is given; ValueError for no number."""
    if value is None:
        return None
    if type(value) is int:
        return value if 0 <= value <= MOST_TOKENS else None
    if isinstance(value, bool) or not isinstance(value, float) or value != value // 1:
        raise ValueError(f"a number of tokens was expected, {cut(repr(value))} came")
    return int(value) if 0 <= value <= MOST_TOKENS else None


def cut(text: str) -> str:
    """The text on one line, no longer than an error message may be, without control characters."""
    line = " ".join(text[:10_000].split())[:300]
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def without(secret: str, text: str) -> str:
    """The text with a secret taken out, and with its beginning where the text ends in it."""
    if not secret:
        return text
    text = text.replace(secret, "***")
    for length in range(len(secret) - 1, 3, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + "***"
    return text
