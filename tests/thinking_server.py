"""A server for tests that goes on from any text, as vLLM does: its tokens are words.

What it says comes from `mind`, a function of the whole text so far (the rendered prompt and what
has been begun) to the rest of the completion. It holds no model and runs no code.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_TOKEN = re.compile(r"</?\w+>|\s*[^\s<]+|\s+|<")


def tokens_of(text: str) -> list[str]:
    """The text's tokens: tags, words with the white space before them, white space at the end."""
    return _TOKEN.findall(text)


class ThinkingServer:
    """Its mind, whether it can go on from a text, how its template ends, and all it was asked."""

    def __init__(
        self, mind: Callable[[str], str], goes_on: bool = True, generation_prompt: str = ""
    ) -> None:
        self.mind, self.goes_on, self.generation_prompt = mind, goes_on, generation_prompt
        self.chats: list[dict[str, Any]] = []
        self.begun: list[str] = []
        self.url = ""
        self._words: list[str] = []
        self._ids: dict[str, int] = {}

    def ids(self, text: str) -> list[int]:
        """Token ids; a word that is new gets the next number."""
        for word in tokens_of(text):
            if word not in self._ids:
                self._ids[word] = len(self._words)
                self._words.append(word)
        return [self._ids[word] for word in tokens_of(text)]

    def text(self, ids: list[int]) -> str:
        """The text that ids spell."""
        return "".join(self._words[one] for one in ids)

    def rendered(self, messages: list[dict[str, str]]) -> str:
        """The chat template."""
        said = "".join(f"{turn['role']}: {turn['content']}\n" for turn in messages)
        return f"{said}assistant:\n{self.generation_prompt}"

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a request; None where there is no such route."""
        if path == "/tokenize" and self.goes_on:
            text = self.rendered(body["messages"]) if "messages" in body else body["prompt"]
            return {"tokens": self.ids(text)}
        if path == "/detokenize" and self.goes_on:
            return {"prompt": self.text(body["tokens"])}
        if path == "/v1/chat/completions":
            if body["messages"][0]["content"] != "Count from one to five.":  # the canary's
                self.chats.append(body)
            return self._written(self.rendered(body["messages"]), body, "message")
        if path == "/v1/completions" and self.goes_on:
            text = self.text(body["prompt"])
            self.begun.append(text)
            return self._written(text, body, "text")
        return None

    def _written(self, text: str, body: dict[str, Any], kind: str) -> dict[str, Any]:
        words = tokens_of(self.mind(text))
        cut = words[: body["max_tokens"]]
        said: Any = "".join(cut)
        choice = {kind: {"content": said} if kind == "message" else said}
        choice["finish_reason"] = "length" if len(cut) < len(words) else "stop"
        usage = {"prompt_tokens": len(tokens_of(text)), "completion_tokens": len(cut)}
        return {"choices": [choice], "usage": usage}


@contextmanager
def serving(server: ThinkingServer) -> Iterator[ThinkingServer]:
    """Run it on a free port in threads of its own; `server.url` is set on entry."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"data": [{"id": "sim", "owned_by": "vllm"}]}, self.path == "/v1/models")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = server.answer(self.path, body)
            self._send(answer or {"error": "no such route"}, answer is not None)

        def _send(self, answer: dict[str, Any], found: bool) -> None:
            data = json.dumps(answer).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
