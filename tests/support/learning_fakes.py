"""Learners without a network, small enough for unit tests, and pictures that they can learn from.

A picture is plain, and its colour says what people see in it: for classes, how red it is says which
class; for boxes, its colour says where a box is. Some pictures mislead, which nobody can see.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from groundwork.autolabel.arrays import Arrays
from groundwork.autolabel.boxes.decision import BoxLabel
from groundwork.autolabel.boxes.decision import label_quality as box_quality
from groundwork.autolabel.learner import (
    Evidence,
    Example,
    KnownObject,
    Learner,
    Prediction,
    Trained,
    representative,
)
from groundwork.autolabel.pictures import Picture
from groundwork.jobs.work import LeasedTask, Worker
from tests.support.job_fakes import BUCKET, Workshop, box, boxes_answer, class_answer

WIDTH, HEIGHT = 64, 48
LABELS = ("cat", "dog")
_SIZE = 20


class _ColourLearner:
    """What both learners have in common: features are the colour, plus one so as not to be zero."""

    record_bytes = 3
    graded = False

    def __init__(self) -> None:
        self.trainings: list[int] = []

    def features(self, pictures: Sequence[Picture]) -> list[bytes]:
        return [
            bytes(int(value) // 2 + 1 for value in np.asarray(picture.image)[0, 0])
            for picture in pictures
        ]

    def train(self, examples: Sequence[Example], classes: int, kept: Arrays, seed: int) -> Trained:
        self.trainings.append(len(examples))
        # Sure of as much as came out right.
        known = [example.known for example in examples]
        raw = self.predict({"quality": np.array(1.0)}, known, classes)
        scores = np.array(
            [
                self.score(each.label, example.label)
                for each, example in zip(raw, examples, strict=True)
            ]
        )
        places = representative(examples)
        model = {"quality": np.array(scores[places].mean())}
        forecasts = np.array([each.forecast for each in self.predict(model, known, classes)])
        new = {f"{each.known.object_id}": np.array(seed) for each in examples}
        return Trained(model, Evidence(forecasts[places], scores[places]), new)

    def predict(
        self, model: Arrays, objects: Sequence[KnownObject], classes: int
    ) -> list[Prediction]:
        return [
            Prediction(
                known.object_id,
                self.label(known.record),
                (0.9,),
                # A little less sure of dark pictures, so that there is an order.
                float(model["quality"]) - known.record[2] / 1000,
            )
            for known in objects
        ]

    def label(self, record: bytes) -> Any:
        raise NotImplementedError

    def score(self, label: Any, wanted: Any) -> float:
        raise NotImplementedError


class ColourClasses(_ColourLearner):
    """Red pictures are dogs."""

    def label(self, record: bytes) -> int:
        return int(record[0] > 64)

    def score(self, label: int, wanted: int) -> float:
        return float(label == wanted)


class ColourBoxes(_ColourLearner):
    """A box is as far right as the picture is red, and as far down as it is green."""

    graded = True

    def label(self, record: bytes) -> BoxLabel:
        left, top = (record[0] - 1) / 4, (record[1] - 1) / 6
        sides = np.array([[left, top, left + _SIZE, top + _SIZE]])
        return BoxLabel(sides, np.zeros(1, np.intp))

    def score(self, label: BoxLabel, wanted: BoxLabel) -> float:
        return box_quality(label, wanted)


@dataclass
class World:
    """Pictures in a bucket, and what people see in them."""

    colours: dict[str, tuple[int, int, int]]
    misleading: frozenset[str]
    task: str

    def answer(self, _worker: Worker, task: LeasedTask) -> Mapping[str, Any]:
        """Return what anybody answers to a task."""
        return self.seen(json.loads(json.dumps(task.task_input))["taskObject"])

    def seen(self, uri: str) -> Mapping[str, Any]:
        """Return what people see in a picture."""
        red, green, _ = self.colours[uri]
        if self.task == "ImageMultiClass":
            index = int(red > 127) ^ (uri in self.misleading)
            return class_answer(LABELS[index])
        away = 30 if uri in self.misleading else 0
        left, top = max(0, red // 8 - away), green // 12
        return boxes_answer(box(LABELS[0], left, top, _SIZE, _SIZE))


def learner_for(task: str) -> Learner:
    """Return the learner of a task type."""
    return {"ImageMultiClass": ColourClasses, "BoundingBox": ColourBoxes}[task]()


@lru_cache(maxsize=4096)
def _picture(red: int, green: int, blue: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (red, green, blue)).save(file, "PNG")
    return file.getvalue()


def colour_world(
    workshop: Workshop, count: int, *, task: str, misleading: float = 0.0, seed: int = 5
) -> tuple[World, list[str]]:
    """Put pictures into the workshop's bucket, and let its loop learn; return manifest lines, too.

    Parameters
    ----------
    misleading
        The share of pictures in which people see something else than a model would.
    """
    random = np.random.default_rng(seed)
    colours: dict[str, tuple[int, int, int]] = {}
    lines = []
    for number in range(count):
        red, green, blue = (int(value) for value in random.integers(0, 255, 3))
        uri = f"s3://{BUCKET}/colours/{number:04d}.png"
        workshop.s3.add(uri, _picture(red, green, blue))
        colours[uri] = (red, green, blue)
        lines.append(json.dumps({"source-ref": uri}))
    chosen = random.choice(count, int(misleading * count), replace=False)
    misled = frozenset(uri for number, uri in enumerate(colours) if number in set(chosen.tolist()))
    learners = {task: learner_for(task)}
    workshop.loop.learner_of = learners.__getitem__
    return World(colours, misled, task), lines
