"""reasoning-gym tasks are scored by their own scorers, which are not believed blindly."""

import contextlib
import io
import json
from typing import Any

import pytest
from filters_records import prompt, sample

import filters
from filters.checking import prompt_of, sample_of
from filters.grader import Grader
from filters.ruling import Ruling
from filters.verdict import Outcome
from filters.verifiers.puzzle import verify_puzzle
from filters.verifiers.puzzle_task import ONE_ANSWER, check_task

ACCEPT, REJECT, UNDECIDED = Outcome.ACCEPT, Outcome.REJECT, Outcome.UNDECIDED


def _entries(name: str, count: int = 3, seed: int = 5) -> list[dict[str, Any]]:
    """Entries as a reference holds them: through JSON, which has no tuples."""
    gym = pytest.importorskip("reasoning_gym")
    made = gym.create_dataset(name, size=count, seed=seed)
    return [json.loads(json.dumps(made[n], default=str)) for n in range(count)]


def _task(name: str, entry: dict[str, Any], answer: str) -> Ruling:
    with contextlib.redirect_stdout(io.StringIO()):
        return check_task({"dataset": name, "entry": entry}, answer)


def _tagged(answer: str) -> str:
    return f"<answer>{answer}</answer>"


# It needs a configuration of its own; the others take seconds to make.
_LEFT_OUT = frozenset(("composite", "sokoban", "futoshiki", "quantum_lock", "arc_agi"))


@pytest.mark.slow  # every kind of task
def test_the_own_answer_of_each_task_is_accepted_and_nonsense_is_not() -> None:
    factory = pytest.importorskip("reasoning_gym.factory")
    seen = 0
    for name in sorted(set(factory.DATASETS) - _LEFT_OUT):
        (entry,) = _entries(name, 1)
        if not isinstance(entry["answer"], str):
            continue
        reference = json.dumps({"kind": "reasoning_gym", "dataset": name, "entry": entry})
        with contextlib.redirect_stdout(io.StringIO()):
            own = verify_puzzle(prompt("puzzle", reference), sample(_tagged(entry["answer"])))
        assert own.outcome == ACCEPT, (name, entry["answer"], own.detail)
        assert _task(name, entry, "no idea").outcome != ACCEPT, name
        seen += 1
    assert seen > 95


@pytest.mark.parametrize("name", sorted({*ONE_ANSWER, "coin_flip", "gsm_symbolic", "puzzle24"}))
def test_what_a_lenient_scorer_lets_pass_is_not_accepted(name: str) -> None:
    entries = _entries(name, 6)
    for entry in entries:
        others = {other["answer"] for other in entries} - {entry["answer"]}
        for wrong in (*others, "0", "1", entry["answer"][:1], f"-{entry['answer']}"):
            assert _task(name, entry, wrong).outcome != ACCEPT, (wrong, entry["answer"])


@pytest.mark.parametrize(
    ("name", "entry", "answer", "outcome"),
    [
        ("chain_sum", {"answer": "12"}, r"\text{12}", ACCEPT),
        ("chain_sum", {"answer": "12"}, "13", REJECT),
        ("chain_sum", {"answer": "12"}, r"\sqrt{144}", UNDECIDED),
        ("spell_backward", {"answer": "olleh"}, r"\text{olleh}", ACCEPT),
        ("no_such_dataset", {"answer": "1"}, "1", UNDECIDED),
        ("spell_backward", {"answer": "olleh"}, "open('x').read()", UNDECIDED),
        ("spell_backward", {"answer": "olleh"}, "open\n('x')", UNDECIDED),
        ("spell_backward", {"answer": "olleh"}, "().__class__", UNDECIDED),
        ("codeio", {"answer": '{"a": 1}', "metadata": {"output_data": {"a": 1}}}, '"a": 1', ACCEPT),
    ],
)
def test_a_task_by_its_scorer(
    name: str, entry: dict[str, Any], answer: str, outcome: Outcome
) -> None:
    pytest.importorskip("reasoning_gym")
    whole = {"question": "?", "metadata": {}, **entry}
    assert _task(name, whole, answer).outcome == outcome


_STRETCHED = {
    "advanced_geometry": ["{}, 0", "{}1"],
    "fraction_simplification": ["{} extra"],
    "gsm_symbolic": ["{} extra"],
    "kakurasu": ["{} extra", "not {}", "{}.9", "-{}"],
    "polynomial_multiplication": ["{} or 0"],
    "quantum_lock": ["not {}", "{}1", "{}.9", "-{}"],
    "simple_integration": ["{} or 0"],
    "survo": ["{} extra", "not {}"],
    "word_sorting": ["{}, 0"],
}


@pytest.mark.parametrize("name", sorted(_STRETCHED))
def test_more_around_a_right_answer_is_not_accepted(name: str) -> None:
    for entry in _entries(name, 4):
        assert _task(name, entry, entry["answer"]).outcome == ACCEPT
        for form in _STRETCHED[name]:
            longer = form.format(entry["answer"])
            assert _task(name, entry, longer).outcome != ACCEPT, longer


def test_powers_and_products_are_read_in_polynomials() -> None:
    entry = next(e for e in _entries("polynomial_multiplication", 9) if "**" in e["answer"])
    latex = entry["answer"].replace("**", "^").replace("*", "")
    assert _task("polynomial_multiplication", entry, latex).outcome == ACCEPT


def test_a_task_goes_through_a_worker() -> None:
    (entry,) = _entries("mini_sudoku", 1)
    task = json.dumps({"kind": "reasoning_gym", "dataset": "mini_sudoku", "entry": entry})
    right = filters.check(task, f"<answer>{entry['answer']}</answer>", "puzzle")
    assert (right.outcome, right.verifier) == (ACCEPT, "puzzle")
    wrong = entry["answer"].replace("1", "2")
    assert filters.check(task, f"<answer>{wrong}</answer>", "puzzle").outcome == REJECT


def test_no_answers_time_limit_pays_for_imports() -> None:
    (entry,) = _entries("mini_sudoku", 1)
    task = json.dumps({"kind": "reasoning_gym", "dataset": "mini_sudoku", "entry": entry})
    asked, answered = prompt_of(task, "puzzle"), sample_of(f"<answer>{entry['answer']}</answer>")
    # A worker may take 6 times that, and the import takes seconds.
    with Grader(workers=1, time_limit_s=0.05) as grader:
        verdict = grader._rule_in_worker(asked, answered)
    assert verdict.outcome == ACCEPT
