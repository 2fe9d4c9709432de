"""One set of boxes from several people's boxes, by how well they overlap.

The rule, for one object:

1. Boxes of one label by different workers are paired, the pair with the highest intersection over
   union (IoU) first, down to an IoU of 0.5. Paired boxes and what they are paired with form a
   group, in which each worker has one box at most.
2. A group drawn by fewer than half of the object's workers is dropped.
3. What remains is one box per group: the mean of its boxes' four edges, rounded to pixels.
4. Its confidence is the mean, over the object's workers, of their own box's IoU with it; a worker
   who drew none counts 0. With one worker per object it is 0, as the service has it.

https://docs.aws.amazon.com/sagemaker/latest/dg/sms-annotation-consolidation.html says of Ground
Truth only that it finds the most similar boxes by Jaccard index, which is IoU, and averages them.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundwork.images import ImageFacts
from groundwork.jobs.consolidation import CONFIDENCE_DIGITS, AnswerError, Label

MATCHING_IOU = 0.5
# More than anybody draws. What is compared grows with the square of it, and no answer may keep a
# batch from being finished.
MAXIMUM_BOXES = 1_000
MAXIMUM_COMPARISONS = 1_000_000
# Browsers report fractions of pixels, so that a box at the edge may seem to reach over it.
_EDGE_TOLERANCE_PIXELS = 1.0


@dataclass(frozen=True)
class Box:
    """A labeled rectangle in image pixels."""

    class_index: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its number of pixels."""
        return (self.right - self.left) * (self.bottom - self.top)


def iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, whatever their labels."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.area + other.area - shared)


def read_boxes(
    content: Mapping[str, Any], element: str | None, labels: Sequence[str], image: ImageFacts
) -> list[Box]:
    """Return the boxes in a worker's answer; an answer without any box is one, too.

    Parameters
    ----------
    content
        The answer by element names.
    element
        The name that the task's template should have given its element.

    Raises
    ------
    AnswerError
        If there is no list of boxes in it, or a very long one, or a box is of an unknown label, has
        no area or reaches outside the image: then its coordinates may be of a picture that was
        rotated or scaled.
    """
    answer = content.get(element or "")
    if not isinstance(answer, Mapping) or "boundingBoxes" not in answer:
        answers = [value for value in content.values() if isinstance(value, Mapping)]
        answer = next((value for value in answers if "boundingBoxes" in value), None)
    if answer is None or not isinstance(answer["boundingBoxes"], list):
        raise AnswerError(f"the answer has no element {element!r} with a list of boundingBoxes")
    boxes = answer["boundingBoxes"]
    if len(boxes) > MAXIMUM_BOXES:
        raise AnswerError(
            f"the answer has {len(boxes):,} boxes; at most {MAXIMUM_BOXES:,} are read"
        )
    return [_read_box(number, box, labels, image) for number, box in enumerate(boxes, start=1)]


def consolidate_boxes(
    answers: Mapping[str, Sequence[Box]],
    labels: Sequence[str],
    image: ImageFacts,
    workers_per_object: int,
) -> Label:
    """Return the boxes that people agree on, by the rule that this module's text states.

    Parameters
    ----------
    answers
        Each worker's boxes.
    labels
        The job's classes.
    workers_per_object
        How many people the job asks for; with one, confidence is 0.

    Raises
    ------
    AnswerError
        If there are thousands of boxes above each other.
    """
    if workers_per_object == 1:
        boxes = [(box, 0.0) for given in answers.values() for box in given]
    else:
        boxes = list(_agreed(answers))
    return box_label(boxes, labels, image)


def box_label(
    boxes: Iterable[tuple[Box, float]], labels: Sequence[str], image: ImageFacts
) -> Label:
    """Return boxes with their confidences as the output manifest has them, whoever drew them."""
    placed = sorted(
        ((_pixels(box, image), confidence) for box, confidence in boxes),
        key=lambda entry: (entry[0]["class_id"], entry[0]["left"], entry[0]["top"]),
    )
    classes = sorted({box["class_id"] for box, _ in placed})
    return Label(
        {
            "image_size": [{"width": image.width, "height": image.height, "depth": image.depth}],
            "annotations": [box for box, _ in placed],
        },
        {
            "objects": [{"confidence": confidence} for _, confidence in placed],
            "class-map": {str(index): labels[index] for index in classes},
        },
    )


def _agreed(answers: Mapping[str, Sequence[Box]]) -> Iterator[tuple[Box, float]]:
    workers = sorted(answers)
    drawn = [(worker, box) for worker in workers for box in answers[worker]]
    for group in _groups(drawn):
        members = [drawn[index] for index in group]
        if 2 * len(members) < len(workers):
            continue
        merged = _mean([box for _, box in members])
        agreement = sum(iou(box, merged) for _, box in members) / len(workers)
        yield merged, round(agreement, CONFIDENCE_DIGITS)


def _groups(drawn: Sequence[tuple[str, Box]]) -> list[list[int]]:
    group_of = {index: [index] for index in range(len(drawn))}
    for _, first, second in sorted(_pairs(drawn)):
        group, joining = group_of[first], group_of[second]
        if {drawn[index][0] for index in group} & {drawn[index][0] for index in joining}:
            continue
        group.extend(joining)
        for index in joining:
            group_of[index] = group
    return [group for index, group in group_of.items() if min(group) == index]


def _pairs(drawn: Sequence[tuple[str, Box]]) -> Iterator[tuple[float, int, int]]:
    """Yield matching boxes of different workers, most overlap smallest."""
    compared = 0
    order = sorted(range(len(drawn)), key=lambda i: (drawn[i][1].class_index, drawn[i][1].left))
    for place, first in enumerate(order):
        worker, box = drawn[first]
        for second in order[place + 1 :]:
            other_worker, other = drawn[second]
            # Boxes further on begin even further right.
            if other.class_index != box.class_index or other.left >= box.right:
                break
            compared += 1
            if compared > MAXIMUM_COMPARISONS:
                raise AnswerError(
                    f"{len(drawn):,} boxes of {len({worker for worker, _ in drawn})} workers lie "
                    "above each other; so many cannot be compared"
                )
            if worker != other_worker and (overlap := iou(box, other)) >= MATCHING_IOU:
                yield -overlap, min(first, second), max(first, second)


def _mean(boxes: Sequence[Box]) -> Box:
    count = len(boxes)
    return Box(
        class_index=boxes[0].class_index,
        left=sum(box.left for box in boxes) / count,
        top=sum(box.top for box in boxes) / count,
        right=sum(box.right for box in boxes) / count,
        bottom=sum(box.bottom for box in boxes) / count,
    )


def _pixels(box: Box, image: ImageFacts) -> dict[str, int]:
    """Return a box as the output manifest has it: whole pixels, at least one, in the image."""
    left = min(max(round(box.left), 0), image.width - 1)
    top = min(max(round(box.top), 0), image.height - 1)
    right = min(max(round(box.right), left + 1), image.width)
    bottom = min(max(round(box.bottom), top + 1), image.height)
    return {
        "class_id": box.class_index,
        "left": left,
        "top": top,
        "width": right - left,
        "height": bottom - top,
    }


def _read_box(number: int, box: Any, labels: Sequence[str], image: ImageFacts) -> Box:
    if not isinstance(box, Mapping):
        raise AnswerError(f"box {number} is not an object")
    label = box.get("label")
    if label not in labels:
        raise AnswerError(
            f"box {number} has the label {_shown(label)}, not one of the job's labels"
        )
    left, top, width, height = (_number(number, box, key) for key in _SIDES)
    if width <= 0 or height <= 0:
        raise AnswerError(f"box {number} ({label!r}) has no area: width {width}, height {height}")
    edge = _EDGE_TOLERANCE_PIXELS
    outside = (
        left < -edge
        or top < -edge
        or left + width > image.width + edge
        or top + height > image.height + edge
    )
    if outside:
        raise AnswerError(
            f"box {number} ({label!r}) reaches outside the image of {image.width} x "
            f"{image.height} pixels: left {left}, top {top}, width {width}, height {height}"
        )
    return Box(
        class_index=labels.index(label),
        left=max(left, 0.0),
        top=max(top, 0.0),
        right=min(left + width, float(image.width)),
        bottom=min(top + height, float(image.height)),
    )


_SIDES = ("left", "top", "width", "height")
_SHOWN_CHARACTERS = 60


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN_CHARACTERS]


def _number(number: int, box: Mapping[str, Any], key: str) -> float:
    value = box.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AnswerError(f"box {number} has the {key} {_shown(value)}, not a number")
    return float(value)
