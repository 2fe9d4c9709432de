"""Which of the places that were looked at become a picture's boxes, and how good they will be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.boxes.geometry import Boxes, Integers, fuse, overlaps
from groundwork.results.quality import Box, image_mean_iou

Floats = NDArray[np.float64]

# Boxes that overlap more are of the same object.
SAME_OBJECT_OVERLAP = 0.5
_THRESHOLDS = np.arange(0.2, 0.81, 0.05)


@dataclass(frozen=True)
class BoxLabel:
    """A picture's boxes (boxes, 4) and their classes (boxes,), counted from 0."""

    boxes: Boxes
    classes: Integers


@dataclass(frozen=True)
class Candidates:
    """What was found in one picture: boxes, and scores (places, classes)."""

    boxes: Boxes
    scores: Floats


def decide(candidates: Candidates, threshold: float) -> tuple[BoxLabel, Floats]:
    """Return the boxes above a score, one for each object, and their scores."""
    best = candidates.scores.max(axis=1, initial=0.0)
    sure = np.flatnonzero(best > threshold)
    kept, boxes = fuse(candidates.boxes[sure], best[sure], SAME_OBJECT_OVERLAP)
    kept = sure[kept]
    return BoxLabel(boxes, candidates.scores[kept].argmax(axis=1)), best[kept]


def label_quality(label: BoxLabel, wanted: BoxLabel) -> float:
    """Return the mean IoU of a picture's boxes, as ``groundwork.results.quality`` defines it."""
    return image_mean_iou(_as_results(label), _as_results(wanted))


def best_threshold(candidates: Sequence[Candidates], wanted: Sequence[BoxLabel]) -> float:
    """Return the score above which boxes are best kept, on average over labeled pictures."""
    means = [
        np.mean(
            [
                label_quality(decide(each, threshold)[0], label)
                for each, label in zip(candidates, wanted, strict=True)
            ]
        )
        for threshold in _THRESHOLDS
    ]
    return float(_THRESHOLDS[int(np.argmax(means))])


def describe(candidates: Candidates, threshold: float, width: float, height: float) -> Floats:
    """Return the numbers from which a picture's quality is forecast.

    The best and worst score that is kept, the best that is not, how near scores come to the
    threshold, how many boxes there are, how small the smallest is, and how much they crowd.
    """
    label, scores = decide(candidates, threshold)
    best = candidates.scores.max(axis=1, initial=0.0)
    rejected = best[best <= threshold]
    second = np.sort(candidates.scores, axis=1)[:, -2:] if candidates.scores.shape[1] > 1 else None
    margin = 1.0
    if second is not None and len(second):
        sure = best > threshold
        margin = float((second[sure, 1] - second[sure, 0]).min(initial=1.0))
    sides = label.boxes[:, 2:] - label.boxes[:, :2]
    shares = np.sqrt(np.prod(sides, axis=1) / (width * height))
    shapes = np.abs(np.log(sides[:, 0] / sides[:, 1])) if len(sides) else np.zeros(0)
    crowding = overlaps(label.boxes, label.boxes)
    np.fill_diagonal(crowding, 0)
    return np.array(
        [
            float(len(scores) == 0),
            min(len(scores), 4) / 4,
            float(scores.max(initial=0.0)),
            float(scores.min(initial=1.0)),
            float(scores.mean()) if len(scores) else 0.0,
            float(rejected.max(initial=0.0)),
            float(np.abs(best - threshold).min(initial=1.0)),
            min(float(np.sum(rejected > threshold / 2)), 4) / 4,
            margin,
            float(shares.min(initial=1.0)),
            float(shapes.max(initial=0.0)),
            float(crowding.max(initial=0.0)),
        ]
    )


def _as_results(label: BoxLabel) -> list[Box]:
    return [
        Box(str(kind), left, top, right - left, bottom - top)
        for (left, top, right, bottom), kind in zip(label.boxes, label.classes, strict=True)
    ]
