"""One request: what a completion is, what a fault is, and what ends a run at once."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from simulated_teacher import SimulatedTeacher, serving

from prompts.errors import PrerequisiteError, RunError
from teacher.client import (
    Call,
    Endpoint,
    _retry_after_s,
    complete,
    each_once,
    endpoint,
    served_models,
)
from teacher.completion import Completion, Fault, FaultKind, Heard, join_parts

CALL = Call(
    messages=[{"role": "user", "content": "two and two?"}],
    temperature=0.6,
    top_p=0.95,
    max_tokens=100,
    seed=7,
    stall_timeout_s=30.0,
)
WHOLE, STREAMED = replace(CALL, stream=False), CALL


def ask(teacher: SimulatedTeacher, call: Call = CALL, key: str = "", model: str = "") -> Completion:
    async def once() -> Completion:
        async with aiohttp.ClientSession() as session:
            where = Endpoint(teacher.url, model or teacher.model, key)
            return await complete(session, where, call)

    with serving(teacher):
        return asyncio.run(once())


@pytest.mark.parametrize("call", [WHOLE, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("split", [False, True], ids=["tags", "reasoning field"])
def test_a_completion_is_the_raw_text_with_its_counts(call: Call, split: bool) -> None:
    completion = ask(SimulatedTeacher(split_reasoning=split), call)
    assert completion.text == "<think>\nabout two and two?\n</think>\n\n\\boxed{7}"
    assert (completion.finish_reason, completion.prompt_tokens) == ("stop", 7)
    assert completion.completion_tokens == len(completion.text) // 4


@pytest.mark.parametrize("call", [WHOLE, STREAMED], ids=["whole", "streamed"])
def test_a_completion_cut_by_its_token_limit_is_a_result(call: Call) -> None:
    assert ask(SimulatedTeacher(finish_reason="length"), call).finish_reason == "length"


def test_a_server_that_was_aborting_gave_no_completion() -> None:
    with pytest.raises(Fault, match="server_error"):
        ask(SimulatedTeacher(finish_reason="abort"))


FAULTS = {
    "429": FaultKind.RATE_LIMITED,
    "500": FaultKind.SERVER_ERROR,
    "503": FaultKind.SERVER_ERROR,
    "400": FaultKind.REFUSED_REQUEST,
    "reset": FaultKind.RESET,
    "html": FaultKind.NOT_JSON,
    "invalid_json": FaultKind.INVALID_JSON,
    "empty_choices": FaultKind.EMPTY_CHOICES,
    "hang": FaultKind.STALLED,
}
STREAM_FAULTS = {
    "stuck": FaultKind.STALLED,
    "kept_awake": FaultKind.STALLED,
    "short_stream": FaultKind.TRUNCATED_BODY,
    "broken_stream": FaultKind.SERVER_ERROR,
}


@pytest.mark.parametrize(
    ("name", "call"),
    [(name, WHOLE) for name in FAULTS] + [(name, STREAMED) for name in FAULTS | STREAM_FAULTS],
    ids=lambda value: value if isinstance(value, str) else ("whole", "streamed")[value.stream],
)
def test_every_fault_is_told_from_the_others(name: str, call: Call) -> None:
    wanted = (FAULTS | STREAM_FAULTS)[name]
    if wanted is FaultKind.STALLED:
        call = replace(call, stall_timeout_s=0.3)
    with pytest.raises(Fault) as caught:
        ask(SimulatedTeacher(fault=lambda prompt, seed, nth: name), call)
    assert caught.value.kind == wanted


def test_retry_after_is_kept() -> None:
    with pytest.raises(Fault) as caught:
        ask(SimulatedTeacher(fault=lambda *request: "429"))
    assert caught.value.retry_after_s == 0.02


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("3", 3.0),
        ("-1", 0.0),
        ("86400", 60.0),
        ("inf", 60.0),
        ("nan", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60.0),
        ("soon", None),
    ],
)
def test_a_server_can_ask_for_a_minute_of_patience_at_most(
    header: str, wait_s: float | None
) -> None:
    assert _retry_after_s(header) == wait_s


def usage(**counts: object) -> Completion:
    heard = Heard()
    choice = {"message": {"content": "12345678"}, "finish_reason": "stop"}
    heard.take({"choices": [choice], "usage": counts}, "message")
    return heard.completion(whole=True)


@pytest.mark.parametrize("absurd", [2**70, -1, 10**12, None])
def test_an_impossible_count_is_taken_as_not_counted(absurd: int | None) -> None:
    details = {"reasoning_tokens": absurd}
    found = usage(prompt_tokens=absurd, completion_tokens=absurd, completion_tokens_details=details)
    assert (found.prompt_tokens, found.completion_tokens, found.reasoning_tokens) == (0, 2, None)


@pytest.mark.parametrize(
    "counts",
    [
        {"completion_tokens": "12"},
        {"completion_tokens": 1.5},
        {"prompt_tokens": float("inf")},
        {"prompt_tokens": [1]},
        {"completion_tokens_details": [3]},
        {"completion_tokens_details": {"reasoning_tokens": "3"}},
    ],
    ids=str,
)
def test_a_count_that_is_no_number_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, counts: dict[str, object]
) -> None:
    monkeypatch.setattr(SimulatedTeacher, "_usage", lambda teacher, text: counts)
    with pytest.raises(Fault) as caught:
        ask(SimulatedTeacher(), WHOLE)
    assert caught.value.kind is FaultKind.INVALID_JSON


def test_an_answer_nested_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nested(*_: object) -> web.Response:
        return web.Response(text="[" * 200_000, content_type="application/json")

    monkeypatch.setattr(SimulatedTeacher, "_respond", nested)
    with pytest.raises(Fault, match="invalid_json"):
        ask(SimulatedTeacher(), WHOLE)


def test_nobody_there_is_unreachable() -> None:
    teacher = SimulatedTeacher()
    with serving(teacher):
        pass

    async def once() -> None:
        async with aiohttp.ClientSession() as session:
            await complete(session, Endpoint(teacher.url, "sim"), CALL)

    with pytest.raises(Fault, match="unreachable"):
        asyncio.run(once())


def test_a_wrong_model_fails_at_once_and_names_what_is_served() -> None:
    with pytest.raises(RunError, match="does not serve 'r2'; it serves sim"):
        ask(SimulatedTeacher(), model="r2")


def test_a_refused_key_fails_at_once_and_is_never_shown() -> None:
    with pytest.raises(RunError, match="check the key") as caught:
        ask(SimulatedTeacher(fault=lambda *request: "401"), key="fault")
    assert "fault" not in str(caught.value)
    assert "fault" not in repr(Endpoint("http://x/v1", "m", "fault"))


def test_only_vllm_is_sent_its_own_parameter() -> None:
    teacher = SimulatedTeacher()
    ask(teacher, replace(CALL, stream_interval=32))
    ask(teacher, CALL)
    assert [body.get("stream_interval") for body in teacher.bodies] == [32, None]


def test_served_models_come_with_their_owner() -> None:
    async def once(teacher: SimulatedTeacher) -> dict[str, str]:
        async with aiohttp.ClientSession() as session:
            return await served_models(session, Endpoint(teacher.url, ""))

    with serving(SimulatedTeacher()) as teacher:
        assert asyncio.run(once(teacher)) == {"sim": "vllm"}


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("http://host:8000/v1/", "http://host:8000/v1"),
        ("https://host/api/v2", "https://host/api/v2"),
        ("HTTP://Host:80/v1", "http://host/v1"),
        ("https://host:443", "https://host/v1"),
        ("http://host:443", "http://host:443/v1"),
        ("http://[::1]:80", "http://[::1]/v1"),
    ],
)
def test_an_endpoint_is_found_from_what_a_user_types(typed: str, url: str) -> None:
    assert endpoint(typed, "m").url == url


def test_an_endpoint_written_in_two_ways_is_one() -> None:
    typed = ["http://a:8000", "http://b", "http://a:8000/v1/", "HTTP://B:80/v1", "http://a:80"]
    assert each_once(typed) == ("http://a:8000", "http://b", "http://a:80")


def test_a_bad_url_and_an_unset_key_are_the_users_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(PrerequisiteError, match="no teacher URL"):
        endpoint("localhost:8000", "m")
    with pytest.raises(PrerequisiteError, match="NO_SUCH_KEY is not set"):
        endpoint("http://localhost", "m", "NO_SUCH_KEY")


def test_a_key_is_trimmed_and_one_that_no_header_may_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEACHER_KEY", "sk-1\n")
    assert endpoint("http://localhost", "m", "TEACHER_KEY").key == "sk-1"
    monkeypatch.setenv("TEACHER_KEY", "sk-1\r\nX-Other: 2")
    with pytest.raises(PrerequisiteError, match="TEACHER_KEY holds a line break") as caught:
        endpoint("http://localhost", "m", "TEACHER_KEY")
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("reasoning", "content", "text"),
    [
        ("a", "b", "<think>\na\n</think>\n\nb"),
        ("a", "", "<think>\na"),
        ("", "b", "b"),
        ("", "", ""),
    ],
)
def test_split_text_is_joined_to_one_raw_text(reasoning: str, content: str, text: str) -> None:
    assert join_parts(reasoning, content) == text
