"""The engine over real HTTP: what is asked, what is kept, and what survives a bad server."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from simulated_teacher import SimulatedTeacher, serving

from prompts.errors import RunError
from prompts.record import Prompt, prompt_id
from teacher.ask import Ask, sample_seed
from teacher.canary import Replica
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.sample import Sample, sample_id
from teacher.sampling import open_pool, sample_prompts
from teacher.settings import SamplingRecipe
from teacher.shards import Shards

QUICK = SamplingRecipe(
    in_flight=8, retry_wait_s=0.01, stall_timeout_s=30.0, progress_s=0.02, max_tokens=100
)
# Only where a stall is to be found: a busy machine may see one too many.
IMPATIENT = QUICK.model_copy(update={"stall_timeout_s": 2.0})
Decide = Callable[[Sample], bool | None]


def asks(count: int) -> list[Ask]:
    def one(question: str) -> Ask:
        prompt = Prompt(
            prompt_id=prompt_id("math", question),
            domain="math",
            source="test",
            license="test",
            split="train",
            question=question,
            reference_kind="math_answer",
            reference="1",
        )
        return Ask(prompt, [{"role": "user", "content": question}], "zero-shot")

    return [one(f"q{number}") for number in range(count)]


def run(
    teachers: list[SimulatedTeacher],
    folder: Path,
    count: int = 10,
    recipe: SamplingRecipe = QUICK,
    decide: Decide = lambda sample: True,
    on_progress: Callable[[SamplingProgress], None] = lambda progress: None,
    model: str = "sim",
    regrade: bool = False,
) -> tuple[SamplingSummary, list[Sample]]:
    """Serve the teachers, sample `count` prompts from them, return the summary and the samples."""

    async def accept(prompt: Prompt, sample: Sample) -> bool | None:
        return decide(sample)

    async def go(shards: Shards) -> SamplingSummary:
        replicas = [Replica(teacher.url, model) for teacher in teachers]
        async with open_pool(replicas, recipe) as pool:
            return await sample_prompts(
                asks(count), pool, shards, recipe, accept, on_progress, regrade
            )

    with ExitStack() as stack, Shards(folder) as shards:
        for teacher in teachers:
            stack.enter_context(serving(teacher))
        return asyncio.run(go(shards)), stored(shards)


def stored(shards: Shards) -> list[Sample]:
    """Every sample of the folder."""
    return list(shards.read([row.sample_id for row in shards.restore()]))


def test_a_prompt_is_asked_only_until_it_has_its_keep(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    recipe = QUICK.model_copy(update={"tail_parallel": 1})
    summary, samples = run(
        [teacher], tmp_path, 10, recipe, decide=lambda sample: sample.sample_index == 2
    )
    assert Counter(sample.prompt_id for sample in samples) == {
        ask.prompt.prompt_id: 3 for ask in asks(10)
    }
    assert len(teacher.log) == len(set(teacher.log)) == 30
    assert (summary.prompts_kept, summary.accepted, summary.rejected) == (10, 10, 20)


def test_a_prompt_without_an_accepted_sample_stops_at_n_max(tmp_path: Path) -> None:
    summary, samples = run([SimulatedTeacher()], tmp_path, 10, decide=lambda sample: None)
    assert len(samples) == 40
    assert (summary.prompts_kept, summary.undecided, summary.rejected) == (0, 40, 0)


def test_n_min_equal_to_n_max_takes_a_fixed_number(tmp_path: Path) -> None:
    fixed = QUICK.model_copy(update={"n_min": 3, "n_max": 3})
    summary, samples = run([SimulatedTeacher()], tmp_path, 10, fixed)
    assert len(samples) == 30
    assert summary.accepted == 30


def test_first_samples_of_all_prompts_go_before_second_ones(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    one_by_one = QUICK.model_copy(update={"in_flight": 1})  # several may overtake on their way
    run([teacher], tmp_path, 50, one_by_one, decide=lambda sample: False)
    seeds = {sample_seed(0, ask.prompt.prompt_id, 0) for ask in asks(50)}
    assert {seed for _, seed in teacher.log[:50]} == seeds


def test_a_replica_never_has_more_in_flight_than_its_window(tmp_path: Path) -> None:
    teachers = [SimulatedTeacher(), SimulatedTeacher()]
    run(teachers, tmp_path, 60)
    assert max(teacher.most_at_once for teacher in teachers) <= QUICK.in_flight
    assert all(len(teacher.log) > 15 for teacher in teachers)


def test_siblings_in_flight_are_cancelled_on_the_server(tmp_path: Path) -> None:
    identity = asks(1)[0].prompt.prompt_id
    stuck = sample_seed(0, identity, 2)
    teacher = SimulatedTeacher(fault=lambda prompt, seed, nth: "hang" if seed == stuck else None)
    recipe = QUICK.model_copy(update={"keep": 2, "n_max": 4, "tail_parallel": 3})
    summary, samples = run(
        [teacher], tmp_path, 1, recipe, decide=lambda sample: sample.sample_index in (0, 3)
    )
    assert summary.cancelled == 1
    assert {sample.sample_index for sample in samples} == {0, 1, 3}
    assert [seed for _, seed in teacher.dropped] == [stuck]


FAULTS = ("429", "500", "503", "reset", "html", "invalid_json", "empty_choices", "hang")
STREAM_FAULTS = ("stuck", "kept_awake", "short_stream", "broken_stream")


@pytest.mark.parametrize("name", FAULTS + STREAM_FAULTS)
def test_a_fault_costs_one_more_attempt_and_no_sample(name: str, tmp_path: Path) -> None:
    teacher = SimulatedTeacher(
        owner="somebody",  # vLLM would be asked to go on with a stream that breaks
        fault=lambda prompt, seed, nth: name if nth == 0 and prompt in ("q1", "q5") else None,
    )
    recipe = IMPATIENT if name in ("hang", "stuck", "kept_awake") else QUICK
    summary, samples = run([teacher], tmp_path, recipe=recipe)
    assert summary.accepted == len(samples) == 10
    assert sum(summary.faults.values()) == 2
    assert sorted(sample.attempts for sample in samples) == [1] * 8 + [2] * 2


def test_a_sample_that_fails_for_good_is_an_error_row_and_its_siblings_go_on(
    tmp_path: Path,
) -> None:
    first = {sample_seed(0, ask.prompt.prompt_id, 0) for ask in asks(10)}
    teacher = SimulatedTeacher(fault=lambda prompt, seed, nth: "html" if seed in first else None)
    once = QUICK.model_copy(update={"request_attempts": 1, "circuit_failures": 100})
    summary, samples = run([teacher], tmp_path, recipe=once)
    errors = [sample for sample in samples if sample.finish_reason == "error"]
    assert summary.errors == len(errors) == 10
    assert all("not_json" in str(sample.error) for sample in errors)
    assert summary.prompts_kept == 10


def too_long(prompt: str, seed: int, nth: int) -> str | None:
    return "400" if prompt in ("q2", "q7") else None


def test_a_refused_prompt_is_asked_once_and_not_again_by_the_next_run(tmp_path: Path) -> None:
    teacher = SimulatedTeacher(fault=too_long)
    summary, samples = run([teacher], tmp_path)
    assert sorted(prompt for prompt, _ in teacher.log) == [f"q{number}" for number in range(10)]
    assert (summary.prompts_kept, summary.prompts_refused) == (8, 2)
    assert (summary.accepted, summary.errors, summary.refused) == (8, 2, 2)
    again = SimulatedTeacher()
    second, same = run([again], tmp_path)
    assert again.log == []
    assert same == samples
    assert (second.prompts_refused, second.errors, second.refused) == (2, 2, 2)
    assert second.outcomes == summary.outcomes
    assert Counter(row.stopped for row in second.outcomes) == {"kept": 8, "refused": 2}


def test_a_refused_prompt_is_asked_again_when_all_is_graded_again(tmp_path: Path) -> None:
    run([SimulatedTeacher(fault=too_long)], tmp_path)
    again = SimulatedTeacher()
    summary, _ = run([again], tmp_path, regrade=True)
    assert sorted(prompt for prompt, _ in again.log) == ["q2", "q7"]
    assert (summary.prompts_kept, summary.accepted, summary.errors) == (10, 10, 0)


def test_where_all_was_refused_the_next_run_asks_again(tmp_path: Path) -> None:
    """That is a server set up wrongly, not a prompt that no server takes."""
    bad = SimulatedTeacher(fault=lambda prompt, seed, nth: None if seed < 0 else "400")
    summary, _ = run([bad], tmp_path, 5)
    assert (summary.samples, summary.refused, summary.prompts_refused) == (5, 5, 5)
    summary, _ = run([SimulatedTeacher()], tmp_path, 5)
    assert (summary.accepted, summary.prompts_kept) == (5, 5)


def test_a_failed_sample_is_asked_for_again_by_the_next_run(tmp_path: Path) -> None:
    once = QUICK.model_copy(update={"n_max": 1, "request_attempts": 1})
    bad = SimulatedTeacher(fault=lambda p, seed, n: "invalid_json" if p == "q3" else None)
    summary, _ = run([bad], tmp_path, recipe=once)
    assert (summary.accepted, summary.errors) == (9, 1)
    good = SimulatedTeacher()
    summary, samples = run([good], tmp_path, recipe=once)
    assert [prompt for prompt, _ in good.log] == ["q3"]
    assert (summary.accepted, summary.errors, summary.resumed) == (10, 0, 9)
    assert [sample.error for sample in samples] == [None] * 10


def test_a_finished_run_asks_nothing_when_started_again(tmp_path: Path) -> None:
    decide: Decide = lambda sample: sample.seed % 2 == 0  # noqa: E731
    first, samples = run([SimulatedTeacher()], tmp_path, decide=decide)
    again = SimulatedTeacher()
    second, same = run([again], tmp_path, decide=decide)
    assert again.log == []
    assert same == samples
    assert second.resumed == first.samples
    assert (second.accepted, second.rejected) == (first.accepted, first.rejected)


def test_a_completion_cut_by_its_limit_is_graded_and_not_asked_for_again(tmp_path: Path) -> None:
    teacher = SimulatedTeacher(finish_reason="length")
    summary, samples = run([teacher], tmp_path)
    assert summary.truncated == len(samples) == len(teacher.log) == 10


def test_the_record_says_who_answered_what_and_when(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    _, (sample,) = run([teacher], tmp_path, 1)
    assert (sample.reasoning, sample.answer) == ("about q0", f"\\boxed{{{sample.seed}}}")
    assert sample.reasoning_tokens + sample.answer_tokens == sample.completion_tokens > 0
    assert (sample.replica, sample.teacher, sample.template) == (teacher.url, "sim", "zero-shot")
    assert sample.started_at <= sample.ended_at


def test_a_replica_that_fails_every_request_is_left_alone(tmp_path: Path) -> None:
    bad = SimulatedTeacher(fault=lambda prompt, seed, nth: None if seed < 0 else "500")
    good = SimulatedTeacher()
    summary, samples = run([bad, good], tmp_path, 200)
    assert summary.accepted == len(samples) == 200
    assert len(bad.log) <= 5 * QUICK.in_flight
    assert {sample.replica for sample in samples} == {good.url}


def test_no_replica_left_ends_the_run_and_keeps_what_came(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()

    def pull_the_plug(sample: Sample) -> bool:
        teacher.down = True
        return True

    seen: list[str] = []
    short = QUICK.model_copy(update={"wait_for_replica_s": 0.2, "request_attempts": 100})
    with pytest.raises(RunError, match=r"no teacher replica has answered .* run the same command"):
        run([teacher], tmp_path, 50, short, pull_the_plug, lambda p: seen.append(p.trouble))
    assert any("no replica answers" in trouble for trouble in seen)
    came = set(teacher.sent)
    assert came
    again = SimulatedTeacher()
    summary, _ = run([again], tmp_path, 50)
    assert summary.accepted == 50
    assert summary.resumed == len(came)
    assert not came & set(again.log)


def test_sampling_goes_on_when_a_lost_replica_returns(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    pulled: list[Sample] = []

    def pull_the_plug_once(sample: Sample) -> bool:
        teacher.down = teacher.down or not pulled
        pulled.append(sample)
        return True

    def plug_in_again(progress: SamplingProgress) -> None:
        if "no replica answers" in progress.trouble:
            teacher.down = False

    patient = QUICK.model_copy(update={"request_attempts": 100})
    summary, _ = run([teacher], tmp_path, 50, patient, pull_the_plug_once, plug_in_again)
    assert summary.accepted == 50
    assert summary.faults["server_error"] > 0


def test_a_teacher_that_falls_silent_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teacher.sampling.SILENCE_S", 0.05)
    seen: list[SamplingProgress] = []

    def enough(progress: SamplingProgress) -> None:
        seen.append(progress)
        if "no token" in progress.trouble:
            raise RunError("the test has seen it")

    silent = SimulatedTeacher(fault=lambda prompt, *_: "hang" if prompt[0] == "q" else None)
    with pytest.raises(RunError, match="seen"):
        run([silent], tmp_path, on_progress=enough)
    assert seen[-1].trouble == "no token heard for 0 s (a request is given up after 30 s)"
    assert seen[-1].in_flight == 8
    assert seen[0].trouble == ""


def test_a_wrong_model_ends_the_run_before_anything_is_asked(tmp_path: Path) -> None:
    teacher = SimulatedTeacher()
    with pytest.raises(RunError, match="does not serve 'other'; it serves sim"):
        run([teacher], tmp_path, model="other")
    assert teacher.bodies == []


def test_what_accept_raises_ends_the_run_and_the_sample_is_kept(tmp_path: Path) -> None:
    def broken(sample: Sample) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([SimulatedTeacher()], tmp_path, 1, decide=broken)
    again = SimulatedTeacher()
    summary, _ = run([again], tmp_path, 1)
    assert (again.log, summary.accepted) == ([], 1)


def test_no_more_is_asked_while_too_much_text_waits_for_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teacher.sampling.UNGRADED_CHARACTERS", 100)
    one_by_one = QUICK.model_copy(update={"in_flight": 1})
    waiting, most = [0], [0]

    async def accept(prompt: Prompt, sample: Sample) -> bool:
        waiting[0] += len(sample.completion)
        most[0] = max(most[0], waiting[0])
        await asyncio.sleep(0.03)  # a grader slower than the teacher
        waiting[0] -= len(sample.completion)
        return True

    async def go(shards: Shards, teacher: SimulatedTeacher) -> SamplingSummary:
        async with open_pool([Replica(teacher.url, "sim")], one_by_one) as pool:
            return await sample_prompts(asks(30), pool, shards, one_by_one, accept)

    with serving(SimulatedTeacher()) as teacher, Shards(tmp_path) as shards:
        assert asyncio.run(go(shards, teacher)).accepted == 30
    assert most[0] < 250


def test_a_failure_while_grading_what_was_stored_ends_the_run_at_once(tmp_path: Path) -> None:
    def stop(sample: Sample) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([SimulatedTeacher()], tmp_path, 1, decide=stop)
    with Shards(tmp_path) as shards:
        for sample in stored(shards):
            for number in range(1, 40):
                name, index = asks(40)[number].prompt.prompt_id, sample.sample_index
                other = replace(sample, sample_id=sample_id(name, index), prompt_id=name)
                shards.append(other)
    graded: list[str] = []

    async def accept(prompt: Prompt, sample: Sample) -> bool:
        graded.append(sample.sample_id)
        if len(graded) == 5:
            raise ZeroDivisionError
        await asyncio.sleep(3_600)
        return True

    async def go(shards: Shards, teacher: SimulatedTeacher) -> None:
        async with open_pool([Replica(teacher.url, "sim")], QUICK) as pool:
            await sample_prompts(asks(40), pool, shards, QUICK, accept)

    with serving(SimulatedTeacher()) as teacher, Shards(tmp_path) as shards:
        started_s = time.monotonic()
        with pytest.raises(ZeroDivisionError):
            asyncio.run(go(shards, teacher))
        assert time.monotonic() - started_s < 60.0


def test_progress_ends_with_everything_counted(tmp_path: Path) -> None:
    seen: list[SamplingProgress] = []
    summary, _ = run([SimulatedTeacher()], tmp_path, 30, on_progress=seen.append)
    last = seen[-1]
    assert (last.prompts_done, last.prompts_total, last.samples) == (30, 30, 30)
    assert (last.accepted, last.in_flight, last.trouble) == (30, 0, "")
    assert last.completion_tokens == summary.completion_tokens > 0


def test_seeds_depend_on_recipe_prompt_and_index_only() -> None:
    seeds = {sample_seed(s, p, i) for s in (0, 1) for p in ("a", "b") for i in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert sample_seed(0, "a", 0) == 1588112284


def test_a_recipe_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(ValidationError, match="must not exceed n_max"):
        SamplingRecipe(keep=5, n_max=4)
    with pytest.raises(ValidationError, match="temprature"):
        SamplingRecipe(temprature=1)  # type: ignore[call-arg]


def test_one_prompt_twice_is_a_bug_that_shows(tmp_path: Path) -> None:
    ask = asks(1)[0]

    async def go(shards: Shards, teacher: SimulatedTeacher) -> None:
        async with open_pool([Replica(teacher.url, "sim")], QUICK) as pool:

            async def accept(prompt: Prompt, sample: Sample) -> bool:
                return True

            await sample_prompts([ask, replace(ask)], pool, shards, QUICK, accept)

    with serving(SimulatedTeacher()) as teacher, Shards(tmp_path) as shards:  # noqa: SIM117
        with pytest.raises(ValueError, match="asked twice"):
            asyncio.run(go(shards, teacher))
