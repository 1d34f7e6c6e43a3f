"""From published traces to token rows, with proof that the chat template kept what matters.

What is trained on must be what inference will see: the prompt's text is a prefix of the whole
conversation's, the reasoning is still in the rendered and tokenized completion, and the turn ends
with the end-of-turn token, inside the loss. A template that breaks one of these stops the run; a
single row whose reasoning does not come back is dropped.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError

IGNORED = -100  # torch's cross entropy skips this label
# Above this share of rows without their reasoning it is the template that is wrong, not the rows.
MOST_NOT_ROUND_TRIP = 0.5
COLUMNS = ("sample_id", "messages", "reasoning")


class NotRoundTripError(PrerequisiteError):
    """The reasoning of a row is not in what the template and the tokenizer make of it."""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One conversation to train on: the last message is the assistant's, and is what is learnt."""

    sample_id: str
    messages: tuple[Mapping[str, str], ...]
    reasoning: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row as the model sees it: `labels` are the tokens of the completion, else IGNORED."""

    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The rows to train on, and how many were dropped for what reason."""

    rows: tuple[TokenRow, ...]
    dropped: Mapping[str, int]

    @property
    def tokens(self) -> int:
        """Tokens of one pass, prompts included."""
        return sum(len(row.input_ids) for row in self.rows)


def read_training_rows(paths: Sequence[Path]) -> list[TrainingRow]:
    """Read the conversations of published Parquet files; PrerequisiteError if columns differ."""
    import pyarrow.parquet as pq

    rows: list[TrainingRow] = []
    for path in paths:
        if not path.is_file():
            raise PrerequisiteError(f"no dataset file {path}")
        found = pq.read_schema(path).names
        missing = [name for name in COLUMNS if name not in found]
        if missing:
            raise PrerequisiteError(
                f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(found)}"
            )
        for values in pq.read_table(path, columns=list(COLUMNS), partitioning=None).to_pylist():
            rows.append(_training_row(path, values))
    return rows


def _training_row(path: Path, values: Mapping[str, Any]) -> TrainingRow:
    """One row of a file, checked to end with the assistant's turn."""
    messages = tuple(values["messages"] or ())
    if len(messages) < 2 or messages[-1]["role"] != "assistant":
        raise PrerequisiteError(
            f"{path}: the messages of {values['sample_id']} do not end with an assistant's turn"
        )
    return TrainingRow(values["sample_id"], messages, values["reasoning"] or "")


def encode_rows(rows: Iterable[TrainingRow], tokenizer: Any, max_length: int) -> Encoded:
    """Render and tokenize every row; rows over `max_length` tokens are dropped, never cut.

    `dropped` counts `overlong`, `eos_inside` and `not_round_trip` rows. PrerequisiteError when
    the template changes the prompt, loses the reasoning of more than half of the rows or does
    not end the turn with the tokenizer's eos_token.
    """
    if tokenizer.chat_template is None:
        raise PrerequisiteError(
            "the base model has no chat template; set student.chat_template in the recipe"
        )
    kept: list[TokenRow] = []
    dropped: Counter[str] = Counter()
    lost: NotRoundTripError | None = None
    for row in rows:
        try:
            prompt_ids, completion_ids = encode_row(row, tokenizer)
        except NotRoundTripError as error:
            lost = lost or error
            dropped["not_round_trip"] += 1
            continue
        if tokenizer.eos_token_id in completion_ids[:-1]:
            dropped["eos_inside"] += 1
        elif len(prompt_ids) + len(completion_ids) > max_length:
            dropped["overlong"] += 1
        else:
            labels = [IGNORED] * len(prompt_ids) + completion_ids
            kept.append(TokenRow(prompt_ids + completion_ids, labels))
    total = len(kept) + dropped.total()
    if lost and dropped["not_round_trip"] > MOST_NOT_ROUND_TRIP * total:
        raise PrerequisiteError(f"{dropped['not_round_trip']} of {total} rows: {lost}") from lost
    return Encoded(tuple(kept), dict(dropped))


def encode_row(row: TrainingRow, tokenizer: Any) -> tuple[list[int], list[int]]:
    """The prompt's and the completion's tokens; the completion ends with EOS.

    The two are tokenized apart, as at inference, where the prompt is all there is at first.
    """
    prompt, completion = render(row, tokenizer)
    prompt_ids: list[int] = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    completion_ids: list[int] = tokenizer(completion, add_special_tokens=False)["input_ids"]
    if prompt_ids[:2] == [tokenizer.bos_token_id] * 2:
        raise PrerequisiteError("the chat template begins the prompt with two BOS tokens")
    completion_ids = end_with_eos(completion_ids, tokenizer, row.sample_id)
    text = tokenizer.decode(
        completion_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    if row.reasoning.strip() not in text:
        raise NotRoundTripError(
            f"the tokenizer does not give back the reasoning of {row.sample_id}: its tokens "
            f"decode to {text[:80]!r}"
        )
    return prompt_ids, completion_ids


def render(row: TrainingRow, tokenizer: Any) -> tuple[str, str]:
    """The prompt's text as at inference, and what the template makes of the assistant's turn."""
    turns = [dict(message) for message in row.messages]
    prompt: str = tokenizer.apply_chat_template(
        turns[:-1], tokenize=False, add_generation_prompt=True
    )
    whole: str = tokenizer.apply_chat_template(turns, tokenize=False)
    reasoning = row.reasoning.strip()
    if reasoning not in whole:
        raise NotRoundTripError(
            f"the chat template deletes the reasoning (sample {row.sample_id}: "
            f"{reasoning[:60]!r} is not in the rendered text); set student.chat_template to one "
            "that keeps the assistant's content whole"
        )
    if not whole.startswith(prompt):
        raise PrerequisiteError(
            "the chat template renders the prompt differently once it is answered (sample "
            f"{row.sample_id}): asked, it ends {prompt[-40:]!r}; answered, the same place reads "
            f"{whole[max(0, len(prompt) - 40) : len(prompt)]!r}"
        )
    return prompt, whole[len(prompt) :]


def end_with_eos(completion_ids: list[int], tokenizer: Any, sample_id: str) -> list[int]:
    """Cut what a template puts after the end of the turn (ChatML: a line feed)."""
    eos = tokenizer.eos_token_id
    for last in range(len(completion_ids) - 1, -1, -1):
        if completion_ids[last] == eos:
            if not tokenizer.decode(completion_ids[last + 1 :]).strip():
                return completion_ids[: last + 1]
            break
    tail = tokenizer.decode(completion_ids[-8:])
    raise PrerequisiteError(
        f"the assistant's turn of {sample_id} ends with {tail!r}, not with the end token "
        f"{tokenizer.eos_token!r}: the student would never stop. Set student.eos_token"
    )
