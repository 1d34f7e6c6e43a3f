"""`stillhouse judge`: problems and solutions in, the solutions with their verdicts out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from filters.sandbox.backend import Backend
from flows.judge_file import judge_files, judge_here
from flows.judge_rows import read_solution
from flows.problem_book import ProblemBook
from prompts.errors import PrerequisiteError

ROOT = Path(__file__).parent.parent
TESTS = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10\n"}]
SUM = {"problem_id": "sum", "tests": TESTS}
PRODUCT = {"problem_id": 2, "tests": [{"input": "3 4", "output": "12"}], "time_limit_s": 1}
ADD = "print(sum(map(int, input().split())))"
ADD_CPP = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }"


def written(path: Path, *rows: Any) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def judged(
    folder: Path, backend: Backend, problems: list[Any], solutions: list[Any], every: bool = False
) -> list[dict[str, Any]]:
    out = folder / "judged.jsonl"
    judge_files(
        written(folder / "problems.jsonl", *problems),
        written(folder / "solutions.jsonl", *solutions),
        out,
        backend,
        every,
        workers=2,
    )
    assert sorted(path.name for path in folder.iterdir()) == [
        "judged.jsonl",
        "problems.jsonl",
        "solutions.jsonl",
    ]
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_each_solution_comes_back_in_its_place_with_its_verdict(
    tmp_path: Path, sandbox: Backend, capfd: pytest.CaptureFixture[str]
) -> None:
    solutions = [
        {"problem_id": "sum", "language": "py3", "code": ADD, "id": 1},
        {"problem_id": 2, "language": "Python 3", "code": ADD, "id": 2},
        {"problem_id": "sum", "language": "g++", "code": ADD_CPP, "id": 3},
        {"problem_id": "sum", "code": "```python\nprint(1 / 0)\n```", "id": 4},
        {"problem_id": "2", "language": "python", "code": "```\n", "id": 5},
    ]
    rows = judged(tmp_path, sandbox, [SUM, "", PRODUCT], solutions)
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["reason"] for row in rows] == [
        "tests_passed",
        "wrong_output",
        "tests_passed",
        "runtime_error",
        "no_code",
    ]
    assert rows[1]["detail"] == "test 1 of 1: token 1: expected `12`, got `7`; input `3 4`"
    assert list(rows[0])[-4:] == ["outcome", "reason", "detail", "time_s"]
    assert 0 < rows[0]["time_s"] < 5
    told = capfd.readouterr()
    assert told.out == ""
    assert "judge     5 in = 2 accept + 3 reject + 0 undecided" in told.err
    assert "sum: 2 accept + 1 reject + 0 undecided" in told.err


def test_other_columns_stay_byte_for_byte_and_older_verdicts_are_replaced(
    tmp_path: Path, sandbox: Backend
) -> None:
    odd = (
        '{"x" :1e3, "problem_id":"sum","code":"print(3)","language":"py","é":"\\ud800", "score":9}'
    )
    again = {"problem_id": "sum", "code": ADD, "language": "py", "outcome": "old", "z": "kept"}
    rows = judged(tmp_path, sandbox, [SUM], [odd, again])
    lines = (tmp_path / "judged.jsonl").read_text("utf-8").splitlines()
    assert lines[0].startswith(odd[:-1] + ', "outcome": "reject", "reason": "wrong_output"')
    assert (rows[1]["outcome"], rows[1]["z"]) == ("accept", "kept")


def test_points_are_told_where_a_problem_has_groups(tmp_path: Path, sandbox: Backend) -> None:
    tests = [{**test, "group": group} for test, group in zip(TESTS, "ab", strict=True)]
    groups = [{"name": "a", "points": 40}, {"name": "b", "points": 60}]
    problem = {"problem_id": "g", "tests": tests, "groups": groups}
    solution = {"problem_id": "g", "language": "python", "code": "print(10)"}
    (row,) = judged(tmp_path, sandbox, [problem], [solution])
    assert (row["outcome"], row["score"]) == ("reject", 60)
    assert [group["score"] for group in row["groups"]] == [0, 60]


def test_tests_of_fifty_megabytes_are_judged(tmp_path: Path, sandbox: Backend) -> None:
    text = "7 " * (25 << 20)
    problem = {"problem_id": "big", "tests": [{"input": text, "output": f"{len(text)}"}]}
    code = "import sys\nprint(sum(len(part) for part in iter(lambda: sys.stdin.read(1 << 20), '')))"
    solution = {"problem_id": "big", "language": "python", "code": code}
    (row,) = judged(tmp_path, sandbox, [problem, SUM], [solution])
    assert row["outcome"] == "accept", row["detail"]


class Nowhere:
    """A backend that can run nothing, and says so."""

    def problem(self, language: str = "python") -> str | None:
        return f"no sandbox for {language}: install bubblewrap"

    def compile(self, program: Any) -> Any:
        raise AssertionError("nothing runs")

    def run(self, run: Any) -> Any:
        raise AssertionError("nothing runs")

    def converse(self, first: Any, second: Any) -> Any:
        raise AssertionError("nothing runs")


GOOD = {"problem_id": "sum", "language": "python", "code": ADD}


@pytest.mark.parametrize(
    ("problems", "solutions", "said"),
    [
        ([SUM], [GOOD, {**GOOD, "problem_id": "x"}], "solutions.jsonl:2: problem_id 'x' is not"),
        ([SUM], [{"code": "x"}], "solutions.jsonl:1: no problem_id; the row has code"),
        ([SUM], [{"problem_id": "sum"}], "solutions.jsonl:1: no code"),
        (
            [SUM],
            [{**GOOD, "language": "basic"}],
            "no sandbox for basic",
        ),
        ([SUM], [{**GOOD, "language": 3}], "solutions.jsonl:1: language is no text"),
        ([SUM], [{"problem_id": "sum", "code": "what is it?"}], "add `language`"),
        ([SUM], ["[1]"], "solutions.jsonl:1: no object"),
        ([SUM], ["{broken"], "solutions.jsonl:1: not JSON"),
        ([SUM], [""], "solutions.jsonl: the file holds no solutions"),
        ([SUM, {"problem_id": "p"}], [GOOD], "problems.jsonl:2: no tests"),
        ([SUM, "", SUM], [GOOD], "problems.jsonl:3: problem_id 'sum' is that of line 1 too"),
        ([{"tests": TESTS}], [GOOD], "problems.jsonl:1: no problem_id"),
        ([{**SUM, "compare": "x"}], [GOOD], "problems.jsonl:1: compare: unknown 'x'"),
        (
            [{**SUM, "checker": {"language": "basic", "code": "x", "protocol": "testlib"}}],
            [GOOD],
            "problems.jsonl:1: checker, language: unknown 'basic'; known are python, cpp",
        ),
        (
            [{**SUM, "checker": {"code": "x", "protocol": "other"}}],
            [GOOD],
            "problems.jsonl:1: protocol: unknown 'other'; known are testlib, kattis, python",
        ),
        (["x"], [GOOD], "problems.jsonl:1: not JSON"),
        ([""], [GOOD], "problems.jsonl: the file holds no problems"),
        ([SUM], [GOOD], "no sandbox for python: install bubblewrap"),
    ],
)
def test_a_bad_row_is_named_before_anything_runs(
    tmp_path: Path, problems: list[Any], solutions: list[Any], said: str
) -> None:
    with pytest.raises(PrerequisiteError) as refused:
        judged(tmp_path, Nowhere(), problems, solutions)
    assert said in str(refused.value)
    assert not (tmp_path / "judged.jsonl").exists()


@pytest.mark.parametrize(
    ("row", "language", "code"),
    [
        ({"code": ADD}, "python", ADD),
        ({"code": ADD_CPP}, "cpp", ADD_CPP),
        ({"code": ADD_CPP, "language": "GNU C++17"}, "cpp17", ADD_CPP),
        ({"code": "So:\n```cpp\nint x;\n```\n"}, "cpp", "int x;\n"),
        ({"code": "So:\n```\nx = 1\n```\n", "language": "py"}, "python", "x = 1\n"),
        ({"code": 'def f():\n    """\n```python\nx\n```\n    """\n'}, "python", None),
        ({"code": 'x = """\n```\ny\n```\n"""\n'}, "python", None),
        ({"code": "  print(1)", "language": "py"}, "python", "  print(1)"),
    ],
)
def test_the_program_of_a_row_and_its_language(
    row: dict[str, Any], language: str, code: str | None
) -> None:
    program = read_solution({"problem_id": "p", **row}).program
    assert program is not None
    assert (program.language, program.code) == (language, code or row["code"])


def test_a_book_keeps_what_fits_and_reads_the_rest_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.problem_book.KEPT_BYTES", 300)
    rows = [{**SUM, "problem_id": f"é{n}", "time_limit_s": n + 1} for n in range(9)]
    path = tmp_path / "problems.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n  ".join(map(json.dumps, rows)).encode())
    book = ProblemBook(path)
    for _ in range(2):
        assert [book.problem(f"é{n}").time_limit_s for n in range(9)] == list(range(1, 10))


def test_the_command_line_judges_and_says_what_is_wrong(tmp_path: Path, sandbox: Backend) -> None:
    problems = written(tmp_path / "problems.jsonl", SUM)
    solutions = written(tmp_path / "solutions.jsonl", GOOD)
    command = [sys.executable, "-m", "flows.cli", "judge", str(problems), str(solutions)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["outcome"] == "accept"
    written(solutions, {**GOOD, "problem_id": "other"})
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "solutions.jsonl:1: problem_id 'other' is not among the problems (1)" in ran.stderr


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    problems = written(tmp_path / "problems.jsonl", SUM)
    solutions = written(tmp_path / "solutions.jsonl", {"problem_id": "sum", "code": ADD})
    for out in (problems, solutions):
        with pytest.raises(PrerequisiteError, match="name another file"):
            judge_here(problems, solutions, out, False, 1)


def test_a_reject_before_the_tests_has_no_points(tmp_path: Path, sandbox: Backend) -> None:
    groups = [{"name": "a", "points": 3}]
    problem = {
        **SUM,
        "groups": groups,
        "tests": [{**test, "group": "a"} for test in TESTS],
    }
    answers = [
        {"problem_id": "sum", "language": "c", "code": "int main( {"},
        {"problem_id": "sum", "language": "python", "code": "```python\nx = 1"},
    ]
    rows = judged(tmp_path, sandbox, [problem], answers)
    assert [(row["reason"], row["score"]) for row in rows] == [("compile_error", 0), ("no_code", 0)]
    assert all(row["groups"][0]["tests"] == 2 for row in rows)


def test_with_every_test_the_passed_ones_are_counted(tmp_path: Path, sandbox: Backend) -> None:
    answer = {"problem_id": "sum", "language": "python", "code": "input(); print(10)"}
    (row,) = judged(tmp_path, sandbox, [SUM], [answer], every=True)
    assert row["detail"].startswith("1 of 2 tests passed; test 1 of 2")


def test_one_row_in_a_language_nobody_knows_is_undecided(
    tmp_path: Path, sandbox: Backend, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = judged(tmp_path, sandbox, [SUM], [{**GOOD, "language": "Kotlin"}, GOOD])
    assert [row["outcome"] for row in rows] == ["undecided", "accept"]
    assert rows[0]["reason"] == "sandbox_unavailable"
    assert "undecided: 1 solution in Kotlin; " in capfd.readouterr().err
