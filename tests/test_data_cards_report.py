"""The report is one file that fetches nothing and runs no script but its own."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from data_cards_records import HOSTILE, assemble_run, make_run

from data_cards.assemble import DatasetRecipe
from data_cards.funnel import FunnelRow
from data_cards.paired_change import PairedChange
from data_cards.report import MAX_TEXT_CHARS, choose_traces, embedded_json, write_report
from data_cards.score_table import ScoreRow, ScoreTable
from data_cards.trace import Trace


class Scripts(HTMLParser):
    """Collects the attributes and the text of every script element, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.fetched: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
            self._open = True
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._open:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)


def traces() -> list[Trace]:
    made = assemble_run(make_run(), DatasetRecipe())
    return [*made.accepted, *made.rejected]


def report(path: Path, rows: list[Trace]) -> Scripts:
    write_report(
        path,
        title=HOSTILE,
        funnel=[FunnelRow("verify", 3, {"accept": 2, "reject": 1}, 1.0)],
        traces=rows,
        scores=ScoreTable(
            rows=[
                ScoreRow(
                    *("held-out", "math", "student", 60, 8, 0, 0.62, 0.56, 0.68),
                    *(None, 0.8, 8, 0.0, 0.031, 1_204.0),
                )
            ],
            changes=[PairedChange(HOSTILE, "student", "held-out", "overall", 0.21, 0.1, 0.32, 60)],
        ),
        facts={"teacher": HOSTILE},
    )
    parser = Scripts()
    parser.feed(path.read_text())
    return parser


def test_hostile_text_opens_no_script_and_comes_back_whole(tmp_path: Path) -> None:
    detail = "\u2028</script>&amp;"
    hostile = [
        replace(t, question=HOSTILE, verdicts=tuple(v | {"detail": detail} for v in t.verdicts))
        for t in traces()
    ]
    page = report(tmp_path / "report.html", hostile)
    assert len(page.scripts) == 2
    (attributes, data), (_, script) = page.scripts
    assert attributes["type"] == "application/json"
    assert attributes["data-total"] == "120"
    shown = json.loads(data)
    assert {row["question"] for row in shown} == {HOSTILE}
    assert {verdict["detail"] for row in shown for verdict in row["verdicts"]} == {detail}
    assert "innerHTML" not in script


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    page = report(tmp_path / "report.html", traces())
    assert page.fetched == []
    text = (tmp_path / "report.html").read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\(", text)


def test_funnel_and_scores_are_there(tmp_path: Path) -> None:
    report(tmp_path / "report.html", traces())
    text = (tmp_path / "report.html").read_text()
    for expected in (
        "2 accept + 1 reject",
        "62.0",
        "56.0 to 68.0",
        "60 × 8",
        "80.0 @8",
        "+21.0 points",
    ):
        assert expected in text


def test_a_run_without_traces_or_scores_has_a_report(tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", title="empty", funnel=[], traces=[])
    assert "No stage has run yet" in path.read_text()


def test_a_text_that_is_too_long_is_cut(tmp_path: Path) -> None:
    long = replace(traces()[0], reasoning="x" * (MAX_TEXT_CHARS + 5))
    page = report(tmp_path / "report.html", [long])
    (row,) = json.loads(page.scripts[0][1])
    assert row["reasoning"].endswith("\n[… 5 more characters]")


def test_text_that_is_not_unicode_is_no_reason_to_fail(tmp_path: Path) -> None:
    page = report(tmp_path / "report.html", [replace(traces()[0], answer="\ud800")])
    assert json.loads(page.scripts[0][1])[0]["answer"] == "\ud800"


def test_rare_reasons_are_among_the_traces_shown() -> None:
    common, rare = traces()[0], replace(traces()[0], reason="tests_passed")
    chosen = choose_traces([common] * 500 + [rare], 10)
    assert len(chosen) == 10
    assert rare in chosen


def test_embedded_json_holds_no_sign_that_html_reads() -> None:
    assert not set("<>&") & set(embedded_json(["</script>", "<!--", "&lt;", "\u2028"]))
