"""The Sample record: one completion of one prompt, exactly as it came, with what it cost."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion; one row of `2-samples/*.parquet`.

    `completion` is the raw text as the server sent it; `reasoning` and `answer` are its two
    parts (see teacher/parse.py). Counts are in tokens of the teacher's tokenizer as the server
    reports them; `reasoning_tokens` and `answer_tokens` divide `completion_tokens` in proportion
    to characters when the server does not say. Times are UTC. `finish_reason` is `stop`,
    `length` (cut by its token limit: a result, not a fault) or `error` (then `error` says why
    and there is no completion). `seed` is None where none was sent.
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


def sample_id(prompt_id: str, sample_index: int) -> str:
    """The id of a prompt's n-th sample: `9f2c…-003`."""
    return f"{prompt_id}-{sample_index:03d}"
