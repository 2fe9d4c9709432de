"""One line of any augmented manifest as a label, however loosely the line keeps to the contract.

The contract is https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html. Its own
examples and real jobs differ in small things, which are all taken here: a class index as number or
text, ``job-name`` with and without ``labeling-job/``, ``creation-date`` or ``creation_date``, boxes
in the form of workers' answers. What is missing is told as a problem and never guessed.

Boxes are in pixels of the stored picture, from its top left corner: left, top, width, height.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from groundwork.manifest import (
    FAILURE_REASON,
    MAXIMUM_PROBLEMS,
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    SOURCE_TEXT,
    LabelState,
    LineError,
    LineProblem,
    label_state,
    parse_object,
    read_lines,
)
from groundwork.results.kinds import LabelKind
from groundwork.results.numbers import number_of
from groundwork.results.quality import Box

JOB_PREFIX = "labeling-job/"
# Any of these tells a label's metadata from a column of the customer's that ends in -metadata.
_METADATA_KEYS = frozenset(
    {
        "class-map",
        "creation-date",
        "creation_date",
        FAILURE_REASON,
        "human-annotated",
        "job-name",
        "job_name",
        "worker-response-ref",
    }
)
_INDEX = re.compile(r"\d{1,9}")
LARGEST_INDEX = 10**9
_NO_NAMES: Mapping[int, str] = {}


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Width and height in pixels, and channels per pixel."""

    width: int
    height: int
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Label:
    """What a label says.

    Parameters
    ----------
    kind
        Which of the other fields have something.
    boxes
        Boxes with the names of their classes.
    classes
        The names of the classes: each box's, the one class, or all classes of a multi-label object.
    confidences
        Beside each of ``classes``; None where the line has none.
    image_size
        The size that box labels carry, or None.
    problems
        What the line lacks or has wrong, one phrase each.
    """

    kind: LabelKind
    boxes: tuple[Box, ...] = ()
    classes: tuple[str, ...] = ()
    confidences: tuple[float | None, ...] = ()
    image_size: ImageSize | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
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

    @property
    def job_name(self) -> str:
        """The job that labeled the object, or nothing."""
        return job_name(self.metadata)

    @property
    def created(self) -> str:
        """When it was labeled: ISO 8601 without a zone, in UTC; or nothing."""
        return str(self.metadata.get("creation-date", self.metadata.get("creation_date", "")))

    def read(self, class_names: Mapping[int, str] = _NO_NAMES) -> Label:
        """Read the label; classes that the line does not name take theirs from ``class_names``."""
        return read_label(self.label, self.metadata, class_names)

    def boxes(self) -> list[Box]:
        """The boxes of a bounding-box label, with their class names."""
        return list(self.read().boxes)

    def class_name(self) -> str:
        """The class of an image-classification label."""
        return self.read().classes[0]


@dataclass
class LineProblems:
    """What was wrong with lines: all are counted, the first are kept."""

    count: int = 0
    first: list[LineProblem] = field(default_factory=list)

    def add(self, object_id: int, text: str) -> None:
        """Take one more."""
        self.count += 1
        self.first.append(LineProblem(object_id + 1, text))
        self._shorten()

    def merge(self, other: "LineProblems") -> None:
        """Take those of another part of the file."""
        self.count += other.count
        self.first += other.first
        self._shorten()

    def _shorten(self) -> None:
        self.first = sorted(self.first, key=lambda problem: problem.number)[:MAXIMUM_PROBLEMS]


def read_objects(
    chunks: Iterable[bytes], label_attribute: str, broken: LineProblems | None = None
) -> Iterator[LabeledObject]:
    """Yield the objects of an augmented manifest, one line in memory at a time.

    Parameters
    ----------
    broken
        Collects the lines that are no objects, which are left out; without it they are errors.

    Raises
    ------
    LineError
        At a broken line, when nobody collects them.
    """
    for line in read_lines(chunks):
        try:
            found = object_of(line.object_id, parse_line(line.body), label_attribute)
        except LineError as error:
            if broken is None:
                raise
            broken.add(line.object_id, str(error))
        else:
            yield found


def parse_line(body: bytes) -> dict[str, Any]:
    """Return a line's attributes; raises LineError when it is not an object to be labeled."""
    attributes = parse_object(body)
    if SOURCE_REFERENCE not in attributes and SOURCE_TEXT not in attributes:
        raise LineError(f"has neither {SOURCE_REFERENCE!r} nor {SOURCE_TEXT!r}")
    return attributes


def object_of(object_id: int, attributes: Mapping[str, Any], label_attribute: str) -> LabeledObject:
    """Return a line's label under one attribute."""
    metadata = attributes.get(label_attribute + METADATA_SUFFIX)
    return LabeledObject(
        object_id=object_id,
        source=str(attributes.get(SOURCE_REFERENCE, attributes.get(SOURCE_TEXT, ""))),
        state=label_state(attributes, label_attribute),
        label=attributes.get(label_attribute),
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )


def label_attributes(attributes: Mapping[str, Any]) -> list[str]:
    """Return the attributes of a line that labeling jobs wrote."""
    return [
        key.removesuffix(METADATA_SUFFIX)
        for key, value in attributes.items()
        if key.endswith(METADATA_SUFFIX) and is_label_metadata(value)
    ]


def is_label_metadata(value: Any) -> bool:
    """Tell whether a labeling job wrote this."""
    return isinstance(value, Mapping) and not _METADATA_KEYS.isdisjoint(value)


def job_name(metadata: Mapping[str, Any]) -> str:
    """Return the job's plain name; real jobs write it with a prefix, the guide without."""
    return str(metadata.get("job-name", metadata.get("job_name", ""))).removeprefix(JOB_PREFIX)


def class_names_of(metadata: Mapping[str, Any]) -> dict[int, str]:
    """Return the classes that a line names, by index."""
    class_map = metadata.get("class-map")
    if not isinstance(class_map, Mapping):
        return {}
    return {
        index: str(name)
        for key, name in class_map.items()
        if (index := class_index(key)) is not None
    }


def class_index(value: Any) -> int | None:
    """Return a class index, which lines have as a number or as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if abs(value) < LARGEST_INDEX and value == int(value) else None
    if isinstance(value, str) and _INDEX.fullmatch(value):
        return int(value)
    return None


def unnamed_class(index: int) -> str:
    """Return what a class is called that nothing names."""
    return f"class {index}"


def read_label(
    label: Any, metadata: Mapping[str, Any], class_names: Mapping[int, str] = _NO_NAMES
) -> Label:
    """Read an attribute's value with its metadata; see this module's text for what is accepted.

    Parameters
    ----------
    class_names
        Names by class index, for classes that the metadata does not name.
    """
    names = _Names(class_names_of(metadata), class_names)
    if isinstance(label, Mapping):
        for key in ("annotations", "boundingBoxes"):
            if isinstance(label.get(key), list):
                return _read_boxes(label, label[key], metadata, names)
        return Label(LabelKind.OTHER)
    if isinstance(label, list):
        return _read_classes(label, metadata, names)
    index = class_index(label)
    name = metadata.get("class-name")
    if index is None and not isinstance(name, str):
        return Label(LabelKind.OTHER)
    if not isinstance(name, str):
        name = names.of(index)
    return Label(
        LabelKind.CLASS,
        classes=(name,),
        confidences=(_confidence(metadata.get("confidence")),),
        problems=tuple(names.problems),
    )


class _Names:
    """Finds class names and notes the classes that have none."""

    def __init__(self, own: Mapping[int, str], others: Mapping[int, str]) -> None:
        self._own = own
        self._others = others
        self.problems: list[str] = []

    def of(self, index: int | None) -> str:
        if index is None:
            self.problems.append("a class index is not a whole number")
            return "class ?"
        name = self._own.get(index)
        if name is not None:
            return name
        self.problems.append(f"class-map has no {index}")
        return self._others.get(index, unnamed_class(index))


def _read_boxes(
    label: Mapping[str, Any], entries: list[Any], metadata: Mapping[str, Any], names: _Names
) -> Label:
    given = metadata.get("objects")
    objects = given if isinstance(given, list) else []
    boxes: list[Box] = []
    confidences: list[float | None] = []
    problems: list[str] = []
    for number, entry in enumerate(entries):
        sides = _sides(entry)
        if sides is None:
            problems.append(f"box {number + 1} has no left, top, width and height with an area")
            continue
        name = entry.get("label")
        if not isinstance(name, str):
            name = names.of(class_index(entry.get("class_id")))
        boxes.append(Box(name, *sides))
        own = objects[number] if number < len(objects) else None
        confidences.append(_confidence(own.get("confidence") if isinstance(own, Mapping) else None))
    return Label(
        LabelKind.BOXES,
        boxes=tuple(boxes),
        classes=tuple(box.label for box in boxes),
        confidences=tuple(confidences),
        image_size=_image_size(label.get("image_size")),
        problems=(*problems, *names.problems),
    )


def _read_classes(label: list[Any], metadata: Mapping[str, Any], names: _Names) -> Label:
    if not all(class_index(entry) is not None for entry in label):
        return Label(LabelKind.OTHER)
    given = metadata.get("confidence-map")
    confidence_map = given if isinstance(given, Mapping) else {}
    return Label(
        LabelKind.CLASSES,
        classes=tuple(names.of(class_index(entry)) for entry in label),
        confidences=tuple(_confidence(confidence_map.get(str(entry))) for entry in label),
        problems=tuple(names.problems),
    )


def _sides(entry: Any) -> tuple[float, float, float, float] | None:
    if not isinstance(entry, Mapping):
        return None
    left, top, width, height = (
        number_of(entry.get(side)) for side in ("left", "top", "width", "height")
    )
    if left is None or top is None or width is None or height is None:
        return None
    return (left, top, width, height) if width > 0 and height > 0 else None


def _image_size(value: Any) -> ImageSize | None:
    entry = value[0] if isinstance(value, list) and value else value
    if not isinstance(entry, Mapping):
        return None
    width, height, depth = (class_index(entry.get(key)) for key in ("width", "height", "depth"))
    if not width or not height or width < 0 or height < 0:
        return None
    return ImageSize(width, height, depth or 3)


def _confidence(value: Any) -> float | None:
    number = number_of(value)
    return number if number is not None and 0 <= number <= 1 else None
