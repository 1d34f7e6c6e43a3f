"""Texts counted and cut by a server's own tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from simulated_teacher import SimulatedTeacher
from simulated_teacher import serving as serving_simply
from thinking_server import ThinkingServer, serving

from prompts.errors import RunError
from teacher.canary import Replica, open_session
from teacher.completion import Fault, FaultKind
from teacher.token_counter import Measured, TokenCounter

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teacher.token_counter.SHORTEST_WAIT_S", 0.0)


def counted(urls: list[str], count: Callable[[TokenCounter], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        async with open_session() as session:
            return await count(TokenCounter(session, [Replica(url, "sim") for url in urls]))

    return asyncio.run(go())


def test_a_text_is_counted_and_cut() -> None:
    with serving(ThinkingServer(lambda text: "")) as server:
        found = counted([server.url], lambda it: it.measure(" one two three", (0, 1, 2, 3, 9)))
    beginnings = ("", " one", " one two", " one two three", " one two three")
    assert found == Measured(3, beginnings)


def test_no_text_has_no_tokens_and_asks_nobody() -> None:
    assert counted([NOBODY], lambda it: it.measure("", (0, 5))) == Measured(0, ("", ""))


def test_a_cut_in_a_character_leaves_it_out() -> None:
    class Bytes(ThinkingServer):
        def ids(self, text: str) -> list[int]:
            return list(text.encode())

        def text(self, ids: list[int]) -> str:
            return bytes(ids).decode(errors="replace")

    with serving(Bytes(lambda text: "")) as server:
        found = counted([server.url], lambda it: it.measure("aé中b", (1, 2, 3, 5, 6)))
    assert found == Measured(7, ("a", "a", "aé", "aé", "aé中"))


def test_a_beginning_is_the_texts_own_however_its_tokens_are_spelt() -> None:
    class Tidy(ThinkingServer):
        def text(self, ids: list[int]) -> str:
            return super().text(ids).lstrip().replace(" ,", ",")

    with serving(Tidy(lambda text: "")) as server:
        found = counted([server.url], lambda it: it.measure(" one , two three", (1, 3)))
    assert all(" one , two three".startswith(head) for head in found.beginnings)
    assert found.beginnings[0].strip() == "one"[: len(found.beginnings[0].strip())]


def test_the_end_of_a_prompt_shows_what_the_template_opens() -> None:
    with serving(ThinkingServer(lambda text: "", generation_prompt="<think>\n")) as server:
        messages = [{"role": "user", "content": "word " * 40}]
        ending = counted([server.url], lambda it: it.prompt_ending(messages))
    assert ending.endswith("assistant:\n<think>\n")
    assert ending.count("word") < 16


def test_a_replica_that_is_gone_is_passed_over() -> None:
    with serving(ThinkingServer(lambda text: "")) as server:
        found = counted([NOBODY, server.url], lambda it: it.measure(" one two"))
    assert found == Measured(2)


def test_without_any_replica_the_run_stops() -> None:
    with pytest.raises(RunError, match=f"no server counts tokens for us: {NOBODY}"):
        counted([NOBODY], lambda it: it.measure("a"))


def test_a_server_of_another_kind_is_told_apart() -> None:
    with serving_simply(SimulatedTeacher()) as teacher, pytest.raises(Fault) as caught:
        counted([teacher.url], lambda it: it.measure("a"))
    assert caught.value.kind is FaultKind.NOT_CONTINUED
