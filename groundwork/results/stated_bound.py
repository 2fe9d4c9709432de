"""The quality that a job stated for its machine labels."""

from dataclasses import dataclass

from groundwork.results.output_tree import JobOutput
from groundwork.results.rounds import read_automation_summary


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


def read_stated_bound(output: JobOutput) -> StatedBound | None:
    """Return the bound that the job's automated labeling stated, or None if it stated none.

    Ground Truth states none.
    """
    summary = read_automation_summary(output)
    if summary is None or summary.bound is None or summary.confidence is None:
        return None
    return StatedBound(summary.bound, summary.confidence)
