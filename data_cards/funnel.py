"""The funnel: what went into each stage and what became of it; no row is lost unsaid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

# How an outcome reads behind its percentage; an outcome not named here reads as it is.
_PARTICIPLE = {"accept": "accepted", "keep": "kept", "select": "selected", "publish": "published"}


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One stage: `n_in` rows became the counts in `outcomes`, the wanted outcome named first.

    Raises ValueError when the counts do not add up to `n_in`, or one is negative.
    """

    stage: str
    n_in: int
    outcomes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if any(count < 0 for count in self.outcomes.values()):
            raise ValueError(f"stage {self.stage}: a negative count in {dict(self.outcomes)}")
        total = sum(self.outcomes.values())
        if total != self.n_in:
            raise ValueError(
                f"stage {self.stage}: {self.n_in:,} in but {total:,} out {dict(self.outcomes)}; "
                "every row must be counted under one outcome"
            )

    @property
    def share(self) -> float:
        """The first outcome over `n_in`, between 0 and 1; 0 for an empty stage."""
        first = next(iter(self.outcomes.values()), 0)
        return first / self.n_in if self.n_in else 0.0

    def sum_text(self) -> str:
        """The counts as a sum: `7,310 accept + 4,402 reject + 288 undecided`."""
        return " + ".join(f"{count:,} {outcome}" for outcome, count in self.outcomes.items())

    def share_text(self) -> str:
        """The first outcome's share with its verb: `60.9 % accepted`."""
        first = next(iter(self.outcomes), "kept")
        return f"{self.share:.1%}".replace("%", " %") + f" {_PARTICIPLE.get(first, first)}"

    def line(self, stage_width: int = 0) -> str:
        """The row as one line of text.

        `verify  12,000 in = 7,310 accept + 4,402 reject + 288 undecided   60.9 % accepted   192 s`
        """
        stage = self.stage.ljust(stage_width)
        counts = f"{self.n_in:,} in = {self.sum_text()}"
        time = f"   {seconds_text(self.seconds)}" if self.seconds else ""  # 0: not taken
        return f"{stage}  {counts}   {self.share_text()}{time}"


def seconds_text(seconds: float) -> str:
    """Seconds with a digit that matters: `192 s`, and `0.4 s` below ten."""
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
