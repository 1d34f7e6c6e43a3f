"""The `filters` section of a recipe: which traces are unfit to publish (see filters/trace.py)."""

from pydantic import BaseModel, ConfigDict, Field


class TraceFilters(BaseModel):
    """Which traces are unfit to publish: a switch and a threshold for each filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    truncated: bool = Field(True, description="reject what its token limit has cut")
    bad_format: bool = Field(
        True, description="reject several think blocks, text before one, a template's tokens"
    )
    empty_reasoning: bool = Field(True, description="reject a missing or empty think block")
    no_final_answer: bool = Field(True, description="reject an answer part that marks no answer")
    min_completion_tokens: int | None = Field(
        None, ge=1, description="shortest completion to keep, in tokens; no limit when null"
    )
    max_completion_tokens: int | None = Field(
        None, ge=1, description="longest completion to keep, in tokens; no limit when null"
    )
    repetition: bool = Field(True, description="reject traces that go round in circles")
    repeated_share: float = Field(
        # 0.5 is a draft said once again in full, as R1 does; a loop of four rounds has 0.75.
        0.6,
        gt=0,
        le=1,
        description="share of 8-word runs seen before, above which it is a loop",
    )
    repeated_min_words: int = Field(
        24, ge=8, description="shorter texts are not searched for repeated word runs"
    )
    repeated_lines: int = Field(
        5, ge=2, description="how often one line may stand, where it is also the share below"
    )
    repeated_lines_share: float = Field(
        0.3, gt=0, le=1, description="share of the lines that one line may be"
    )
    language_mixed: bool = Field(True, description="reject writing systems foreign to the prompt")
    foreign_letters: int = Field(
        # 我不知道 is a sentence, 等等 a slip, 欧拉 a name; of alphabets it is two or three words.
        4,
        ge=1,
        description="foreign syllables in one sentence (or thrice as many letters of an alphabet; "
        "or four times as many in the whole trace) from which a trace is mixed",
    )
    latin_words: int = Field(
        8, ge=2, description="Latin words in a row from which a non-Latin trace is mixed"
    )
    long_paragraph: bool = Field(True, description="reject reasoning with an endless paragraph")
    paragraph_chars: int = Field(
        # The longest of 240 real traces of R1, QwQ, their distillations and Qwen3 has 2,783.
        4_000,
        ge=100,
        description="characters without a line break above which a paragraph is endless",
    )
    code_in_reasoning: bool = Field(True, description="reject fenced code in the reasoning")
    code_free_domains: tuple[str, ...] = Field(
        # Where the question is about programs, code is what there is to reason about.
        ("math", "science", "puzzle"),
        description="domains whose prompts need no code in the reasoning",
    )
    answer_disagrees: bool = Field(
        True, description="reject reasoning that plainly ends in another answer than is given"
    )
    refusal: bool = Field(True, description="reject answers that refuse to answer")
    self_identification: bool = Field(
        True, description="reject traces that say which model wrote them, unless asked about it"
    )
    secret: bool = Field(True, description="reject keys, tokens and passwords of known shapes")
    email_address: bool = Field(True, description="reject e-mail addresses not in the question")
