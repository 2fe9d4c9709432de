"""Which labels are likely wrong, and why: where a person should look first.

Every reason is told with its strength from 0 to 1. None of them proves an error; together they put
the labels in an order in which errors come early.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from groundwork.manifest import LabelState
from groundwork.results.labels import ImageSize, Label, LabelKind
from groundwork.results.quality import Box, iou

# From these strengths on a reason is worth a look.
_LEAST_STRENGTH = 0.4
_DUPLICATE_IOU = 0.85
# A box with such a side is rather a slip of the hand than an object.
_TINY_PIXELS = 4.0
# People draw to the edge, and one pixel more is no error.
_OUTSIDE_PIXELS = 1.5
_FORM_STRENGTH = 0.5


class DoubtKind(StrEnum):
    """Why a label is doubted."""

    TRUTH = "truth"
    WORKERS = "workers"
    MODEL = "model"
    CONFIDENCE = "confidence"
    DUPLICATE = "duplicate"
    OUTSIDE = "outside"
    TINY = "tiny"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to doubt a label, and how strong it is."""

    kind: DoubtKind
    strength: float


def doubts(
    state: LabelState,
    label: Label,
    *,
    score: float | None = None,
    agreement: float | None = None,
    model_surprise: float | None = None,
) -> list[Doubt]:
    """Return the reasons to doubt a label, the strongest first.

    Parameters
    ----------
    score
        Its quality against the truth, where that is known.
    agreement
        How far the object's workers agree.
    model_surprise
        How far the label is from that of a model which had not learned from it, weighed by how good
        the model's label was expected to be.
    """
    found = []
    if score is not None:
        found.append(Doubt(DoubtKind.TRUTH, 1 - score))
    if agreement is not None:
        found.append(Doubt(DoubtKind.WORKERS, 1 - agreement))
    if model_surprise is not None:
        found.append(Doubt(DoubtKind.MODEL, model_surprise))
    confidence = lowest_confidence(label)
    if state is LabelState.MACHINE and confidence is not None:
        found.append(Doubt(DoubtKind.CONFIDENCE, 1 - confidence))
    found = [each for each in found if each.strength >= _LEAST_STRENGTH]
    if label.kind is LabelKind.BOXES:
        found += _form_doubts(label.boxes, label.image_size)
    return sorted(found, key=lambda each: -each.strength)


def lowest_confidence(label: Label) -> float | None:
    """Return the lowest confidence of a label's boxes or classes; None where none is told."""
    return min((each for each in label.confidences if each is not None), default=None)


def _form_doubts(boxes: Sequence[Box], size: ImageSize | None) -> list[Doubt]:
    found = []
    if any(
        one.label == other.label and iou(one, other) >= _DUPLICATE_IOU
        for one, other in combinations(boxes, 2)
    ):
        found.append(Doubt(DoubtKind.DUPLICATE, _FORM_STRENGTH))
    if any(min(box.width, box.height) < _TINY_PIXELS for box in boxes):
        found.append(Doubt(DoubtKind.TINY, _FORM_STRENGTH))
    if size is not None and any(_reaches_outside(box, size) for box in boxes):
        found.append(Doubt(DoubtKind.OUTSIDE, _FORM_STRENGTH))
    return found


def _reaches_outside(box: Box, size: ImageSize) -> bool:
    return (
        min(box.left, box.top) < -_OUTSIDE_PIXELS
        or box.left + box.width > size.width + _OUTSIDE_PIXELS
        or box.top + box.height > size.height + _OUTSIDE_PIXELS
    )
