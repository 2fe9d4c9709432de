"""YOLO's layout, as Ultralytics' tools train with it.

https://docs.ultralytics.com/datasets/detect/: ``data.yaml`` beside ``images/<split>/`` and
``labels/<split>/``. A label file has a line ``class cx cy width height`` for each box: the class's
number from 0, the box's centre and size as shares of the image's width and height. An image without
objects has an empty label file. ``data.yaml`` has no ``path``, so that its own folder is the root.

https://docs.ultralytics.com/datasets/classify/: images of classes lie in
``<split>/<class>/``, without further files.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from groundwork.datasets.image_files import ImageIndex
from groundwork.datasets.model import (
    TRAIN,
    DatasetError,
    DatasetPlan,
    LabeledImage,
    ReadDataset,
    ReadImage,
    plain_number,
)
from groundwork.images import EXTENSIONS
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize, class_index
from groundwork.results.quality import Box

_SETTINGS = "data.yaml"
# Twelve digits keep a thousandth of a pixel in any image that a labeling job takes.
_DIGITS = 12
_SHOWN_CHARACTERS = 200


class YoloWriter:
    """Writes a label file for each image."""

    def __init__(self, plan: DatasetPlan) -> None:
        self._plan = plan
        self._numbers = {name: number for number, name in enumerate(plan.classes)}
        self._made: set[Path] = set()
        if plan.kind is LabelKind.BOXES:
            for split in plan.splits:
                # Also of a split that no image falls into, since data.yaml names it.
                for kind in ("images", "labels"):
                    (plan.folder / kind / split).mkdir(parents=True)

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        if image.kind is LabelKind.CLASS:
            return f"{image.split}/{_folder_name(image.classes[0])}/{image.name}"
        return f"images/{image.split}/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image's label file."""
        if image.kind is LabelKind.CLASS:
            return
        path = (self._plan.folder / "labels" / image.split / image.name).with_suffix(".txt")
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        size = image.size or ImageSize(1, 1)
        path.write_text("".join(self._line(box, size) for box in image.boxes), encoding="utf-8")

    def close(self) -> None:
        """Write ``data.yaml``."""
        if self._plan.kind is LabelKind.CLASS:
            return
        settings = {
            "train": f"images/{TRAIN}",
            # The tools insist on a validation set; without a split it is the training set.
            "val": f"images/{self._plan.splits[-1]}",
            "names": dict(enumerate(self._plan.classes)),
        }
        text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
        (self._plan.folder / _SETTINGS).write_text(text, encoding="utf-8")

    def _line(self, box: Box, size: ImageSize) -> str:
        shares = (
            (box.left + box.width / 2) / size.width,
            (box.top + box.height / 2) / size.height,
            box.width / size.width,
            box.height / size.height,
        )
        numbers = " ".join(f"{share:.{_DIGITS}f}".rstrip("0").rstrip(".") for share in shares)
        return f"{self._numbers[box.label]} {numbers}\n"


def _folder_name(name: str) -> str:
    """Return a class's name as a folder, which must not lead elsewhere."""
    safe = name.replace("/", "_").replace("\\", "_")
    return "_" if safe in {"", ".", ".."} else safe


def read_yolo(folder: Path) -> ReadDataset:
    """Read ``data.yaml`` and the images and labels that it names."""
    path = folder if folder.is_file() else folder / _SETTINGS
    if not path.is_file():
        found = sorted(folder.glob("*.yaml"))
        if len(found) != 1:
            raise DatasetError(
                [f"{folder} has no {_SETTINGS}; give the folder that has it, or the file"]
            )
        (path,) = found
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DatasetError([f"{path} cannot be read as YAML: {error}"]) from error
    classes = _classes(path, settings)
    problems: list[str] = []
    roots = _image_folders(path, settings)
    return ReadDataset(classes, _images(path, roots, classes, problems), problems)


def _classes(path: Path, settings: Any) -> tuple[str, ...]:
    names = settings.get("names") if isinstance(settings, Mapping) else None
    if isinstance(names, list):
        return tuple(str(name) for name in names)
    if isinstance(names, Mapping) and set(names) == set(range(len(names))):
        return tuple(str(names[number]) for number in range(len(names)))
    raise DatasetError(
        [f'{path} has no "names": a list of class names, or a mapping of 0, 1, 2, ... to them']
    )


def _image_folders(path: Path, settings: Mapping[str, Any]) -> list[Path]:
    # Written on another machine: the file's own folder is the next best.
    base = _folder(path.parent, settings.get("path") or ".") or path.parent
    folders: dict[Path, None] = {}
    missing = []
    for split in ("train", "val", "test"):
        given = settings.get(split)
        for entry in given if isinstance(given, list) else [given]:
            if not entry:
                continue
            if found := _folder(base, entry):
                folders[found] = None
            else:
                missing.append(repr(str(entry)[:_SHOWN_CHARACTERS]))
    if missing or not folders:
        raise DatasetError(
            [
                f"{path} names folders of images that are not there, below {base}: "
                f"{', '.join(missing) or 'none'}"
            ]
        )
    return list(folders)


def _folder(base: Path, name: Any) -> Path | None:
    """Return a folder that is there; None also for what is no name of one."""
    try:
        found = (base / str(name)).resolve()
        return found if found.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _images(
    path: Path, folders: list[Path], classes: tuple[str, ...], problems: list[str]
) -> Iterator[ReadImage]:
    for folder in folders:
        index = ImageIndex(folder)
        for image in sorted(folder.rglob("*")):
            if image.suffix.lower() not in EXTENSIONS:
                continue
            name = image.relative_to(folder).as_posix()
            size = index.size(name, None, problems)
            if size.width == 0:
                continue
            # The tools, too, find labels by changing the last "images" in the path.
            before, _, after = str(image).rpartition("/images/")
            label_path = Path(f"{before}/labels/{after}").with_suffix(".txt")
            if not label_path.is_file():
                problems.append(f"{name} has no label file {label_path}; it is left out")
                continue
            boxes = tuple(_boxes(label_path, size, classes, problems))
            yield ReadImage(name, size, boxes, image)


def _class(text: str) -> int:
    index = class_index(text)
    if index is None:
        raise ValueError(text)
    return index


def _boxes(
    path: Path, size: ImageSize, classes: tuple[str, ...], problems: list[str]
) -> Iterator[Box]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        problems.append(f"{path} is not UTF-8 at byte {error.start}; it is left out")
        return
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        try:
            x, y, width, height = (float(field) for field in fields[1:])
            label = classes[_class(fields[0])]
        except (ValueError, IndexError):
            problems.append(
                f"{path} line {number} is {line[:60]!r}, not a class below {len(classes)} and four "
                "shares: cx cy width height"
            )
            continue
        if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < width <= 1 and 0 < height <= 1):
            problems.append(f"{path} line {number} is not in shares from 0 to 1: {line[:60]!r}")
            continue
        yield Box(
            label,
            plain_number((x - width / 2) * size.width),
            plain_number((y - height / 2) * size.height),
            plain_number(width * size.width),
            plain_number(height * size.height),
        )
