"""A paired difference of two models' scores."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairedChange:
    """`second` minus `first` in pass@1 over the prompts both answered, between -1 and 1, with its
    paired interval; `unpaired` are the prompts that only one of them has a score for."""

    first: str
    second: str
    benchmark: str
    domain: str
    change: float
    low: float
    high: float
    prompts: int
    unpaired: int = 0

    @property
    def verdict(self) -> str:
        """What the interval says of `second`."""
        if self.low > 0:
            return "higher"
        return "lower" if self.high < 0 else "no difference shown"
