"""The quality of machine labels as an audit shows it, with an interval that holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundwork.audits.sampling import AUDIT_ATTRIBUTE, AUDIT_KEY, AUDITED_KINDS, AuditError
from groundwork.autolabel.bound import Sample, lower_bound
from groundwork.autolabel.rounds import measured_interval
from groundwork.manifest import LabelState, LineError, read_lines
from groundwork.results.agreement import likeness
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import object_of, parse_line
from groundwork.results.output_tree import JobOutput
from groundwork.results.quality import CLASS_ACCURACY, IMAGE_MEAN_IOU, Measure, measure_of

# Guesses of what qualities are and how far they scatter, made before anything is drawn: they
# decide how tight the interval is, not whether it holds.
_USUAL_QUALITY = 0.8
_SPREAD = 0.2


@dataclass(frozen=True)
class MeasuredAudit:
    """What an audit shows of all machine labels that its sample was drawn from.

    Parameters
    ----------
    measure
        What the quality is: mean IoU, or accuracy.
    mean
        Of the sample.
    low, high
        They hold the mean of all labels, with ``confidence``.
    bound
        The mean of all labels is at least this, with ``confidence``: one-sided, so above ``low``.
    sampled, population
        How many labels were measured, of how many.
    without_answer
        Objects of the sample that people gave no label; each counts 0.
    """

    measure: str
    mean: float
    low: float
    high: float
    bound: float
    confidence: float
    sampled: int
    population: int
    without_answer: int
    seed: int

    @property
    def method(self) -> str:
        """How the interval is found, in one sentence."""
        if self.measure == CLASS_ACCURACY.name:
            return (
                "exact, by the hypergeometric distribution of a sample without replacement "
                "(Clopper and Pearson's for a finite population)"
            )
        return (
            "by betting, for a sample without replacement (Waudby-Smith and Ramdas 2024); nothing "
            "is assumed of the labels"
        )


def measure_audit(output: JobOutput, confidence: float) -> MeasuredAudit:
    """Compare the machine's labels with those that people gave in an audit job.

    Parameters
    ----------
    output
        The audit job's.
    confidence
        From 0 to 1, for the interval and for the bound, each by itself.

    Raises
    ------
    AuditError
        If it is no audit's output, or of a job that has not ended.
    """
    told: dict[tuple[Any, ...], None] = {}
    scores: dict[int, float] = {}
    kinds: set[LabelKind] = set()
    open_objects = without_answer = 0
    for line in read_lines(output.chunks()):
        try:
            attributes = parse_line(line.body)
        except LineError as error:
            raise AuditError(f"{output.address} line {line.number} {error}") from error
        audit = _told(attributes, output, line.number)
        told[audit["population"], audit["seed"], audit["label-attribute"]] = None
        machine = object_of(line.object_id, attributes, audit["label-attribute"])
        people = object_of(line.object_id, attributes, AUDIT_ATTRIBUTE)
        if people.state is LabelState.UNLABELED:
            open_objects += 1
            continue
        label = machine.read()
        kinds.add(label.kind)
        score = None if people.state is LabelState.FAILED else likeness(label, people.read())
        without_answer += score is None
        scores[audit["draw"]] = score or 0.0
    if open_objects:
        raise AuditError(
            f"The audit has not ended: {open_objects} of {open_objects + len(scores)} objects have "
            "no label by people yet. A part of a sample may be its easier part; measure all of it."
        )
    if len(told) != 1 or len(kinds) != 1:
        raise AuditError(
            f"{output.address} has the lines of {len(told)} audits and labels of {len(kinds)} "
            "forms; one audit's output is needed."
        )
    population, seed, _ = next(iter(told))
    (kind,) = kinds
    measure = measure_of(kind) if kind in AUDITED_KINDS else None
    if measure is None:
        raise AuditError(
            f"{output.address} has machine labels that are neither boxes nor one class; an audit "
            "cannot measure them."
        )
    return _measured(
        scores,
        population=population,
        seed=seed,
        measure=measure,
        confidence=confidence,
        without_answer=without_answer,
    )


def _told(attributes: Mapping[str, Any], output: JobOutput, number: int) -> Mapping[str, Any]:
    audit = attributes.get(AUDIT_KEY)
    known = ("population", "seed", "draw", "label-attribute")
    if not isinstance(audit, Mapping) or not all(key in audit for key in known):
        raise AuditError(
            f"{output.address} is no audit's output: line {number} has no {AUDIT_KEY!r}, which "
            "`groundwork audit draw` writes. Give the audit job's output, not the audited one's."
        )
    return audit


def _measured(
    scores: Mapping[int, float],
    *,
    population: int,
    seed: int,
    measure: Measure,
    confidence: float,
    without_answer: int,
) -> MeasuredAudit:
    # In the order of drawing, which is random and was fixed before anybody labeled.
    drawn = np.array([scores[draw] for draw in sorted(scores)])
    sample = Sample(
        scores=drawn,
        forecasts=np.full(len(drawn), _USUAL_QUALITY),
        population=population,
        forecast_mean=_USUAL_QUALITY,
        forecast_highest=_USUAL_QUALITY,
        graded=measure is IMAGE_MEAN_IOU,
    )
    mean, low, high = measured_interval([sample], 1 - confidence, _SPREAD)
    return MeasuredAudit(
        measure=measure.name,
        mean=mean,
        low=low,
        high=high,
        bound=lower_bound(sample, 1 - confidence, _SPREAD),
        confidence=confidence,
        sampled=len(drawn),
        population=population,
        without_answer=without_answer,
        seed=seed,
    )
