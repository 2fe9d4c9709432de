"""How much of a classification job the machine takes over at a promised accuracy.

Each true box of the image set, with a little of what is around it, is an image of its own; people
choose a wrong class for one in fifty. DATA names another folder, SEEDS other seeds.
"""

import io
import os
from functools import partial
from typing import Any

import numpy as np

from benchmarks.support.labeled_images import LabeledImages
from benchmarks.support.simulated_job import Result, plan_with_random_batches, run_job
from groundwork.autolabel.backbone.network import Backbone
from groundwork.autolabel.classes.learner import ClassLearner
from groundwork.autolabel.learner import KnownObject
from groundwork.autolabel.pictures import Picture, open_picture
from groundwork.autolabel.rounds import Terms

GOAL_SHARE = 0.6
_TARGET = 0.95
_WRONG_SHARE = 0.02
_AROUND = 0.15


def run() -> dict[str, Any]:
    """Run the job with every seed, and once with random batches."""
    images = LabeledImages.load()
    learner = ClassLearner(Backbone.of_this_machine())
    pictures, truth = _crops(images)
    known = [
        KnownObject(index, record, partial(_again, picture))
        for index, (picture, record) in enumerate(
            zip(pictures, learner.features(pictures), strict=True)
        )
    ]
    terms = Terms(_TARGET, graded=False)
    batch = max(50, len(known) // 10)
    classes = len(images.labels)
    seeds = [int(seed) for seed in os.environ.get("SEEDS", "0,1,2,3,4").split(",")]
    runs = []
    for seed in seeds:
        said = _by_people(truth, classes, seed)
        result = run_job(learner, known, said, classes, terms, batch, seed)
        runs.append(_described(result, said, truth, seed))
    said = _by_people(truth, classes, seeds[0])
    random = run_job(
        learner, known, said, classes, terms, batch, seeds[0], plan_with_random_batches
    )
    share = float(np.mean([each["auto"] for each in runs])) / len(known)
    return {
        "name": "autolabel_classes",
        "figure": round(share, 3),
        "unit": f"of {len(known)} crops labeled by machine at accuracy {_TARGET}",
        "against": GOAL_SHARE,
        "ratio": round(share / GOAL_SHARE, 3),
        "details": {
            "runs": runs,
            "random batches, our bound": _described(random, said, truth, seeds[0]),
        },
    }


def _crops(images: LabeledImages) -> tuple[list[Picture], list[int]]:
    pictures, truth = [], []
    for data, label in zip(images.files, images.truth, strict=True):
        image = open_picture(data).image
        for (left, top, right, bottom), kind in zip(label.boxes, label.classes, strict=True):
            across, down = _AROUND * (right - left), _AROUND * (bottom - top)
            corners = (
                max(0, round(left - across)),
                max(0, round(top - down)),
                min(image.width, round(right + across)),
                min(image.height, round(bottom + down)),
            )
            file = io.BytesIO()
            image.crop(corners).save(file, "PNG")
            pictures.append(open_picture(file.getvalue()))
            truth.append(int(kind))
    return pictures, truth


def _again(picture: Picture) -> Picture:
    return picture


def _by_people(truth: list[int], classes: int, seed: int) -> list[int]:
    random = np.random.default_rng([seed, 23])
    off = np.where(
        random.random(len(truth)) < _WRONG_SHARE, random.integers(1, classes, len(truth)), 0
    )
    return [int((kind + by) % classes) for kind, by in zip(truth, off, strict=True)]


def _described(result: Result, said: list[int], truth: list[int], seed: int) -> dict[str, Any]:
    def accuracy(wanted: list[int]) -> float | None:
        right = [label == wanted[index] for index, label in result.auto.items()]
        return round(float(np.mean(right)), 4) if right else None

    bound = result.assurance.bound
    against_people = accuracy(said)
    return {
        "target": _TARGET,
        "seed": seed,
        "human": len(result.human),
        "auto": len(result.auto),
        "auto_accuracy": accuracy(truth),
        "auto_against_people": against_people,
        "bound": None if bound is None else round(bound, 4),
        "bound_held": bound is None or against_people is None or against_people >= bound,
        "rounds": result.rounds,
        "seconds": round(result.seconds, 1),
    }
