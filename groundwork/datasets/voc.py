"""PASCAL VOC: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.

``Annotations/<name>.xml``, ``JPEGImages/`` and ``ImageSets/Main/<split>.txt``. VOC counts pixels
from 1 and names a box's first and last pixel, so that the box ``left, top, width, height`` of
Ground Truth (from 0, the end outside) is ``xmin = left + 1``, ``ymin = top + 1``,
``xmax = left + width``, ``ymax = top + height``. The first pixel alone is 1, 1, 1, 1. Fractions of
pixels stay.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from groundwork.datasets.image_files import ImageIndex
from groundwork.datasets.model import (
    DatasetError,
    DatasetPlan,
    LabeledImage,
    ReadDataset,
    ReadImage,
    plain_number,
)
from groundwork.results.labels import ImageSize, class_index
from groundwork.results.numbers import number_of
from groundwork.results.quality import Box

_ANNOTATIONS, _IMAGES, _SETS = "Annotations", "JPEGImages", "ImageSets/Main"
_MOST_BYTES = 16 * 1024 * 1024


class VocWriter:
    """Writes an XML file for each image."""

    def __init__(self, plan: DatasetPlan) -> None:
        self._plan = plan
        folder = plan.folder / _SETS
        folder.mkdir(parents=True)
        (plan.folder / _ANNOTATIONS).mkdir()
        (plan.folder / "labels.txt").write_text(
            "".join(f"{name}\n" for name in plan.classes), encoding="utf-8"
        )
        self._sets = {
            split: (folder / f"{split}.txt").open("w", encoding="utf-8") for split in plan.splits
        }

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        return f"{_IMAGES}/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image's annotation."""
        path = (self._plan.folder / _ANNOTATIONS / image.name).with_suffix(".xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = image.size or ImageSize(0, 0)
        root = ET.Element("annotation")
        _add(root, folder=_IMAGES, filename=image.name)
        _add(ET.SubElement(root, "source"), database="Groundwork", image=image.source)
        _add(
            ET.SubElement(root, "size"),
            width=str(size.width),
            height=str(size.height),
            depth=str(size.depth),
        )
        _add(root, segmented="0")
        for box in image.boxes:
            entry = ET.SubElement(root, "object")
            _add(entry, name=box.label, pose="Unspecified", truncated="0", difficult="0")
            _add(
                ET.SubElement(entry, "bndbox"),
                xmin=str(plain_number(box.left + 1)),
                ymin=str(plain_number(box.top + 1)),
                xmax=str(plain_number(box.left + box.width)),
                ymax=str(plain_number(box.top + box.height)),
            )
        ET.indent(root)
        ET.ElementTree(root).write(path, encoding="utf-8")
        stem = path.relative_to(self._plan.folder / _ANNOTATIONS).with_suffix("").as_posix()
        self._sets[image.split].write(f"{stem}\n")

    def close(self) -> None:
        """End the lists of images."""
        for file in self._sets.values():
            file.close()


def _add(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text


def read_voc(folder: Path) -> ReadDataset:
    """Read all annotations of a folder; classes as ``labels.txt`` orders them, or else by name."""
    annotations = folder / _ANNOTATIONS
    base = annotations if annotations.is_dir() else folder
    paths = sorted(base.rglob("*.xml"))
    if not paths:
        raise DatasetError([f"{folder} has no VOC annotations: no {_ANNOTATIONS}/*.xml"])
    problems: list[str] = []
    images = folder / _IMAGES if (folder / _IMAGES).is_dir() else folder
    return ReadDataset(_classes(folder, paths), _images(paths, base, images, problems), problems)


def _classes(folder: Path, paths: list[Path]) -> tuple[str, ...]:
    listed = folder / "labels.txt"
    try:
        names = listed.read_text(encoding="utf-8-sig").split("\n") if listed.is_file() else []
    except UnicodeDecodeError as error:
        raise DatasetError([f"{listed} is not UTF-8 at byte {error.start}"]) from error
    names = [stripped for name in names if (stripped := name.strip())]
    found: set[str] = set()
    for path in paths:
        root = _parsed(path)
        if root is not None:
            found |= {entry.findtext("name", "") for entry in root.findall("object")}
    return (*names, *sorted(found - set(names) - {""}))


def _parsed(path: Path) -> ET.Element | None:
    try:
        data = path.read_bytes()
        # Entities are the way to blow up a parser, and no annotation needs one.
        if len(data) > _MOST_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            return None
        return ET.fromstring(data)  # noqa: S314 - without a document type there are no entities
    except (OSError, ET.ParseError):
        return None


def _images(
    paths: list[Path], base: Path, images: Path, problems: list[str]
) -> Iterator[ReadImage]:
    index = ImageIndex(images)
    for path in paths:
        root = _parsed(path)
        if root is None:
            problems.append(f"{path} is no XML that can be read; it is left out")
            continue
        given = root.findtext("filename") or f"{path.stem}.jpg"
        below = path.relative_to(base).parent
        name = given if "/" in given else (below / given).as_posix()
        try:
            told = ImageSize(
                _side(root.findtext("size/width", "")),
                _side(root.findtext("size/height", "")),
                _side(root.findtext("size/depth", "3")),
            )
        except ValueError:
            told = None
        size = index.size(name, told, problems)
        if size.width == 0:
            continue
        yield ReadImage(name, size, tuple(_boxes(path, root, problems)), index.path(name))


def _side(text: str) -> int:
    number = class_index(text)
    if not number:
        raise ValueError(text)
    return number


def _coordinate(text: str) -> float:
    number = number_of(text)
    if number is None:
        raise ValueError(text)
    return number


def _boxes(path: Path, root: ET.Element, problems: list[str]) -> Iterator[Box]:
    for number, entry in enumerate(root.findall("object"), 1):
        label = entry.findtext("name", "")
        try:
            first_x, first_y, last_x, last_y = (
                _coordinate(entry.findtext(f"bndbox/{side}", ""))
                for side in ("xmin", "ymin", "xmax", "ymax")
            )
        except ValueError:
            problems.append(f"{path} object {number} has no xmin, ymin, xmax and ymax")
            continue
        left, top = plain_number(first_x - 1), plain_number(first_y - 1)
        width, height = plain_number(last_x - left), plain_number(last_y - top)
        if not label or width <= 0 or height <= 0:
            problems.append(f"{path} object {number} has no name or no area; it is left out")
            continue
        yield Box(label, left, top, width, height)
