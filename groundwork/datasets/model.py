"""A labeled image, whatever format it comes from or goes to.

Boxes are in pixels of the stored picture, from its top left corner: left, top, width, height. The
box ``(0, 0, 1, 1)`` is the first pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from groundwork.errors import UserError
from groundwork.manifest import LabelState
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize
from groundwork.results.quality import Box

TRAIN, VALIDATION = "train", "val"


class DatasetError(UserError):
    """A data set cannot be written or read; the text names every problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """An image and its labels.

    Parameters
    ----------
    number
        The object's id: its line in the manifest, counted from 0.
    name
        Its path below the folder of all images, with ``/`` between folders; unique.
    source
        Where it is: an S3 URI or a path.
    size
        None where nobody knows it.
    split
        ``TRAIN`` or ``VALIDATION``.
    labeled_by
        People or the machine.
    confidences
        Beside ``boxes``, or beside ``classes`` where there are no boxes.
    """

    number: int
    name: str
    source: str
    size: ImageSize | None
    kind: LabelKind
    boxes: tuple[Box, ...] = ()
    classes: tuple[str, ...] = ()
    confidences: tuple[float | None, ...] = ()
    split: str = TRAIN
    labeled_by: LabelState = LabelState.HUMAN


@dataclass(frozen=True)
class DatasetPlan:
    """What a writer has to know before the first image.

    Parameters
    ----------
    classes
        All class names in the order that numbers them, from 0.
    kind
        The form of all labels.
    splits
        The splits that there will be.
    has_images
        Whether image files will be there, or only references.
    """

    folder: Path
    classes: tuple[str, ...]
    kind: LabelKind
    splits: tuple[str, ...]
    has_images: bool


class DatasetWriter(Protocol):
    """Writes one format, an image at a time."""

    def image_path(self, image: LabeledImage) -> str:
        """Return where the format has the image's file, below the data set's folder."""

    def add(self, image: LabeledImage) -> None:
        """Write an image's labels."""

    def close(self) -> None:
        """Write what goes round all images."""


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image of a data set that is brought in.

    Parameters
    ----------
    path
        Its file, or None where the data set has only labels.
    """

    name: str
    size: ImageSize
    boxes: tuple[Box, ...]
    path: Path | None = None
    labeled_by: LabelState = LabelState.HUMAN


@dataclass
class ReadDataset:
    """A data set that is brought in.

    Parameters
    ----------
    classes
        In the order that numbers them, from 0.
    images
        Yields the images; what is wrong is put into ``problems`` on the way.
    """

    classes: tuple[str, ...]
    images: Iterator[ReadImage]
    problems: list[str]


def plain_number(value: float) -> int | float:
    """Return a coordinate without the noise of arithmetic: a millionth of a pixel is none."""
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
