"""What is typed wrong is told in one line: the word, what it should be, the nearest, the help."""

import sys

import pytest

from flows import cli


def said(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(sys, "argv", ["anything", *words])
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["evaluate", "--k", "0"], "--k 0: should be greater than or equal to 1"),
        (["distill", "--rounds", "x"], "--rounds x: should be a valid integer"),
        (["generate", "--metrics-port", "99999"], "--metrics-port 99999: should be less than"),
        (["evaluate", "--bnech", "x"], "no option --bnech; did you mean --bench?"),
        (["evaluate", "-k", "3"], "no option -k; did you mean --k?"),
        (["train", "--epochs", "3"], "no option --epochs; there are --again, --slurm, --runs"),
        (["compare", "--vary"], "option '--vary' requires an argument"),
        (["show", "a", "b"], "got unexpected extra argument"),
        (["check"], "missing argument 'file'"),
        (["evalute"], "no such command 'evalute'. Did you mean 'evaluate'"),
    ],
)
def test_a_word_that_is_wrong_is_named_with_the_fix(
    words: list[str],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = said(words, monkeypatch, capsys)
    assert line.startswith("error: ")
    assert what in line
    assert line.count("\n") == 1
    assert "--help`" in line


def test_the_help_that_is_named_is_the_commands_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = said(["evaluate", "--k", "0"], monkeypatch, capsys)
    assert "`stillhouse evaluate --help`" in line


COMMANDS = sorted(
    command.name or command.callback.__name__ for command in cli.app.registered_commands
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_how_it_is_typed(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stillhouse", command, "--help"])
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        cli.main()
    shown = capsys.readouterr().out
    examples = [line for line in shown.splitlines() if f"stillhouse {command}" in line]
    assert len(examples) > 1, shown  # the first is the usage


def test_without_a_command_the_help_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said([], monkeypatch, capsys)
    assert shown.startswith("Usage: stillhouse")
    assert "options and examples" not in shown


@pytest.mark.parametrize(("word", "begins"), [("-h", "Usage: "), ("--version", "stillhouse 0.")])
def test_help_and_version_have_their_usual_names(
    word: str, begins: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", word])
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(begins)
