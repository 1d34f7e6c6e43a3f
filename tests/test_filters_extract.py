"""The final answer is found by its mark or not at all."""

import itertools
from functools import partial

import pytest
from cpu_time import at_most_cpu_s, cpu_s_of
from hypothesis import given
from hypothesis import strategies as st

from filters.extract import MAX_ANSWER_CHARS, final_answer, too_wild
from teacher.parse import split_completion

RULES: dict[str, list[tuple[str, str]]] = {
    "the last box that holds something": [
        (r"so \boxed{12}.", "12"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"first \boxed{1}, then \boxed{2}", "2"),
        (r"\boxed{3} and put it into \boxed{}", "3"),
        (r"\boxed{3}, in the form \boxed{...}", "3"),
        (r"\boxed{3}, that is \boxed{\text{your answer}} filled in", "3"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed {7}", "7"),
        ("\\boxed\n{7}", "7"),
        (r"\fbox{7}", "7"),
        (r"\framebox{7}", "7"),
        (r"\boxed 5.", "5"),
        (r"\boxed 12,", "12"),
        (r"$\boxed x$", "x"),
        (r"$\boxed\frac12$", r"\frac12"),
        (r"the \boxed format: \boxed{5}", "5"),
        (r"\[ \boxed{\text{yes}} \]", r"\text{yes}"),
        (r"$\boxed{5}$.", "5"),
        (r"**\boxed{5}**", "5"),
        (r"\boxed{$\frac12$}", r"\frac12"),
        (r"\boxed{\boxed{5}}", "5"),
        (r"\boxed{\fbox{5}}", "5"),
        (r"\boxed{{5}}", "5"),
        (r"\boxed{x = 5}", "x = 5"),
        (r"\boxed{The answer is 5}", "5"),
        (r"\boxed{\text{A } \boxed{5}}", r"\text{A } \boxed{5}"),
        (r"\boxed{1 and \boxed{2}", "2"),
        (r"Answer: 1 but \boxed{2}", "2"),
        (r"\boxed{2}. **Final Answer:** two, as said", "2"),
    ],
    "boxes that stand together are one list": [
        (r"\boxed{2} and \boxed{3}", "2, 3"),
        (r"$\boxed{2}$ or $\boxed{3}$", "2, 3"),
        (r"$\boxed{2}$, $\boxed{3}$, and $\boxed{5}$.", "2, 3, 5"),
        (r"\boxed{2} and $y = \boxed{3}$", "2, 3"),
        (r"$x = \boxed{2}$ or $x = \boxed{3}$", "2, 3"),
        (r"area = \boxed{2}, y = \boxed{3}", "2, 3"),
        (r"$2x = \boxed{2}$, $y = \boxed{3}$", "2, 3"),
        (r"$x = \boxed{x = 2}$, $y = \boxed{y = 3}$", "x = 2, y = 3"),
        (r"\boxed{2}\text{ and }\boxed{3}", "2, 3"),
        (r"\boxed{A}, \boxed{C}", "A, C"),
        ("(a) $\\boxed{2}$\n(b) $\\boxed{3}$", "2, 3"),
        ("**Part (a):** $\\boxed{2}$\n\n**Part (b):** $\\boxed{3}$", "2, 3"),
        ("1. \\boxed{2}\n2. \\boxed{3}", "2, 3"),
        (r"\boxed{1}. Then \boxed{2}, \boxed{3}", "2, 3"),
        (r"\boxed{5} and \boxed{5}", "5"),
        (r"\boxed{5}. To say it again: \boxed{5}", "5"),
        (r"\boxed{2} = \boxed{2.0}", "2.0"),
        ("\\boxed{2}\n\n\\boxed{3}", "3"),
    ],
    "boxes that each have a name keep it": [
        (r"$x = \boxed{2}$ and $y = \boxed{3}$", "x=2, y=3"),
        (r"\[x=\boxed{2},\quad y=\boxed{3}\]", "x=2, y=3"),
        (r"\(y=\boxed{1}\) and \(x=\boxed{2}\)", "y=1, x=2"),
        (r"So x = $\boxed{1}$, y = $\boxed{2}$, z = $\boxed{3}$.", "x=1, y=2, z=3"),
        ("$\\alpha=\\boxed{1}$ and $\\beta=\\boxed{2}$", r"\alpha=1, \beta=2"),
    ],
    "the last answer tag": [
        ("<answer> 42 </answer>", "42"),
        ("<answer>1</answer> no: <answer>2</answer>", "2"),
        ("<Answer>42</Answer>", "42"),
        ("<answer>\n42\n</answer>\n", "42"),
        ("<final_answer>42</final_answer>", "42"),
        ("<answer>42</answer> in <answer></answer> tags", "42"),
        ("<answer>The final answer is 5.</answer>", "5"),
        ("<answer>We add.\nAnswer: 5</answer>", "5"),
        ("<answer>$x$</answer>", "x"),
        (r"<answer>\boxed{42}</answer>", "42"),
        (r"\boxed{1}, so <answer>2</answer>", "2"),
        (r"<answer>1</answer>, no: \boxed{2}", "2"),
        (r"<answer>\boxed{42}", "42"),
        ("<answer><answer>42</answer></answer>", "42"),
        ("<answer>42</answer> and then </answer>", "42"),
        ("<answer>42</answer> as asked: <answer> your answer </answer>", "42"),
        ("<answer>42</answer> as asked: <ANSWER>...</ANSWER>", "42"),
        ("Here it is: <summary>The answer is 42.</summary>", "42"),
        ("**Answer:** 42</summary>", "42"),
        ("Well. <summary>\\boxed{42}</summary>", "42"),
        ("<summary>42</summary>", "42"),
    ],
    "a marked line or sentence": [
        (r"**Answer:** 12", "12"),
        (r"**Answer**: 12 m/s.", "12 m/s"),
        (r"**Final Answer**: $x = 3$", "x = 3"),
        ("- **Final Answer:** **12**", "12"),
        ("> Answer: 12", "12"),
        ("Work.\nFinal answer: 12 m/s.", "12 m/s"),
        ("The answer is 42.", "42"),
        ("**The answer is 42.**", "42"),
        ("We add them. The answer is 42.", "42"),
        ("Therefore, the final answer is $42$.", "42"),
        ("Hence the required answer is 42", "42"),
        ("The final answer is: $\\frac{1}{2}$. I hope it is correct.", r"\frac{1}{2}"),
        ("Final Answer: The final answer is $5$. I hope it is correct.", "5"),
        (r"The answer is \(42\)", "42"),
        (r"Thus, the final answer is \( \frac{3}{4} \).", r"\frac{3}{4}"),
        ("Answer: 1\nAnswer: 2", "2"),
        ("Answer = 12", "12"),
        ("The answer is 42 because 6 * 7 = 42.", "42"),
        ("The answer is 3.5. We check it below.", "3.5"),
        ("The answer is No. We saw why.", "No"),
        ("The answer is Mr. Smith.", "Mr. Smith"),
        ("The answer is 12, which is even.", "12"),
        ("The answer to the riddle “What?” is **a tree**.", "a tree"),
        ("Answer: B) 5 cm", "B) 5 cm"),
        ("The correct answer is **(C)**.", "(C)"),
        ("So the correct option is B.", "B"),
        ("Option B is correct.", "B"),
        ("The answer is option B.", "B"),
        ("Answer: 42<|im_end|>", "42"),
        ("Ans: 12", "12"),
        ("Therefore the answer to part (b) is 7.", "7"),
        ("The answer is thus **5**, as required.", "5"),
        ("Ans. = 12", "12"),
        ("Hence, the answer must be 12.", "12"),
        ("Final Answer (in metres): 12", "12"),
        ("Answer → 12", "12"),
        ("Correct Answer: C", "C"),
        ("Correct option: (C)", "(C)"),
        ("Hence, (C) is the correct answer.", "(C)"),
        ("Therefore option C is correct.", "C"),
        ("The correct answer is C. Photosynthesis", "C. Photosynthesis"),
        ("\\textbf{Answer:} $12$", "12"),
        ("\\textbf{Answer: 12}", "12"),
        ("**Answer:** Mt. Everest", "Mt. Everest"),
        ("The answer is Gen. Lee. He lost.", "Gen. Lee"),
        ("Answer: Capt. Cook, Lt. Uhura, Sgt. York", "Capt. Cook, Lt. Uhura, Sgt. York"),
        ("Answer: Ft. Worth", "Ft. Worth"),
        ("Answer: Gov. Brown and Rev. Green", "Gov. Brown and Rev. Green"),
        ("The answer is 5 Mt. We saw why.", "5 Mt"),
        (r"So **Answer:** $\frac12$", r"\frac12"),
        ("We add, and so **Final answer**: 12.", "12"),
        ("**Final Answer:** The number of ways is **12**.", "12"),
        ("**Final Answer:** The total is $12$. It is even.", "12"),
        ("**Final Answer:** The total of all is about 12", "The total of all is about 12"),
        ("**Final Answer:** The sky is blue.", "The sky is blue"),
        ("#### 72", "72"),
        ("6 * 12 = 72\n#### $1,072", "$1,072"),
    ],
    "a heading with the answer below": [
        ("### Final Answer\n\n12", "12"),
        ("## Answer\n12", "12"),
        ("**Final Answer**\n\nThe total is 12.", "12"),
        ("**Final Answer**\n\nThe number of ways is **12 of 30**.", "12 of 30"),
        ("**Final Answer**\n\n\\[\nx=3\n\\]\n", "x=3"),
        ("**Answer:**\n$$12$$", "12"),
        ("The answer is:\n\n$$12$$\n", "12"),
        ("### Final Answer\n\n12 km\n\nThis is what was asked.", "12 km"),
    ],
    "in other languages": [
        ("答案：5", "5"),
        ("**答案：** 5", "5"),
        ("因此，答案是 5。", "5"),
        ("最终答案是 $\\frac{1}{2}$。", r"\frac{1}{2}"),
        ("综上，正确答案为B。", "B"),
        ("故选B。", "B"),
        ("综上所述，选B。", "B"),
        ("所以选 (C)", "(C)"),
        ("选项B正确。", "B"),
        ("故答案为：5。", "5"),
        ("### 最终答案\n\n5", "5"),
        ("答えは5です。", "5"),
        ("答案是5，即五个。", "5"),
        ("정답: 5", "5"),
        ("Respuesta: 5", "5"),
        ("La respuesta final es 5.", "5"),
        ("La réponse est 5.", "5"),
        ("Die Antwort lautet 5.", "5"),
        ("Antwort: 5", "5"),
        ("A resposta é 5.", "5"),
        ("La risposta è 5.", "5"),
        ("Ответ: 5", "5"),
    ],
    "nothing but one formula or number": [
        ("42", "42"),
        ("-3.5", "-3.5"),
        ("1,234", "1,234"),
        ("3/4", "3/4"),
        ("50%", "50%"),
        ("**12**", "12"),
        ("$5$", "5"),
        (r"$\frac12$", r"\frac12"),
        ("\\[\nx=3\n\\]", "x=3"),
        ("x = 3", "x = 3"),
        ("(1, 2)", "(1, 2)"),
        ("12 km", "12 km"),
        (r"$12 \text{ m/s}$", r"12 \text{ m/s}"),
        ("(B)", "(B)"),
    ],
}


@pytest.mark.parametrize("rule", RULES)
def test_a_marked_answer_is_found(rule: str) -> None:
    found = {answer: final_answer(answer) for answer, _ in RULES[rule]}
    wrong = [(a, found[a], text) for a, text in RULES[rule] if (found[a] or ("",))[0] != text]
    assert wrong == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "We add 2 and 3 and get 5.",
        "5 is it",
        "Paris",
        "Yes",
        "I am 5",
        r"\boxed{}",
        r"\boxed{\text{}}",
        r"use \boxed{...} for it",
        r"The answer is \boxed{}.",
        r"So the answer is \boxed{???}.",
        r"\boxed{\frac{1}{2}",
        r"\boxed{1} and then \boxed{2",
        "I think the answer is 5, more or less",
        "Could the answer be 5?",
        "My answers: 5",
        "answers: 5",
        "The answer",
        "Answer:",
        "<answer></answer>",
        "<answer> answer here </answer>",
        "<summary></summary>",
        "<summary>There are 42 of them in all</summary>",
        "<answer>42",
        "<answer>1</answer> better: <answer>42",
        r"\boxed{1} better: <answer>2",
        "42</answer>",
        "### Answer\nStep 1: add 2 and 3.\nStep 2: get 5.",
        "### Final Answer\n- x = 2\n- x = 3",
        "The answer may be 5.",
        "A is the first letter.",
        "Answering that is hard.",
        "#### 4. Check\nIt holds.",
        "#### 72\nbut that is wrong",
        "答案很难",
        "End your text with **Answer:**\n\nLater more.",
    ],
)
def test_nothing_is_guessed(answer: str) -> None:
    assert final_answer(answer) is None


@pytest.mark.parametrize(
    ("completion", "found"),
    [
        (r"<think>\boxed{1}</think>\boxed{2}", "2"),
        (r"\boxed{1}</think>\boxed{2}", "2"),
        (r"<think>\boxed{1}</think>I cannot tell.", None),
        (r"<think>\boxed{1}", None),
        (r"<think>a</think>\boxed{1} <think>\boxed{2}", None),
        ("<think>The answer is 1.</think>", None),
    ],
)
def test_reasoning_marks_no_answer(completion: str, found: str | None) -> None:
    answer = final_answer(split_completion(completion).answer)
    assert (answer.text if answer else None) == found


@given(st.text(max_size=300))
def test_any_text_has_an_answer_or_none(text: str) -> None:
    found = final_answer(text)
    assert found is None or found.text


_MARKS = ["\\boxed", "{", "}", "<answer>", "</answer>", "answer is ", "Answer:", "答案是", "####"]
_PIECES = [*_MARKS, "\n", "$", "**", "5", ". ", "\\[", "\\]", " and ", "(a) ", "x = ", "\\"]


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_any_mixture_of_marks_has_an_answer_or_none(pieces: list[str]) -> None:
    found = final_answer("".join(pieces))
    assert found is None or found.text


@given(st.text(alphabet="0123456789abcxyz+-/^_=(),; ", min_size=1, max_size=80))
def test_what_is_boxed_comes_back(text: str) -> None:
    found = final_answer(f"\\boxed{{{text}}}")
    assert (found.text if found else "") == text.strip() or set(text) <= set(" _")


_MANY = 10_000_000


@pytest.mark.parametrize(
    "hostile",
    [
        r"\boxed{",
        r"\boxed{}",
        r"\boxed{1}",
        r"\boxed{1} and ",
        "\\boxed \n",
        "{",
        "<answer>",
        "<answer></answer>",
        "<summary>",
        "</answer><answer>",
        "<think>",
        "</think>",
        "answer ",
        "Answer:\n",
        "The answer is x. ",
        "答案",
        "*",
        "\\",
        "$",
        " ",
        "<|",
    ],
)
def test_ten_megabytes_of_anything_take_less_than_two_seconds(hostile: str) -> None:
    text = hostile * (_MANY // len(hostile))
    with at_most_cpu_s(2):
        final_answer(text)
        split_completion(text)
        final_answer(split_completion(text + "</think>" + text[:1000]).answer)


@pytest.mark.parametrize(
    "hostile",
    [
        "\\boxed{" + "{" * 5_000_000 + "}" * 5_000_001,
        "\\boxed" + " " * _MANY + "{1}",
        "Answer:" + " " * _MANY + "1",
        "*" * _MANY + "answer",
        "\u0130" * 1_000_000 + "<answer>1</answer>",
    ],
    ids=["braces", "blank box", "blank line", "stars", "letters that grow"],
)
def test_one_long_mark_takes_less_than_two_seconds(hostile: str) -> None:
    with at_most_cpu_s(2):
        final_answer(hostile)


# Each is repeated between a beginning that a pattern takes up and an end that it does not.
_BEGINNINGS = ["", "\\boxed{", "\\boxed{1}", "the answer to the ", "so ", "Final answer: ", "答案"]
_REPEATED = [
    *("_", "?", "..", "…", "\\dots", "\\text{ }", "\\square", "\\,", "\\quad", "{", "$", " ", "\n"),
    *("a", "é", "是", "a b ", "a'", "x= ", "e = ", "a_1=", "\\in ", "and ", "\\text", "part (a)"),
    *("- ", "**", "so, ", "final ", "answer", "answer: ", "the answer to the ", "(b)", '"a'),
    *("答案", "所以", "因此，", "选", "最终", "A is ", ", as a", "。", ". ", "1,", "12/", "です "),
    *("**Answer:** ", "The total is ", "\\frac{1}", "\\boxed ", "<answer>", "Mt. ", "\\textbf{"),
]
_ENDS = ["", "x}", "\\boxed{2}", "~", "</answer>"]


@pytest.mark.parametrize("times", [40, 400, 2_000])
def test_no_repetition_is_tried_in_many_ways(times: int) -> None:
    slow = []
    for begin, repeated, end in itertools.product(_BEGINNINGS, _REPEATED, _ENDS):
        text = begin + (repeated * times)[:1_950] + end
        if cpu_s_of(partial(final_answer, text)) > 0.05:
            slow.append((begin, repeated, end))
            break  # enough said: the others could take hours
    assert slow == []


@pytest.mark.parametrize("answer", ["\\boxed{%s}", "<answer>%s</answer>"])
def test_a_million_characters_come_back_to_be_refused_by_their_length(answer: str) -> None:
    found = final_answer(answer % ("1" * 1_000_000))
    assert found is not None
    assert "characters" in (too_wild(found.text) or "")


def test_what_no_parser_should_see_is_named() -> None:
    assert "characters" in (too_wild("1" * (MAX_ANSWER_CHARS + 1)) or "")
    assert "nested" in (too_wild("(" * 50 + ")" * 50) or "")
    assert "surrogates" in (too_wild("1\ud800") or "")
    assert "null" in (too_wild("1\x00") or "")
    assert too_wild(r"\frac{1}{2}") is None
