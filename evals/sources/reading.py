"""What a row of a benchmark says."""

from dataclasses import dataclass

from prompts.sources.draft import Draft


@dataclass(frozen=True, slots=True)
class Reading:
    """A row as a question with its reference, and what the benchmark itself calls it.

    `item_id` is the benchmark's own id ("" where it has none), `group` what its scores are told
    apart by (a level, a subject), `date` the day its contest was held, as 2024-08-31.
    """

    draft: Draft
    item_id: str = ""
    group: str = ""
    date: str = ""
