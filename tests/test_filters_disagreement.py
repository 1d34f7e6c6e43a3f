"""Reasoning that ends in another answer than is given: only where that is plain."""

import pytest
from cpu_time import at_most_cpu_s
from filters_records import reason_of

from filters.disagreement import disagrees


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        (r"So it is \boxed{14}.", r"\boxed{15}"),
        (r"\boxed{14}", r"The answer is 15."),
        (r"\boxed{\text{B}}", r"**Answer:** C"),
        (r"\boxed{(A)}", r"\boxed{D}"),
        (r"\boxed{1,200}", r"\boxed{1300}"),
        (r"\boxed{1{,}200}", r"\boxed{1\,300}"),
        (r"\boxed{12,345,678}", r"\boxed{12345679}"),
        (r"\boxed{-4}", r"\boxed{4}"),
        (r"\boxed{2.5}", r"\boxed{3.5}"),
        (r"\boxed{0}", r"\boxed{7}"),
    ],
)
def test_plain_disagreement(end: str, answer: str) -> None:
    assert disagrees(end, answer)
    assert reason_of(end, answer) == "answer_disagrees"


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        (r"So it is \boxed{15}.", r"\boxed{15}"),
        (r"\boxed{15.0}", r"\boxed{15}"),
        (r"\boxed{\$1,500}", r"\boxed{1500}"),
        (r"\boxed{3.14159}", r"\boxed{3.14}"),
        (r"\boxed{0.5}", r"\boxed{\frac12}"),
        (r"\boxed{50}", r"\boxed{0.5}"),
        (r"\boxed{2}", r"\boxed{120}"),
        (r"\boxed{B}", r"\boxed{12}"),
        (r"\boxed{3, 4}", r"\boxed{4, 3}"),
        (r"\boxed{3,4}", r"\boxed{4,3}"),
        (r"\boxed{3. 4}", r"\boxed{4. 3}"),
        (r"\boxed{3 4}", r"\boxed{4 3}"),
        (r"\boxed{3{,}4}", r"\boxed{4{,}3}"),
        (r"\boxed{1, 200}", r"\boxed{200, 1}"),
        (r"\boxed{3\;4}", r"\boxed{4\;3}"),
        (r"\boxed{3 \; 4}", r"\boxed{4 \; 3}"),
        (r"\boxed{3,1415}", r"\boxed{31416}"),
        (r"\boxed{x+1}", r"\boxed{x+2}"),
        (r"\boxed{3} and \boxed{4}", r"\boxed{4}, \boxed{3}"),
        (r"\boxed{14}. Wait, I forgot one, so it is one more.", r"\boxed{15}"),
        (r"\boxed{14} for the bag. With the one in the box that makes 15.", r"\boxed{15}"),
        (r"\boxed{14} is the sum." + " And so on." * 90, r"\boxed{15}"),
        ("It is 14.", r"\boxed{15}"),
        (r"\boxed{14}", "I do not know."),
        (r"\boxed{}", r"\boxed{15}"),
    ],
)
def test_no_plain_disagreement(end: str, answer: str) -> None:
    assert not disagrees(end, answer)
    assert reason_of(end, answer) != "answer_disagrees"


def test_an_answer_of_a_thousand_boxes_is_read_once() -> None:
    assert disagrees(r"\boxed{1}", r"\boxed{2}" * 100_000)


@pytest.mark.parametrize("piece", ["1 ", "1,", "\\text{", "{}", "\\boxed{", "\\, "])
def test_an_endless_answer_is_no_plain_one_and_is_read_in_time(piece: str) -> None:
    with at_most_cpu_s(5):
        assert not disagrees(r"\boxed{1}", f"\\boxed{{{piece * 300_000}}}")
        assert not disagrees(r"\boxed{1}", f"\\boxed{{3}}, \\boxed{{{piece * 300_000} \\boxed{{1}}")
