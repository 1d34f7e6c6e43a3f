"""The schedule of samples under any order of answers, verdicts, cancellations and restarts."""

import tracemalloc

import pytest
from cpu_time import at_most_cpu_s
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from teacher.schedule import Schedule, Stop, StopRule

Work = tuple[int, int]


def stop_rule(
    keep: int = 1,
    n_min: int = 1,
    n_max: int = 8,
    *,
    give_up_after: int | None = None,
    per_prompt: int | None = None,
    per_run: int | None = None,
    tail_parallel: int = 1,
) -> StopRule:
    """A rule with completions of at most 10 tokens."""
    return StopRule(
        keep=keep,
        n_min=n_min,
        n_max=n_max,
        give_up_after=give_up_after,
        max_tokens=10,
        max_tokens_per_prompt=per_prompt,
        max_tokens_per_run=per_run,
        tail_parallel=tail_parallel,
    )


def take(schedule: Schedule, times: int, places: int = 100) -> list[Work | None]:
    return [schedule.next(places) for _ in range(times)]


def total_spent(schedule: Schedule) -> int:
    return sum(prompt.tokens for prompt in schedule.prompts)


@st.composite
def rules(draw: st.DrawFn) -> StopRule:
    keep, n_min = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    return stop_rule(
        keep,
        n_min,
        max(keep, n_min) + draw(st.integers(0, 4)),
        give_up_after=draw(st.none() | st.integers(1, 6)),
        per_prompt=draw(st.none() | st.integers(10, 60)),
        per_run=draw(st.none() | st.integers(10, 200)),
        tail_parallel=draw(st.integers(1, 4)),
    )


class AnyOrder(RuleBasedStateMachine):
    """What an engine may do with a schedule, beside a plain account of it."""

    flying: Bundle[Work] = Bundle("flying")

    @initialize(
        target=flying,
        stop=rules(),
        count=st.integers(0, 5),
        traces=st.lists(st.sampled_from([1, 1, 2, 3]), min_size=5, max_size=5),
        places=st.integers(1, 24),
        earlier=st.dictionaries(st.integers(0, 4), st.sets(st.integers(0, 8), max_size=4)),
    )
    def start(
        self,
        stop: StopRule,
        count: int,
        traces: list[int],
        places: int,
        earlier: dict[int, set[int]],
    ) -> "MultipleResults[Work] | Work":
        self.rule, self.places = stop, places
        self.rule_of = [stop.times(each) for each in traces]
        self.schedule = Schedule(count, stop, traces[:count])
        self.in_flight: set[Work] = set()
        self.lost_of: dict[Work, int] = {}
        self.failed: set[Work] = set()  # taken out of flight by no choice of this machine's
        self.spent = [0] * count
        self.back: list[dict[int, bool | None]] = [{} for _ in range(count)]
        for order in range(count):
            most = self.rule_of[order].n_max if stop.max_tokens_per_prompt is None else 1
            for index in sorted(i for i in earlier.get(order, ()) if i < stop.n_max)[:most]:
                if stop.max_tokens_per_run is None or not self.in_flight:
                    self.schedule.restore(order, index)
                    self.in_flight.add((order, index))
        return multiple(*sorted(self.in_flight))

    @rule(target=flying)
    def ask(self) -> "MultipleResults[Work] | Work":
        work = self.schedule.next(self.places)
        if work is None:
            return multiple()
        order, index = work
        prompt = self.schedule.prompts[order]
        own, others = self.rule_of[order], {i for o, i in self.in_flight if o == order}
        assert index == min(set(range(99)) - others - set(self.back[order])) < own.n_max
        tried, accepted = len(self.back[order]), self.accepted(order)
        assert own.stop(tried, accepted) is None
        assert own.stop(tried + len(others), accepted) is None, "a pointless sample"
        assert prompt.flying == others | {index}
        self.in_flight.add(work)
        return work

    @rule(
        work=consumes(flying),
        accepted=st.sampled_from([True, False, None]),
        tokens=st.integers(0, 10),
    )
    def came_back(self, work: Work, accepted: bool | None, tokens: int) -> None:
        if work not in self.failed:
            self.land(work, accepted, tokens)

    @rule(work=consumes(flying), tokens=st.integers(0, 10))
    def cancelled(self, work: Work, tokens: int) -> None:
        if work in self.failed:
            return
        self.in_flight.remove(work)
        self.spent[work[0]] += tokens
        self.schedule.cancelled(*work, tokens + self.lost_of.pop(work, 0))

    @precondition(lambda self: hasattr(self, "rule") and self.in_flight)
    @rule(which=st.integers(0), tokens=st.integers(0, 10))
    def lost(self, which: int, tokens: int) -> None:
        """An attempt broke; what can be asked again is, else the sample fails."""
        work = sorted(self.in_flight)[which % len(self.in_flight)]
        self.spent[work[0]] += tokens
        self.lost_of[work] = self.lost_of.get(work, 0) + tokens
        if not self.schedule.lost(*work, tokens):
            self.failed.add(work)
            self.land(work, None, tokens=0)

    @precondition(lambda self: hasattr(self, "rule"))
    @rule(places=st.integers(1, 24))
    def replicas_change(self, places: int) -> None:
        self.places = places

    @precondition(lambda self: hasattr(self, "rule"))
    @invariant()
    def budgets_hold(self) -> None:
        for order, spent in enumerate(self.spent):
            reserved = 10 * sum(o == order for o, _ in self.in_flight)
            assert spent + reserved <= self.rule_of[order].tokens_per_prompt
        assert sum(self.spent) + 10 * len(self.in_flight) <= self.rule.tokens_per_run
        assert total_spent(self.schedule) == sum(self.spent)

    @precondition(lambda self: hasattr(self, "rule"))
    @invariant()
    def decided_prompts_have_their_reason(self) -> None:
        prompts = self.schedule.prompts
        assert self.schedule.decided == sum(prompt.decided for prompt in prompts)
        for order, prompt in enumerate(prompts):
            assert prompt.tried_bits == sum(1 << index for index in self.back[order])
            assert len(self.back[order]) <= self.rule_of[order].n_max
            due = self.rule_of[order].stop(len(self.back[order]), prompt.accepted)
            waits = due is Stop.GIVEN_UP and prompt.flying
            assert prompt.decided or due is None or waits

    def teardown(self) -> None:
        """Whatever happened before: if all that is asked comes back, every prompt is decided."""
        if not hasattr(self, "rule"):
            return
        while self.schedule.decided < len(self.schedule.prompts):
            while self.ask() != multiple():
                pass
            assert self.in_flight, "nothing to ask, nothing in flight, prompts open"
            self.land(min(self.in_flight), accepted=False, tokens=10)
        assert self.schedule.next(self.places) is None

    def accepted(self, order: int) -> int:
        return sum(accepted is True for accepted in self.back[order].values())

    def land(self, work: Work, accepted: bool | None, tokens: int) -> None:
        order, index = work
        was_open = not self.schedule.prompts[order].decided
        self.in_flight.remove(work)
        self.spent[order] += tokens
        self.back[order][index] = accepted
        cost = tokens + self.lost_of.pop(work, 0)
        decided = self.schedule.came_back(order, index, accepted, cost)
        prompt = self.schedule.prompts[order]
        assert decided == (was_open and prompt.decided)
        if decided:
            tried = len(self.back[order])
            assert prompt.stop == (
                self.rule_of[order].stop(tried, self.accepted(order)) or Stop.BUDGET
            )
        if decided and prompt.stop is Stop.BUDGET:
            own = self.spent[order] + 10 > self.rule_of[order].tokens_per_prompt
            runs = sum(self.spent) + 10 > self.rule.tokens_per_run
            assert (own and not prompt.flying) or (runs and not self.in_flight)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize(
    ("verdicts", "given", "reason"),
    [
        ([True], stop_rule(), Stop.KEPT),
        ([True, None, False], stop_rule(n_min=3), Stop.KEPT),
        ([False, None, False], stop_rule(n_max=3), Stop.EXHAUSTED),
        ([False, None], stop_rule(give_up_after=2), Stop.GIVEN_UP),
        ([False, False, False], stop_rule(n_min=3, give_up_after=2), Stop.GIVEN_UP),
        ([False, True, False, True], stop_rule(2, give_up_after=2), Stop.KEPT),
        ([False, False], stop_rule(n_max=2, give_up_after=2), Stop.EXHAUSTED),
        ([False, False], stop_rule(per_prompt=25), Stop.BUDGET),
        ([False, True], stop_rule(2, n_max=8, per_run=29), Stop.BUDGET),
    ],
)
def test_a_prompt_is_decided_with_a_reason(
    verdicts: list[bool | None], given: StopRule, reason: Stop
) -> None:
    schedule = Schedule(1, given)
    for number, accepted in enumerate(verdicts, 1):
        while schedule.next(1):
            pass
        (order, index), is_last = (0, number - 1), number == len(verdicts)
        assert schedule.came_back(order, index, accepted, tokens=10) is is_last
    assert schedule.prompts[0].stop is reason
    assert schedule.next(100) is None


def test_a_prompt_that_stands_for_three_gives_three_times_as_much() -> None:
    schedule = Schedule(2, stop_rule(n_max=2, per_prompt=40), [1, 3])
    assert take(schedule, 5) == [(0, 0), (1, 0), (1, 1), None, None]  # patience is that of one
    schedule.came_back(0, 0, accepted=True, tokens=10)
    assert schedule.prompts[0].stop is Stop.KEPT
    for index in range(4):
        schedule.came_back(1, index, accepted=index != 1, tokens=10)
        take(schedule, 3)
    assert (schedule.prompts[1].accepted, schedule.prompts[1].stop) == (3, Stop.KEPT)


def test_a_prompt_that_stands_for_three_and_is_not_solved_gets_no_more_patience() -> None:
    schedule = Schedule(1, stop_rule(n_max=2), [3])
    take(schedule, 9)
    schedule.came_back(0, 0, accepted=False, tokens=10)
    schedule.came_back(0, 1, accepted=False, tokens=10)
    assert schedule.prompts[0].stop is Stop.GIVEN_UP


def test_no_more_is_in_flight_than_giving_up_takes() -> None:
    schedule = Schedule(1, stop_rule(keep=3, give_up_after=2, tail_parallel=4))
    assert take(schedule, 3) == [(0, 0), (0, 1), None]
    schedule.came_back(0, 0, accepted=True, tokens=10)
    assert take(schedule, 4) == [(0, 2), (0, 3), (0, 4), None]


def test_nothing_is_asked_on_speculation_when_those_in_flight_decide_anyway() -> None:
    schedule = Schedule(1, stop_rule(keep=1, n_min=3, tail_parallel=4))
    assert take(schedule, 4) == [(0, 0), (0, 1), (0, 2), None]
    schedule.came_back(0, 0, accepted=True, tokens=10)
    assert schedule.next(100) is None


def test_a_refused_prompt_is_decided_at_once_unless_it_has_its_keep() -> None:
    schedule = Schedule(2, stop_rule(keep=1, n_min=2))
    take(schedule, 4)
    assert schedule.came_back(0, 0, accepted=None, tokens=0, refused=True)
    assert (schedule.prompts[0].stop, schedule.prompts[0].flying) == (Stop.REFUSED, {1})
    assert not schedule.came_back(0, 1, accepted=True, tokens=9)
    assert not schedule.came_back(1, 0, accepted=True, tokens=9)
    assert schedule.came_back(1, 1, accepted=None, tokens=0, refused=True)
    assert [prompt.stop for prompt in schedule.prompts] == [Stop.KEPT, Stop.KEPT]
    assert (schedule.next(100), schedule.decided) == (None, 2)


def test_room_in_the_runs_budget_comes_back_with_short_completions() -> None:
    schedule = Schedule(3, stop_rule(per_run=25))
    assert take(schedule, 3) == [(0, 0), (1, 0), None]
    schedule.came_back(0, 0, accepted=True, tokens=4)
    assert take(schedule, 2) == [(2, 0), None]
    schedule.came_back(1, 0, accepted=False, tokens=10)
    assert schedule.next(100) is None
    assert schedule.decided == 1
    assert schedule.came_back(2, 0, accepted=False, tokens=10)
    assert [prompt.stop for prompt in schedule.prompts] == [Stop.KEPT, Stop.BUDGET, Stop.BUDGET]


def test_a_cancelled_samples_tokens_stay_spent_and_its_index_is_free_again() -> None:
    schedule = Schedule(1, stop_rule(per_prompt=25))
    assert schedule.next(1) == (0, 0)
    schedule.cancelled(0, 0, tokens=9)
    assert schedule.next(1) == (0, 0)
    schedule.cancelled(0, 0, tokens=7)
    assert schedule.prompts[0].stop is Stop.BUDGET
    assert total_spent(schedule) == 16


def test_what_an_attempt_lost_is_spent_at_once_and_only_once() -> None:
    schedule = Schedule(1, stop_rule(per_prompt=35, per_run=40))
    schedule.next(1)
    assert schedule.lost(0, 0, tokens=9)
    assert schedule.lost(0, 0, tokens=9)
    assert total_spent(schedule) == 18
    assert not schedule.lost(0, 0, tokens=9)
    assert schedule.came_back(0, 0, accepted=None, tokens=27)
    assert (total_spent(schedule), schedule.prompts[0].stop) == (27, Stop.BUDGET)


def test_a_loss_must_leave_what_others_have_reserved_of_the_runs_budget() -> None:
    schedule = Schedule(2, stop_rule(per_run=29))
    take(schedule, 2)
    assert schedule.lost(0, 0, tokens=9)
    assert not schedule.lost(1, 0, tokens=1)
    schedule.cancelled(1, 0, tokens=3)
    assert total_spent(schedule) == 12
    assert schedule.lost(0, 0, tokens=7)


def test_what_failed_in_an_earlier_run_is_spent_and_may_be_asked_again() -> None:
    schedule = Schedule(2, stop_rule(per_prompt=25))
    schedule.restore_spent(0, tokens=15)
    schedule.restore_spent(1, tokens=16)
    assert take(schedule, 2) == [(0, 0), None]
    assert schedule.prompts[1].stop is Stop.BUDGET


def test_a_prompt_is_not_given_up_while_samples_of_an_earlier_run_are_being_graded() -> None:
    schedule = Schedule(1, stop_rule(2, give_up_after=2))
    for index in range(4):
        schedule.restore(0, index)
    assert not any(schedule.came_back(0, index, accepted=False, tokens=1) for index in (3, 2, 1))
    assert schedule.next(100) is None
    assert not schedule.came_back(0, 0, accepted=True, tokens=1)
    assert schedule.next(100) == (0, 4)


def test_samples_of_an_earlier_run_are_spent_and_not_asked_again() -> None:
    schedule = Schedule(2, stop_rule(n_max=3, per_run=30))
    schedule.restore(0, 1)
    assert take(schedule, 2) == [(1, 0), None]
    schedule.came_back(0, 1, accepted=False, tokens=10)
    assert take(schedule, 2) == [(0, 0), None]


def test_first_samples_go_before_second_ones_even_beside_restored_ones() -> None:
    schedule = Schedule(3, stop_rule(keep=2))
    schedule.restore(0, 0)
    assert take(schedule, 6, places=1) == [(1, 0), (2, 0), (0, 1), (1, 1), (2, 1), None]


def test_spare_places_at_the_tail_go_to_prompts_that_have_failed_once() -> None:
    schedule = Schedule(2, stop_rule(tail_parallel=3))
    assert take(schedule, 3, places=8) == [(0, 0), (1, 0), None]
    schedule.came_back(0, 0, accepted=False, tokens=10)
    assert take(schedule, 4, places=8) == [(0, 1), (0, 2), (0, 3), None]


def test_spare_places_go_to_the_prompt_with_the_fewest_in_flight() -> None:
    schedule = Schedule(2, stop_rule(tail_parallel=3))
    take(schedule, 2)
    schedule.came_back(0, 0, accepted=False, tokens=10)
    assert take(schedule, 2) == [(0, 1), (0, 2)]
    schedule.came_back(1, 0, accepted=False, tokens=10)
    assert take(schedule, 4) == [(1, 1), (1, 2), (0, 3), (1, 3)]


def test_speculation_keeps_to_a_prompts_budget() -> None:
    schedule = Schedule(1, stop_rule(per_prompt=35, tail_parallel=4))
    take(schedule, 1)
    schedule.came_back(0, 0, accepted=False, tokens=10)
    assert take(schedule, 3) == [(0, 1), (0, 2), None]
    schedule.came_back(0, 1, accepted=False, tokens=5)
    assert take(schedule, 2) == [(0, 3), None]


def test_no_sample_is_asked_on_speculation_before_the_tail() -> None:
    schedule = Schedule(2, stop_rule(tail_parallel=3))
    take(schedule, 2, places=2)
    schedule.came_back(0, 0, accepted=False, tokens=10)
    assert take(schedule, 2, places=2) == [(0, 1), None]


def test_a_sample_that_is_not_in_flight_cannot_come_back() -> None:
    schedule = Schedule(1, stop_rule())
    schedule.next(1)
    schedule.came_back(0, 0, accepted=False, tokens=10)
    with pytest.raises(ValueError, match="not in flight"):
        schedule.came_back(0, 0, accepted=False, tokens=10)
    with pytest.raises(ValueError, match="not in flight"):
        schedule.cancelled(0, 3, tokens=0)
    with pytest.raises(ValueError, match="there already"):
        schedule.restore(0, 0)


@pytest.mark.parametrize("wrong", [{"keep": 9}, {"n_min": 9}, {"per_prompt": 9}, {"per_run": 9}])
def test_a_rule_that_no_prompt_can_meet_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        stop_rule(**wrong)


def test_a_schedule_of_a_hundred_thousand_prompts_is_small() -> None:
    tracemalloc.start()
    schedule = Schedule(100_000, stop_rule(n_min=8, n_max=64))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 40_000_000
    assert schedule.next(1) == (0, 0)


def test_the_tail_of_many_prompts_takes_no_time() -> None:
    """Once, every sample asked at the tail looked at all open prompts: 7 s for this."""
    schedule = Schedule(3_000, stop_rule(n_max=8, tail_parallel=2))
    with at_most_cpu_s(3):
        while schedule.decided < 3_000:
            flying = iter(lambda: schedule.next(4_000), None)
            for order, index in list(flying):
                if not schedule.prompts[order].decided:
                    schedule.came_back(order, index, accepted=False, tokens=10)
