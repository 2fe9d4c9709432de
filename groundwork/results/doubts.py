"""Which labels are likely wrong, and why: where a person should look first.

Every reason is told with its strength from 0 to 1. None of them proves an error; together they put
the labels in an order in which errors come early.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from groundwork.manifest import LabelState
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize, Label
from groundwork.results.quality import Box, Definition, iou
from groundwork.texts import Text

# From these strengths on a reason is worth a look.
_LEAST_STRENGTH = 0.4
_DUPLICATE_IOU = 0.85
# A box with such a side is rather a slip of the hand than an object.
_TINY_PIXELS = 4.0
# People draw to the edge, and one pixel more is no error.
_OUTSIDE_PIXELS = 1.5
_FORM_STRENGTH = 0.5


DOUBT = Definition(
    Text("Doubts, and their order", "의심과 그 순서"),
    Text(
        "Reasons to look at a label, each from 0 to 1, of which the strongest gives the order: how "
        "far the label is from the truth; how far its workers disagree; how far people's label is "
        "from that of a model which had not learned from it, times what was expected of the "
        "model's; how little confident the machine is. Below "
        f"{_LEAST_STRENGTH:g} they are not told. Boxes of one class that cover each other (IoU "
        f"from {_DUPLICATE_IOU:g} on), with a side below {_TINY_PIXELS:g} pixels, or outside the "
        f"image count {_FORM_STRENGTH:g}. None of them proves an error.",
        "라벨을 살펴볼 이유들로, 각각 0에서 1이며 가장 큰 값이 순서를 정합니다. 정답과 다른 정도, "
        "작업자들이 서로 다른 정도, 그 라벨을 배우지 않은 모델의 라벨과 다른 정도에 그 모델 라벨의 "
        "기대 품질을 곱한 값, 기계의 신뢰도가 낮은 정도입니다. "
        f"{_LEAST_STRENGTH:g} 미만은 표시하지 않습니다. 같은 클래스의 상자가 서로 겹치거나(IoU "
        f"{_DUPLICATE_IOU:g} 이상), 한 변이 {_TINY_PIXELS:g}픽셀보다 짧거나, 이미지 밖으로 나가면 "
        f"{_FORM_STRENGTH:g}입니다. 어느 것도 오류의 증거는 아닙니다.",
    ),
)


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
