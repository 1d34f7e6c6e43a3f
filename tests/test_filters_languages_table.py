"""The table of languages: names as people write them, Java's class, complete entries, limits."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from cpu_time import at_most_cpu_s

from filters.sandbox.backend import MIB, Limits
from filters.sandbox.java_source import java_names
from filters.sandbox.languages import (
    COMPILE_LIMITS,
    LANGUAGES,
    language_named,
)
from filters.sandbox.toolchain import command_within, limits_in, toolchain_of

NAMED = {
    "python": "python Python3 py pypy3 Python-3.11 PYTHON_3 |PyPy 3-64|Python 3.8.10|  py\n",
    "cpp": "cpp c++ C++20 g++ g++-12 cxx cc C++23 |GNU C++20 (64)|C++ (GCC 9.2.1)|g++ 11.2",
    "cpp17": "cpp17 C++17 c++-17 |GNU G++17 7.3.0|g++ -std=c++17|Clang++17 Diagnostics",
    "cpp14": "c++14 C++11 cpp11 |C++14 (gcc 6.3)|GNU C++11 5.1.0",
    "c": "c C gcc C11 |GNU C11|C (gcc)",
    "java": "java Java17 |Java 8|OpenJDK 11",
    "javascript": "js JavaScript node Node.js |JavaScript (Node.js 12.16.1)|Node.js 20.1",
    "go": "go golang Go1.20 |Go (1.14.1)",
    "rust": "rust rs |Rust (1.42.0)|Rust 1.75",
}
SPELLINGS = [
    (spelling, name)
    for name, text in NAMED.items()
    for spelling in [*text.split("|")[0].split(" "), *text.split("|")[1:]]
    if spelling
]


@pytest.mark.parametrize(("spelling", "name"), SPELLINGS)
def test_a_language_is_known_by_the_names_people_give_it(spelling: str, name: str) -> None:
    language = language_named(spelling)
    assert language is not None
    assert language.name == name


@pytest.mark.parametrize(
    "spelling", ["", " ", "klingon", "C#", "objective-c++", "Delphi 7", "+", "17", "cp"]
)
def test_what_no_language_is_called_is_none(spelling: str) -> None:
    assert language_named(spelling) is None


@pytest.mark.parametrize("bad", ["c" * 10**6, "c+" * 10**5, "(" * 10**5, "python" + "3" * 10**6])
def test_a_name_of_any_length_costs_nothing(bad: str) -> None:
    with at_most_cpu_s(0.1):
        assert language_named(bad) is None


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_entry_is_complete(name: str) -> None:
    language = LANGUAGES[name]
    assert language.name == name
    assert language_named(name) is language
    assert language_named(language.title) is language
    assert language.family in LANGUAGES
    assert language.hint.startswith("apt-get install ")
    assert language.time_factor >= 1
    assert language.memory_factor >= 1
    assert language.processes >= Limits().processes
    assert language.run
    words = [*language.compile, *language.run, *(value for _, value in language.environment)]
    known = {"source", "main", "home", "memory_mb", *language.programs}
    assert {hole for word in words for hole in re.findall(r"\{(.*?)\}", word)} <= known


def test_a_toolchain_in_a_home_folder_counts_as_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "no-such-compiler"
    compiler.write_text("#!/bin/sh\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain_of(replace(LANGUAGES["c"], programs=("no-such-compiler",))) is None


def test_limits_are_multiplied_for_slower_languages_and_not_for_cpp() -> None:
    stated = Limits(cpu_s=2.0, wall_s=10.0, memory_bytes=256 * MIB)
    assert limits_in(LANGUAGES["cpp"], stated) == stated
    python = limits_in(LANGUAGES["python"], stated)
    assert python.cpu_s == pytest.approx(10.1)
    assert python.wall_s == pytest.approx(18.1)
    assert python.memory_bytes == 512 * MIB
    assert limits_in(LANGUAGES["java"], stated).processes == 64


def test_the_heap_a_problem_states_is_filled_in_when_it_runs() -> None:
    toolless = ("java", "-Xmx{memory_mb}m", "-cp", ".", "Main")
    assert command_within(toolless, Limits(memory_bytes=256 * MIB))[1] == "-Xmx256m"
    assert command_within(toolless, Limits(memory_bytes=1))[1] == "-Xmx16m"


def test_a_compilation_may_take_half_a_minute_and_two_gigabytes() -> None:
    assert COMPILE_LIMITS.cpu_s == 30
    assert COMPILE_LIMITS.memory_bytes == 2048 * MIB


MAIN = "public static void main(String[] args) { }"


@pytest.mark.parametrize(
    ("code", "source", "main"),
    [
        (f"public class Foo {{ {MAIN} }}", "Foo.java", "Foo"),
        (f"class Foo {{ {MAIN} }}", "Foo.java", "Foo"),
        (f"class A {{ int x; }} class B {{ {MAIN} }}", "B.java", "B"),
        (f"public class A {{ }} class B {{ {MAIN} }}", "A.java", "B"),
        (f"class A {{ {MAIN} }} public class B {{ {MAIN} }}", "B.java", "B"),
        (f"package a.b;\nimport java.util.*;\npublic class X {{ {MAIN} }}", "X.java", "a.b.X"),
        (f"// public class No {{\n/* class No2 {{ */ class Yes {{ {MAIN} }}", "Yes.java", "Yes"),
        (f'class A {{ String s = "}} class B {{"; {MAIN} }}', "A.java", "A"),
        (f"class A {{ char c = '{{'; char d = '\\''; }} class B {{ {MAIN} }}", "B.java", "B"),
        (f"class A {{ class Inner {{ {MAIN} }} }}", "Main.java", "Main"),
        (f"@Deprecated public final strictfp class Zoë {{ {MAIN} }}", "Zoë.java", "Zoë"),
        (
            f"enum E {{ A, B }} record R(int x) {{ }} interface I {{ }} class C {{ {MAIN} }}",
            "C",
            "C",
        ),
        (f"public enum E {{ A; {MAIN} }}", "E.java", "E"),
        (f'class A {{ String s = """\n}} class B {{ "quoted" """; {MAIN} }}', "A.java", "A"),
        ("", "Main.java", "Main"),
        ("class", "Main.java", "Main"),
        ("public class ../../x { }", "Main.java", "Main"),
        ("public class $(reboot) { }", "$.java", "$"),
    ],
)
def test_a_java_source_is_named_for_its_public_class_and_started_where_main_is(
    code: str, source: str, main: str
) -> None:
    names = java_names(code)
    assert (names.source.removesuffix(".java"), names.main) == (source.removesuffix(".java"), main)


@pytest.mark.parametrize(
    "code",
    [
        "{" * 10**6,
        '"' * 10**6,
        '"""' * 10**6,
        "/*" * 10**6,
        "/*" + "*" * 10**6,
        "'\\" * 10**6,
        '"' + "\\" * 10**6,
        "class A" * 300_000,
        "class A{}" * 300_000,
        "public " * 10**6,
        "package " + "a." * 10**6 + ";",
        "a" * 10**7,
        "class " + "a" * 10**6 + " { }",
        "@" * 10**7,
    ],
)
def test_a_hostile_java_source_is_named_in_bounded_time(code: str) -> None:
    with at_most_cpu_s(3):
        names = java_names(code)
    assert len(names.source) < 300
    assert "/" not in names.source
