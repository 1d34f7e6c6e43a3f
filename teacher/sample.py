"""The Sample record: one completion of one prompt, exactly as it came, with what it cost."""

from dataclasses import dataclass
from datetime import datetime

from teacher.completion import FaultKind

FAILED = "error"  # the finish_reason of a request that failed for good


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion; one row of `2-samples/*.parquet`.

    `completion` is the raw text as the server sent it; `reasoning` and `answer` are its two
    parts (see teacher/parse.py). Counts are in tokens of the teacher's tokenizer as the server
    reports them; `reasoning_tokens` and `answer_tokens` divide `completion_tokens` in proportion
    to characters when the server does not say. Times are UTC. `finish_reason` is `stop`,
    `length` (cut by its token limit: a result, not a fault) or `error` (then `error` says why
    and there is no completion). `seed` is None where none was sent. `replica` wrote the end of
    the completion; where others wrote its start and were lost, `earlier_replicas` names them in
    order, with a space between. `wasted_tokens` were generated for this sample and are not in its
    completion (an attempt that broke and could not be continued); `attempts` counts all requests.
    """

    sample_id: str
    prompt_id: str
    sample_index: int
    teacher: str
    teacher_revision: str
    template: str
    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None
    completion: str
    reasoning: str
    answer: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    answer_tokens: int
    replica: str
    started_at: datetime
    ended_at: datetime
    attempts: int
    error: str | None = None
    earlier_replicas: str = ""
    wasted_tokens: int = 0


def was_refused(error: str | None) -> bool:
    """Whether a failed sample's error says that asking again will never mend it."""
    return error is not None and error.startswith(FaultKind.REFUSED_REQUEST)


def sample_id(prompt_id: str, sample_index: int) -> str:
    """The id of a prompt's n-th sample: `9f2c…-003`."""
    return f"{prompt_id}-{sample_index:03d}"
