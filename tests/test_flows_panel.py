"""Sampling shown while it runs: the panel at every width, one line, JSON, Prometheus, Prefect."""

import io
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console
from sampling_progress import progress, replica

from flows import progress as flows_progress
from flows.artifact import ProgressArtifact
from flows.cost import Cost, Price, cost_of, price_of
from flows.display import SamplingDisplay
from flows.metrics import Metrics
from flows.panel import acceptance_rate, dollars, line, panel, time_left
from flows.progress import OUTPUT, say, say_json
from flows.recipe import load_recipe, stage_fingerprint
from prompts.errors import PrerequisiteError
from teacher.progress import SamplingProgress

HOSTILE = "[bold]no replica[/bold] \x1b[2J\x1b]0;owned\x07 [/] answers\nsince\r20 s"


@pytest.fixture(autouse=True)
def _own_output() -> Iterator[None]:
    yield
    OUTPUT.as_json, OUTPUT.metrics = False, None


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that tests move."""
    moment = [100.0]
    for module in ("flows.display", "flows.progress", "flows.artifact"):
        monkeypatch.setattr(f"{module}.time.monotonic", lambda: moment[0])
    return moment


def drawn(shown: SamplingProgress, width: int = 80, height: int = 24) -> str:
    console = Console(
        width=width, file=io.StringIO(), color_system="truecolor", force_terminal=True
    )
    cost = Cost(12.4, 310.2)
    with console.capture() as captured:
        console.print(panel("generate", shown, cost, width, height))
    return captured.get()


def words(text: str) -> str:
    """Without colours, with single blanks."""
    return " ".join(Console(width=400, file=io.StringIO()).render_str(text).plain.split())


# --- the panel -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("replicas", [1, 2, 8, 32])
def test_the_panel_fits_its_terminal(width: int, replicas: int) -> None:
    shown = progress(replicas=tuple(replica(n) for n in range(replicas)), trouble="x" * 500)
    console = Console(width=width, file=io.StringIO())
    lines = console.render_lines(panel("generate", shown, Cost(12.4, 310.2), width, 24))
    assert len(lines) <= 24
    assert all(sum(part.cell_length for part in row) <= width for row in lines)


def test_the_panel_shows_every_figure() -> None:
    text = drawn(progress(), width=200)
    for figure in (
        *("417/564 prompts", "5,912 tokens/s", "256 in flight", "7 ungraded", "600 accepted"),
        *("acceptance rate 60.0 %", "6,094 tokens per accepted trace", "$12.40", "$310.20"),
        *("18 min (15 to 24) left", "12 stalled, 3 rate_limited", "100/128", "71%", "182", "lost"),
    ):
        assert figure in text


def test_many_replicas_collapse_with_the_troubled_ones_in_sight() -> None:
    many = tuple(replica(n, "lost" if n == 31 else "up") for n in range(32))
    text = drawn(progress(replicas=many))
    assert "http://10.0.31.5:8000/v1" in text
    assert "20 more" in text
    assert "2,000/2,560" in text


def test_text_from_outside_is_neither_markup_nor_control() -> None:
    hostile = progress(trouble=HOSTILE, faults={HOSTILE: 2}, replicas=(replica(0, url=HOSTILE),))
    text = drawn(hostile, width=200)
    assert "[bold]no replica[/bold]" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    said = line("generate", hostile, None)
    assert "\x1b" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"completion_tokens": 0, "wasted_tokens": 0}, "waiting for the first token"),
        ({"completion_tokens": 1, "wasted_tokens": 0}, "0 tokens/s"),
        ({"completion_tokens": 0, "wasted_tokens": 0, "in_flight": 0}, "0 tokens/s"),
    ],
)
def test_before_the_first_token_there_is_no_speed(facts: dict[str, Any], said: str) -> None:
    shown = progress(tokens_per_s=0.0, seconds_left=None, replicas=(), **facts)
    for text in (line("generate", shown, None), drawn(shown, width=200)):
        assert said in text
        assert ("tokens/s" in text) is ("tokens/s" in said)


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(width=80, file=io.StringIO(), force_terminal=True)
    with console.capture() as captured:
        console.print(panel("generate", progress(), None))
    assert "\x1b[3" not in captured.get()  # no foreground colour; bold and dim stay


def test_nothing_known_yet_is_not_made_up() -> None:
    empty = progress(
        samples=0, accepted=0, errors=0, tokens_per_accepted=None, seconds_left=None, faults={}
    )
    text = line("generate", empty, None)
    assert "left" not in text
    assert "%" not in text
    assert "$" not in text
    assert "fault" not in text


@pytest.mark.parametrize(
    ("middle", "low", "high", "text"),
    [
        (1_080, 900, 1_440, "18 min (15 to 24)"),
        (48, 40, 61, "48 s (40 to 61)"),
        (2.6, 1.9, 4.0, "3 s (2 to 4)"),
        (9_000, 7_920, 14_400, "2.5 h (2.2 to 4)"),
        (1_080, 1_079, 1_081, "18 min"),
        (1_080, None, None, "18 min"),
        (864_000, 700_000, float("inf"), "10 d"),
        (None, None, None, ""),
        (0, 0, 0, "0 s"),
    ],
)
def test_the_time_left_is_told_with_its_spread(
    middle: float | None, low: float | None, high: float | None, text: str
) -> None:
    shown = progress(seconds_left=middle, seconds_left_low=low, seconds_left_high=high)
    assert time_left(shown) == text


def test_failed_requests_were_not_generated() -> None:
    assert acceptance_rate(progress(samples=103, errors=3, accepted=50)) == 0.5
    assert acceptance_rate(progress(samples=3, errors=3, accepted=0)) is None


def test_what_is_graded_later_shows_no_acceptance() -> None:
    shown = progress(accepted=0, rejected=0, undecided=1_000, tokens_per_accepted=None)
    assert acceptance_rate(shown) is None
    assert "accepted" not in line("aime-2024", shown, None)
    assert "accepted" not in drawn(shown)


# --- cost ----------------------------------------------------------------------------------------


def test_tokens_that_were_lost_are_paid_too() -> None:
    assert cost_of(progress(), Price(per_million_tokens=2.0)) == Cost(5.0, 8.0)


def test_gpus_are_paid_by_the_hour() -> None:
    cost = cost_of(progress(seconds_left=1_800.0), Price(per_hour=96.0))
    assert cost == Cost(96.0, 144.0)


def test_an_unknown_end_has_no_projection() -> None:
    cost = cost_of(progress(tokens_left=None), Price(per_million_tokens=2.0))
    assert cost == Cost(5.0, None)
    assert "at the end" not in line("generate", progress(), cost)


def test_the_price_is_the_endpoints_or_the_clusters_or_none() -> None:
    assert price_of(load_recipe().teacher) is None
    r1 = load_recipe(model="qwen-7b")
    assert price_of(r1.teacher) == Price(per_hour=96.0)
    priced = load_recipe(model="qwen-7b", overrides=["teacher.dollars_per_million_tokens=2.19"])
    assert price_of(priced.teacher) == Price(per_million_tokens=2.19)
    assert stage_fingerprint(priced, "generate") == stage_fingerprint(r1, "generate")


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "$0.00"), (0.00423, "$0.0042"), (12.4, "$12.40"), (1_204.4, "$1,204")]
)
def test_dollars_have_the_digits_that_matter(amount: float, text: str) -> None:
    assert dollars(amount) == text


# --- where it goes -------------------------------------------------------------------------------


def test_without_a_terminal_it_is_a_line_every_five_seconds(
    capsys: pytest.CaptureFixture[str], now: list[float]
) -> None:
    with SamplingDisplay("generate", Price(per_million_tokens=2.0)) as shown:
        for _ in range(12):
            now[0] += 1
            shown.update(progress())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0] == (
        "generate  417/564 prompts  1,003 samples  60.0 % accepted  5,912 tokens/s  "
        "256 in flight  $5.00 since start, $8.00 at the end  18 min (15 to 24) left  "
        "faults: 12 stalled, 3 rate_limited"
    )


def test_json_is_one_object_a_line_and_nothing_else_is_on_stdout(
    capsys: pytest.CaptureFixture[str], now: list[float]
) -> None:
    OUTPUT.as_json = True
    say("teacher   starting")
    with SamplingDisplay("generate") as shown:
        for _ in range(12):
            now[0] += 1
            shown.update(progress(seconds_left=float("inf"), trouble=HOSTILE))
    out, err = capsys.readouterr()
    objects = [json.loads(text, parse_constant=pytest.fail) for text in out.splitlines()]
    assert [o["event"] for o in objects] == ["sampling", "sampling", "ended"]
    assert objects[0]["replicas"][1]["state"] == "lost"
    assert objects[0]["acceptance_rate"] == 0.6
    assert objects[0]["seconds_left"] is None
    assert objects[0]["cost_dollars"] is None
    assert objects[0]["trouble"] == HOSTILE
    assert err == "teacher   starting\n"


def test_other_steps_speak_json_too(capsys: pytest.CaptureFixture[str], now: list[float]) -> None:
    OUTPUT.as_json = True
    with flows_progress.Progress("verify", 100, "samples") as bar:
        now[0] += 5
        bar.update(5)
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "event": "progress",
        "step": "verify",
        "done": 5,
        "total": 100,
        "unit": "samples",
        "seconds_left": 95.0,
    }


def test_json_holds_what_json_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"a": float("nan"), "b": (1, float("-inf")), "c": replica(kv_usage=None)})
    said = json.loads(capsys.readouterr().out)
    assert said["a"] is None
    assert said["b"] == [1, None]
    assert said["c"]["kv_usage"] is None


def test_in_a_terminal_there_is_one_panel_and_it_goes(
    monkeypatch: pytest.MonkeyPatch, now: list[float]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with SamplingDisplay("generate") as shown:
        shown.update(progress())
        drawn_once = screen.tell()
        shown.update(progress(prompts_done=418))  # at once: too fast to be read
        assert screen.tell() == drawn_once
        now[0] += 0.3
        shown.update(progress(prompts_done=419))
    text = screen.getvalue()
    assert "417/564" in text
    assert "418/564" not in text
    assert "419/564" in text
    assert text.rstrip().endswith("\x1b[2K") or "\x1b[2K" in text[-400:]


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as reply:
        return str(reply.read().decode())


def test_prometheus_reads_the_newest_progress() -> None:
    metrics = Metrics(0)
    try:
        assert "stillhouse" not in scraped(metrics.port)
        OUTPUT.metrics = metrics
        with SamplingDisplay("generate", Price(per_million_tokens=2.0)) as shown:
            shown.update(progress(seconds_left=None, replicas=(replica(0), replica(0))))
        text = scraped(metrics.port)
    finally:
        metrics.close()
    for metric in (
        'stillhouse_samples_total{outcome="accepted",step="generate"} 600.0',
        'stillhouse_prompts{step="generate"} 564.0',
        'stillhouse_generated_tokens_total{step="generate"} 2.5e+06',
        'stillhouse_faults_total{kind="stalled",step="generate"} 12.0',
        'stillhouse_replica_kv_usage_ratio{replica="http://10.0.0.5:8000/v1",step="generate"} 0.71',
        'stillhouse_cost_dollars_total{step="generate"} 5.0',
    ):
        assert metric in text
    assert "stillhouse_time_left_seconds{" not in text


def told(text: str, metric: str) -> float:
    """A metric's only value in a scrape."""
    (value,) = (line.split()[-1] for line in text.splitlines() if line.startswith(f"{metric}{{"))
    return float(value)


def test_counters_do_not_go_down_while_a_step_runs() -> None:
    tokens, of_replica = "stillhouse_generated_tokens_total", "stillhouse_replica_completion_tokens"
    metrics = Metrics(0)

    def shown(came: int, wasted: int, elapsed_s: float) -> tuple[float, float]:
        by = (replica(0, completion_tokens=came),)
        now = progress(
            completion_tokens=came, wasted_tokens=wasted, elapsed_s=elapsed_s, replicas=by
        )
        metrics.show("generate", now)
        text = scraped(metrics.port)
        return told(text, tokens), told(text, f"{of_replica}_total")

    try:
        assert shown(1_000, 0, 10.0) == (1_000, 1_000)
        assert shown(700, 300, 11.0) == (1_000, 1_000)  # an attempt was lost
        assert shown(650, 300, 12.0) == (1_000, 1_000)  # the server has counted
        assert shown(900, 300, 13.0) == (1_200, 1_000)
        assert shown(5, 0, 1.0) == (5, 5)  # a second try of the step
    finally:
        metrics.close()


def test_a_port_in_use_is_said_before_anything_starts() -> None:
    metrics = Metrics(0)
    try:
        with pytest.raises(
            PrerequisiteError, match=rf"--metrics-port {metrics.port}.*give another"
        ):
            Metrics(metrics.port)
    finally:
        metrics.close()


class FakePrefect:
    """Prefect's two calls, noted; `fails` makes both raise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: bool = False) -> None:
        import uuid

        import prefect.artifacts

        self.calls: list[tuple[Any, ...]] = []

        def create(progress: float, key: str, description: str) -> uuid.UUID:
            self.calls.append(("create", progress, key))
            if fails:
                raise ConnectionError("no server")
            return uuid.uuid4()

        def update(artifact_id: uuid.UUID, progress: float, description: str) -> uuid.UUID:
            self.calls.append(("update", progress))
            return artifact_id

        monkeypatch.setattr(prefect.artifacts, "create_progress_artifact", create)
        monkeypatch.setattr(prefect.artifacts, "update_progress_artifact", update)
        monkeypatch.setattr("flows.artifact._in_flow_run", lambda: True)


def settled(artifact: ProgressArtifact) -> None:
    assert artifact._thread is not None
    artifact._thread.join(10)


def test_the_artifact_follows_at_most_every_15_seconds(
    monkeypatch: pytest.MonkeyPatch, now: list[float]
) -> None:
    fake = FakePrefect(monkeypatch)
    artifact = ProgressArtifact("LLama Student.base")
    for percent in range(31):
        artifact.update(percent, "text")
        settled(artifact)
        now[0] += 1
    artifact.close(100, "text")
    assert fake.calls == [
        ("create", 0, "sampling-llama-student-base"),
        *(("update", 15), ("update", 30), ("update", 100)),
    ]


def test_a_failure_of_the_artifact_is_said_once(
    monkeypatch: pytest.MonkeyPatch, now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakePrefect(monkeypatch, fails=True)
    artifact = ProgressArtifact("generate")
    for _ in range(3):
        artifact.update(10, "text")
        settled(artifact)
        now[0] += 15
    artifact.close(10, "text")
    assert len(fake.calls) == 4
    assert capsys.readouterr().out.count("no server") == 1


def test_outside_of_a_flow_run_there_is_no_artifact(now: list[float]) -> None:
    artifact = ProgressArtifact("generate")
    artifact.update(10, "text")
    artifact.close(100, "text")
    assert artifact._thread is None


def test_a_hanging_server_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, now: list[float]
) -> None:
    import threading

    import prefect.artifacts

    FakePrefect(monkeypatch)
    answer = threading.Event()
    hang: Callable[..., bool] = lambda *a, **k: answer.wait(30)  # noqa: E731
    monkeypatch.setattr(prefect.artifacts, "create_progress_artifact", hang)
    monkeypatch.setattr("flows.artifact.LAST_WAIT_S", 0.01)
    artifact = ProgressArtifact("generate")
    artifact.update(10, "text")
    first = artifact._thread
    now[0] += 60
    artifact.update(20, "text")
    artifact.close(100, "text")
    assert artifact._thread is first
    answer.set()
