"""Prompts whose reference is in doubt, from all shards of a run."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from filters.extract import final_answer
from filters.final import content_verdict
from filters.gold_check import WRONG_ANSWER, Suspect, may_be_suspect, suspect_of
from filters.verdict import Outcome, Verdict
from flows.graded_shards import GradedShard, graded_shards, prompts_of
from flows.run_folder import RunFolder, write_text

FILE = "reference-suspects.jsonl"


def find_suspects(run: RunFolder, judged: Mapping[str, Verdict]) -> dict[str, Suspect]:
    """The suspects by prompt_id, also written to `3-verdicts/reference-suspects.jsonl`.

    Two passes: counts of all prompts, then the wrong answers of those few whose counts are odd.
    """
    accepted, wrong = _counts(run, judged)
    odd = {name for name, n in wrong.items() if may_be_suspect(accepted[name], n)}
    answers = _wrong_answers(run, judged, odd)
    prompts = prompts_of(run, odd)
    found = {name: suspect_of(prompts[name], accepted[name], answers[name]) for name in sorted(odd)}
    suspects = {name: suspect for name, suspect in found.items() if suspect is not None}
    lines = [json.dumps(asdict(s), ensure_ascii=False) + "\n" for s in suspects.values()]
    write_text(run.folder("verify") / FILE, "".join(lines))
    return suspects


def _counts(run: RunFolder, judged: Mapping[str, Verdict]) -> tuple[Counter[str], Counter[str]]:
    """By prompt_id: how many samples were accepted, and how many answered wrong."""
    accepted: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for shard in graded_shards(run):
        prompt_of = shard.column("prompt_id")
        for name, verdict in _contents(shard, judged):
            accepted[prompt_of[name]] += verdict.outcome is Outcome.ACCEPT
            wrong[prompt_of[name]] += verdict.reason in WRONG_ANSWER
    return accepted, wrong


def _wrong_answers(
    run: RunFolder, judged: Mapping[str, Verdict], prompt_ids: set[str]
) -> dict[str, list[str]]:
    """The final answers of these prompts' samples that were rejected as wrong."""
    answers: dict[str, list[str]] = defaultdict(list)
    for shard in graded_shards(run) if prompt_ids else ():
        prompt_of = shard.column("prompt_id")
        rejected = [
            name
            for name, verdict in _contents(shard, judged)
            if verdict.reason in WRONG_ANSWER and prompt_of[name] in prompt_ids
        ]
        for sample in shard.samples(rejected):
            if (found := final_answer(sample.answer)) is not None:
                answers[sample.prompt_id].append(found.text)
    return answers


def _contents(shard: GradedShard, judged: Mapping[str, Verdict]) -> Iterator[tuple[str, Verdict]]:
    """What counts of each sample's verdicts on its answer, the judge's included."""
    for name, given in shard.verdicts().items():
        also = [judged[name]] if name in judged else []
        yield name, content_verdict([*given, *also])
