"""One final verdict a sample, from its verifier's and the trace filters'."""

from collections.abc import Sequence

from filters.trace import TraceFilters, as_verdicts, trace_verdicts
from filters.verdict import Outcome, Verdict
from prompts.parquet import table_of
from prompts.record import Prompt
from teacher.sample import Sample


def judge_traces(
    prompts: Sequence[Prompt], samples: Sequence[Sample], filters: TraceFilters
) -> list[Verdict]:
    """The trace filters' verdicts on the samples, in their order."""
    import polars as pl

    languages = {prompt.prompt_id: prompt.language for prompt in prompts}
    frame = pl.from_arrow(table_of(samples, Sample))
    assert isinstance(frame, pl.DataFrame)
    spoken = [languages.get(sample.prompt_id, "en") for sample in samples]
    frame = frame.with_columns(pl.Series("language", spoken, dtype=pl.String))
    return as_verdicts(trace_verdicts(frame, filters))


def final_verdict(verified: Verdict, trace: Verdict) -> Verdict:
    """A wrong answer is a reject; so is an unfit trace, right or not; the verifier decides else."""
    if verified.outcome is not Outcome.REJECT and trace.outcome is Outcome.REJECT:
        return trace
    return verified


def final_verdicts(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The final verdict of each sample, in the order samples first appear.

    A sample's first verdict is its verifier's, the second the trace filters'.
    """
    final: dict[str, Verdict] = {}
    for verdict in verdicts:
        earlier = final.get(verdict.sample_id)
        final[verdict.sample_id] = verdict if earlier is None else final_verdict(earlier, verdict)
    return list(final.values())
