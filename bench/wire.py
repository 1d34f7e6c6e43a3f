"""The JSON that vLLM 0.32 speaks: what a request wants, and the answers to it."""

import json
import time
from dataclasses import dataclass
from typing import Any

from bench.completions import TOKEN_CHARACTERS, decode, encode

GENERATE = "<|generate|>"
_USER, _END = "<|user|>\n", "<|end|>\n"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for. `partial` is the start of a completion that is to go on."""

    is_chat: bool
    model: str
    prompt: str
    partial: str
    prompt_tokens: int
    seed: int | None
    max_tokens: int | None
    stream: bool
    interval: int
    include_usage: bool
    continuous_usage: bool
    return_token_ids: bool
    rendered: str

    def usage(self, tokens: int) -> dict[str, int]:
        """Counts so far."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + tokens,
            "completion_tokens": tokens,
        }


def chat_wanted(body: dict[str, Any]) -> Wanted:
    """A body of /v1/chat/completions. Raises KeyError, TypeError or ValueError if it is none."""
    messages, partial = body["messages"], ""
    if body.get("continue_final_message"):
        if body.get("add_generation_prompt", True):
            raise ValueError("cannot set both continue_final_message and add_generation_prompt")
        *messages, last = messages
        partial = last["content"]
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    return _wanted(body, True, render(messages) + partial, most)


def text_wanted(body: dict[str, Any]) -> Wanted:
    """A body of /v1/completions, its prompt token ids or text. Raises as `chat_wanted` does."""
    prompt = body["prompt"]
    text = prompt if isinstance(prompt, str) else decode(prompt)
    return _wanted(body, False, text, body.get("max_tokens", 16))


def _wanted(body: dict[str, Any], is_chat: bool, rendered: str, most: int | None) -> Wanted:
    options = body.get("stream_options") or {}
    before, _, partial = rendered.rpartition(GENERATE)
    question = before.rpartition(_USER)[2].partition(_END)[0] if before else partial
    return Wanted(
        is_chat=is_chat,
        model=body["model"],
        prompt=question,
        partial=partial if before else "",
        prompt_tokens=-(-len(rendered.encode("utf-8", "surrogatepass")) // TOKEN_CHARACTERS),
        seed=body.get("seed"),
        max_tokens=most,
        stream=bool(body.get("stream")),
        interval=int(body.get("stream_interval") or 1),
        include_usage=bool(options.get("include_usage")),
        continuous_usage=bool(options.get("include_usage"))
        and bool(options.get("continuous_usage_stats")),
        return_token_ids=bool(body.get("return_token_ids")),
        rendered=rendered,
    )


def render(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    """The chat template: roles between marks, filled up so that a completion starts a token."""
    text = "".join(f"<|{m['role']}|>\n{m['content']}{_END}" for m in messages)
    if not add_generation_prompt:
        return text
    bytes_ = len(text.encode("utf-8", "surrogatepass")) + len(GENERATE)
    return text + " " * (-bytes_ % TOKEN_CHARACTERS) + GENERATE


def tokenized(body: dict[str, Any], max_model_len: int) -> dict[str, Any]:
    """The answer of /tokenize. Raises KeyError or TypeError for a body that is none."""
    text = body["prompt"] if "prompt" in body else render(
        body["messages"], body.get("add_generation_prompt", True)
    )  # fmt: skip
    ids = encode(text)
    return {"count": len(ids), "max_model_len": max_model_len, "tokens": ids, "token_strs": None}


def served_model(model: str, owner: str, max_model_len: int) -> dict[str, Any]:
    """The answer of /v1/models."""
    row = {"id": model, "object": "model", "created": int(time.time()), "owned_by": owner}
    return {"object": "list", "data": [{**row, "root": model, "max_model_len": max_model_len}]}


def error(message: str, kind: str, code: int) -> dict[str, Any]:
    """An error's body."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class Answer:
    """The answer to one request, whole or in events."""

    def __init__(self, wanted: Wanted, number: int) -> None:
        self._wanted = wanted
        kind = ("chat.completion", "chatcmpl") if wanted.is_chat else ("text_completion", "cmpl")
        chunked = ".chunk" if wanted.stream and wanted.is_chat else ""
        self._head = {
            "id": f"{kind[1]}-{number:016x}",
            "object": kind[0] + chunked,
            "created": int(time.time()),
            "model": wanted.model,
        }

    def whole(self, text: str, finish_reason: str, tokens: int) -> bytes:
        """The body of an answer that is not streamed."""
        said = {"message": {"role": "assistant", "content": text, "reasoning": None}}
        choice = {
            "index": 0,
            **(said if self._wanted.is_chat else {"text": text}),
            "logprobs": None,
            "finish_reason": finish_reason,
            "stop_reason": None,
            "token_ids": encode(text) if self._wanted.return_token_ids else None,
        }
        body = {**self._head, "choices": [choice], "usage": self._wanted.usage(tokens)}
        return json.dumps(body).encode()

    def first(self) -> bytes:
        """The event before any text, which only a chat has."""
        if not self._wanted.is_chat:
            return b""
        choice = {"index": 0, "delta": {"role": "assistant", "content": ""}}
        ids = encode(self._wanted.rendered) if self._wanted.return_token_ids else None
        return self._event(
            {"choices": [{**choice, "logprobs": None, "finish_reason": None}],
             "prompt_token_ids": ids},
            0,
        )  # fmt: skip

    def part(self, text: str, finish_reason: str | None, tokens: int) -> bytes:
        """The event with the next tokens' text; `tokens` counts all so far."""
        said = {"delta": {"content": text}} if self._wanted.is_chat else {"text": text}
        choice: dict[str, Any] = {
            "index": 0, **said, "logprobs": None, "finish_reason": finish_reason,
            "token_ids": encode(text) if self._wanted.return_token_ids else None,
        }  # fmt: skip
        if finish_reason or not self._wanted.is_chat:
            choice["stop_reason"] = None
        return self._event({"choices": [choice]}, tokens)

    def last(self, tokens: int) -> bytes:
        """What ends a stream."""
        end = b"data: [DONE]\n\n"
        if not self._wanted.include_usage:
            return end
        usage = {"choices": [], "usage": self._wanted.usage(tokens)}
        return _data({**self._head, **usage}) + end

    def _event(self, event: dict[str, Any], tokens: int) -> bytes:
        if self._wanted.continuous_usage:
            event = {**event, "usage": self._wanted.usage(tokens)}
        return _data({**self._head, **event})


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
