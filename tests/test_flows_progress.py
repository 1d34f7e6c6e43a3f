"""What is said while a long step runs."""

import pytest

from flows import progress


@pytest.mark.parametrize(
    ("begun", "said"), [(0, "6.5 steps/s  3 s left"), (24, "0.5 steps/s  44 s")]
)
def test_the_rate_is_of_what_was_done_now(monkeypatch, capsys, begun, said):
    seconds = iter([100.0, 104.0])
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    with progress.Progress("train", 48, "steps", begun=begun) as bar:
        bar.update(26)
    assert said in capsys.readouterr().out
