"""A task type's labels on their way between the output manifest and a learner.

Only what needs no network is here, so that the light function can compare labels, too.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from groundwork.autolabel.boxes.decision import BoxLabel
from groundwork.autolabel.boxes.decision import label_quality as box_quality
from groundwork.autolabel.classes.decision import label_quality as class_quality
from groundwork.autolabel.learner import Prediction
from groundwork.images import MAXIMUM_PIXELS, ImageFacts
from groundwork.jobs.consolidation import CONFIDENCE_DIGITS, Label
from groundwork.jobs.consolidation.boxes import MAXIMUM_BOXES, Box, box_label
from groundwork.jobs.consolidation.classes import class_label


class LabelError(ValueError):
    """A manifest's label is not of its task's form; the message says how."""


class LabelForm(Protocol):
    """How one task type's labels are written, and what they need."""

    # Whether a label's quality may lie between 0 and 1, as ``Learner.graded``.
    graded: bool
    # What the mean quality of labels is called.
    quality_name: str
    # No more labels than these are learned from at a time: a function's memory and time end.
    most_examples: int

    def read(self, value: Any, classes: int) -> Any:
        """Return a manifest's label in the learner's form.

        Raises
        ------
        LabelError
            If it is of another form, as what a chained manifest brings may be.
        """

    def write(self, prediction: Prediction, names: Sequence[str], image: ImageFacts) -> Label:
        """Return a model's label in the output manifest's form."""

    def quality(self, label: Any, wanted: Any) -> float:
        """Return how good a label in the learner's form is against another, from 0 to 1."""

    def nothing_to_learn(self, labels: Sequence[Any]) -> str | None:
        """Say why no model can be made of these labels, however many there are."""


class BoxForm:
    """Bounding boxes."""

    graded = True
    quality_name = "mean IoU"
    most_examples = 1_500

    def read(self, value: Any, classes: int) -> BoxLabel:
        """Return ``annotations`` as arrays."""
        try:
            boxes = [
                [box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"]]
                for box in value["annotations"]
            ]
            kinds = [box["class_id"] for box in value["annotations"]]
            label = BoxLabel(
                np.array(boxes, np.float64).reshape(-1, 4), np.array(kinds, np.intp).reshape(-1)
            )
        except (TypeError, KeyError, ValueError, OverflowError) as error:
            raise LabelError(f"no list of boxes in annotations: {repr(error)[:200]}") from error
        corners = label.boxes
        if len(corners) > MAXIMUM_BOXES:
            raise LabelError(
                f"there are {len(corners):,} boxes; at most {MAXIMUM_BOXES:,} are taken"
            )
        if (np.abs(corners) > MAXIMUM_PIXELS).any():
            raise LabelError("a box is larger than any image")
        if not (np.isfinite(corners).all() and (corners[:, :2] < corners[:, 2:]).all()):
            raise LabelError("a box has no area")
        if ((label.classes < 0) | (label.classes >= classes)).any():
            raise LabelError(f"a box has a class_id outside 0 to {classes - 1}")
        return label

    def write(self, prediction: Prediction, names: Sequence[str], image: ImageFacts) -> Label:
        """Return boxes in whole pixels inside the image, each with its confidence."""
        label: BoxLabel = prediction.label
        placed = [
            (Box(int(kind), *(float(side) for side in box)), _confidence(sure))
            for box, kind, sure in zip(
                label.boxes, label.classes, prediction.confidences, strict=True
            )
        ]
        return box_label(placed, names, image)

    def quality(self, label: BoxLabel, wanted: BoxLabel) -> float:
        """Return the mean IoU of an image's boxes."""
        return box_quality(label, wanted)

    def nothing_to_learn(self, labels: Sequence[BoxLabel]) -> str | None:
        """Say so where people found no object in any image."""
        if any(len(label.classes) for label in labels):
            return None
        return f"people found no object in any of {len(labels)} images"


class ClassForm:
    """One class for each image."""

    graded = False
    quality_name = "accuracy"
    most_examples = 20_000

    def read(self, value: Any, classes: int) -> int:
        """Return the class index, which Ground Truth's guide prints as text here and there.

        See https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html.
        """
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdigit():
            raise LabelError(f"{text[:60]!r} is no class index")
        index = int(text) if len(text) < 10 else classes
        if index >= classes:
            raise LabelError(f"class index {text[:60]} is outside 0 to {classes - 1}")
        return index

    def write(self, prediction: Prediction, names: Sequence[str], image: ImageFacts) -> Label:
        """Return the class with its confidence."""
        return class_label(names, int(prediction.label), _confidence(prediction.confidences[0]))

    def quality(self, label: int, wanted: int) -> float:
        """Return 1 for the right class and 0 for any other."""
        return class_quality(label, wanted)

    def nothing_to_learn(self, labels: Sequence[int]) -> str | None:
        """Say so where people chose one class only."""
        if len(set(labels)) > 1:
            return None
        return f"people chose one and the same class for all of {len(labels)} images"


LABEL_FORMS: Mapping[str, LabelForm] = MappingProxyType(
    {"BoundingBox": BoxForm(), "ImageMultiClass": ClassForm()}
)


def _confidence(sure: float) -> float:
    return round(min(max(float(sure), 0.0), 1.0), CONFIDENCE_DIGITS)
