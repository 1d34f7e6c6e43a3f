"""Where thinking is cut, what is put there, and what a curve says."""

from pathlib import Path

import pytest
from filters_records import sample
from hypothesis import given
from hypothesis import strategies as st
from thinking_server import tokens_of

from evals.budget import BudgetRecipe, ForcedText, budget_recipe
from evals.budget_curve import BudgetCurve, BudgetPoint, draw_curve, table
from evals.budget_cut import composed, cuts_of
from evals.scores import DomainScore
from evals.stats import Interval
from evals.thought import Marks, Thought, begun, block_of, gone_on, marks_of, told_to_wait
from prompts.errors import PrerequisiteError
from teacher.parse import BLOCKS
from teacher.token_counter import Measured

THINK = Marks("<think>", "</think>", opened=False)
OPENED = Marks("<think>", "</think>", opened=True)
words = st.lists(st.sampled_from(["a", "bb", "Wait,", "42.", "\n"]), max_size=30).map(" ".join)


def measured(text: str, cuts: tuple[int, ...]) -> Measured:
    tokens = tokens_of(text)
    return Measured(len(tokens), tuple("".join(tokens[:cut]) for cut in cuts))


def cut_all(thought: Thought, marks: Marks, recipe: BudgetRecipe):
    block = block_of(thought.text, marks)
    thinking = measured(block.thinking, recipe.budgets)
    return cuts_of(
        thought, marks, recipe, thinking, measured(block.after or "", (recipe.answer_tokens,))
    )


def test_budgets_are_read_as_they_are_typed() -> None:
    assert budget_recipe("2048,512,1_024", 2).budgets == (512, 1024, 2048)
    assert budget_recipe("0,8").waits == 0
    assert budget_recipe("8", 0, ForcedText(lead="")).lead == ""


@pytest.mark.parametrize("budgets", ["", "many", "512,,1024", "-1,5", "0", "1.5"])
def test_what_is_no_budget_is_a_users_mistake(budgets: str) -> None:
    with pytest.raises(PrerequisiteError, match="--budgets 512,1024,2048"):
        budget_recipe(budgets)


def test_more_waits_than_make_sense_are_a_users_mistake() -> None:
    with pytest.raises(PrerequisiteError, match=r"waits .*16"):
        budget_recipe("512", 17)


@pytest.mark.parametrize(("opening", "closing"), BLOCKS)
def test_tags_are_those_the_prompts_end_in(opening: str, closing: str) -> None:
    ending = f"<|im_start|>assistant\n{opening}\n"
    assert marks_of(ending, ["<think>no</think>"]) == Marks(opening, closing, opened=True)


@pytest.mark.parametrize(("opening", "closing"), BLOCKS)
def test_else_tags_are_those_most_completions_have(opening: str, closing: str) -> None:
    completions = [f"{opening} a {closing} b", f"{opening} cut", f"a {closing} b", "no tag"]
    assert marks_of("assistant\n", completions) == Marks(opening, closing, opened=False)


def test_a_model_of_which_nothing_is_known_thinks_in_think() -> None:
    assert marks_of("assistant\n", ["plain", ""]) == THINK


@pytest.mark.parametrize(
    ("text", "marks", "parts"),
    [
        ("<think>\na\n</think>\n\nb", THINK, ("<think>", "\na\n", "\n\nb")),
        ("  <think>a", THINK, ("  <think>", "a", None)),
        ("a</think>b", THINK, ("", "a", "b")),  # a template opened it and nobody said so
        ("a</think>b", OPENED, ("", "a", "b")),
        ("a", OPENED, ("", "a", None)),
        ("a", THINK, ("", "", "a")),
        ("<think>a</think>b</think>c", THINK, ("<think>", "a", "b</think>c")),
        ("so <think> is a tag", OPENED, ("", "so <think> is a tag", None)),
        ("<think>\na", OPENED, ("<think>", "\na", None)),  # a reasoning parser's
    ],
)
def test_a_completion_is_parted(text: str, marks: Marks, parts: tuple[str, ...]) -> None:
    block = block_of(text, marks)
    assert (block.before, block.thinking, block.after) == parts


@given(text=words, marks=st.sampled_from([THINK, OPENED]), closed=st.booleans(), answer=words)
def test_no_character_is_lost_in_parting(
    text: str, marks: Marks, closed: bool, answer: str
) -> None:
    whole = text + (marks.close + answer if closed else "")
    block = block_of(whole, marks)
    joined = block.before + block.thinking
    assert joined + ("" if block.after is None else marks.close * closed + block.after) == whole


@given(
    thinking=words.map(lambda text: " a" + text),
    budgets=st.sets(st.integers(0, 40), min_size=1).filter(lambda found: max(found) > 0),
    finish=st.sampled_from(["stop", "length"]),
    closed=st.booleans(),
    marks=st.sampled_from([THINK, OPENED]),
)
def test_a_smaller_budgets_thinking_begins_a_larger_ones(
    thinking: str, budgets: set[int], finish: str, closed: bool, marks: Marks
) -> None:
    text = (
        ("" if marks.opened else "<think>") + thinking + ("</think> \\boxed{1}" if closed else "")
    )
    recipe = BudgetRecipe(budgets=tuple(sorted(budgets)))
    thought = begun(sample("", completion=text, finish_reason=finish))
    total = len(tokens_of(thinking))
    before = ""
    for cut in cut_all(thought, marks, recipe):
        found = composed(thought, cut, {}, marks, recipe)
        block = block_of(cut.text, marks)
        assert block.after is not None  # every thought is ended
        assert cut.row.thinking_tokens == min(total, cut.row.budget)
        assert cut.row.forced == (not closed or total > cut.row.budget)
        ours = block.thinking if not cut.row.forced else block.thinking.removesuffix("\n")
        assert thinking.removesuffix("\n").startswith(ours.removesuffix("\n"))
        assert ours.startswith(before.removesuffix("\n"))
        assert found.reasoning == block.thinking.strip()
        assert found.completion_tokens == cut.row.thinking_tokens + cut.answer_tokens
        assert (cut.answer == "") == (not cut.row.forced and finish == "stop")
        before = ours


def test_waits_stand_where_the_thinking_ended_and_count_within_the_budget() -> None:
    recipe = BudgetRecipe(budgets=(2, 4, 100), waits=2)
    thought = begun(sample("", completion="<think> a b</think> c"))
    for more in (" d</think> e", " f</think> g"):
        lead = told_to_wait(thought, THINK, recipe)
        assert lead is not None
        thought = gone_on(thought, lead, sample("", completion=more), recipe)
    assert told_to_wait(thought, THINK, recipe) is None
    assert thought.text == "<think> a b\nWait d\nWait f</think> g"
    assert [thought.text[place : place + 4] for place in thought.waits] == ["Wait", "Wait"]
    assert [cut.row.waits for cut in cut_all(thought, THINK, recipe)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "finish", "lead"),
    [
        ("<think> a </think> b", "stop", "<think> a\nWait"),
        (
            "<think>\na\n</think>\nb",
            "length",
            "<think>\na\nWait",
        ),  # cut in its answer: it had ended
        ("<think>a", "stop", "<think>a\nWait"),  # the turn ended in mid-thought
        ("<think>a", "length", None),  # still thinking at the largest budget
        ("no tags", "stop", None),
    ],
)
def test_only_thinking_that_ended_goes_on(text: str, finish: str, lead: str | None) -> None:
    thought = begun(sample("", completion=text, finish_reason=finish))
    assert told_to_wait(thought, THINK, BudgetRecipe(budgets=(9,), waits=1)) == lead
    assert told_to_wait(thought, THINK, BudgetRecipe(budgets=(9,))) is None


def test_a_failed_part_fails_the_sample_at_every_budget() -> None:
    recipe = BudgetRecipe(budgets=(1, 4))
    thought = begun(sample("", completion="<think> a b c d"))
    cuts = cut_all(thought, THINK, recipe)
    broken = sample("", completion="", finish_reason="error", error="500")
    found = composed(thought, cuts[0], {cuts[0].answer: broken}, THINK, recipe)
    assert (found.error, found.completion, found.completion_tokens) == ("500", "", 0)
    assert found.finish_reason == "error"


def curve() -> BudgetCurve:
    def point(budget: int, value: float) -> BudgetPoint:
        score = DomainScore(
            domain="overall",
            prompts=30,
            k=4,
            samples=120,
            missing=0,
            pass_at_1=Interval(value, value - 0.1, value + 0.1, 30),
            standard_error=0.05,
            cons_at_k=Interval(value, value, value, 30),
            undecided_rate=0.0,
            truncation_rate=0.025,
            mean_completion_tokens=budget + 50.0,
        )
        return BudgetPoint(
            budget=budget,
            mean_thinking_tokens=budget * 0.75,
            forced_rate=0.5,
            mean_waits=1.5,
            score=score,
        )

    return BudgetCurve(
        benchmark="aime-2024",
        model="m",
        waits=2,
        answer_tokens=64,
        lead="Final answer:",
        confidence=0.95,
        points=(point(512, 0.3), point(1024, 0.45), point(2048, 0.5)),
    )


def test_the_table_has_n_the_interval_and_what_the_forcing_did() -> None:
    head, _, *lines, note = table(curve())
    assert head == "aime-2024 by thinking tokens, m: n=30 prompts, k=4, 95% intervals, Wait × 2"
    assert lines[1].split() == [
        *("1,024", "768", "50.0%", "1.5", "45.0", "[35.0,", "55.0]", "45.0%", "2.5%", "1,074")
    ]
    assert "sampled once, to the largest budget" in note


def test_an_interval_is_not_called_surer_than_it_is() -> None:
    assert ", 97.5% intervals" in table(curve().model_copy(update={"confidence": 0.975}))[0]


def test_a_models_name_does_nothing_to_a_terminal() -> None:
    head = table(curve().model_copy(update={"model": "m\x1b[2J\n\u202e"}))[0]
    assert ", m[2J: n=" in head
    assert head.isprintable()


def test_the_plot_is_svg_and_the_same_each_time(tmp_path: Path) -> None:
    first = draw_curve(tmp_path / "first" / "curve.svg", curve()).read_bytes()
    second = draw_curve(tmp_path / "second" / "curve.svg", curve()).read_bytes()
    assert first == second
    assert first.startswith(b"<?xml")
    assert b"aime-2024: accuracy by thinking (n=30, k=4, Wait" in first


def test_a_curve_is_json_and_back() -> None:
    assert BudgetCurve.model_validate(curve().to_dict()) == curve()
