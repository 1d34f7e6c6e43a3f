"""Judging what rules left undecided: questions put through the sampling engine, votes counted.

The votes lie in `3-verdicts/judge/` as samples do, under ids that are hashes of the questions: what
was asked once, by this or an earlier verification, is not asked again, and samples with the same
answer share their votes.
"""

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from prefect import task

from filters import judge, rubric
from filters.final import JUDGE, content_verdict
from filters.judge import Messages
from filters.ruling import Ruling, stamp, undecided
from filters.trace import SIGNATURE as TRACE
from filters.verdict import Outcome, Reason, Verdict
from flows.display import SamplingDisplay
from flows.graded_shards import graded_shards, prompts_of
from flows.progress import say
from flows.recipe import JudgeRecipe
from flows.run_folder import RunFolder
from flows.sample_folder import sample_folder
from flows.serving import Served
from flows.stage import unless_hopeless
from prompts.counted import counted
from prompts.errors import RunError
from prompts.record import Prompt
from teacher.ask import Ask
from teacher.canary import Replica
from teacher.sample import FAILED, Sample

FOLDER = "judge"
# Above this share of votes that cannot be read something is wrong with the judge or its limit;
# a few are no share.
MOST_UNREADABLE = 0.2
FEW_UNREADABLE = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One sample to judge and the ids of its two questions; an `is_open` answer is scored."""

    sample_id: str
    is_open: bool
    questions: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """The judge's verdicts by sample_id, how many votes they rest on and what those cost, in
    tokens of questions and replies, whenever they were paid for."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    votes: int = 0
    tokens: int = 0


# The questions are made inside: Prefect would look through all that a task is given.
@task(name="judge-undecided", retries=2, retry_delay_seconds=5, retry_condition_fn=unless_hopeless)
def judge_run(run: RunFolder, recipe: JudgeRecipe) -> Judged:
    """Put to the judge all samples that the recipe says, and read its votes.

    Raises RunError when no endpoint is left, too many requests failed, or too many votes cannot be
    read: what came is kept.
    """
    asks: dict[str, Ask] = {}
    cases = list(_cases(run, recipe, asks))
    if not cases:
        return Judged()
    folder = run.folder("verify") / FOLDER
    replies = read_replies(folder, asks)
    say(
        f"{'judge':9} {counted(len(cases), 'sample')}, {counted(len(asks), 'vote')}, "
        f"{len(replies):,} there already"
    )
    if len(replies) < len(asks):
        aside = _replies_in(_files(folder, "strays"), asks)
        ask_judge(folder, [ask for name, ask in asks.items() if name not in aside], recipe)
        replies = read_replies(folder, asks)
    _require_readable(asks, replies, recipe, folder)
    verdicts = {case.sample_id: _verdict(case, replies, recipe) for case in cases}
    return Judged(verdicts, len(asks), _tokens(folder, asks))


def ask_judge(folder: Path, asks: list[Ask], recipe: JudgeRecipe) -> None:
    """Put the questions to the endpoints; what is in the folder is not asked again."""
    served = Served([Replica(url, recipe.model, "", recipe.key_env) for url in recipe.urls])
    sample_folder(asks, served, recipe.sampling(), folder, _is_vote, SamplingDisplay("judge"))


def read_replies(folder: Path, wanted: Collection[str]) -> dict[str, str]:
    """The replies to these questions, by id: what followed the judge's thinking.

    A reply that was cut is empty; of a failed request there is none.
    """
    return _replies_in(_files(folder), wanted)


def _files(folder: Path, *kinds: str) -> list[Path]:
    """The votes' files. Those an earlier verification had use for were set aside as strays."""
    kinds = kinds or ("strays", "samples")
    return [file for kind in kinds for file in sorted(folder.glob(f"{kind}-*.parquet"))]


def _replies_in(files: list[Path], wanted: Collection[str]) -> dict[str, str]:
    if not files:
        return {}
    came = _votes(files, wanted).filter(pl.col("finish_reason") != FAILED)
    rows = came.select("prompt_id", "answer", "finish_reason").collect()
    return {name: _reply(answer, finish_reason) for name, answer, finish_reason in rows.iter_rows()}


def _tokens(folder: Path, wanted: Collection[str]) -> int:
    columns = ["prompt_tokens", "completion_tokens", "wasted_tokens"]
    tokens = _votes(_files(folder), wanted).select(pl.sum_horizontal(columns).sum())
    return int(tokens.collect().item())


def _votes(files: list[Path], wanted: Collection[str]) -> pl.LazyFrame:
    return pl.scan_parquet(files).filter(pl.col("prompt_id").is_in(list(wanted)))


def _reply(answer: str, finish_reason: str) -> str:
    return answer if finish_reason == "stop" else ""


def _cases(run: RunFolder, recipe: JudgeRecipe, asks: dict[str, Ask]) -> Iterator[Case]:
    """All samples to judge, shard after shard; their questions are added to `asks`."""
    for shard in graded_shards(run):
        given = shard.verdicts()
        doubted = [name for name in given if _is_open_to_doubt(given[name], recipe)]
        prompt_of = shard.column("prompt_id")
        prompts = prompts_of(run, {prompt_of[name] for name in doubted})
        for sample in shard.samples(doubted):
            prompt, verdict = prompts[sample.prompt_id], content_verdict(given[sample.sample_id])
            is_open = rubric.is_for_rubric(prompt, verdict)
            if is_open:
                questions = rubric.questions(prompt, sample.answer)
            elif not judge.is_for_judge(prompt, verdict, recipe.overrules_rejects):
                continue
            elif (answer := judge.candidate(prompt, sample)) is not None:
                questions = judge.questions(prompt, answer)
            else:
                continue
            both = [_ask(question, is_open) for question in questions]
            asks.update((ask.prompt.prompt_id, ask) for ask in both)
            first, second = (ask.prompt.prompt_id for ask in both)
            yield Case(sample.sample_id, is_open, (first, second))


def _is_open_to_doubt(verdicts: list[Verdict], recipe: JudgeRecipe) -> bool:
    """Whether a judge's word could change anything; an unfit trace is rejected in any case."""
    if any(v.verifier == TRACE[0] and v.outcome is Outcome.REJECT for v in verdicts):
        return False
    outcome = content_verdict(verdicts).outcome
    rejected = outcome is Outcome.REJECT and recipe.overrules_rejects
    return outcome is Outcome.UNDECIDED or rejected


def _ask(question: Messages, is_open: bool) -> Ask:
    digest = hashlib.blake2b(json.dumps(question).encode(), digest_size=8).hexdigest()
    prompt = Prompt(
        prompt_id=digest,
        domain="general",
        source=JUDGE,
        license="",
        split="train",
        question="",
        reference_kind="rubric" if is_open else "short_answer",
        reference="",
    )
    return Ask(prompt, question, rubric.PROMPT_VERSION if is_open else judge.PROMPT_VERSION)


async def _is_vote(prompt: Prompt, sample: Sample) -> bool:
    """Whether a reply can be read: what the display counts as accepted."""
    return _is_readable(prompt, _reply(sample.answer, sample.finish_reason))


def _is_readable(prompt: Prompt, reply: str) -> bool:
    if prompt.reference_kind == rubric.KIND:
        return rubric.read_score(reply) is not None
    return judge.read_vote(reply) is not judge.Vote.UNREADABLE


def _require_readable(
    asks: Mapping[str, Ask], replies: Mapping[str, str], recipe: JudgeRecipe, folder: Path
) -> None:
    """Raise RunError where more than a fifth of the votes, and more than a few, are none."""
    bad = [reply for name, reply in replies.items() if not _is_readable(asks[name].prompt, reply)]
    if len(bad) <= max(FEW_UNREADABLE, MOST_UNREADABLE * len(replies)):
        return
    raise RunError(
        f"{len(bad):,} of {len(replies):,} votes of {recipe.model} cannot be read "
        f"({bad.count(''):,} were cut at judge.max_tokens = {recipe.max_tokens:,}): a judge that "
        "thinks first needs a higher judge.max_tokens, one that keeps to no form another "
        f"judge.model; after a fault of its server delete {folder}, and all is asked again"
    )


def _verdict(case: Case, replies: dict[str, str], recipe: JudgeRecipe) -> Verdict:
    """The verdict that a sample's two votes come to; undecided where a request for one failed."""
    first, second = (replies.get(question) for question in case.questions)
    asked = rubric.PROMPT_VERSION if case.is_open else judge.PROMPT_VERSION
    signed_by = (JUDGE, f"{recipe.model} {asked}")
    return stamp(
        _ruling(case, first, second, recipe), case.sample_id, signed_by, time.perf_counter()
    )


def _ruling(case: Case, first: str | None, second: str | None, recipe: JudgeRecipe) -> Ruling:
    if first is None or second is None:
        return undecided(Reason.SAMPLE_FAILED, "the judge did not reply")
    if case.is_open:
        scores = rubric.read_score(first), rubric.read_score(second)
        return rubric.rule_on_scores(*scores, recipe.rubric_threshold)
    return judge.rule_on_votes(judge.read_vote(first), judge.read_vote(second))
