"""What endpoints serve: whatever they answer, it ends in a model's name or in one clear error."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from simulated_teacher import SimulatedTeacher, serving

from flows.endpoints import MOST_BYTES, served_by
from prompts.errors import PrerequisiteError


def test_the_only_model_served_is_taken() -> None:
    with serving(SimulatedTeacher(model="r1")) as one, serving(SimulatedTeacher(model="r1")) as two:
        assert served_by([one.url, two.url.removesuffix("/v1")], None, None, 100) == "r1"


def test_different_models_must_be_chosen_from() -> None:
    with serving(SimulatedTeacher(model="a")) as one, serving(SimulatedTeacher(model="b")) as two:
        with pytest.raises(PrerequisiteError, match="serve a, b: choose with --model"):
            served_by([one.url, two.url], None, None, 100)
        with pytest.raises(PrerequisiteError, match=f"{two.url} does not serve 'a'; it serves b"):
            served_by([one.url, two.url], "a", None, 100)


def test_an_endpoint_where_nobody_answers_is_named() -> None:
    with pytest.raises(PrerequisiteError, match=r"no endpoint at http://127\.0\.0\.1:9/v1: "):
        served_by(["http://127.0.0.1:9"], "a", None, 100)


def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(PrerequisiteError, match="MY_KEY"):
        served_by(["http://127.0.0.1:9"], "a", "MY_KEY", 100)


@contextmanager
def listing(status: int, answer: Any) -> Iterator[str]:
    """An endpoint that says this of its models; with status 401 only to those without the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            has_key = self.headers["Authorization"] == "Bearer secret"
            body = json.dumps(answer).encode()
            self.send_response(200 if status == 401 and has_key else status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_key_that_is_wanted_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    with listing(401, {"data": [{"id": "r1"}]}) as url:
        assert served_by([url], None, "MY_KEY", 100) == "r1"
        with pytest.raises(PrerequisiteError, match=r"refuses us \(HTTP 401\).*--key-env"):
            served_by([url], None, None, 100)


def test_a_server_without_a_list_is_taken_at_the_users_word() -> None:
    with listing(404, "no such page") as url:
        assert served_by([url], "r1", None, 100) == "r1"
        with pytest.raises(PrerequisiteError, match=r"do not say what they serve.*--model"):
            served_by([url], None, None, 100)


@pytest.mark.parametrize("answer", [[], {"data": None}, {"data": [{}]}, "hello"])
def test_an_answer_that_lists_no_models_is_no_endpoint(answer: Any) -> None:
    with listing(200, answer) as url, pytest.raises(PrerequisiteError, match="no endpoint at") as e:
        served_by([url], "r1", None, 100)
    assert "/v1: its answer is no list of models. Give the address" in str(e.value)


def test_a_completion_longer_than_the_context_is_refused_with_the_fix() -> None:
    with listing(200, {"data": [{"id": "r1", "max_model_len": 4_096}]}) as url:
        assert served_by([url], "r1", None, 4_000) == "r1"
        with pytest.raises(PrerequisiteError, match=r"--set sampling\.max_tokens=2048"):
            served_by([url], "r1", None, 32_768)


@contextmanager
def answering(said: bytes) -> Iterator[str]:
    """A server that sends these bytes to whoever connects, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


def http(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    """A reply as it goes over the wire."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def test_a_redirect_is_not_followed_and_the_key_stays_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        target = f"http://127.0.0.1:{other.getsockname()[1]}/v1/models"
        reply = http(b"", "307 Temporary Redirect", f"Location: {target}\r\n")
        with answering(reply) as url, pytest.raises(PrerequisiteError) as caught:
            served_by([url], "r1", "MY_KEY", 100)
        assert f"HTTP 307, it redirects to {target}" in str(caught.value)
        with pytest.raises(BlockingIOError):
            other.accept()  # nobody has come


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0"),
        (b"", "closed connection"),
        (b"HTTP/1.1 huh\r\n\r\n", "huh"),
        (http(b"[" * 200_000), "nested without end"),
        (http(b"<html>"), "its answer is no list of models"),
        (http(b"\xff\xfe\xff"), "its answer is no list of models"),
        (http(b" " * (MOST_BYTES + 1)), "longer than 4 MB"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data"', ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
        (http(b"", "500 Oh no"), "HTTP 500"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_what_is_no_list_of_models_is_no_endpoint(said: bytes, why: str) -> None:
    with answering(said) as url, pytest.raises(PrerequisiteError) as caught:
        served_by([url], "r1", None, 100)
    text = str(caught.value)
    assert f"no endpoint at {url}/v1: " in text
    assert why in text
    assert "--url http://HOST:8000" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "url",
    ["http://[bad", "http://localhost:abc", "http://host:99999", "http://a b/", "http://..", "x"],
)
def test_an_odd_url_is_the_users_mistake(url: str) -> None:
    with pytest.raises(PrerequisiteError, match=r"http://host:8000|http://HOST:8000"):
        served_by([url], "r1", None, 100)


def test_a_key_that_is_no_header_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "first\nsecond")
    with pytest.raises(PrerequisiteError, match="line break") as caught:
        served_by(["http://127.0.0.1:9"], "r1", "MY_KEY", 100)
    assert "second" not in str(caught.value)


def test_an_endpoint_that_is_not_up_is_waited_for_while_another_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(SimulatedTeacher()) as teacher:
        down = "http://127.0.0.1:9"
        assert served_by([down, teacher.url], None, None, 100) == "sim"
        assert "note: no endpoint at http://127.0.0.1:9/v1" in "".join(capsys.readouterr())
        with pytest.raises(PrerequisiteError, match="no endpoint at"):
            served_by([down], None, None, 100)
