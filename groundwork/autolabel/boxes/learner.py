"""The bounding-box learner: from labeled pictures to a model, from a model to boxes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays, below, named
from groundwork.autolabel.backbone.network import Backbone
from groundwork.autolabel.boxes.decision import (
    BoxLabel,
    Candidates,
    best_threshold,
    decide,
    describe,
    label_quality,
)
from groundwork.autolabel.boxes.geometry import Boxes, clip, frames_around, fuse, moved
from groundwork.autolabel.boxes.looks import Look, Places, Seen, seen_in_maps, train_look
from groundwork.autolabel.boxes.proposals import (
    CELL_PIXELS,
    FeatureMaps,
    Objects,
    ProposalNetwork,
    Proposals,
    propose,
    train_proposals,
)
from groundwork.autolabel.forecast import Forecaster
from groundwork.autolabel.learner import (
    Evidence,
    Example,
    KnownObject,
    Prediction,
    Trained,
    representative,
)
from groundwork.autolabel.pictures import Picture, cut_crops, fit_square, square_scale
from groundwork.autolabel.processors import one_thread_each, side_by_side

Floats = NDArray[np.float32]

SQUARE_PIXELS = 448
_FINE = SQUARE_PIXELS // CELL_PIXELS
_COARSE = _FINE // 2
CROP_PIXELS = 96
_CROP_NUMBERS = (CROP_PIXELS // 32) ** 2 * 112
_RECORD = np.dtype(
    [
        ("width", "<i4"),
        ("height", "<i4"),
        ("fine_scale", "<f4"),
        ("coarse_scale", "<f4"),
        ("fine", "i1", (_FINE, _FINE, 112)),
        ("coarse", "i1", (_COARSE, _COARSE, 320)),
    ]
)

_MOST_PROPOSALS = 5
_SAME_PLACE_OVERLAP = 0.6
_MOST_COPIED_ROWS = 6000
_MOST_COPIES = 8
_PICTURES_AT_ONCE = 64
_OWNERS_AT_ONCE = 16
_FOLDED_PICTURES = 600


@dataclass(frozen=True)
class _Plan:
    """How a look is taken.

    Parameters
    ----------
    zoom
        How much larger than a place its frame is.
    moved
        By which share of the box's side the edges of copied boxes are moved.
    least_score
        What scores less is not looked at again.
    """

    zoom: float
    moved: float
    least_score: float


# The first is taken at the whole picture's features, the others at crops.
_PLANS = (
    _Plan(1.4, 0.15, 0.2),
    _Plan(1.4, 0.10, 0.15),
    _Plan(1.2, 0.07, 0.1),
    _Plan(1.1, 0.05, 0.0),
)


class BoxLearner:
    """Learns where objects are. Labels are ``BoxLabel``.

    Parameters
    ----------
    backbone
        The frozen network.
    """

    record_bytes = _RECORD.itemsize
    graded = True

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone

    def features(self, pictures: Sequence[Picture]) -> list[bytes]:
        """Return each picture's feature maps in a byte a number, scaled by the largest."""
        squares = np.stack(side_by_side(partial(fit_square, side=SQUARE_PIXELS), pictures))
        found = self._backbone.whole(squares)
        records = np.zeros(len(pictures), _RECORD)
        for index, picture in enumerate(pictures):
            records[index]["width"], records[index]["height"] = picture.width, picture.height
            for name, maps in (("fine", found.stride_16), ("coarse", found.stride_32)):
                scale = float(np.abs(maps[index]).max()) / 127 or 1.0
                records[index][name] = np.rint(maps[index] / scale)
                records[index][f"{name}_scale"] = scale
        return [record.tobytes() for record in records]

    @one_thread_each()
    def train(
        self,
        examples: Sequence[Example],
        classes: int,
        kept: Arrays,
        seed: int,
    ) -> Trained:
        """Train proposals, the looks one after the other, the decision and the forecast."""
        own = _Pictures([example.known for example in examples])
        labels = [example.label for example in examples]
        copies = _Copies(own, labels, kept, seed, self._crop_rows)
        proposals, places = self._learn_proposals(own, labels, classes, seed)
        targets = [(label.boxes, label.classes) for label in labels]
        arrays = named("proposals_", proposals.arrays())
        seen = Seen(np.zeros((len(places), classes)), places.boxes)
        for number, plan in enumerate(_PLANS):
            copied, copied_rows = copies.of(number)
            rows = self._rows(number, own, places)
            look, seen = train_look(
                [np.vstack(pair) for pair in zip(rows, copied_rows, strict=True)],
                places.and_then(copied),
                targets,
                classes=classes,
                zoom=plan.zoom,
                told=len(places),
            )
            arrays |= named(f"look_{number}_", look.arrays())
            places, seen = _narrowed(own, places, seen, number)
        candidates = _by_picture(len(own), places, seen)
        typical = representative(examples)
        threshold = best_threshold(
            [candidates[index] for index in typical], [labels[index] for index in typical]
        )
        scores = np.array(
            [
                label_quality(decide(candidates[index], threshold)[0], labels[index])
                for index in typical
            ]
        )
        forecaster, forecasts = Forecaster.fit(
            _descriptions(own, candidates, threshold)[typical],
            scores,
            np.random.default_rng(seed),
        )
        arrays |= named("forecast_", forecaster.arrays())
        arrays["threshold"] = np.array(threshold)
        return Trained(arrays, Evidence(forecasts, scores), copies.kept())

    @one_thread_each()
    def predict(
        self, model: Arrays, objects: Sequence[KnownObject], classes: int
    ) -> list[Prediction]:
        """Return each picture's boxes."""
        network = ProposalNetwork.from_arrays(below(model, "proposals_"))
        looks = [Look.from_arrays(below(model, f"look_{number}_")) for number in range(len(_PLANS))]
        forecaster = Forecaster.from_arrays(below(model, "forecast_"))
        threshold = float(model["threshold"])
        predictions = []
        for first in range(0, len(objects), _PICTURES_AT_ONCE):
            own = _Pictures(objects[first : first + _PICTURES_AT_ONCE])
            places = _placed(own, propose(network, own.maps, _MOST_PROPOSALS))
            seen = Seen(np.zeros((len(places), classes)), places.boxes)
            for number, look in enumerate(looks):
                if len(places):
                    seen = look.see(self._rows(number, own, places), places.boxes)
                    places, seen = _narrowed(own, places, seen, number)
            candidates = _by_picture(len(own), places, seen)
            forecasts = forecaster(_descriptions(own, candidates, threshold))
            for known, found, forecast in zip(own.objects, candidates, forecasts, strict=True):
                label, scores = decide(found, threshold)
                sure = tuple(float(score) for score in np.clip(scores, 0, 1))
                predictions.append(Prediction(known.object_id, label, sure, float(forecast)))
        return predictions

    def score(self, label: BoxLabel, wanted: BoxLabel) -> float:
        """Return the mean IoU of a picture's boxes."""
        return label_quality(label, wanted)

    def _learn_proposals(
        self,
        own: "_Pictures",
        labels: Sequence[BoxLabel],
        classes: int,
        seed: int,
    ) -> tuple[ProposalNetwork, Places]:
        """Train on all pictures, and without each fold of them for what its places are."""
        objects = own.objects_in_cells(labels)
        order = np.random.default_rng([seed, 99]).permutation(len(own))
        nobody: NDArray[np.intp] = order[:0]

        def trained(unseen: NDArray[np.intp]) -> tuple[ProposalNetwork, list[Proposals]]:
            chosen = np.setdiff1d(order, unseen)
            random = np.random.default_rng([seed, len(chosen), int(chosen[0])])
            network = train_proposals(
                own.maps.of(chosen), [objects[index] for index in chosen], classes, random
            )
            return network, propose(network, own.maps.of(unseen), _MOST_PROPOSALS)

        folds = np.array_split(order, _fold_count(len(order)))
        (whole, _), *others = side_by_side(trained, [nobody, *folds])
        found = {
            index: places
            for fold, (_, proposed) in zip(folds, others, strict=True)
            for index, places in zip(fold.tolist(), proposed, strict=True)
        }
        return whole, _placed(own, [found[index] for index in range(len(own))])

    def _rows(self, number: int, own: "_Pictures", places: Places) -> list[Floats]:
        if number == 0:
            in_cells = places.boxes * own.cells_per_pixel[places.owners][:, None]
            return seen_in_maps(own.maps, Places(places.owners, in_cells), _PLANS[0].zoom)
        return [self._crop_rows(own, places, _PLANS[number].zoom)]

    def _crop_rows(self, own: "_Pictures", places: Places, zoom: float) -> Floats:
        """Return the backbone's features of the crops of places."""
        rows = np.zeros((len(places), _CROP_NUMBERS), np.float32)
        frames = frames_around(places.boxes, zoom).corners

        def fill(owners: NDArray[np.intp]) -> None:
            members = np.flatnonzero(np.isin(places.owners, owners))
            crops = np.empty((len(members), CROP_PIXELS, CROP_PIXELS, 3), np.uint8)
            for owner in np.unique(places.owners[members]):
                here = places.owners[members] == owner
                picture = own.objects[owner].open_picture()
                crops[here] = cut_crops(picture, frames[members[here]], CROP_PIXELS)
            rows[members] = self._backbone.crops(crops)

        owners = np.unique(places.owners)
        if len(owners):
            side_by_side(fill, np.array_split(owners, -(-len(owners) // _OWNERS_AT_ONCE)))
        return rows


class _Pictures:
    """Some objects with their features unpacked."""

    def __init__(self, objects: Sequence[KnownObject]) -> None:
        self.objects = objects
        joined = b"".join(known.record for known in objects)
        self.records = np.frombuffer(joined, _RECORD)
        widths, heights = self.records["width"], self.records["height"]
        self.sizes = np.column_stack([widths, heights]).astype(np.float64)
        scales = [square_scale(width, height, SQUARE_PIXELS) for width, height in self.sizes]
        self.cells_per_pixel = np.array(scales).reshape(-1) / CELL_PIXELS
        extent = np.ceil(self.sizes[:, ::-1] * self.cells_per_pixel[:, None]).astype(np.intp)
        self.maps = FeatureMaps(
            _unpacked(self.records["fine"], self.records["fine_scale"]),
            _unpacked(self.records["coarse"], self.records["coarse_scale"]),
            np.minimum(extent, _FINE),
        )

    def __len__(self) -> int:
        return len(self.objects)

    def objects_in_cells(self, labels: Sequence[BoxLabel]) -> list[Objects]:
        """Return labels with their boxes in cells."""
        return [
            Objects(label.boxes * scale, label.classes)
            for label, scale in zip(labels, self.cells_per_pixel, strict=True)
        ]

    def clipped(self, places: Places) -> Places:
        """Return places cut off at their pictures' edges."""
        boxes = np.empty_like(places.boxes)
        for index, (owner, box) in enumerate(zip(places.owners, places.boxes, strict=True)):
            boxes[index] = clip(box[None], *self.sizes[owner])[0]
        return Places(places.owners, boxes)


class _Copies:
    """Labeled boxes with their edges moved, for the looks to learn from.

    What a copy looks like depends on the object, the look and the seed alone, so that rows that
    were computed in an earlier training are taken over.
    """

    def __init__(
        self,
        own: _Pictures,
        labels: Sequence[BoxLabel],
        kept: Arrays,
        seed: int,
        crop_rows: Callable[[_Pictures, Places, float], Floats],
    ) -> None:
        self._own, self._labels, self._seed = own, labels, seed
        self._crop_rows = crop_rows
        boxes = sum(len(label.boxes) for label in labels)
        self._count = max(1, min(_MOST_COPIES, _MOST_COPIED_ROWS // max(1, boxes)))
        self._kept = dict(kept)

    def of(self, number: int) -> tuple[Places, list[Floats]]:
        """Return a look's copies, and the rows of numbers that their frames show."""
        plan = _PLANS[number]
        places = [self._places(owner, number, plan) for owner in range(len(self._own))]
        counts = [len(boxes) for boxes in places]
        joined = Places(np.repeat(np.arange(len(places)), counts), np.vstack(places))
        # The first copy of every box, then the second of every one, and so on.
        turns = [np.arange(count) // max(1, count // self._count) for count in counts]
        order = np.argsort(np.concatenate(turns), kind="stable")
        if number == 0:
            in_cells = joined.boxes * self._own.cells_per_pixel[joined.owners][:, None]
            cells = Places(joined.owners, in_cells).of(order)
            return joined.of(order), seen_in_maps(self._own.maps, cells, plan.zoom)
        missing = [
            owner for owner in range(len(places)) if self._key(owner, number) not in self._kept
        ]
        fresh = joined.of(np.isin(joined.owners, missing))
        rows = self._crop_rows(self._own, fresh, plan.zoom).astype(np.float16)
        for owner in missing:
            self._kept[self._key(owner, number)] = rows[fresh.owners == owner]
        parts = [
            self._kept[self._key(owner, number)][: len(boxes)] for owner, boxes in enumerate(places)
        ]
        return joined.of(order), [np.vstack(parts).astype(np.float32)[order]]

    def kept(self) -> Arrays:
        """Return the rows, for the next training."""
        return self._kept

    def _places(self, owner: int, number: int, plan: _Plan) -> Boxes:
        label = self._labels[owner]
        known = self._own.objects[owner]
        random = np.random.default_rng([self._seed, known.object_id, number])
        copies = [moved(label.boxes, plan.moved, random) for _ in range(self._count)]
        return clip(np.vstack(copies), *self._own.sizes[owner])

    def _key(self, owner: int, number: int) -> str:
        return f"{self._own.objects[owner].object_id}_{number}"


def _fold_count(pictures: int) -> int:
    """Return so many folds that all trainings together see about the same number of pictures.

    What is known of few pictures is worth most, and half of them teach much less than all.
    """
    return int(np.clip(round(_FOLDED_PICTURES / max(1, pictures)), 2, 5))


def _unpacked(values: NDArray[Any], scales: NDArray[Any]) -> Floats:
    unpacked: Floats = values * scales[:, None, None, None]
    return unpacked


def _placed(own: _Pictures, proposals: Sequence[Proposals]) -> Places:
    counts = [len(each.boxes) for each in proposals]
    boxes = [each.boxes / scale for each, scale in zip(proposals, own.cells_per_pixel, strict=True)]
    joined = np.vstack(boxes) if boxes else np.zeros((0, 4))
    return own.clipped(Places(np.repeat(np.arange(len(proposals)), counts), joined))


def _narrowed(own: _Pictures, places: Places, seen: Seen, number: int) -> tuple[Places, Seen]:
    """Leave out what is worth no further look, and merge places of the same object."""
    corrected = own.clipped(Places(places.owners, seen.boxes))
    if number == len(_PLANS) - 1:
        return corrected, Seen(seen.scores, corrected.boxes)
    best = seen.scores.max(axis=1, initial=0.0)
    kept, boxes = [], []
    for owner in np.unique(places.owners):
        members = np.flatnonzero((places.owners == owner) & (best > _PLANS[number].least_score))
        chosen, merged = fuse(corrected.boxes[members], best[members], _SAME_PLACE_OVERLAP)
        kept.append(members[chosen])
        boxes.append(merged)
    order = np.concatenate(kept) if kept else np.zeros(0, np.intp)
    left = Places(places.owners[order], np.vstack(boxes) if boxes else np.zeros((0, 4)))
    return left, Seen(seen.scores[order], left.boxes)


def _by_picture(pictures: int, places: Places, seen: Seen) -> list[Candidates]:
    return [
        Candidates(seen.boxes[places.owners == owner], seen.scores[places.owners == owner])
        for owner in range(pictures)
    ]


def _descriptions(
    own: _Pictures, candidates: Sequence[Candidates], threshold: float
) -> NDArray[np.float64]:
    described = partial(describe, threshold=threshold)
    return np.array(
        [
            described(each, width=width, height=height)
            for each, (width, height) in zip(candidates, own.sizes, strict=True)
        ]
    )
