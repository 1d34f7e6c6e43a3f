"""Open answers (writing, translation): no rule can tell, so a rubric judge decides."""

import time

from filters.ruling import Ruling, rule_on_sample, stamp, undecided
from filters.verdict import Reason, Verdict
from prompts.record import Prompt
from teacher.sample import Sample

SIGNATURE = ("rubric", "1")


def verify_rubric(prompt: Prompt, sample: Sample) -> Verdict:
    """Always undecided, but for samples that failed or were cut by their token limit."""
    started = time.perf_counter()
    ruling = rule_on_sample(sample) or rule_on_rubric(prompt, sample)
    return stamp(ruling, sample.sample_id, SIGNATURE, started)


def rule_on_rubric(prompt: Prompt, sample: Sample) -> Ruling:
    return undecided(Reason.AMBIGUOUS_ANSWER, "a rubric judge decides")
