"""How prompts are sampled: the recipe's `sampling` section."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from teacher.schedule import StopRule


class SamplingRecipe(BaseModel):
    """How prompts are sampled. What stops a prompt: see Schedule; n_min = n_max is fixed n."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: int = Field(1, ge=1, le=1_000, description="accepted samples wanted of a prompt")
    n_min: int = Field(1, ge=1, le=1_000, description="samples taken of a prompt in any case")
    n_max: int = Field(4, ge=1, le=1_000, description="samples tried of a prompt at most")
    give_up_after: int | None = Field(
        None, ge=1, le=1_000, description="samples without an accepted one after which to give up"
    )
    max_tokens_per_prompt: int | None = Field(
        None, ge=1, description="completion tokens a prompt may cost, over all its samples"
    )
    max_tokens_per_run: int | None = Field(
        None, ge=1, description="completion tokens the whole run may cost"
    )
    temperature: float = Field(0.6, ge=0, le=2, description="sampling temperature")
    top_p: float = Field(0.95, gt=0, le=1, description="nucleus kept of the distribution")
    max_tokens: int = Field(32_768, ge=1, description="tokens of a completion at most")
    seed: int = Field(0, ge=0, description="start of every sample's own seed")
    send_seed: bool = Field(
        True, description="send it; off for vLLM's CPU build, whose engine dies of a request's seed"
    )
    think_prefilled: bool = Field(False, description="the chat template ends in <think>")
    in_flight: int = Field(
        64,
        ge=1,
        le=4_096,
        description="requests outstanding per replica; where a server has vLLM's /metrics, the "
        "start of a window steered by them",
    )
    tail_parallel: int = Field(
        2, ge=1, le=64, description="samples of one prompt in flight when replicas run idle"
    )
    request_attempts: int = Field(5, ge=1, le=100, description="requests a sample costs at most")
    retry_wait_s: float = Field(
        0.5, ge=0, le=60, description="wait before a second attempt; doubles, at most 30 s"
    )
    stream: bool = Field(True, description="stream completions, so that stalls are noticed")
    stream_interval: int = Field(
        256, ge=1, le=4_096, description="tokens between two stream events (vLLM only)"
    )
    stall_timeout_s: float = Field(
        300.0, gt=0, description="a request without a token for so long goes on elsewhere"
    )
    circuit_failures: int = Field(
        5, ge=1, description="faults in a row after which a replica gets only canaries"
    )
    wait_for_replica_s: float = Field(
        600.0, ge=0, description="how long to wait for a replica when all are lost"
    )
    progress_s: float = Field(1.0, gt=0, le=60, description="time between two progress reports")

    def stop_rule(self) -> StopRule:
        """What of this stops a prompt."""
        return StopRule(
            keep=self.keep,
            n_min=self.n_min,
            n_max=self.n_max,
            give_up_after=self.give_up_after,
            max_tokens=self.max_tokens,
            max_tokens_per_prompt=self.max_tokens_per_prompt,
            max_tokens_per_run=self.max_tokens_per_run,
            tail_parallel=self.tail_parallel,
        )

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        if not (self.n_min <= self.n_max and self.keep <= self.n_max):
            raise ValueError(
                f"n_min ({self.n_min}) and keep ({self.keep}) must not exceed n_max ({self.n_max})"
            )
        for name in ("max_tokens_per_prompt", "max_tokens_per_run"):
            budget = getattr(self, name)
            if budget is not None and budget < self.max_tokens:
                raise ValueError(
                    f"{name} ({budget}) must cover one completion of max_tokens ({self.max_tokens})"
                )
        return self
