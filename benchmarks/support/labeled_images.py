"""A folder of images with known boxes, and people who label them with errors."""

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from groundwork.autolabel.backbone.network import Backbone
from groundwork.autolabel.boxes.decision import BoxLabel
from groundwork.autolabel.boxes.learner import BoxLearner
from groundwork.autolabel.learner import KnownObject
from groundwork.autolabel.pictures import open_picture
from groundwork.demo.drawing import draw
from groundwork.images import ImageFacts
from groundwork.jobs.consolidation.boxes import Box as DrawnBox
from groundwork.jobs.consolidation.boxes import consolidate_boxes
from groundwork.results.quality import Box
from groundwork.results.truth import Truth

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_DATA = PROJECT.parent / "shared" / "data" / "logos1000"
# With it, and the misses of the demo's workers, people reach a mean IoU of 0.865 on that set.
EDGE_ERROR = 0.05
_AT_ONCE = 32


class NoDataError(RuntimeError):
    """The images that a benchmark measures on are not there."""


@dataclass(frozen=True)
class LabeledImages:
    """Images in memory, their true boxes, and the classes that occur."""

    names: tuple[str, ...]
    files: tuple[bytes, ...]
    boxes: tuple[tuple[Box, ...], ...]
    labels: tuple[str, ...]

    @classmethod
    def load(cls) -> "LabeledImages":
        """Read the folder that the variable DATA names, or the project's own set."""
        folder = Path(os.environ.get("DATA", DEFAULT_DATA))
        path = folder / "truth.json"
        if not path.is_file():
            raise NoDataError(
                f"there is no {path}; set DATA to a folder with images and truth.json"
            )
        truth = Truth.read(path)
        names = tuple(sorted(truth.boxes))
        return cls(
            names,
            tuple((folder / name).read_bytes() for name in names),
            tuple(truth.boxes[name] for name in names),
            truth.labels,
        )

    def __len__(self) -> int:
        """How many images."""
        return len(self.names)

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """Width and height of each image."""
        pictures = (open_picture(data) for data in self.files)
        return [(picture.width, picture.height) for picture in pictures]

    @cached_property
    def truth(self) -> list[BoxLabel]:
        """The true boxes as the learner's labels."""
        return [self._label(boxes) for boxes in self.boxes]

    def known(self, learner: BoxLearner, folder: Path) -> list[KnownObject]:
        """Return the images with their features, which are computed once and kept in a folder."""
        size = learner.record_bytes
        digest = zlib.crc32(b"".join(self.files))
        path = folder / f"features-{len(self)}-{digest:08x}-{size}.bin"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for first in range(0, len(self), _AT_ONCE):
                    some = [open_picture(data) for data in self.files[first : first + _AT_ONCE]]
                    file.write(b"".join(learner.features(some)))
        records = path.read_bytes()
        return [
            KnownObject(
                index,
                records[index * size : (index + 1) * size],
                partial(open_picture, self.files[index]),
            )
            for index in range(len(self))
        ]

    def by_people(self, seed: int, workers: int) -> list[BoxLabel]:
        """Return what people label: one each, or several consolidated as in a job."""
        labels = []
        for index, boxes in enumerate(self.boxes):
            drawn = [
                draw(
                    boxes,
                    self.sizes[index],
                    np.random.default_rng([seed, worker, index]),
                    EDGE_ERROR,
                )
                for worker in range(workers)
            ]
            labels.append(
                self._label(drawn[0]) if workers == 1 else self._consolidated(index, drawn)
            )
        return labels

    def _consolidated(self, index: int, drawn: Sequence[Sequence[Box]]) -> BoxLabel:
        answers = {
            str(worker): [
                DrawnBox(
                    self.labels.index(box.label),
                    box.left,
                    box.top,
                    box.left + box.width,
                    box.top + box.height,
                )
                for box in boxes
            ]
            for worker, boxes in enumerate(drawn)
        }
        facts = ImageFacts("jpeg", *self.sizes[index], depth=3)
        label = consolidate_boxes(answers, self.labels, facts, len(drawn))
        return self._label(
            [
                Box(
                    self.labels[box["class_id"]],
                    box["left"],
                    box["top"],
                    box["width"],
                    box["height"],
                )
                for box in label.value["annotations"]
            ]
        )

    def _label(self, boxes: Sequence[Box]) -> BoxLabel:
        corners = [(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes]
        classes = [self.labels.index(box.label) for box in boxes]
        return BoxLabel(np.array(corners, float).reshape(-1, 4), np.array(classes, np.intp))


def load_with_features() -> tuple[LabeledImages, BoxLearner, list[KnownObject]]:
    """Return the images, the learner and what it knows of each image."""
    images = LabeledImages.load()
    learner = BoxLearner(Backbone.of_this_machine())
    return images, learner, images.known(learner, PROJECT / "build" / "benchmarks")
