"""How long a round of automated box labeling takes at 300 labels, in which memory.

A round is what comes between two batches of people: training, and labeling all that is left. The
time is compared with that of the backbone alone for as many crops in the same run, on whatever
machine this is. Run it on a machine that does nothing else; SEEDS and DATA are as in
autolabel_boxes.
"""

import resource
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.labeled_images import LabeledImages, load_with_features
from groundwork.autolabel.backbone.network import Backbone, WholeFeatures
from groundwork.autolabel.boxes.learner import CROP_PIXELS, BoxLearner
from groundwork.autolabel.learner import Example
from groundwork.autolabel.pictures import open_picture

GOAL_SECONDS = 40
GOAL_BYTES = 3e9
GOAL_FEATURE_MS = 30
_LABELS_BEFORE, _LABELS = 200, 300
_FEATURE_IMAGES = 100
_CROPS_AT_ONCE = 32


class _Counting(Backbone):
    """A backbone that tells how many crops went through it."""

    def __init__(self, inner: Backbone) -> None:
        self._inner = inner
        self.crop_count = 0

    def whole(self, pictures: NDArray[np.uint8]) -> WholeFeatures:
        """Return what the backbone does."""
        return self._inner.whole(pictures)

    def crops(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the backbone does, and count."""
        self.crop_count += len(crops)
        return self._inner.crops(crops)


def run() -> dict[str, Any]:
    """Time one round, as it follows another."""
    images, _, known = load_with_features()
    backbone = _Counting(Backbone.of_this_machine())
    learner = BoxLearner(backbone)
    labels = images.by_people(0, 1)
    classes = len(images.labels)
    order = np.random.default_rng(0).permutation(len(images)).tolist()
    examples = [Example(known[index], labels[index]) for index in order[:_LABELS]]
    kept = learner.train(examples[:_LABELS_BEFORE], classes, {}, 0).kept

    backbone.crop_count = 0
    processor = time.process_time()
    begun = time.perf_counter()
    trained = learner.train(examples, classes, kept, 0)
    trained_at = time.perf_counter()
    learner.predict(trained.model, [known[index] for index in order[_LABELS:]], classes)
    seconds = time.perf_counter() - begun
    processor = time.process_time() - processor
    crops = backbone.crop_count
    alone = _network_alone(backbone, crops)
    return {
        "name": "autolabel_round",
        "figure": round(seconds, 1),
        "unit": f"seconds of a round at {_LABELS} labels, {len(images) - _LABELS} images left",
        "against": round(alone, 1),
        "ratio": round(seconds / alone, 2),
        "details": {
            "against": f"the backbone alone for the round's {crops} crops",
            "seconds_goal": GOAL_SECONDS,
            "training_seconds": round(trained_at - begun, 1),
            "labeling_seconds": round(seconds - (trained_at - begun), 1),
            "processor_seconds": round(processor, 1),
            "most_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "most_bytes_goal": GOAL_BYTES,
            "feature_ms_per_image": round(_feature_ms(learner, images), 1),
            "feature_ms_goal": GOAL_FEATURE_MS,
        },
    }


def _network_alone(backbone: Backbone, count: int) -> float:
    some = np.zeros((_CROPS_AT_ONCE, CROP_PIXELS, CROP_PIXELS, 3), np.uint8)
    begun = time.perf_counter()
    for _ in range(count // _CROPS_AT_ONCE):
        backbone.crops(some)
    return time.perf_counter() - begun


def _feature_ms(learner: BoxLearner, images: LabeledImages) -> float:
    begun = time.perf_counter()
    for first in range(0, _FEATURE_IMAGES, _CROPS_AT_ONCE):
        files = images.files[first : min(first + _CROPS_AT_ONCE, _FEATURE_IMAGES)]
        learner.features([open_picture(data) for data in files])
    return (time.perf_counter() - begun) / _FEATURE_IMAGES * 1000
