"""Counts for the card: per domain, per source, per reason. They are recounted from the records."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from filters.verdict import Outcome, Verdict
from prompts.record import Prompt
from teacher.sample import Sample


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain's way from prompts to kept traces; accepted + rejected + undecided = samples."""

    domain: str
    prompts: int
    prompts_solved: int
    samples: int
    accepted: int
    rejected: int
    undecided: int
    kept: int

    @property
    def pass_rate(self) -> float | None:
        """Accepted ÷ decided; None when nothing was decided."""
        decided = self.accepted + self.rejected
        return self.accepted / decided if decided else None


@dataclass(frozen=True, slots=True)
class PromptCount:
    """How many of one prompt's samples were accepted, and how many were decided at all."""

    accepted: int
    decided: int

    @property
    def pass_rate(self) -> float | None:
        """Accepted ÷ decided; None when nothing was decided."""
        return self.accepted / self.decided if self.decided else None


def count_prompts(
    samples: Iterable[Sample], verdicts: Mapping[str, Verdict]
) -> dict[str, PromptCount]:
    """Count each prompt's accepted and decided samples; `verdicts` is keyed by sample_id."""
    accepted: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    for sample in samples:
        outcome = verdicts[sample.sample_id].outcome
        accepted[sample.prompt_id] += outcome is Outcome.ACCEPT
        decided[sample.prompt_id] += outcome is not Outcome.UNDECIDED
    return {pid: PromptCount(accepted[pid], decided[pid]) for pid in decided}


def count_domains(
    prompts: Sequence[Prompt],
    samples: Sequence[Sample],
    verdicts: Mapping[str, Verdict],
    kept: Collection[str],
) -> list[DomainRow]:
    """One row a domain, in alphabetical order; `kept` holds the sample_ids that were selected."""
    domain_of = {prompt.prompt_id: prompt.domain for prompt in prompts}
    asked = Counter(domain_of.values())
    outcomes: Counter[tuple[str, Outcome]] = Counter()
    kept_in: Counter[str] = Counter()
    solved: dict[str, set[str]] = {domain: set() for domain in asked}
    for sample in samples:
        domain, outcome = domain_of[sample.prompt_id], verdicts[sample.sample_id].outcome
        outcomes[domain, outcome] += 1
        kept_in[domain] += sample.sample_id in kept
        if outcome is Outcome.ACCEPT:
            solved[domain].add(sample.prompt_id)
    return [
        DomainRow(
            domain=domain,
            prompts=asked[domain],
            prompts_solved=len(solved[domain]),
            samples=sum(outcomes[domain, outcome] for outcome in Outcome),
            accepted=outcomes[domain, Outcome.ACCEPT],
            rejected=outcomes[domain, Outcome.REJECT],
            undecided=outcomes[domain, Outcome.UNDECIDED],
            kept=kept_in[domain],
        )
        for domain in sorted(asked)
    ]


def count_reasons(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], int]:
    """Counts by (outcome, reason), the most frequent first, ties in alphabetical order."""
    counts = Counter((str(verdict.outcome), str(verdict.reason)) for verdict in verdicts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
