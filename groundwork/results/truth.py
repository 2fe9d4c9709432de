"""Known labels of images: the boxes that a perfect worker would draw."""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.errors import UserError
from groundwork.json_text import JsonTextError, read_json
from groundwork.results.kinds import LabelKind
from groundwork.results.numbers import number_of
from groundwork.results.quality import Box, class_score, image_mean_iou

_SIDES = ("left", "top", "width", "height")
_SHOWN = 5
_SHOWN_CHARACTERS = 100
_FORM = '{"<image file>": [{"label", "left", "top", "width", "height"}, ...]}'


class TruthError(UserError):
    """A truth file cannot be used; ``problems`` has one sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Truth:
    """The true boxes of images, by the file's path below the image folder."""

    boxes: Mapping[str, tuple[Box, ...]]

    @classmethod
    def read(cls, path: Path) -> "Truth":
        """Read a truth file; TruthError with everything wrong in it."""
        try:
            content = read_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        except OSError as error:
            raise TruthError([f"{path} cannot be read: {error.strerror}"]) from error
        except JsonTextError as error:
            raise TruthError([f"{path} is not JSON that can be used: {error}"]) from error
        problems = list(_form_problems(content))
        if problems:
            raise TruthError([f"{path}: {problem}" for problem in problems])
        return cls(
            {name: tuple(Box.from_truth(box) for box in boxes) for name, boxes in content.items()}
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, in alphabetical order."""
        return tuple(sorted({box.label for boxes in self.boxes.values() for box in boxes}))

    def of(self, source: str) -> tuple[Box, ...] | None:
        """Return the boxes of an image by its path or S3 URI; None when it is not known."""
        parts = source.split("/")
        for first in range(len(parts)):
            name = "/".join(parts[first:])
            if name in self.boxes:
                return self.boxes[name]
        return None

    def score(
        self, source: str, kind: LabelKind, boxes: Sequence[Box], classes: Sequence[str]
    ) -> float | None:
        """Return how good an image's label is, from 0 to 1; None where the truth does not tell.

        Boxes are compared by ``image_mean_iou``. Of classes the first is compared, by
        ``class_score``, where all of the truth's boxes on the image are of one class.
        """
        known = self.of(source)
        if known is None:
            return None
        if kind is LabelKind.BOXES:
            return image_mean_iou(boxes, known)
        if kind is LabelKind.OTHER or not classes:
            return None
        right = {box.label for box in known}
        return class_score(classes[0], right.pop()) if len(right) == 1 else None

    def mismatches(self, images: Iterable[str], labels: Iterable[str]) -> list[str]:
        """Say what keeps this truth from belonging to these images and labels."""
        images = list(images)
        missing = [name for name in images if self.of(name) is None]
        unknown = sorted(set(self.labels) - set(labels))
        problems = []
        if missing:
            problems.append(
                f"{len(missing)} of {len(images)} images have no entry: {_some(missing)}; "
                "an image without objects has an empty list"
            )
        if unknown:
            problems.append(
                f"it has labels that are not in the list of labels: {_some(unknown)}; the list is "
                f"{', '.join(labels)}"
            )
        return problems


def _form_problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"must be {_FORM}, not a {type(content).__name__}"
        return
    broken = []
    for name, boxes in content.items():
        if not isinstance(boxes, list):
            broken.append(f"{name[:_SHOWN_CHARACTERS]} is not a list")
            continue
        broken += [
            f"{name[:_SHOWN_CHARACTERS]} box {number}: {problem}"
            for number, box in enumerate(boxes, 1)
            for problem in _box_problems(box)
        ]
    if broken:
        yield f"{len(broken)} broken entries: {_some(broken)}; the form is {_FORM}"


def _box_problems(box: Any) -> Iterator[str]:
    if not isinstance(box, dict):
        yield "is not an object"
        return
    if not isinstance(box.get("label"), str) or not box["label"]:
        yield "has no label"
    for side in _SIDES:
        value = box.get(side)
        number = None if isinstance(value, str) else number_of(value)
        if number is None:
            yield f"{side} is not a number of pixels"
        elif side in {"width", "height"} and number <= 0:
            yield f"{side} is {number}, not above 0"


def _some(items: list[str]) -> str:
    shown = ", ".join(items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"
