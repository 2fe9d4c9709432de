"""How close labels are to the truth; each measure is defined here and nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class RunningMean:
    """A mean of numbers that come one by one, or from several processes."""

    total: float = 0.0
    count: int = 0

    @property
    def value(self) -> float | None:
        """The mean so far; None of nothing."""
        return self.total / self.count if self.count else None

    def add(self, number: float) -> None:
        """Take one more number."""
        self.total += number
        self.count += 1

    def merge(self, other: "RunningMean") -> None:
        """Take the numbers of another mean."""
        self.total += other.total
        self.count += other.count


@dataclass(frozen=True)
class Box:
    """A labeled rectangle in pixels, from the top left corner."""

    label: str
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def from_truth(cls, box: Mapping[str, Any]) -> "Box":
        """Read a box as truth files and workers' answers have it."""
        return cls(box["label"], box["left"], box["top"], box["width"], box["height"])


def iou(one: Box, other: Box) -> float:
    """Return the shared area of two boxes over the area that they cover together."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def image_mean_iou(predicted: Sequence[Box], truth: Sequence[Box]) -> float:
    """Return the mean IoU of one image's boxes.

    Boxes of the same class are matched one to one, the pair with the best IoU first. The mean is
    over all matched pairs and everything unmatched: a missed box, an extra one, and a wrongly
    classed one (which is both) count 0. An empty image labeled empty scores 1.
    """
    if not predicted and not truth:
        return 1.0
    pairs = sorted(
        (
            (iou(predicted[i], truth[j]), i, j)
            for i in range(len(predicted))
            for j in range(len(truth))
            if predicted[i].label == truth[j].label
        ),
        reverse=True,
    )
    matched_predicted: set[int] = set()
    matched_truth: set[int] = set()
    total = 0.0
    for overlap, i, j in pairs:
        if overlap > 0 and i not in matched_predicted and j not in matched_truth:
            matched_predicted.add(i)
            matched_truth.add(j)
            total += overlap
    return total / (len(predicted) + len(truth) - len(matched_truth))


def mean_iou(images: Iterable[tuple[Sequence[Box], Sequence[Box]]]) -> float | None:
    """Return the mean over images `(predicted, truth)`; None for no images."""
    return _mean(image_mean_iou(predicted, truth) for predicted, truth in images)


def class_accuracy(labels: Iterable[tuple[str, str]]) -> float | None:
    """Return the share of `(predicted, truth)` with the right class; None for no objects."""
    return _mean(class_score(predicted, truth) for predicted, truth in labels)


def class_score(predicted: str, truth: str) -> float:
    """Return 1 for the right class and 0 for any other."""
    return float(predicted == truth)


def _mean(scores: Iterable[float]) -> float | None:
    mean = RunningMean()
    for score in scores:
        mean.add(score)
    return mean.value
