"""An augmented manifest in figures: who labeled what, read line by line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from groundwork.manifest import (
    FAILURE_REASON,
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    LabelState,
    label_state,
    read_lines,
)
from groundwork.results.quality import Box, image_mean_iou
from groundwork.results.truth import Truth


@dataclass(frozen=True)
class LabeledObject:
    """One line of an augmented manifest."""

    object_id: int
    source: str
    state: LabelState
    label: Any
    metadata: Mapping[str, Any]

    @property
    def failure_reason(self) -> str | None:
        """Why the object has no label, if labeling it failed."""
        reason = self.metadata.get(FAILURE_REASON)
        return None if reason is None else str(reason)

    def boxes(self) -> list[Box]:
        """The boxes of a bounding-box label, with their class names."""
        names = self.metadata["class-map"] if self.label["annotations"] else {}
        return [
            Box(names[str(box["class_id"])], box["left"], box["top"], box["width"], box["height"])
            for box in self.label["annotations"]
        ]

    def class_name(self) -> str:
        """The class of an image-classification label."""
        return str(self.metadata["class-name"])


@dataclass
class ResultSummary:
    """Counts of a manifest's objects by who labeled them, and the quality where truth is known.

    Parameters
    ----------
    human_mean_iou, machine_mean_iou
        Mean over the images labeled by people and by the machine; None when there is no such image
        or no truth.
    """

    objects: int = 0
    states: dict[LabelState, int] = field(default_factory=lambda: dict.fromkeys(LabelState, 0))
    human_mean_iou: float | None = None
    machine_mean_iou: float | None = None


def read_results(chunks: Iterable[bytes], label_attribute: str) -> Iterator[LabeledObject]:
    """Yield the objects of an augmented manifest, one line in memory at a time."""
    for line in read_lines(chunks):
        attributes = line.parse()
        yield LabeledObject(
            object_id=line.object_id,
            source=str(attributes.get(SOURCE_REFERENCE, attributes.get("source", ""))),
            state=label_state(attributes, label_attribute),
            label=attributes.get(label_attribute),
            metadata=attributes.get(label_attribute + METADATA_SUFFIX) or {},
        )


def summarize(results: Iterable[LabeledObject], truth: Truth | None = None) -> ResultSummary:
    """Count results, and compare boxes with the truth where it knows the image."""
    summary = ResultSummary()
    scores: dict[LabelState, list[float]] = {LabelState.HUMAN: [], LabelState.MACHINE: []}
    for result in results:
        summary.objects += 1
        summary.states[result.state] += 1
        known = truth.of(result.source) if truth is not None else None
        if result.state in scores and known is not None:
            scores[result.state].append(image_mean_iou(result.boxes(), known))
    summary.human_mean_iou = _mean(scores[LabelState.HUMAN])
    summary.machine_mean_iou = _mean(scores[LabelState.MACHINE])
    return summary


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
