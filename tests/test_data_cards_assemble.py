"""Assembling: every sample is published, counted as surplus or failed, or in the rejects."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from data_cards_records import (
    ask,
    assemble_run,
    make_prompt,
    make_run,
    make_sample,
    make_verdict,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_cards.assemble import DatasetRecipe, assemble, split_of
from data_cards.shards import read_facts, write_dataset
from data_cards.trace import COLUMN_MEANING, Trace
from filters.final import DECONTAMINATION
from filters.verdict import Outcome, Reason
from prompts.errors import PrerequisiteError
from prompts.parquet import read_rows

RECIPE = DatasetRecipe(test_fraction=0.2)


def test_every_sample_is_in_exactly_one_place() -> None:
    prompts, samples, verdicts = make_run()
    failed = make_sample(prompts[0], 9, finish_reason="error", error="refused", completion="")
    verdict = make_verdict(failed, Outcome.UNDECIDED, Reason.SAMPLE_FAILED)
    accepted = [v.sample_id for v in verdicts if v.outcome is Outcome.ACCEPT]
    made = assemble(
        prompts,
        [*samples, failed],
        [*verdicts, verdict],
        ask(prompts),
        RECIPE,
        selected=accepted[:30],
    )
    assert made.failed == 1
    assert made.surplus == len(accepted) - 30
    assert len(made.accepted) + len(made.rejected) + made.surplus + made.failed == len(samples) + 1
    assert sum(row.samples for row in made.domains) == len(samples) + 1
    assert sum(made.reasons.values()) == len(samples) + 1
    assert failed.sample_id not in {trace.sample_id for trace in made.rejected}


def test_what_recites_a_benchmark_is_published_nowhere_right_or_wrong() -> None:
    prompt = make_prompt("What is 2 + 2?")
    samples = [make_sample(prompt, number) for number in range(3)]
    verdicts = [
        make_verdict(samples[0]),
        make_verdict(samples[1], Outcome.REJECT, Reason.ANSWER_MISMATCH),
        make_verdict(samples[2], Outcome.REJECT, Reason.ANSWER_MISMATCH),
    ]
    recited = [
        replace(
            make_verdict(sample, Outcome.REJECT, Reason.CONTAMINATED), verifier=DECONTAMINATION[0]
        )
        for sample in samples[:2]
    ]
    made = assemble([prompt], samples, [*verdicts, *recited], ask([prompt]), RECIPE)
    assert (made.accepted, made.contaminated) == ((), 2)
    assert [trace.sample_id for trace in made.rejected] == [samples[2].sample_id]


def test_the_assistant_s_turn_is_the_think_block_then_the_answer() -> None:
    prompt = make_prompt("What is 2 + 2?")
    sample = make_sample(prompt)
    (trace,) = assemble([prompt], [sample], [make_verdict(sample)], ask([prompt]), RECIPE).accepted
    assert trace.messages == (
        {"role": "user", "content": "What is 2 + 2?\nBox it."},
        {"role": "assistant", "content": "<think>\n2 + 2 = 4\n</think>\n\n\\boxed{4}"},
    )


def test_with_shortcuts_a_trace_says_how_it_was_cut() -> None:
    prompt = make_prompt("What is 2 + 2?")
    path = (
        "We are to add 2 and 2. Two and two are four, as counting up from 2 shows: 3, then 4. "
        "So the sum is 2 + 2 = 4, and that is what is asked for."
    )
    doubted = make_sample(prompt, reasoning=f"2 + 2 = 5?\n\nWait, {path}")
    plain = make_sample(prompt, 1)
    samples = [doubted, plain]
    verdicts = [make_verdict(sample) for sample in samples]
    made = assemble([prompt], samples, verdicts, ask([prompt]), RECIPE, shorten=True)
    cut, whole = sorted(made.accepted, key=lambda trace: trace.sample_index)
    assert (cut.reasoning_form, cut.reasoning) == ("shortcut", path)
    assert cut.messages[-1]["content"] == f"<think>\n{path}\n</think>\n\n\\boxed{{4}}"
    assert (whole.reasoning_form, whole.reasoning) == ("uncut", plain.reasoning.strip())


def test_the_pass_rate_leaves_undecided_samples_out() -> None:
    prompt = make_prompt("What is 2 + 2?")
    samples = [make_sample(prompt, index) for index in range(4)]
    outcomes = [Outcome.ACCEPT, Outcome.REJECT, Outcome.UNDECIDED, Outcome.ACCEPT]
    verdicts = [make_verdict(s, o) for s, o in zip(samples, outcomes, strict=True)]
    made = assemble([prompt], samples, verdicts, ask([prompt]), RECIPE)
    assert {trace.pass_rate for trace in made.accepted} == {2 / 3}
    assert made.accepted[0].decided_samples == 3


def test_a_prompt_with_nothing_decided_has_no_pass_rate() -> None:
    prompt = make_prompt("What is 2 + 2?")
    sample = make_sample(prompt)
    verdict = make_verdict(sample, Outcome.UNDECIDED, Reason.GRADER_TIMEOUT)
    (trace,) = assemble([prompt], [sample], [verdict], ask([prompt]), RECIPE).rejected
    assert (trace.pass_rate, trace.outcome, trace.reason) == (None, "undecided", "grader_timeout")


def test_no_prompt_is_in_both_splits_nor_in_another_split_of_the_rejects(tmp_path: Path) -> None:
    facts = write_dataset(tmp_path, assemble_run(make_run(60), RECIPE), RECIPE)
    prompts: dict[str, set[str]] = {"train": set(), "test": set()}
    for split in facts.splits:
        traces = read_rows([tmp_path / file for file in split.files], Trace)
        assert len(traces) == split.num_examples
        prompts[split.split] |= {trace.prompt_id for trace in traces}
    assert prompts["train"]
    assert prompts["test"]
    assert not prompts["train"] & prompts["test"]


@settings(max_examples=40)
@given(st.text(max_size=40), st.integers(0, 5), st.floats(0, 0.4), st.floats(0, 0.1))
def test_a_larger_test_fraction_only_adds_prompts_to_test(
    prompt_id: str, seed: int, fraction: float, more: float
) -> None:
    small = DatasetRecipe(test_fraction=fraction, seed=seed)
    large = DatasetRecipe(test_fraction=fraction + more, seed=seed)
    if split_of(prompt_id, small) == "test":
        assert split_of(prompt_id, large) == "test"


def test_the_split_is_the_same_on_every_machine() -> None:
    assert [split_of(name, RECIPE) for name in ("a", "b", "c", "d", "e")] == [
        "train",
        "train",
        "train",
        "train",
        "test",
    ]


def test_what_is_written_is_read_back_and_a_second_write_leaves_no_old_shard(
    tmp_path: Path,
) -> None:
    made = assemble_run(make_run(), RECIPE)
    many = RECIPE.model_copy(update={"max_shard_bytes": 1_000})
    assert len(write_dataset(tmp_path, made, many).splits_of("default")[0].files) > 3
    facts = write_dataset(tmp_path, made, RECIPE)
    assert [split.files for split in facts.splits_of("default")] == [
        ("data/train-00000-of-00001.parquet",),
        ("data/test-00000-of-00001.parquet",),
    ]
    files = [tmp_path / split.files[0] for split in facts.splits_of("default")]
    back = read_rows(files, Trace)
    assert {trace.sample_id: trace for trace in back} == {t.sample_id: t for t in made.accepted}
    assert read_facts(tmp_path) == facts


def test_an_unfinished_rewrite_has_no_card(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("the card of an earlier attempt")
    write_dataset(tmp_path, assemble_run(make_run(), RECIPE), RECIPE)
    assert not (tmp_path / "README.md").exists()


def test_rejects_stay_out_when_the_recipe_says_so(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"publish_rejected": False})
    facts = write_dataset(tmp_path, assemble_run(make_run(), recipe), recipe)
    assert facts.configs == ("default",)
    assert not list(tmp_path.glob("rejected/*"))


def test_a_run_in_which_nothing_was_accepted_says_why(tmp_path: Path) -> None:
    prompts, samples, verdicts = make_run(5)
    refused = [replace(v, outcome=Outcome.REJECT, reason=Reason.NO_CODE) for v in verdicts]
    with pytest.raises(PrerequisiteError, match=r"no accepted trace .*: \d+ no_code\. Ask for"):
        write_dataset(tmp_path, assemble_run((prompts, samples, refused), RECIPE), RECIPE)


def test_records_that_do_not_fit_are_named() -> None:
    prompts, samples, verdicts = make_run(3)
    messages = ask(prompts)
    rejected = next(v.sample_id for v in verdicts if v.outcome is Outcome.REJECT)
    held_out = [replace(prompt, split="test") for prompt in prompts]
    with pytest.raises(ValueError, match="has no verdict"):
        assemble(prompts, samples, verdicts[1:], messages, RECIPE)
    with pytest.raises(ValueError, match="there is no such sample"):
        assemble(prompts, samples[1:], verdicts, messages, RECIPE)
    with pytest.raises(ValueError, match="not among the prompts"):
        assemble(prompts[1:], samples, verdicts, messages, RECIPE)
    with pytest.raises(ValueError, match="held-out"):
        assemble(held_out, samples, verdicts, messages, RECIPE)
    with pytest.raises(ValueError, match="there twice"):
        assemble(prompts, [*samples, samples[0]], verdicts, messages, RECIPE)
    with pytest.raises(ValueError, match="was not accepted"):
        assemble(prompts, samples, verdicts, messages, RECIPE, selected=[rejected])


def test_held_out_prompts_that_were_not_sampled_are_not_counted_as_asked() -> None:
    prompts, samples, verdicts = make_run(3)
    held_out = make_prompt("What is 77 + 2?", split="test")
    made = assemble([*prompts, held_out], samples, verdicts, ask(prompts), RECIPE)
    assert sum(row.prompts for row in made.domains) == 3


def test_a_verdict_s_detail_is_published_without_the_machine_s_paths() -> None:
    prompt = make_prompt("What is 2 + 2?")
    sample = make_sample(prompt)
    verdict = replace(make_verdict(sample), detail='File "/tmp/box-17/main.py", line 3')
    (trace,) = assemble([prompt], [sample], [verdict], ask([prompt]), RECIPE).accepted
    assert trace.detail == 'File "…/main.py", line 3'


def test_every_column_is_explained() -> None:
    assert list(COLUMN_MEANING) == [field.name for field in fields(Trace)]


def test_an_unknown_licence_names_the_nearest_known_one() -> None:
    with pytest.raises(ValidationError, match=r"did you mean apache-2\.0"):
        DatasetRecipe(license="Apache 2.0")
