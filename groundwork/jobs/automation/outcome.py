"""What automated labeling has come to, in figures and in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from groundwork.autolabel.rounds import Assurance, Terms, measured_interval
from groundwork.contract.automated_labeling import SMALLEST_SAMPLE
from groundwork.jobs.automation.records import Decision, PlanRecord, VerdictRecord
from groundwork.jobs.model import Counters

# What the quality of a label is measured against.
RELATIVE_TO = "consolidated labels of people"


@dataclass(frozen=True)
class MeasuredQuality:
    """The mean quality of the accepted labels as their samples show it.

    Parameters
    ----------
    low, high
        They hold it with the job's confidence.
    """

    mean: float
    low: float
    high: float


def measured_quality(verdicts: Sequence[VerdictRecord], terms: Terms) -> MeasuredQuality | None:
    """Return the quality of everything that was accepted; None if nothing was."""
    accepted = [verdict for verdict in verdicts if verdict.accepted]
    samples = [sample for each in accepted if (sample := each.accepted_sample()) is not None]
    if not samples:
        return None
    spread = max(verdict.spread for verdict in accepted)
    return MeasuredQuality(*measured_interval(samples, 1 - terms.confidence, spread))


def in_one_sentence(
    counters: Counters,
    verdicts: Sequence[VerdictRecord],
    decisive: PlanRecord,
    terms: Terms,
    quality_name: str,
    *,
    has_ended: bool,
) -> str:
    """Tell what the machine labeled and how well, or what was missing for it to label anything.

    Parameters
    ----------
    counters
        They count what was labeled before the job, too.
    verdicts
        Of all iterations from the first on.
    decisive
        The last plan that a model had a part in, or else the last one.
    quality_name
        What the quality of a label is called, such as "mean IoU".
    """
    assurance = verdicts[-1].assurance if verdicts else Assurance()
    if assurance.bound is not None:
        return (
            f"The machine labeled {assurance.labels} of {counters.total_objects} objects; with "
            f"{terms.confidence:.0%} confidence, their {quality_name} against {RELATIVE_TO} is at "
            f"least {assurance.bound:.3f} (target {terms.target})."
        )
    missing = _missing(verdicts, decisive, terms, quality_name, has_ended)
    return f"The machine {'labeled no object' if has_ended else 'has labeled none yet'}: {missing}."


def _missing(
    verdicts: Sequence[VerdictRecord],
    decisive: PlanRecord,
    terms: Terms,
    quality_name: str,
    has_ended: bool,
) -> str:
    without_model = decisive.decision in (Decision.RANDOM, Decision.REST)
    if without_model and decisive.iteration == 0 and has_ended:
        if len(decisive.asked) < decisive.pool:
            return "the job ended before a model had learned from people's first batch"
        return (
            f"people's first batch took all {decisive.pool} objects; labels by machine take some "
            f"to learn from, a sample of {SMALLEST_SAMPLE} or more that proves them, and more than "
            "that beside it"
        )
    judged = [verdict for verdict in verdicts if verdict.proposal_of == decisive.iteration]
    if decisive.decision is not Decision.PROPOSE or not judged:
        return decisive.reason
    (verdict,) = judged
    if verdict.withdrawn is not None:
        return verdict.withdrawn
    reached = verdict.achieved()
    return (
        f"the labels that were proposed last reach a {quality_name} of "
        f"{0.0 if reached is None else reached:.3f} on a sample of {len(verdict.sample)}, too "
        f"little to prove the target {terms.target} with {terms.confidence:.0%} confidence; more "
        "labels to learn from, workers who agree better (more workers per object), or a lower "
        "target would help"
    )
