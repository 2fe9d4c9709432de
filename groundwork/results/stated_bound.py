"""The quality that a job stated for its machine labels."""

from dataclasses import dataclass

from groundwork.results.rounds import AutomationSummary


@dataclass(frozen=True)
class StatedBound:
    """What a job promised: the mean quality of its machine labels is at least this.

    Parameters
    ----------
    quality
        Mean IoU or accuracy.
    confidence
        How probable it is that the promise holds, from 0 to 1.
    """

    quality: float
    confidence: float


def stated_bound(summary: AutomationSummary | None) -> StatedBound | None:
    """Return the bound that a summary of automated labeling states; Ground Truth states none."""
    if summary is None or summary.bound is None or summary.confidence is None:
        return None
    return StatedBound(summary.bound, summary.confidence)
