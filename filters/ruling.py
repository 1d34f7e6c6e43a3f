"""What a verifier decides before it is signed: outcome, reason, detail; then the Verdict."""

import time
from typing import NamedTuple

from filters.verdict import Outcome, Reason, Verdict
from teacher.sample import Sample

DETAIL_LIMIT_CHARS = 1_000


class Ruling(NamedTuple):
    """A decision without sample, verifier and time; `stamp` turns it into a Verdict."""

    outcome: Outcome
    reason: Reason
    detail: str = ""


def accept(detail: str = "", reason: Reason = Reason.MATCH) -> Ruling:
    return Ruling(Outcome.ACCEPT, reason, detail)


def reject(reason: Reason, detail: str = "") -> Ruling:
    return Ruling(Outcome.REJECT, reason, detail)


def undecided(reason: Reason, detail: str = "") -> Ruling:
    return Ruling(Outcome.UNDECIDED, reason, detail)


def stamp(ruling: Ruling, sample_id: str, signed_by: tuple[str, str], started: float) -> Verdict:
    """Sign a ruling: `signed_by` is (verifier, version), `started` a time.perf_counter()."""
    name, version = signed_by
    return Verdict(
        sample_id=sample_id,
        verifier=name,
        verifier_version=version,
        outcome=ruling.outcome,
        reason=ruling.reason,
        detail=readable(ruling.detail),
        duration_s=time.perf_counter() - started,
    )


def readable(detail: str) -> str:
    """Cut to a screenful and made storable: Parquet and terminals take no lone surrogates."""
    text = detail.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
    if len(text) <= DETAIL_LIMIT_CHARS:
        return text
    return text[:DETAIL_LIMIT_CHARS] + f" … [{len(text) - DETAIL_LIMIT_CHARS} more characters]"


def rule_on_sample(sample: Sample) -> Ruling | None:
    """What is decided before any verifier looks: failed and truncated samples; else None.

    A sample that never came back is undecided (nobody knows what the teacher would have said);
    one cut by its token limit is a reject (asking again would be cut again).
    """
    if sample.error is not None or sample.finish_reason == "error":
        return undecided(Reason.SAMPLE_FAILED, sample.error or "the request failed")
    if not sample.completion:
        return undecided(Reason.SAMPLE_FAILED, "the completion is empty")
    if sample.finish_reason == "length":
        return reject(Reason.TRUNCATED, f"cut at {sample.completion_tokens} completion tokens")
    return None
