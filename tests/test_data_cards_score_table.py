"""data_cards/score_table.py: ours beside the published, and never a score without its n."""

from data_cards.paired_change import PairedChange
from data_cards.score_table import (
    PublishedScores,
    RatingRow,
    ScoreRow,
    ScoreTable,
    score_markdown,
    score_text,
    table_header,
    table_lines,
    table_notes,
)

R1 = PublishedScores(
    *("R1-Distill-X", "a paper, table 5", "64 samples"),
    {
        "aime-2024": 55.5,
        "aime-2024 cons@64": 83.3,
        "livecodebench": 37.6,
        "codeforces rating": 1189,
    },
)


def row(benchmark="aime-2024", group="overall", who="student", value=0.412, **more):
    values = {
        "benchmark": benchmark, "group": group, "who": who, "prompts": 30, "k": 64, "missing": 0,
        "pass_at_1": value, "low": 0.315, "high": 0.51, "cons_at_k": 0.567, "pass_at_k": 0.633,
        "most": 64, "undecided_rate": 0.01, "truncation_rate": 0.031, "mean_tokens": 11_204.4,
    }  # fmt: skip
    return ScoreRow(**{**values, **more})


def test_a_score_stands_with_interval_n_truncation_and_length():
    table = ScoreTable(rows=[row(missing=3)])
    (line,) = table_lines(table)
    assert dict(zip(table_header(table), line.cells, strict=True)) == {
        "benchmark": "aime-2024", "group": "overall", "model": "student", "pass@1 %": "41.2",
        "95 % interval": "31.5 to 51.0", "cons@k %": "56.7", "pass@k %": "63.3 @64",
        "n × k": "30 × 64 − 3", "cut %": "3.1", "undecided %": "1.0", "tokens": "11,204",
    }  # fmt: skip
    assert line.bar == (0.315, 0.412, 0.51)


def test_the_published_score_stands_below_ours_with_its_source():
    table = ScoreTable(rows=[row()], published=R1)
    _, theirs = table_lines(table)
    assert theirs.cells[:6] == ("aime-2024", "overall", "R1-Distill-X", "55.5", "published",
                                "83.3 @64")  # fmt: skip
    assert "a paper, table 5; 64 samples" in table_notes(table)[-1]


def test_names_from_outside_do_nothing_to_a_terminal():
    name = "hard\x1b[2J\u202e\n"  # a screen cleared, a direction turned, a line broken
    change = PairedChange(name, "student", "aime-2024", "overall", 0.1, 0.0, 0.2, 30)
    table = ScoreTable([row(group=name, who=name, passes=16)], changes=[change])
    text = "\n".join(score_text(table))
    assert "hard[2J" in text
    assert {"\x1b", "\u202e"}.isdisjoint(text)


def test_prompts_with_too_few_samples_for_pass_at_k_are_said_below_the_table():
    table = ScoreTable(rows=[row(passes=16), row(who="base", passes=30)])
    (note,) = [note for note in table_notes(table) if note.startswith("pass@64 of")]
    assert note.startswith("pass@64 of student, aime-2024, overall, is over 16 of 30 prompts")
    assert note in score_text(table)


def test_prompts_that_cannot_vote_are_said_below_the_table():
    table = ScoreTable(rows=[row(votes=20), row(who="base", votes=20), row("mine", votes=30)])
    notes = [note for note in table_notes(table) if note.startswith("cons@k of")]
    assert len(notes) == 1
    assert notes[0].startswith("cons@k of aime-2024, overall, is over 20 of 30 prompts")
    assert notes[0] in score_text(table)
    assert notes[0] in score_markdown(table)


def test_what_was_not_measured_has_no_published_score_either():
    table = ScoreTable(rows=[row("mine")], published=R1)
    assert [line.cells[2] for line in table_lines(table)] == ["student"]
    assert not any("a paper" in note for note in table_notes(table))


def test_a_window_of_dates_is_set_beside_the_published_benchmark():
    table = ScoreTable(rows=[row("livecodebench@2024-08..2025-01")], published=R1)
    assert table_lines(table)[1].cells[3] == "37.6"


def test_groups_come_before_overall_and_models_keep_their_order():
    names = [("math", "base"), ("overall", "base"), ("math", "student"), ("overall", "student")]
    table = ScoreTable(rows=[row("held-out", group, who) for group, who in names])
    assert [line.cells[1:3] for line in table_lines(table)] == [
        ("math", "base"), ("math", "student"), ("overall", "base"), ("overall", "student"),
    ]  # fmt: skip


def test_a_rating_stands_below_its_benchmark_beside_the_published_one():
    rating = RatingRow("codeforces", "student", 1234.4, 1101.0, 1377.0, 12, 8)
    lines = table_lines(ScoreTable(rows=[row("codeforces")], ratings=[rating], published=R1))
    assert [line.cells[:5] for line in lines[1:]] == [
        ("codeforces", "rating", "student", "1,234", "1,101 to 1,377"),
        ("codeforces", "rating", "R1-Distill-X", "1,189", "published"),
    ]
    assert lines[1].cells[7] == "12 contests, 8 tries"


def test_what_a_rating_left_out_is_said():
    rating = RatingRow("codeforces", "student", 1234.4, 1101.0, 1377.0, 12, 8, 31, 2)
    assert score_text(ScoreTable(rows=[row("codeforces")], ratings=[rating]))[-1] == (
        "codeforces rating of student: 31 problems of its contests were not asked, or a "
        "participation has no graded answer: unsolved there; "
        "2 contests have no standings: left out"
    )


def test_nothing_that_came_back_is_a_dash_and_not_a_zero():
    none = dict.fromkeys(("low", "high", "cons_at_k", "pass_at_k", "mean_tokens"))
    table = ScoreTable(rows=[row(value=None, truncation_rate=None, undecided_rate=None, **none)])
    (line,) = table_lines(table)
    assert set(line.cells[3:7]) | set(line.cells[8:]) == {"–"}
    assert line.bar is None


def test_the_terminal_leaves_repeated_names_out_and_aligns_columns():
    table = ScoreTable(rows=[row(), row(who="base", value=0.05)], published=R1)
    header, first, second, third, *notes = score_text(table)
    assert first.startswith("aime-2024  overall  student")
    assert second.startswith(" " * len("aime-2024  overall  ") + "base")
    assert header.index("n × k") + 5 == first.index("30 × 64") + 7 == third.index("see below") + 9
    assert notes == ["R1-Distill-X: a paper, table 5; 64 samples. Published without an interval."]


def test_a_difference_names_its_benchmark_where_there_are_several():
    change = PairedChange("base", "student", "aime-2024", "overall", 0.2, 0.1, 0.3, 30)
    one = score_text(ScoreTable(rows=[row()], changes=[change]))[-1]
    assert one == "student - base: +20.0 points overall, paired 95 % interval +10.0 to +30.0, n=30"
    two = score_text(ScoreTable(rows=[row(), row("math-500")], changes=[change]))[-1]
    assert two.startswith("student - base, aime-2024: +20.0")


def test_markdown_has_a_rule_under_its_header_and_opens_no_cell_of_a_hostile_name():
    text = score_markdown(ScoreTable(rows=[row(who="a|b <script>")]))
    lines = text.splitlines()
    assert lines[1].count("---:") == 8
    assert len({line.replace("\\|", "").count("|") for line in lines[:3]}) == 1
    assert "<script>" not in text
