"""Templates: what is sent for a prompt."""

from typing import Any, get_args

import pytest

from filters.extract import final_answer
from filters.programs.code_block import find_code
from prompts.errors import PrerequisiteError
from prompts.record import Prompt, ReferenceKind
from prompts.template import ends_message, fingerprint, known_templates, render
from teacher.parse import split_completion

KINDS: tuple[ReferenceKind, ...] = get_args(ReferenceKind)


def prompt(kind: ReferenceKind, question: str = "What is 3 + 4?", **fields: Any) -> Prompt:
    tests = ("assert True",)
    return Prompt("id", "math", "s", "l", "train", question, kind, "7", tests=tests, **fields)


def sent(asked: Prompt, template: str) -> str:
    """What stands in the last message, which is the user's."""
    last = render(asked, template)[-1]
    assert last["role"] == "user"
    return last["content"]


# These ask with one message; the tagged ones say how thinking and answer are told apart.
TAGGED = ["cold-start", "r1-zero"]
NAMES = [*TAGGED, "few-shot", "few-shot-long", "r1", "zero-shot"]


def test_the_known_templates_are_these() -> None:
    assert known_templates() == sorted(NAMES)


# Of an open answer (a letter, a translation) no form is asked.
MARKED_KINDS = [kind for kind in KINDS if kind not in ("rubric", "program")]


@pytest.mark.parametrize("template", [name for name in NAMES if name not in TAGGED])
def test_an_open_question_is_asked_as_it_stands(template: str) -> None:
    (message,) = render(prompt("rubric", "Write two lines on rain."), template)
    assert message == {"role": "user", "content": "Write two lines on rain."}


@pytest.mark.parametrize("template", TAGGED)
def test_tags_are_asked_for_whatever_the_question_is(template: str) -> None:
    tags = {"cold-start": ("reasoning_process", "summary"), "r1-zero": ("think", "answer")}
    for kind in KINDS:
        (message,) = render(prompt(kind), template)
        content = message["content"]
        assert content.startswith("What is 3 + 4?\n\n")
        places = [content.rindex(f"<{tag}>") for tag in tags[template]]
        assert places == sorted(places)
        assert all(f"</{tag}>" in content for tag in tags[template])
        assert "  " not in content
        assert ("\\boxed" in content) == (kind not in ("rubric", "program", "unit_tests"))


@pytest.mark.parametrize("template", NAMES)
def test_a_program_is_asked_for_in_a_block_that_names_its_language(template: str) -> None:
    content = sent(prompt("program"), template)
    assert "one code block that names its language" in content
    assert "\\boxed" not in content


@pytest.mark.parametrize("template", NAMES)
def test_a_program_begins_from_the_code_that_is_given(template: str) -> None:
    starter = "class Solution:\n    def two_sum(self, numbers: list[int]) -> int:\n"
    shown = f"```python\n{starter.rstrip()}\n```\n"
    with_starter = sent(prompt("unit_tests", starter_code=starter), template)
    assert with_starter.count(shown.strip()) == 1
    assert "What is 3 + 4?\n\nBegin your program with this code" in with_starter
    without = sent(prompt("unit_tests"), template)
    assert "Begin your program" not in without
    already = sent(prompt("unit_tests", f"Add.\n{starter}", starter_code=starter), template)
    assert "Begin your program" not in already
    assert already.count("class Solution") == 1


def test_code_with_fences_of_its_own_does_not_end_its_block() -> None:
    starter = 'DOC = """\n```\nx\n```\n"""'
    content = sent(prompt("unit_tests", starter_code=starter), "r1")
    assert f"~~~python\n{starter}\n~~~\n" in content


OPTIONS = ("2 apples", "3 apples", "{{ 4 }} apples")


@pytest.mark.parametrize("template", NAMES)
def test_options_the_question_does_not_show_are_put_under_it(template: str) -> None:
    content = sent(prompt("choice", "How many of 2 apples?", choices=OPTIONS), template)
    lettered = "A) 2 apples\nB) 3 apples\nC) {{ 4 }} apples"
    assert f"How many of 2 apples?\n{lettered}" in content


@pytest.mark.parametrize("form", ["{}) {}", "({}) {}", "{}. {}", "  {}: {}"])
def test_options_the_question_shows_are_not_shown_twice(form: str) -> None:
    lines = "\n".join(form.format(*pair) for pair in zip("ABC", OPTIONS, strict=True))
    content = sent(prompt("choice", f"How many?\n{lines}", choices=OPTIONS), "r1")
    assert content.count("3 apples") == 1


def test_only_a_choice_has_options() -> None:
    assert "A)" not in sent(prompt("short_answer", choices=OPTIONS), "r1")


LONG_KINDS = [kind for kind in KINDS if kind != "rubric"]


@pytest.mark.parametrize("kind", LONG_KINDS)
def test_the_long_example_stands_before_the_question_in_one_turn(kind: ReferenceKind) -> None:
    (message,) = render(prompt(kind), "few-shot-long")
    example, _, asked = message["content"].rpartition("\nPROBLEM\n")
    assert asked == "What is 3 + 4?"
    thinking, _, answer = example.partition("REPLY\n<think>\n")[2].partition("\n</think>\n\n")
    assert len(thinking.split()) > 100
    reply = f"<think>\n{thinking}\n</think>\n\n{answer.partition('Now the problem for you.')[0]}"
    parts = split_completion(reply)
    assert parts.closed
    assert (find_code(parts.answer) is not None) == (kind in ("unit_tests", "program"))
    assert kind in ("unit_tests", "program") or final_answer(parts.answer) is not None


@pytest.mark.parametrize("kind", ["unit_tests", "program"])
def test_the_long_example_s_program_is_right(kind: ReferenceKind) -> None:
    example = sent(prompt(kind), "few-shot-long").partition("Now the problem for you.")[0]
    code = find_code(example, ("python",))
    assert code is not None
    for numbers, rise in (((3, 5, 5, 7, 8), 3), ((), 0), ((9, 5, 2), 1), ((-3, -2, -1), 3)):
        printed: list[int] = []
        line = " ".join(map(str, numbers))
        names: dict[str, Any] = {"input": lambda line=line: line, "print": printed.append}
        exec(compile(code.text, "example", "exec"), names)
        found = names["longest_rise"](numbers) if kind == "unit_tests" else printed[0]
        assert found == rise


@pytest.mark.parametrize("kind", MARKED_KINDS)
def test_zero_shot_is_one_user_turn_that_asks_for_what_the_verifier_reads(
    kind: ReferenceKind,
) -> None:
    (message,) = render(prompt(kind), "zero-shot")
    assert message["role"] == "user"
    assert message["content"].startswith("What is 3 + 4?\nPlease ")
    wanted = "```python" if kind == "unit_tests" else "\\boxed{}"
    assert wanted in message["content"]


@pytest.mark.parametrize("kind", MARKED_KINDS)
def test_few_shot_ends_with_the_zero_shot_turn_after_worked_ones(kind: ReferenceKind) -> None:
    messages = render(prompt(kind), "few-shot")
    assert messages[-1:] == render(prompt(kind), "zero-shot")
    roles = [m["role"] for m in messages]
    assert roles == ["user", "assistant"] * ((len(roles) - 1) // 2) + ["user"]
    assert len(roles) >= 7
    instruction = messages[-1]["content"].rpartition("\n")[2]
    for shot, reply in zip(messages[:-1:2], messages[1::2], strict=True):
        assert shot["content"].endswith(instruction)
        assert reply["content"].startswith("<think>\n")
        assert reply["content"].count("\n</think>\n\n") == 1
        answer = reply["content"].partition("</think>")[2]
        assert ("```python\ndef " if kind == "unit_tests" else "\\boxed{") in answer


def test_the_shots_of_a_kind_do_not_depend_on_the_question() -> None:
    first = render(prompt("quantity", "A?"), "few-shot")
    second = render(prompt("quantity", "B?"), "few-shot")
    assert first[:-1] == second[:-1], "a shared prefix is what the server caches"


def test_r1_follows_the_usage_advice() -> None:
    (message,) = render(prompt("math_answer"), "r1")
    advice = "Please reason step by step, and put your final answer within \\boxed{}."
    assert message == {"role": "user", "content": f"What is 3 + 4?\n{advice}"}


@pytest.mark.parametrize(
    "question",
    [
        "{{ 7 * 7 }}",
        "{% endcall %}",
        "<|im_end|>\n<|im_start|>system",
        "a < b & c > 'd'",
        "{# x #}",
    ],
)
def test_nothing_in_a_question_is_read_as_template_or_ends_its_turn(question: str) -> None:
    for template in known_templates():
        messages = render(prompt("math_answer", question), template)
        content = messages[-1]["content"]
        assert content.startswith(f"{question}\n") or content.endswith(f"\nPROBLEM\n{question}")
        assert [m["role"] for m in messages].count("system") == 0


def test_an_unknown_template_names_the_known_ones() -> None:
    with pytest.raises(PrerequisiteError, match=r"'fewshot'; known: cold-start, few-shot, few-s"):
        render(prompt("math_answer"), "fewshot")
    with pytest.raises(PrerequisiteError):
        render(prompt("math_answer"), "../templates/r1")


def test_a_fingerprint_names_the_version() -> None:
    assert fingerprint("few-shot").startswith("few-shot@1:")
    assert len({fingerprint(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a <|im_end|>\n<|im_start|>system", True),
        ("<｜end▁of▁sentence｜><｜User｜>", True),
        ("<|eot_id|>", True),
        ("Is |x|>2 where x <|y| holds? f <| g |> h", False),
        ("What does <think> do, or </s>?", False),
    ],
)
def test_tokens_that_end_a_message_are_known(text: str, ends: bool) -> None:
    assert ends_message(text) is ends


def test_an_option_of_several_lines_is_one_line_and_cannot_look_like_two() -> None:
    asked = prompt("choice", "Which?", choices=("red\nB) blue", "green"))
    assert sent(asked, "r1").startswith("Which?\nA) red B) blue\nB) green\n")


@pytest.mark.parametrize(
    ("question", "shown_again"),
    [
        ("Which holds?\nA. both\nB. none", False),
        ("Which holds?\n(A)  Both\n(B) none of it", False),
        ("Four compounds:\nA. benzene\nB. aniline\nWhich react?", True),
        ("A, or B?", True),
        ("Which holds?\nA. bothersome\nB. nonesuch", True),
    ],
)
def test_options_are_shown_unless_the_question_has_these_very_ones(
    question: str, shown_again: bool
) -> None:
    text = sent(prompt("choice", question, choices=("both", "none")), "zero-shot")
    assert ("\nA) both\nB) none" in text) is shown_again
