"""From published traces to token rows, with proof that the chat template kept what matters.

What is trained on must be what inference will see: the prompt's text is a prefix of the whole
conversation's, reasoning and answer are still in the rendered and tokenized completion, and the
turn ends with the end-of-turn token, inside the loss. A template that breaks one of these stops the
run; a single row whose reasoning or answer does not come back is dropped.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prompts.errors import PrerequisiteError

IGNORED = -100  # torch's cross entropy skips this label
# Above this share of rows without their reasoning it is the template that is wrong, not the rows.
MOST_NOT_ROUND_TRIP = 0.5
COLUMNS = ("sample_id", "messages", "reasoning")
ROWS_AT_ONCE = 64  # read from a file: 64 of 32,768 tokens are 8 MB of text


class NotRoundTripError(PrerequisiteError):
    """The reasoning or the answer of a row is not in what template and tokenizer make of it."""


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One conversation to train on: the last message is the assistant's, and is what is learnt."""

    sample_id: str
    messages: tuple[Mapping[str, str], ...]
    reasoning: str

    @property
    def parts(self) -> dict[str, str]:
        """What must come back of the assistant's turn, by name: where it thinks, what it says."""
        answer = self.messages[-1]["content"].rpartition("</think>")[2]
        return {"reasoning": self.reasoning.strip(), "answer": answer.strip()}


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row as the model sees it: `labels` are the tokens of the completion, else IGNORED."""

    input_ids: list[int]
    labels: list[int]
    sample_id: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The rows to train on, how many were dropped for what reason, and why the first was lost."""

    rows: tuple[TokenRow, ...]
    dropped: Mapping[str, int]
    lost: NotRoundTripError | None = None

    @property
    def tokens(self) -> int:
        """Tokens of one pass, prompts included."""
        return sum(len(row.input_ids) for row in self.rows)


def read_training_rows(paths: Sequence[Path]) -> Iterator[TrainingRow]:
    """The conversations of published Parquet files, a few in memory at a time.

    PrerequisiteError if columns differ, before any row.
    """
    import pyarrow.parquet as pq

    if problems := list(filter(None, map(columns_problem, paths))):
        raise PrerequisiteError(problems[0])
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(COLUMNS)):
                for values in batch.to_pylist():
                    yield _training_row(path, values)


def columns_problem(path: Path) -> str | None:
    """What in a Parquet file's schema training cannot read, None if it can; no row is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return f"no dataset file {path}"
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid) as error:
        return f"{path} is no Parquet file that can be read: {error}"
    if missing := [name for name in COLUMNS if name not in schema.names]:
        return f"{path} lacks the column(s) {', '.join(missing)}; it has {', '.join(schema.names)}"
    messages = schema.field("messages").type
    kind = getattr(messages, "value_type", pa.null())
    parts = {kind.field(at).name: kind.field(at).type for at in range(kind.num_fields)}
    texts = [schema.field("reasoning").type, *map(parts.get, ("role", "content"))]
    if not all(one is not None and _is_text(one) for one in texts):
        return (
            f"{path}: messages must be a list of {{role, content}} and reasoning a text, they are "
            f"{messages} and {texts[0]}"
        )
    return None


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


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

    `dropped` counts `overlong`, `eos_inside`, `bos_inside` and `not_round_trip` rows.
    PrerequisiteError when the template changes the prompt, loses the reasoning of more than half
    of the rows, does not end the turn with the tokenizer's eos_token or begins with another number
    of BOS tokens than one.
    """
    encoded = encode_chunk(rows, tokenizer, max_length)
    refuse_lost_reasoning(encoded.lost, encoded.dropped, len(encoded.rows))
    return encoded


def encode_chunk(rows: Iterable[TrainingRow], tokenizer: Any, max_length: int) -> Encoded:
    """`encode_rows` of some of the rows: whether too many lost their reasoning all of them show."""
    bos = leading_bos(tokenizer)
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
        _refuse_other_than_one_bos(bos, prompt_ids, tokenizer.bos_token_id)
        if tokenizer.eos_token_id in completion_ids[:-1]:
            dropped["eos_inside"] += 1
        elif bos is not None and bos in (prompt_ids[1:] + completion_ids):
            dropped["bos_inside"] += 1
        elif len(prompt_ids) + len(completion_ids) > max_length:
            dropped["overlong"] += 1
        else:
            labels = [IGNORED] * len(prompt_ids) + completion_ids
            kept.append(TokenRow(prompt_ids + completion_ids, labels, row.sample_id))
    return Encoded(tuple(kept), dict(dropped), lost)


def refuse_lost_reasoning(
    lost: NotRoundTripError | None, dropped: Mapping[str, int], kept: int
) -> None:
    """Raise PrerequisiteError where more than half of the rows lost their reasoning."""
    count, total = dropped.get("not_round_trip", 0), kept + sum(dropped.values())
    if lost and count > MOST_NOT_ROUND_TRIP * total:
        raise PrerequisiteError(f"{count} of {total} rows: {lost}") from lost


def encode_row(row: TrainingRow, tokenizer: Any) -> tuple[list[int], list[int]]:
    """The prompt's and the completion's tokens; the completion ends with EOS.

    The two are tokenized apart, as at inference, where the prompt is all there is at first.
    """
    prompt, completion = render(row, tokenizer)
    prompt_ids: list[int] = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    completion_ids: list[int] = tokenizer(completion, add_special_tokens=False)["input_ids"]
    completion_ids = end_with_eos(completion_ids, tokenizer, row.sample_id)
    text = tokenizer.decode(
        completion_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    for name, part in row.parts.items():
        if part not in text:
            raise NotRoundTripError(
                f"the tokenizer does not give back the {name} of {row.sample_id}: its tokens "
                f"decode to {text[:80]!r}"
            )
    return prompt_ids, completion_ids


def leading_bos(tokenizer: Any) -> int | None:
    """The token that begins every text and stands nowhere else; None for models without one.

    ChatML's models name `<|im_start|>`, which begins every turn, and write none of their own.
    """
    bos: int | None = tokenizer.bos_token_id
    if bos is None:
        return None
    of_its_own = tokenizer("a")["input_ids"][:1] == [bos]
    return bos if of_its_own or "bos_token" in str(tokenizer.chat_template) else None


def _refuse_other_than_one_bos(
    bos: int | None, prompt_ids: Sequence[int], named: int | None
) -> None:
    """Raise PrerequisiteError unless a rendered prompt begins with exactly one BOS, if with any.

    A server tokenizes what the template renders without adding special tokens (vLLM's chat), so
    the template alone must write it. Two of the token `named` so are wrong for every model.
    """
    twice = named is not None and list(prompt_ids[:2]) == [named, named]
    if not twice and (bos is None or prompt_ids[0] == bos):
        return
    number = "two" if twice else "no"
    raise PrerequisiteError(
        f"the chat template begins the prompt with {number} BOS tokens where the model wants "
        "exactly one: set student.chat_template to one that begins with {{ bos_token }}"
    )


def render(row: TrainingRow, tokenizer: Any) -> tuple[str, str]:
    """The prompt's text as at inference, and what the template makes of the assistant's turn."""
    prompt = rendered(row.messages[:-1], tokenizer, row.sample_id, add_generation_prompt=True)
    whole = rendered(row.messages, tokenizer, row.sample_id)
    answered = whole.startswith(prompt)
    # Behind the prompt, where that is to be told: a question may hold the same words.
    completion = whole[len(prompt) :] if answered else whole
    for name, part in row.parts.items():
        if part not in completion:
            raise NotRoundTripError(
                f"the chat template deletes the {name} (sample {row.sample_id}: "
                f"{part[:60]!r} is not in the rendered text); set student.chat_template to one "
                "that keeps the assistant's content whole"
            )
    if not answered:
        raise PrerequisiteError(
            "the chat template renders the prompt differently once it is answered (sample "
            f"{row.sample_id}): asked, it ends {prompt[-40:]!r}; answered, the same place reads "
            f"{whole[max(0, len(prompt) - 40) : len(prompt)]!r}"
        )
    return prompt, completion


def rendered(
    messages: Sequence[Mapping[str, str]], tokenizer: Any, sample_id: str, **settings: Any
) -> str:
    """What the chat template makes of some messages; PrerequisiteError where it takes them not."""
    from jinja2 import TemplateError

    turns = [dict(message) for message in messages]
    try:
        text: str = tokenizer.apply_chat_template(turns, tokenize=False, **settings)
    except (TemplateError, ValueError) as error:  # ValueError: several by name, none the default
        roles = ", ".join(turn["role"] for turn in turns)
        raise PrerequisiteError(
            f"the chat template does not take the turns of {sample_id} ({roles}): {error}. Set "
            "student.chat_template to one that does"
        ) from error
    return text


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
