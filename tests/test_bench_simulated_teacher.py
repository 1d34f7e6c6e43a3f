"""The simulated teacher is what the engine is held to, so it is held to vLLM's ways itself."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bench.batching import ReplicaModel
from bench.completions import decode, draw
from bench.faults import MID_COMPLETION, Faults
from bench.simulated_teacher import RunningTeacher, Settings, serving

# Two tokens a millisecond and sequence; short completions: a request takes some milliseconds.
QUICK = Settings(speed_up=1_000.0, median_tokens=100, model="sim")
INSTANT = Settings(completion_bytes=4_000, instant=True)
Session = aiohttp.ClientSession


@pytest.fixture(scope="module")
def teacher() -> Iterator[RunningTeacher]:
    with serving(QUICK) as running:
        yield running


def ask(prompt: str, seed: int | None = 1, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    body = {"model": "sim", "messages": messages, "max_tokens": 32_000, **more}
    return body if seed is None else body | {"seed": seed}


def go(call: Callable[[Session], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with Session(timeout=aiohttp.ClientTimeout(total=20)) as session:
            return await call(session)

    return asyncio.run(run())


def post(url: str, path: str, body: dict[str, Any]) -> Any:
    async def call(session: Session) -> Any:
        async with session.post(url + path, json=body) as response:
            return await response.json()

    return go(call)


async def events(session: Session, url: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a stream; `[DONE]` is told as {}."""
    heard: list[dict[str, Any]] = []
    async with session.post(url, json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                heard.append({} if line == b"data: [DONE]\n" else json.loads(line[6:]))
    return heard


def streamed(**more: Any) -> dict[str, Any]:
    options = {"include_usage": True, "continuous_usage_stats": True}
    return {"stream": True, "stream_interval": 16, "stream_options": options, **more}


def text_of(heard: list[dict[str, Any]]) -> str:
    choices = [choice for event in heard for choice in event.get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


# The server


def test_two_servers_say_the_same_and_another_seed_says_something_else(
    teacher: RunningTeacher,
) -> None:
    with serving(QUICK) as other:
        texts = [
            post(url, "/chat/completions", ask("same?", seed))["choices"][0]["message"]["content"]
            for url, seed in [(teacher.url, 1), (other.url, 1), (teacher.url, 2)]
        ]
    assert texts[0] == texts[1] != texts[2]


def test_a_stream_says_what_a_whole_answer_says(teacher: RunningTeacher) -> None:
    whole = post(teacher.url, "/chat/completions", ask("stream"))
    heard = go(lambda s: events(s, f"{teacher.url}/chat/completions", ask("stream") | streamed()))
    assert text_of(heard) == whole["choices"][0]["message"]["content"]
    assert heard[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert heard[0]["usage"]["completion_tokens"] == 0
    counts = [event["usage"]["completion_tokens"] for event in heard[:-2]]
    assert counts == sorted(counts)
    assert heard[-3]["choices"][0]["finish_reason"] == "stop"
    assert heard[-2]["choices"] == []
    assert heard[-2]["usage"] == whole["usage"]
    assert heard[-1] == {}


def test_a_completion_stops_at_max_tokens_with_its_reason(teacher: RunningTeacher) -> None:
    answer = post(teacher.url, "/chat/completions", ask("cut", max_tokens=12))
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 12
    assert len(answer["choices"][0]["message"]["content"]) == 48


def test_stream_interval_is_the_tokens_between_events() -> None:
    slow = Settings(replica=ReplicaModel(500.0, 0.0, 500.0), median_tokens=100)
    with serving(slow) as teacher:
        body = ask("interval", max_tokens=70) | streamed(stream_interval=20)
        heard = go(lambda s: events(s, f"{teacher.url}/chat/completions", body))
    counts = [event["usage"]["completion_tokens"] for event in heard[1:-2]]
    assert counts == [1, 21, 41, 61, 70]


def continued(teacher: RunningTeacher, prompt: str, partial: str, **more: Any) -> dict[str, Any]:
    root = teacher.url.removesuffix("/v1")
    chat = {**ask(prompt), "add_generation_prompt": True}
    first = post(root, "/tokenize", chat)["tokens"]
    said = {"model": "sim", "prompt": partial, "add_special_tokens": False}
    ids = first + post(root, "/tokenize", said)["tokens"]
    body = {"model": "sim", "prompt": ids, "seed": 1, "max_tokens": 30_000, **more}
    answer: dict[str, Any] = post(teacher.url, "/completions", body)
    return answer


@pytest.mark.parametrize("characters", [0, 4, 40, 101, 200])
def test_a_continued_completion_ends_as_an_unbroken_one(
    teacher: RunningTeacher, characters: int
) -> None:
    prompt = "continue ü"
    whole = post(teacher.url, "/chat/completions", ask(prompt))
    text = whole["choices"][0]["message"]["content"]
    rest = continued(teacher, prompt, text[:characters])
    assert text[:characters] + rest["choices"][0]["text"] == text
    assert rest["choices"][0]["finish_reason"] == "stop"
    said = -(-characters // 4)
    made = whole["usage"]["completion_tokens"] - characters // 4
    assert rest["usage"]["completion_tokens"] == made
    assert rest["usage"]["prompt_tokens"] == whole["usage"]["prompt_tokens"] + said
    assert teacher.stats()["strange_continuations"] == 0


def test_continue_final_message_goes_on_as_well(teacher: RunningTeacher) -> None:
    text = post(teacher.url, "/chat/completions", ask("final"))["choices"][0]["message"]["content"]
    body = ask("final") | {"continue_final_message": True, "add_generation_prompt": False}
    body["messages"] = [*body["messages"], {"role": "assistant", "content": text[:60]}]
    rest = post(teacher.url, "/chat/completions", body)["choices"][0]["message"]["content"]
    assert text[:60] + rest == text


def test_a_continuation_of_what_was_never_said_is_noted() -> None:
    with serving(QUICK) as teacher:
        continued(teacher, "strange", "<think>\nNever said that.")
        assert teacher.stats()["strange_continuations"] == 1


def test_token_ids_are_returned_when_asked_for(teacher: RunningTeacher) -> None:
    body = ask("ids") | streamed(return_token_ids=True)
    heard = go(lambda s: events(s, f"{teacher.url}/chat/completions", body))
    ids = [i for e in heard[1:-2] for i in e["choices"][0]["token_ids"]]
    assert decode(ids) == text_of(heard)
    prompt = {**ask("ids"), "add_generation_prompt": True}
    root = teacher.url.removesuffix("/v1")
    assert heard[0]["prompt_token_ids"] == post(root, "/tokenize", prompt)["tokens"]


def test_metrics_are_read_by_a_prometheus_client(teacher: RunningTeacher) -> None:
    parser = pytest.importorskip("prometheus_client.parser")

    async def call(session: Session) -> str:
        async with session.get(teacher.url.removesuffix("/v1") + "/metrics") as response:
            return await response.text()

    families = list(parser.text_string_to_metric_families(go(call)))
    samples = {s.name: s for f in families for s in f.samples if "reason" not in s.labels}
    names = ["num_requests_running", "num_requests_waiting", "kv_cache_usage_perc",
             "num_preemptions_total", "generation_tokens_total"]  # fmt: skip
    for name in names:
        assert samples[f"vllm:{name}"].labels == {"engine": "0", "model_name": "sim"}
    assert samples["vllm:generation_tokens_total"].value == teacher.stats()["tokens"]
    assert {f.name: f.type for f in families}["vllm:num_preemptions"] == "counter"


def test_it_names_its_model_and_refuses_another_and_too_long_a_request(
    teacher: RunningTeacher,
) -> None:
    async def models(session: Session) -> Any:
        async with session.get(f"{teacher.url}/models") as response:
            return await response.json()

    row = go(models)["data"][0]
    assert (row["id"], row["owned_by"], row["max_model_len"]) == ("sim", "vllm", 40_960)
    wrong = post(teacher.url, "/chat/completions", ask("x", model="other"))
    assert wrong["error"]["code"] == 404
    long = post(teacher.url, "/chat/completions", ask("x", max_tokens=50_000))
    assert long["error"]["code"] == 400


def test_a_client_that_goes_away_is_paid_for_no_further() -> None:
    with serving(Settings(speed_up=10.0)) as teacher:

        async def leave(session: Session) -> None:
            body = ask("leave") | streamed()
            async with session.post(f"{teacher.url}/chat/completions", json=body) as response:
                await response.content.readline()
                assert teacher.stats()["running"] == 1
                response.close()
            while teacher.stats()["running"]:
                await asyncio.sleep(0.01)

        go(leave)
        log = teacher.stats()
        assert (log["aborted"], log["whole"]) == (1, 0)
        assert 0 < log["aborted_tokens"] == log["tokens"] < draw("leave", 1).tokens
        assert list(log["samples"].values()) == [[1, log["tokens"], 0]]


def test_more_requests_than_places_wait_and_all_are_answered() -> None:
    model = ReplicaModel(max_num_seqs=4)
    with serving(Settings(replica=model, speed_up=200.0, median_tokens=50)) as teacher:
        teacher.hang()  # else those first served may be done before the last has come

        async def many(session: Session) -> int:
            url = f"{teacher.url}/chat/completions"
            asked = [session.post(url, json=ask(f"Q{i}")) for i in range(20)]
            tasks = [asyncio.ensure_future(call) for call in asked]
            while (now := teacher.stats())["waiting"] + now["running"] < 20:
                await asyncio.sleep(0.001)
            assert (now["running"], now["waiting"]) == (4, 16)
            teacher.resume()
            return [response.status for response in await asyncio.gather(*tasks)].count(200)

        assert go(many) == 20
        log = teacher.stats()
        assert log["whole"] == 20
        assert all(entry[2] == 1 for entry in log["samples"].values())


def test_an_instant_answer_has_its_size_streamed_and_whole() -> None:
    with serving(INSTANT) as teacher:
        answer = post(teacher.url, "/chat/completions", ask("now"))
        body = ask("now") | streamed()
        heard = go(lambda s: events(s, f"{teacher.url}/chat/completions", body))
        assert teacher.stats()["tokens"] == 2_000
    assert len(answer["choices"][0]["message"]["content"]) == 4_000
    assert text_of(heard) == answer["choices"][0]["message"]["content"]


# Faults


async def met(session: Session, url: str, body: dict[str, Any]) -> str:
    """What a client sees of a request."""
    try:
        async with asyncio.timeout(0.5), session.post(url, json=body) as response:
            if response.status != 200:
                return f"{response.status} {response.headers.get('Retry-After', '')}".strip()
            data = await response.read()
    except TimeoutError:
        return "stuck"
    except aiohttp.ClientPayloadError as error:
        return "reset in body" if "reset" in repr(error).lower() else "cut body"
    except aiohttp.ServerDisconnectedError:
        return "disconnected"
    except aiohttp.ClientOSError:
        return "reset"
    if body.get("stream") and response.content_type == "text/event-stream":
        return "whole" if data.endswith(b"[DONE]\n\n") else "ended early"
    try:
        return "whole" if json.loads(data)["choices"] else "no choices"
    except ValueError:
        return "html" if data.startswith(b"<html") else "no JSON"


@pytest.mark.parametrize(
    ("fault", "seen", "seen_streamed"),
    [
        ("rate_limited", "429 0.5", "429 0.5"),
        ("server_error", "503", "503"),
        ("html", "html", "html"),
        ("reset_before_headers", "reset", "reset"),
        ("empty_choices", "no choices", "no choices"),
        ("reset_mid_body", "reset in body", "reset in body"),
        ("truncated_body", "cut body", "ended early"),
        ("invalid_json", "no JSON", "ended early"),
        ("stuck", "stuck", "stuck"),
    ],
)
def test_a_fault_is_seen_and_costs_what_it_costs(fault: str, seen: str, seen_streamed: str) -> None:
    with serving(QUICK) as teacher:
        teacher.change(**{fault: 1.0, "retry_after_s": 0.5})
        url = f"{teacher.url}/chat/completions"

        async def both(session: Session) -> tuple[str, str]:
            return await met(session, url, ask("a")), await met(session, url, ask("b") | streamed())

        first, second = go(both)
        assert (first, second) == (seen, seen_streamed)
        log = teacher.stats()
        assert log["faults"] == {fault: 2}
        assert log["whole"] == 0
        assert (log["tokens"] > 0) == (fault in MID_COMPLETION)


def test_faults_are_decided_by_prompt_seed_attempt_and_server() -> None:
    faults = Faults(server_error=0.3, stuck=0.2)
    asked = [(f"key{i}", attempt) for i in range(500) for attempt in range(2)]
    once = [faults.of(key, attempt, 0) for key, attempt in asked]
    assert once == [faults.of(key, attempt, 0) for key, attempt in asked]
    assert once != [faults.of(key, attempt, 1) for key, attempt in asked]
    kinds = [kind for kind, _ in once]
    assert kinds.count("server_error") / len(kinds) == pytest.approx(0.3, abs=0.05)
    assert kinds.count("stuck") / len(kinds) == pytest.approx(0.2, abs=0.05)
    with pytest.raises(ValueError, match="no fault 'sutck'"):
        faults.changed({"sutck": 1.0})


def test_a_canary_meets_no_rate_but_fails_with_all() -> None:
    with serving(QUICK) as teacher:
        url = f"{teacher.url}/chat/completions"
        teacher.change(server_error=1.0)
        assert go(lambda s: met(s, url, ask("canary", seed=None))) == "whole"
        teacher.change(fail_all=True)
        assert go(lambda s: met(s, url, ask("canary", seed=None))) == "500"

        async def health(session: Session) -> int:
            async with session.get(teacher.url.removesuffix("/v1") + "/health") as response:
                return response.status

        assert go(health) == 200


def test_a_hung_engine_answers_health_and_makes_no_token_until_it_goes_on() -> None:
    with serving(QUICK) as teacher:
        url = f"{teacher.url}/chat/completions"
        teacher.hang()
        assert go(lambda s: met(s, url, ask("hung") | streamed())) == "stuck"
        assert teacher.stats()["tokens"] == 0
        teacher.resume()
        assert go(lambda s: met(s, url, ask("hung") | streamed())) == "whole"


def test_a_slow_server_takes_its_time() -> None:
    with serving(QUICK) as teacher:
        post(teacher.url, "/chat/completions", ask("slow"))
        busy_s = teacher.stats()["busy_s"]
        teacher.change(slow=4.0)
        post(teacher.url, "/chat/completions", ask("slow"))
        assert teacher.stats()["busy_s"] == pytest.approx(5 * busy_s, rel=0.01)


def test_a_killed_teacher_breaks_its_streams_and_comes_back_on_its_port() -> None:
    with serving(Settings(speed_up=10.0)) as teacher:
        url = f"{teacher.url}/chat/completions"

        async def killed(session: Session) -> str:
            running = asyncio.create_task(met(session, url, ask("dies") | streamed()))
            while not teacher.stats()["running"]:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(teacher.kill)
            assert await met(session, url, ask("dies")) == "reset"
            return await running

        assert go(killed) in ("reset in body", "cut body", "reset")
        assert teacher.stats()["aborted"] == 1
        teacher.change(slow=0.01)
        teacher.revive()
        assert go(lambda s: met(s, url, ask("dies"))) == "whole"


def test_as_a_process_it_prints_its_url_and_tells_all_before_it_dies() -> None:
    command = [sys.executable, "-m", "bench.simulated_teacher", "--speed-up", "500", "--port", "0"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        post(url, "/chat/completions", ask("process", max_tokens=50))
        stats = post(url.removesuffix("/v1"), "/admin/kill", {})
        assert (stats["whole"], stats["tokens"]) == (1, 50)
        assert process.wait(10) == -9
