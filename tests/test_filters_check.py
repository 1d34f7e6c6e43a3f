"""`filters.check`: one call, a verdict whatever the completion holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filters_records import needs_bwrap
from hypothesis import given, settings
from hypothesis import strategies as st

import filters
from filters.reference_kind import kind_of
from filters.verdict import Outcome, Reason
from prompts.errors import PrerequisiteError
from prompts.record import DOMAINS


@pytest.mark.parametrize(
    ("reference", "domain", "kind"),
    [
        ("B", "math", "math_answer"),
        ("x^2", "math", "math_answer"),
        ("B", "science", "choice"),
        (" (B) ", "science", "choice"),
        ("B.", "science", "choice"),
        ("K", "science", "short_answer"),
        ("12", "science", "quantity"),
        ("1.6 \\times 10^{-19} C", "science", "quantity"),
        ("12 m/s", "science", "quantity"),
        ("$9.8 \\mathrm{~m} / \\mathrm{s}^2$", "science", "quantity"),
        ("25 °C", "science", "quantity"),
        ("3 kilometres per hour", "science", "quantity"),
        ("0.5 mol", "science", "quantity"),
        ("22.2 $\\mathrm{mi}/\\mathrm{h}$", "science", "quantity"),
        ("7 electrons", "science", "short_answer"),
        ("4 valence electrons", "science", "short_answer"),
        ("mitochondria", "science", "short_answer"),
        ("H2O", "science", "short_answer"),
        ("2, 3", "science", "short_answer"),
        ("B cells", "science", "short_answer"),
        ('{"kind": "countdown", "numbers": [1], "target": 1}', "puzzle", "puzzle"),
        ('{"kind": "chess"}', "puzzle", "short_answer"),
        ("{ not JSON", "puzzle", "short_answer"),
        ("24", "puzzle", "short_answer"),
        ("", "general", "rubric"),
        ("Paris", "general", "short_answer"),
        ('["assert f(1) == 2"]', "code", "unit_tests"),
    ],
)
def test_a_reference_is_read_by_its_domain_and_look(reference: str, domain: str, kind: str) -> None:
    assert kind_of(reference, domain) == kind


@pytest.mark.parametrize("reference", ["def f(): return 1", "", "[]", "[1]", '{"a": 1}', '"x"'])
def test_code_without_tests_is_the_users_mistake(reference: str) -> None:
    with pytest.raises(PrerequisiteError, match="JSON list of Python asserts"):
        filters.check(reference, "x", "code")


def test_an_unknown_domain_names_the_known_ones() -> None:
    with pytest.raises(PrerequisiteError, match="'chem'; known: math, code, science, puzzle, gen"):
        filters.check("5", "5", "chem")


@pytest.mark.parametrize(
    ("completion", "outcome", "reason"),
    [
        (r"<think>so</think>\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
        (r"\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
        (r"so it is</think>\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
        (r"<think>\boxed{4}</think>\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
        (r"<think>\boxed{5}</think>\boxed{4}", Outcome.REJECT, Reason.ANSWER_MISMATCH),
        (r"<think>so \boxed{5}", Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
        (r"<think>so \boxed{5}</think>", Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
        ("five", Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
        ("", Outcome.UNDECIDED, Reason.SAMPLE_FAILED),
        (None, Outcome.UNDECIDED, Reason.SAMPLE_FAILED),
        ({"text": "it is 5, I think"}, Outcome.UNDECIDED, Reason.NO_FINAL_ANSWER),
        ([{"role": "assistant", "content": r"\boxed{5}"}], Outcome.ACCEPT, Reason.MATCH),
        ("\ud800\x00" + r"\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
        ("x" * 10_000_000 + r"\boxed{5}", Outcome.ACCEPT, Reason.MATCH),
    ],
    ids=lambda value: str(value)[:20],
)
def test_any_completion_has_its_verdict(completion: Any, outcome: Outcome, reason: Reason) -> None:
    verdict = filters.check("5", completion)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("reference", "outcome"),
    [
        (5, Outcome.ACCEPT),
        (5.0, Outcome.ACCEPT),
        ("", Outcome.UNDECIDED),
        (None, Outcome.UNDECIDED),
        ("(" * 100_000, Outcome.UNDECIDED),
        ("\ud800" * 40, Outcome.UNDECIDED),
    ],
    ids=lambda value: str(value)[:5].encode("ascii", "replace").decode(),
)
def test_any_reference_has_its_verdict(reference: Any, outcome: Outcome) -> None:
    assert filters.check(reference, r"\boxed{5}").outcome == outcome


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(_JSON, _JSON, st.sampled_from([domain for domain in DOMAINS if domain != "code"]))
def test_no_pair_of_values_is_ever_an_exception(
    reference: Any, completion: Any, domain: str
) -> None:
    assert filters.check(reference, completion, domain).outcome in Outcome


def test_choices_make_the_reference_one_of_them() -> None:
    planets = ("Mars", "Venus")
    verdict = filters.check("A", r"\boxed{Mars}", "science", choices=planets)
    assert (verdict.outcome, verdict.verifier) == (Outcome.ACCEPT, "choice")
    assert filters.check("Venus", r"\boxed{A}", "math", choices=planets).outcome == Outcome.REJECT


def test_aliases_are_right_too() -> None:
    verdict = filters.check("Mars", r"\boxed{the red planet}", "science", aliases=["red planet"])
    assert verdict.outcome == Outcome.ACCEPT


def test_an_open_answer_is_left_to_a_rubric_judge() -> None:
    verdict = filters.check("", "<think>x</think>A poem.", "general")
    assert (verdict.outcome, verdict.reason) == (Outcome.UNDECIDED, Reason.AMBIGUOUS_ANSWER)
    assert verdict.verifier == "rubric"


@needs_bwrap
def test_code_is_checked_by_the_asserts_of_its_reference() -> None:
    tests = '["assert f(1) == 2"]'
    right, wrong = (f"```python\ndef f(x):\n    return x + {n}\n```" for n in (1, 2))
    assert filters.check(tests, right, "code").outcome == Outcome.ACCEPT
    assert filters.check(tests, wrong, "code").outcome == Outcome.REJECT


_ENDS = """
from filters.checking import shared_grader
grader = shared_grader()
print(grader._start_worker()._process.pid, shared_grader() is grader)
"""


def test_the_workers_of_check_end_with_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS], capture_output=True, text=True, check=True)
    pid, is_shared = done.stdout.split()
    assert is_shared == "True"
    assert not Path(f"/proc/{pid}").exists()


def test_the_name_is_the_function_even_after_every_module_is_imported() -> None:
    code = "import filters, filters.checking, filters.rewards; print(filters.check('5', '').reason)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "sample_failed"
