"""COCO object detection: https://cocodataset.org/#format-data.

``annotations/instances_<split>.json`` beside ``images/<split>/``. A ``bbox`` is ``[x, y, width,
height]`` in pixels from the top left corner, as Ground Truth has it. Category ids begin at 1, as
in COCO itself, in the order of the classes. ``labeled_by`` of an annotation is our own addition,
which readers of COCO ignore.
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from groundwork.datasets.image_files import ImageIndex
from groundwork.datasets.model import (
    DatasetError,
    DatasetPlan,
    LabeledImage,
    ReadDataset,
    ReadImage,
    plain_number,
)
from groundwork.json_text import JsonTextError, read_json
from groundwork.manifest import LabelState
from groundwork.results.labels import ImageSize, class_index
from groundwork.results.numbers import number_of
from groundwork.results.quality import Box

_FOLDER = "annotations"
_SHOWN_PROBLEMS = 20
_SHOWN_CHARACTERS = 100


class CocoWriter:
    """Writes one annotation file per split; annotations wait in a file beside it."""

    def __init__(self, plan: DatasetPlan) -> None:
        self._plan = plan
        self._category_ids = {name: number for number, name in enumerate(plan.classes, 1)}
        self._next_id = 1
        folder = plan.folder / _FOLDER
        folder.mkdir(parents=True)
        self._files = {split: _SplitFile(folder, split) for split in plan.splits}

    def image_path(self, image: LabeledImage) -> str:
        """Return where the image's file is."""
        return f"images/{image.split}/{image.name}"

    def add(self, image: LabeledImage) -> None:
        """Write an image and its annotations."""
        file = self._files[image.split]
        size = image.size or ImageSize(0, 0)
        file.images.add(
            {
                "id": image.number + 1,
                "file_name": image.name,
                "width": size.width,
                "height": size.height,
                "coco_url": image.source,
            }
        )
        for box in image.boxes:
            file.annotations.add(
                {
                    "id": self._next_id,
                    "image_id": image.number + 1,
                    "category_id": self._category_ids[box.label],
                    "bbox": [box.left, box.top, box.width, box.height],
                    "area": plain_number(box.width * box.height),
                    "iscrowd": 0,
                    "segmentation": [],
                    "labeled_by": image.labeled_by.value,
                }
            )
            self._next_id += 1

    def close(self) -> None:
        """Put the files together."""
        categories = [
            {"id": number, "name": name, "supercategory": ""}
            for name, number in self._category_ids.items()
        ]
        for file in self._files.values():
            file.close(categories)


class _SplitFile:
    def __init__(self, folder: Path, split: str) -> None:
        self._path = folder / f"instances_{split}.json"
        self._part_path = folder / f"instances_{split}.part"
        self._file = self._path.open("w", encoding="utf-8")
        self._file.write('{"info": {"description": "Exported by Groundwork"}, "licenses": [],\n')
        self._file.write('"images": [')
        self.images = _Array(self._file)
        self._part = self._part_path.open("w+", encoding="utf-8")
        self.annotations = _Array(self._part)

    def close(self, categories: list[dict[str, Any]]) -> None:
        with self._file, self._part:
            self._file.write('\n],\n"annotations": [')
            self._part.seek(0)
            while text := self._part.read(1024 * 1024):
                self._file.write(text)
            self._file.write(f'\n],\n"categories": {json.dumps(categories)}}}\n')
        self._part_path.unlink()


class _Array:
    """A JSON array that is written one entry at a time."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._begun = False

    def add(self, entry: Mapping[str, Any]) -> None:
        self._file.write(",\n" if self._begun else "\n")
        self._file.write(json.dumps(entry))
        self._begun = True


def read_coco(folder: Path) -> ReadDataset:
    """Read all ``instances_*.json`` of a folder, or the one annotation file that is given."""
    files = [folder] if folder.is_file() else _annotation_files(folder)
    if not files:
        raise DatasetError(
            [
                f"{folder} has no COCO annotations: no annotations/*.json and no *.json with "
                '"images" and "annotations".'
            ]
        )
    documents = [(path, _document(path)) for path in files]
    names: dict[int, str] = {}
    problems: list[str] = []
    for path, document in documents:
        for category in document["categories"]:
            number, name = _category(category)
            if number is None or not name:
                problems.append(
                    f"{path}: a category is {str(category)[:_SHOWN_CHARACTERS]}, not "
                    '{"id": <whole number>, "name": "<name>"}'
                )
                continue
            known = names.setdefault(number, name)
            if known != name:
                problems.append(
                    f"{path}: category {number} is {name!r} here and {known!r} elsewhere"
                )
    if problems:
        raise DatasetError(problems[:_SHOWN_PROBLEMS])
    base = folder.parent if folder.is_file() else folder
    return ReadDataset(
        tuple(names[number] for number in sorted(names)),
        _images(documents, names, ImageIndex(base), problems),
        problems,
    )


def _annotation_files(folder: Path) -> list[Path]:
    candidates = sorted((folder / _FOLDER).glob("*.json")) or sorted(folder.glob("*.json"))
    instances = [path for path in candidates if path.name.startswith("instances")]
    return instances or candidates


def _document(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except (OSError, JsonTextError) as error:
        raise DatasetError([f"{path} cannot be read as JSON: {error}"]) from error
    missing = [
        key
        for key in ("images", "annotations", "categories")
        if not isinstance(document, dict) or not isinstance(document.get(key), list)
    ]
    if missing:
        raise DatasetError([f"{path} is no COCO file: it has no list {', '.join(missing)}"])
    found: dict[str, Any] = document
    return found


def _category(entry: Any) -> tuple[int | None, str]:
    if not isinstance(entry, Mapping) or isinstance(entry.get("id"), str):
        return None, ""
    name = entry.get("name")
    return class_index(entry.get("id")), name if isinstance(name, str) else ""


def _images(
    documents: list[tuple[Path, dict[str, Any]]],
    names: Mapping[int, str],
    index: ImageIndex,
    problems: list[str],
) -> Iterator[ReadImage]:
    for path, document in documents:
        by_image: dict[Any, list[tuple[Box, str]]] = {}
        for number, annotation in enumerate(document["annotations"]):
            try:
                left, top, width, height = map(number_of, annotation["bbox"])
                if left is None or top is None or width is None or height is None:
                    raise ValueError("its bbox is not four numbers of pixels")
                box = Box(names[annotation["category_id"]], left, top, width, height)
                if annotation.get("iscrowd"):
                    problems.append(f"{path}: annotation {number} is a crowd and is left out")
                elif width <= 0 or height <= 0:
                    problems.append(f"{path}: annotation {number} has no area and is left out")
                else:
                    labeled_by = str(annotation.get("labeled_by", LabelState.HUMAN.value))
                    by_image.setdefault(annotation["image_id"], []).append((box, labeled_by))
            except (KeyError, TypeError, ValueError) as error:
                problems.append(f"{path}: annotation {number} is broken: {error!r}")
        for number, image in enumerate(document["images"]):
            try:
                width, height = class_index(image["width"]), class_index(image["height"])
                if not width or not height or width < 0 or height < 0:
                    raise ValueError("its width and height are not numbers of pixels")
                size = ImageSize(width, height)
                name, found = str(image["file_name"]), by_image.pop(image["id"], [])
            except (KeyError, TypeError, ValueError) as error:
                problems.append(f"{path}: image {number} is broken: {error!r}")
                continue
            by_machine = any(labeled_by == LabelState.MACHINE for _, labeled_by in found)
            yield ReadImage(
                name,
                index.size(name, size, problems),
                tuple(box for box, _ in found),
                index.path(name),
                LabelState.MACHINE if by_machine else LabelState.HUMAN,
            )
        if by_image:
            problems.append(f"{path}: {len(by_image)} images of annotations are not in its images")
