"""The verify flow: every sample gets its verdict, right answers in unfit traces included.

Rules and trace filters first, a task a shard; then, where the recipe has one, the judge of what
they left undecided; then the check of the references themselves. filters/final.py says which of a
sample's verdicts decides; all of them are kept. After a stop, shards that were graded stay so.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from prefect import flow, task

from data_cards.funnel import FunnelRow
from filters import registry
from filters.final import DECONTAMINATION, JUDGE, final_verdict, grade_traces
from filters.gold_check import SIGNATURE as GOLD_CHECK
from filters.gold_check import Suspect, rule_on_suspect
from filters.ruling import stamp
from filters.trace import SIGNATURE as TRACE
from filters.verdict import Outcome, Reason, Verdict
from flows.contaminated_traces import reject_contaminated
from flows.graded_shards import GradedShard, graded_shards, prompts_of
from flows.grading import grading
from flows.judge import Judged, judge_run
from flows.progress import say
from flows.recipe import Recipe, stage_fingerprint
from flows.run_folder import RunFolder, open_run, write_text
from flows.runs import RUNS
from flows.stage import Stage, resolve, show, staged, unless_hopeless
from flows.suspects import FILE, find_suspects
from prompts.parquet import read_rows

# In `3-verdicts`: what the shards there were graded from and by.
MARK = "graded-by.json"


@flow(name="verify")
def verify(recipe: Recipe | str = "default", runs: Path = RUNS, again: bool = False) -> str:
    """Grade every stored sample, a task a shard; returns the run's folder.

    `again` grades a finished run with the verifiers as they are now: nothing is sampled, and the
    stages after it are then out of date.
    """
    run = open_run(resolve(recipe), runs)
    with staged(run, "verify", again) as stage:
        if stage.wanted:
            _discard_stale(run, again)
            suspects = _verify_run(run, stage)
            show(run, "verify")
            if suspects:
                listed = run.folder("verify") / FILE
                say(f"{'verify':9} references in doubt: {suspects:,}, listed in {listed}")
    return str(run.path)


def _verify_run(run: RunFolder, stage: Stage) -> int:
    """Rules, judge, gold check; then the counts, which must add up. Returns how many references
    are in doubt."""
    shards = graded_shards(run)
    for shard in shards:
        if not shard.verdicts_file.exists():
            verify_shard(run, shard)
    ruled_s = stage.seconds()
    judged = judge_run(run, run.recipe.judge) if run.recipe.judge else Judged()
    judged_s = stage.seconds() - ruled_s
    suspects = find_suspects(run, judged.verdicts)
    _settle(run, judged.verdicts, suspects)
    hits = reject_contaminated(run)
    finals = _finals(run)
    samples = sum(shard.count() for shard in shards)
    rows = [FunnelRow("verify", samples, _outcomes(finals), stage.seconds() - judged_s)]
    if judged.votes:
        rows.insert(0, _judge_row(judged, judged_s))
    facts = {"judge_votes": judged.votes, "judge_tokens": judged.tokens}
    stage.finish(rows, **facts, reference_suspects=len(suspects), contaminated_traces=hits)
    return len(suspects)


def _discard_stale(run: RunFolder, again: bool) -> None:
    """Delete verdicts of other verifiers, settings or samples than today's, or all; and shards that
    the judge's and the gold check's were already added to."""
    signed_by = sorted([*registry.SIGNATURES.values(), TRACE])
    facts = [stage_fingerprint(run.recipe, "verify"), run.identity("generate"), signed_by]
    mark, graded_by = run.folder("verify") / MARK, json.dumps(facts) + "\n"
    stay = not again and mark.exists() and mark.read_text(encoding="utf-8") == graded_by
    for file in verdict_files(run):
        if not stay or not _holds_rules_alone(file):
            file.unlink()
    write_text(mark, graded_by)


def _holds_rules_alone(file: Path) -> bool:
    added = pl.col("verifier").is_in([JUDGE, GOLD_CHECK[0], DECONTAMINATION[0]])
    try:
        return pl.scan_parquet(file).filter(added).limit(1).collect().is_empty()
    except (pl.exceptions.PolarsError, OSError):  # damaged: graded anew
        return False


def _judge_row(judged: Judged, seconds: float) -> FunnelRow:
    counts = Counter(verdict.outcome for verdict in judged.verdicts.values())
    outcomes = {str(outcome): counts[outcome] for outcome in Outcome}
    return FunnelRow("judge", counts.total(), outcomes, seconds)


@task(name="verify-shard", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def verify_shard(run: RunFolder, shard: GradedShard) -> None:
    """Grade one shard of samples into the verdict shard of the same number."""
    prompts = list(prompts_of(run, set(shard.column("prompt_id").values())).values())
    verdicts: list[Verdict] = []
    with grading(prompts, run.recipe.verification, "verify", shard.count()) as grade:
        for samples in shard.batches():
            verdicts += grade(samples) + grade_traces(prompts, samples, run.recipe.filters)
    shard.write(verdicts)


def verdict_files(run: RunFolder) -> list[Path]:
    """The verdict shards, in order."""
    return sorted(run.folder("verify").glob("verdicts-*.parquet"))


def read_verdicts(run: RunFolder) -> list[Verdict]:
    """Every verdict on every sample."""
    return read_rows(verdict_files(run), Verdict)


def _settle(run: RunFolder, judged: Mapping[str, Verdict], suspects: Mapping[str, Suspect]) -> None:
    """Add the judge's and the gold check's verdicts to the shards."""
    for shard in graded_shards(run):
        prompt_of, given = shard.column("prompt_id"), shard.verdicts()
        more: list[Verdict] = []
        for name, prompt_id in prompt_of.items():
            if name in judged:
                more.append(judged[name])
            if prompt_id in suspects:
                ruling = rule_on_suspect(suspects[prompt_id])
                more.append(stamp(ruling, name, GOLD_CHECK, time.perf_counter()))
        shard.add(given, more)


def _finals(run: RunFolder) -> Counter[tuple[Outcome, Reason]]:
    """Counts the final verdicts; AssertionError where a sample has none, or one too many."""
    finals: Counter[tuple[Outcome, Reason]] = Counter()
    for shard in graded_shards(run):
        given = shard.verdicts()
        if given.keys() != shard.column("prompt_id").keys():
            raise AssertionError(f"{shard.samples_file.name}: samples and verdicts do not match")
        for verdicts in given.values():
            final = final_verdict(verdicts)
            finals[final.outcome, final.reason] += 1
    return finals


def _outcomes(finals: Counter[tuple[Outcome, Reason]]) -> dict[str, int]:
    """The final verdicts by outcome; those of suspect prompts under a name of their own."""
    counts = {str(outcome): 0 for outcome in Outcome}
    for (outcome, reason), samples in finals.items():
        if reason is Reason.REFERENCE_SUSPECT:
            counts["reference suspect"] = samples
        else:
            counts[str(outcome)] += samples
    return counts
