"""What there is to say about a job's results, from any place that has them."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from groundwork.errors import UsageProblemError
from groundwork.manifest import LabelState
from groundwork.results.counting import count_manifest
from groundwork.results.iterations import read_iterations
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import LineProblems
from groundwork.results.output_tree import JobOutput, ResultsError
from groundwork.results.quality import Interval, measure_of
from groundwork.results.rounds import AutomationSummary, read_automation_summary
from groundwork.results.stated_bound import StatedBound, stated_bound
from groundwork.results.summary import ResultSummary
from groundwork.results.tally import CONFIDENCE_BINS, ManifestTally, is_attribute_name
from groundwork.results.truth import Truth


class LabelAttributeError(UsageProblemError):
    """The label attribute has to be chosen, or the chosen one does not occur."""


@dataclass(frozen=True)
class Report:
    """The figures of one label attribute at a place.

    Parameters
    ----------
    label_attribute
        None where no line has a label yet.
    iterations
        Each object's iteration, as ``read_iterations`` returns it.
    automation
        What the job says of its automated labeling, where it says something.
    notes
        What a reader has to know about the figures, one sentence each.
    """

    output: JobOutput
    label_attribute: str | None
    summary: ResultSummary
    broken: LineProblems
    iterations: "array[int] | None" = None
    automation: AutomationSummary | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def stated_bound(self) -> StatedBound | None:
        """The quality that the job states for its machine labels, if it does."""
        return stated_bound(self.automation)

    @property
    def kind(self) -> LabelKind | None:
        """The commonest form of the labels."""
        kinds = self.summary.tally.kinds
        return max(kinds, key=lambda kind: kinds[kind]) if kinds else None

    @property
    def measure(self) -> str | None:
        """What the quality is measured in; None of labels that nothing measures."""
        measure = measure_of(self.kind)
        return None if measure is None else measure.name

    def class_rows(self) -> list[tuple[str, int, int]]:
        """Return class, labels by people, labels by the machine; the commonest first."""
        named = self.summary.tally.named_classes()
        names = {name for _, name in named}
        rows = [
            (name, named[LabelState.HUMAN, name], named[LabelState.MACHINE, name]) for name in names
        ]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))

    def iteration_rows(self) -> list[tuple[int, int, int, int]]:
        """Return iteration and its objects by people, by the machine, and failed."""
        known = self.summary.tally.iterations
        return [
            (
                iteration,
                known[iteration, LabelState.HUMAN],
                known[iteration, LabelState.MACHINE],
                known[iteration, LabelState.FAILED],
            )
            for iteration in sorted({iteration for iteration, _ in known})
        ]

    def confidence_rows(self) -> list[tuple[float, float, int]]:
        """Return the ends of each bin of confidences, and the machine's labels in it."""
        bins = self.summary.tally.confidences
        return [
            (number / CONFIDENCE_BINS, (number + 1) / CONFIDENCE_BINS, bins[number])
            for number in range(CONFIDENCE_BINS)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as ``--json`` prints it."""
        tally = self.summary.tally
        return {
            "manifest": self.output.address,
            "snapshot_iteration": self.output.snapshot,
            "label_attribute": self.label_attribute,
            "jobs": dict(sorted(tally.jobs.items())),
            "objects": self.summary.objects,
            "states": {state.value: count for state, count in self.summary.states.items()},
            "kinds": {kind.value: count for kind, count in sorted(tally.kinds.items())},
            "classes": [
                {"name": name, "human": human, "machine": machine}
                for name, human, machine in self.class_rows()
            ],
            "iterations": [
                {"iteration": iteration, "human": human, "machine": machine, "failed": failed}
                for iteration, human, machine, failed in self.iteration_rows()
            ],
            "machine_confidence": {
                "labels": tally.confidence.count,
                "mean": tally.confidence.value,
                "bins": [
                    {"from": low, "to": high, "labels": labels}
                    for low, high, labels in self.confidence_rows()
                ],
            },
            "quality": {
                state.value: {
                    "measure": self.measure,
                    "mean": scores.value,
                    "objects": scores.count,
                    "interval": _interval_dict(scores.interval()),
                }
                for state, scores in tally.quality.items()
            },
            "stated_bound": None
            if self.stated_bound is None
            else {
                "quality": self.stated_bound.quality,
                "confidence": self.stated_bound.confidence,
            },
            "failure_reasons": dict(tally.reasons.most_common()),
            "broken_lines": _problems_dict(self.broken),
            "label_problems": _problems_dict(tally.problems),
            "notes": self.notes,
        }


def make_report(
    output: JobOutput,
    *,
    label_attribute: str | None = None,
    truth: Truth | None = None,
    progress: Callable[[int], None] = lambda size: None,
    processes: int | None = None,
) -> Report:
    """Count what a place has.

    Parameters
    ----------
    label_attribute
        Which job's labels, where a manifest has several; None for the only one.
    truth
        Measure the labels' quality by it.
    progress
        Is told, now and then, how many bytes more of the manifest have been counted.
    processes
        How many processes count; by default what a long manifest is worth.

    Raises
    ------
    LabelAttributeError
        If there are several and none was chosen, or the chosen one does not occur.
    ResultsError
        If no line is an object to be labeled: then this is no manifest.
    """
    if label_attribute is not None and not is_attribute_name(label_attribute):
        raise LabelAttributeError(
            f"{label_attribute!r} is no label attribute: names have letters, digits and hyphens."
        )
    size = output.size()
    iterations = read_iterations(output)
    counted = count_manifest(
        output.chunks(),
        size,
        path=output.local_path(),
        label_attribute=label_attribute,
        truth=truth,
        iterations=iterations,
        progress=progress,
        processes=processes,
    )
    if counted.lines and not counted.objects:
        raise ResultsError(
            f"{output.address} is no manifest: none of its {counted.lines:,} lines is an object to "
            f"be labeled. {counted.broken.first[0]}"
        )
    chosen = label_attribute
    if chosen is None and counted.attributes:
        if len(counted.attributes) > 1:
            raise LabelAttributeError(
                f"{output.address} has the labels of several jobs: {_attributes(counted)}. Choose "
                "one with --label-attribute."
            )
        (chosen,) = counted.attributes
    elif chosen is not None and chosen not in counted.attributes:
        others = count_manifest(output.chunks(), size, processes=processes)
        if others.attributes:
            raise LabelAttributeError(
                f"No line of {output.address} has labels under {chosen!r}; there are "
                f"{_attributes(others)}."
            )
    summary = (
        ResultSummary(counted.objects) if chosen is None else ResultSummary.of(counted, chosen)
    )
    notes: list[str] = []
    report = Report(
        output,
        chosen,
        summary,
        counted.broken,
        iterations=iterations,
        automation=read_automation_summary(output, notes),
        notes=notes,
    )
    report.notes.extend(_notes(report, truth))
    return report


def _notes(report: Report, truth: Truth | None) -> list[str]:
    notes = []
    tally = report.summary.tally
    snapshot = report.output.snapshot
    if snapshot is not None:
        notes.append(
            "The job has not written its result yet: these are the labels "
            + (f"after iteration {snapshot}." if snapshot else "that the input came with.")
        )
    if not report.summary.objects:
        notes.append("The manifest has no objects.")
    elif not tally.states:
        notes.append("No object has a label yet.")
    if report.broken.count:
        notes.append(f"Lines that are no objects, and counted nowhere: {report.broken.count:,}.")
    if tally.problems.count:
        notes.append(f"Labels that lack something or have it wrong: {tally.problems.count:,}.")
    if tally.kinds[LabelKind.OTHER]:
        notes.append(
            "Labels that are neither boxes nor classes, of which only the objects are counted: "
            f"{tally.kinds[LabelKind.OTHER]:,}."
        )
    can_be_measured = any(measure_of(kind) for kind in tally.kinds) or not tally.kinds
    measured = any(mean.count for mean in tally.quality.values())
    if truth is not None and can_be_measured and not measured:
        notes.append(
            "The truth knows none of the labeled images: its names have to be the ends of the "
            "images' S3 URIs."
        )
    return notes


def _attributes(counted: ManifestTally) -> str:
    told = []
    for name, tally in sorted(counted.attributes.items()):
        jobs = ", ".join(sorted(job for job in tally.jobs if job))
        by = f" of job {jobs}" if jobs else ""
        told.append(f"{name} ({tally.states.total()} objects{by})")
    return "; ".join(told)


def _interval_dict(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    return {
        "low": interval.low,
        "high": interval.high,
        "confidence": interval.confidence,
        "method": interval.method.en,
    }


def _problems_dict(problems: LineProblems) -> dict[str, Any]:
    return {
        "count": problems.count,
        "first": [{"line": each.number, "problem": each.text} for each in problems.first],
    }
