"""Servers that lie, stammer or never end: a fault each, and never a sample that is not one."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from simulated_teacher import SimulatedTeacher
from test_teacher_sampling import QUICK, asks, run, stored

from prompts.errors import PrerequisiteError, RunError
from prompts.record import Prompt
from teacher.canary import Replica
from teacher.client import Call, Endpoint, complete, endpoint, served_models
from teacher.completion import Completion, Fault, FaultKind, Heard, Partial, without
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.shards import Shards

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "sk-0123456789abcdef"
CALL = Call(
    messages=[{"role": "user", "content": "two and two?"}],
    temperature=0.6,
    top_p=0.95,
    max_tokens=100,
    stall_timeout_s=30.0,
)
BEGUN = Partial("The beginning of a completion that broke off", 11)


@contextmanager
def listening(**handlers: Handler) -> Iterator[str]:
    """A server with a handler for each of chat, completions, tokenize and models; its URL."""
    paths = {
        "chat": "/v1/chat/completions",
        "completions": "/v1/completions",
        "tokenize": "/tokenize",
        "models": "/v1/models",
    }
    started, urls = threading.Event(), list[str]()

    async def live() -> None:
        app = web.Application()
        for name, handler in handlers.items():
            app.router.add_route("*", paths[name], handler)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        started.set()
        await asyncio.to_thread(ended.wait)
        await runner.cleanup()

    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        ended.set()
        thread.join(10)


def says(body: Any, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return handler


def streams(*events: Any, then: str = "end") -> Handler:
    """Server-sent events, then an orderly end, a reset, or the last event for ever."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        while then == "for ever":
            await response.write(b"data: " + json.dumps(events[-1]).encode() + b"\n\n")
            await asyncio.sleep(0)
        if then == "reset":
            await asyncio.sleep(0.05)
            assert request.transport
            request.transport.abort()
        return response

    return handler


def delta(text: str, **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, **more}]}


def ask(url: str, call: Call = CALL) -> Completion:
    async def once() -> Completion:
        async with aiohttp.ClientSession() as session:
            return await complete(session, Endpoint(url, "sim", KEY), call)

    return asyncio.run(asyncio.wait_for(once(), 20))


def fault_of(url: str, call: Call = CALL) -> Fault:
    with pytest.raises(Fault) as caught:
        ask(url, call)
    return caught.value


GOES_ON = replace(CALL, begun=BEGUN)


@pytest.mark.parametrize("answer", [{"tokens": []}, {}, {"tokens": ["a"]}, {"tokens": [2**70]}])
def test_without_token_ids_nothing_is_glued_to_what_was_begun(answer: dict[str, Any]) -> None:
    whole = streams(delta("a whole second answer", finish_reason="stop"))
    with listening(chat=whole, completions=whole, tokenize=says(answer)) as url:
        assert fault_of(url, GOES_ON).kind is FaultKind.NOT_CONTINUED


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413])
def test_a_refused_continuation_is_no_refused_request(status: int) -> None:
    ids, refusal = says({"tokens": [1, 2]}), says({"error": "no"}, status)
    with listening(tokenize=ids, completions=refusal) as url:
        assert fault_of(url, GOES_ON).kind is FaultKind.NOT_CONTINUED


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": "12"}, {"completion_tokens_details": {"reasoning_tokens": []}}],
    ids=str,
)
def test_a_bad_count_before_a_reset_is_a_fault(usage: dict[str, Any]) -> None:
    events = delta("4", finish_reason="stop"), {"choices": [], "usage": usage}
    with listening(chat=streams(*events, then="reset")) as url:
        assert fault_of(url).kind is FaultKind.INVALID_JSON


def test_an_abort_before_a_reset_leaves_what_was_heard() -> None:
    usage = {"completion_tokens": 50, "prompt_tokens": 5}
    events = {**delta("half of it"), "usage": usage}, delta("", finish_reason="abort")
    with listening(chat=streams(*events, then="reset")) as url:
        fault = fault_of(url)
    assert fault.partial == Partial("half of it", 50)


def test_a_stream_without_end_is_cut_off() -> None:
    with listening(chat=streams(delta("x" * 10_000), then="for ever")) as url:
        assert "more text than 100 tokens" in str(fault_of(url))


def test_events_that_bring_nothing_do_not_hide_a_stall() -> None:
    with listening(chat=streams(delta("4"), delta(""), then="for ever")) as url:
        assert fault_of(url, replace(CALL, stall_timeout_s=2.0)).kind is FaultKind.STALLED


def test_a_count_far_beyond_what_was_asked_for_is_not_believed() -> None:
    heard = Heard()
    heard.most_tokens = 100
    heard.take({**delta("12345678"), "usage": {"completion_tokens": 99_999_999}}, "delta")
    assert heard.tokens == 2


@pytest.mark.parametrize(("tokens", "is_one"), [(1, True), (0, False), (None, False)])
def test_no_text_is_a_completion_only_if_something_was_generated(
    tokens: int | None, is_one: bool
) -> None:
    usage = {} if tokens is None else {"usage": {"completion_tokens": tokens}}
    with listening(chat=streams({**delta("", finish_reason="stop"), **usage})) as url:
        if is_one:
            assert ask(url).text == ""
        else:
            assert fault_of(url).kind is FaultKind.EMPTY_CHOICES


def test_a_stream_that_ends_before_its_first_token_was_cut() -> None:
    with listening(chat=streams()) as url:
        assert fault_of(url).kind is FaultKind.TRUNCATED_BODY


def test_a_filtered_completion_did_not_end_by_itself() -> None:
    with listening(chat=streams(delta("I", finish_reason="content_filter"))) as url:
        assert ask(url).finish_reason == "content_filter"


@pytest.mark.parametrize(
    "handler",
    [
        says({"error": f"bad key {KEY}"}, 500),
        says({"error": "x" * 250 + KEY}, 500),
        streams({"error": {"message": f"bad key {KEY}"}}),
        streams({"error": "x" * 290 + KEY}),
    ],
)
def test_no_error_holds_the_key_or_its_beginning(handler: Handler) -> None:
    with listening(chat=handler) as url:
        assert KEY[:5] not in str(fault_of(url))


def test_a_secret_is_taken_out_where_the_text_was_cut() -> None:
    assert without("secret", "a secret and secr") == "a *** and ***"
    assert without("", "nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(
    "typed",
    ["http://[bad", "http://host:abc", "http://user:pw@host/v1", "http://host/v1?api-key=a", "x"],
)
def test_a_url_that_is_none_or_holds_a_secret_is_refused(typed: str) -> None:
    with pytest.raises(PrerequisiteError) as caught:
        endpoint(typed, "m")
    assert "pw" not in str(caught.value)
    assert "api-key=a" not in str(caught.value)


def test_a_nested_list_of_models_is_no_list() -> None:
    async def nested(request: web.Request) -> web.StreamResponse:
        return web.Response(text="[" * 200_000, content_type="application/json")

    async def once(url: str) -> dict[str, str]:
        async with aiohttp.ClientSession() as session:
            return await served_models(session, Endpoint(url, "sim"))

    with listening(models=nested) as url:
        assert asyncio.run(once(url)) == {}


def test_a_replica_that_refuses_what_others_take_costs_no_sample(tmp_path: Path) -> None:
    refusing = SimulatedTeacher(fault=lambda prompt, seed, nth: None if seed < 0 else "400")
    summary, samples = run([refusing, SimulatedTeacher()], tmp_path, 100)
    assert (summary.accepted, summary.errors, len(samples)) == (100, 0, 100)


def test_one_replica_that_bars_us_does_not_end_the_run(tmp_path: Path) -> None:
    barring = SimulatedTeacher(fault=lambda prompt, seed, nth: None if seed < 0 else "401")
    summary, _ = run([barring, SimulatedTeacher()], tmp_path, 50)
    assert summary.accepted == 50
    assert 0 < summary.faults["barred"] <= QUICK.in_flight


def test_when_all_bar_us_the_run_ends_with_the_reason(tmp_path: Path) -> None:
    barring = SimulatedTeacher(fault=lambda prompt, seed, nth: "401" if nth or seed >= 0 else None)
    with pytest.raises(RunError, match="check the key of this teacher"):
        run([barring], tmp_path, 5, QUICK.model_copy(update={"wait_for_replica_s": 0.2}))


def test_a_server_that_begins_anew_instead_of_going_on_is_found_out(tmp_path: Path) -> None:
    text = "A text that is long enough to be recognised when it comes again. "
    calls: list[str] = []

    async def breaks_once(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        calls.append("chat")
        usage = {"usage": {"completion_tokens": 20, "prompt_tokens": 3}}
        ends = streams({**delta(text, finish_reason="stop"), **usage})
        is_canary = body["max_tokens"] != QUICK.max_tokens
        broken = streams({**delta(text), **usage}, then="reset")
        return await (ends if is_canary or calls.count("chat") > 2 else broken)(request)

    async def repeats(request: web.Request) -> web.StreamResponse:
        calls.append("completions")
        usage = {"usage": {"completion_tokens": 30, "prompt_tokens": 3}}
        rest = {"choices": [{"text": text + "and the rest", "finish_reason": "stop"}], **usage}
        return await streams(rest)(request)

    async def accept(prompt: Prompt, sample: Sample) -> bool:
        return True

    async def go(shards: Shards) -> None:
        async with open_pool([Replica(url, "sim")], QUICK) as pool:
            await sample_prompts(asks(1), pool, shards, QUICK, accept)

    models = says({"data": [{"id": "sim", "owned_by": "vllm"}]})
    handlers = {"models": models, "tokenize": says({"tokens": [1]}), "completions": repeats}
    with listening(chat=breaks_once, **handlers) as url, Shards(tmp_path) as shards:
        asyncio.run(go(shards))
        (sample,) = stored(shards)
    assert calls == ["chat", "chat", "completions", "chat"]
    assert sample.completion == text
    assert (sample.completion_tokens, sample.wasted_tokens) == (20, 50)
