"""Sampling shown while nothing is graded: of an evaluation, which grades when all samples are
there."""

from dataclasses import replace

from flows.display import SamplingDisplay
from teacher.progress import SamplingProgress


class UngradedDisplay(SamplingDisplay):
    """The display of samples that all wait for their verdict: the engine, which was given none,
    counts them as undecided, and no verifier has failed to decide."""

    def update(self, progress: SamplingProgress) -> None:
        """Show the newest progress, with what came back as ungraded."""
        waiting = progress.ungraded + progress.undecided
        super().update(replace(progress, undecided=0, ungraded=waiting))
