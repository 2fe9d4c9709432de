"""Look at places again: which class is there, how well it is framed, and where its edges are.

A look sees the part of a picture around a place, a little larger than it, and from it tells a score
for each class and corrected edges. The first look is taken at the features that the whole picture
has already, the others at crops of ever tighter frames. What it learns from are the places that
were proposed in labeled pictures, and copies of the labeled boxes with their edges moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays, below, named
from groundwork.autolabel.boxes.geometry import Boxes, Integers, frames_around, overlaps
from groundwork.autolabel.boxes.proposals import FeatureMaps
from groundwork.autolabel.processors import side_by_side
from groundwork.autolabel.ridge import LandmarkMap, Ridge

Floats = NDArray[np.float32]

_LANDMARKS = 1500
_SCORE_PENALTY = 0.1
_EDGE_PENALTY = 0.1
_SCORE_SHARPNESS = 1.0
_EDGE_SHARPNESS = 0.5
# A place whose IoU with an object is this is worth learning the way to it from.
_NEAR_OVERLAP = 0.25
# The score to be learned rises from 0 at the one IoU to 1 at the other.
_WORTHLESS_OVERLAP, _PERFECT_OVERLAP = 0.1, 0.7
# How finely the whole picture's features are seen through a frame: cells a side, points a cell.
_FINE_CELLS, _COARSE_CELLS, _POINTS = 5, 3, 2
_PLACES_AT_ONCE = 256


@dataclass(frozen=True)
class Places:
    """Boxes in pictures: ``owners`` says which picture each is in, counted from 0."""

    owners: Integers
    boxes: Boxes

    def __len__(self) -> int:
        """How many places."""
        return len(self.owners)

    def of(self, chosen: Any) -> "Places":
        """Return some of the places."""
        return Places(self.owners[chosen], self.boxes[chosen])

    def and_then(self, more: "Places") -> "Places":
        """Return these places and others after them."""
        return Places(
            np.concatenate([self.owners, more.owners]), np.vstack([self.boxes, more.boxes])
        )


@dataclass(frozen=True)
class Seen:
    """What a look says of places: scores (places, classes) and boxes (places, 4)."""

    scores: NDArray[np.float64]
    boxes: Boxes


@dataclass(frozen=True)
class Look:
    """A trained look.

    Parameters
    ----------
    zoom
        How much larger than the place its frame is.
    means, scales
        By which each block of a row's numbers is normalized.
    """

    zoom: float
    means: Sequence[Floats]
    scales: Sequence[float]
    score_map: LandmarkMap
    score_weights: Floats
    score_mean: Floats
    edge_map: LandmarkMap
    edge_weights: Floats
    edge_mean: Floats

    def see(self, blocks: Sequence[Floats], boxes: Boxes) -> Seen:
        """Return what is at some places, from the rows of numbers that their frames show."""
        rows = _normalized(blocks, self.means, self.scales)
        scores = self.score_map(rows) @ self.score_weights + self.score_mean
        codes = self.edge_map(rows) @ self.edge_weights + self.edge_mean
        return _seen(scores, codes, boxes, self.zoom)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the look as named arrays."""
        arrays: dict[str, NDArray[Any]] = {
            "zoom": np.array(self.zoom),
            "scales": np.array(self.scales),
            "score_weights": self.score_weights,
            "score_mean": self.score_mean,
            "edge_weights": self.edge_weights,
            "edge_mean": self.edge_mean,
        }
        arrays |= {f"mean_{number}": mean for number, mean in enumerate(self.means)}
        return (
            arrays
            | named("score_map_", self.score_map.arrays())
            | named("edge_map_", self.edge_map.arrays())
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Look":
        """Return the look that ``arrays`` was made of."""
        return cls(
            zoom=float(arrays["zoom"]),
            means=[arrays[f"mean_{number}"] for number in range(len(arrays["scales"]))],
            scales=[float(scale) for scale in arrays["scales"]],
            score_map=LandmarkMap.from_arrays(below(arrays, "score_map_")),
            score_weights=arrays["score_weights"],
            score_mean=arrays["score_mean"],
            edge_map=LandmarkMap.from_arrays(below(arrays, "edge_map_")),
            edge_weights=arrays["edge_weights"],
            edge_mean=arrays["edge_mean"],
        )


def train_look(
    blocks: Sequence[Floats],
    places: Places,
    labels: Sequence[tuple[Boxes, Integers]],
    *,
    classes: int,
    zoom: float,
    told: int,
) -> tuple[Look, Seen]:
    """Train a look on places in labeled pictures.

    Parameters
    ----------
    blocks
        What the places' frames show: blocks of numbers (places, numbers), each normalized by
        itself. After the places come copies of labeled boxes, different ones first.
    labels
        Each picture's true boxes and their classes.
    told
        For how many of the places, from the first on, an answer is wanted.

    Returns
    -------
    tuple
        The look, and what one that never saw a picture says of that picture's places.
    """
    means, scales = _normalization(blocks)
    rows = _normalized(blocks, means, scales)
    worth, aims, near = _targets(places, labels, classes)
    codes = frames_around(places.boxes, zoom).encode(aims)[near].astype(np.float32)

    def score_fit() -> tuple[LandmarkMap, Ridge, Floats]:
        chosen = rows[_landmark_rows(told, len(rows))]
        landmarks = LandmarkMap.fit(chosen, sharpness=_SCORE_SHARPNESS)
        ridge = Ridge(landmarks(rows), worth, _SCORE_PENALTY)
        return landmarks, ridge, ridge.without_own_group(places.owners)[:told]

    def edge_fit() -> tuple[LandmarkMap, Ridge, Floats]:
        chosen = np.flatnonzero(near)[_landmark_rows(int(near[:told].sum()), int(near.sum()))]
        landmarks = LandmarkMap.fit(rows[chosen], sharpness=_EDGE_SHARPNESS)
        coordinates = landmarks(rows)
        ridge = Ridge(coordinates[near], codes, _EDGE_PENALTY)
        unseen = ridge.predict(coordinates[:told])
        unseen[near[:told]] = ridge.without_own_group(places.owners[near])[: near[:told].sum()]
        return landmarks, ridge, unseen

    (score_map, scores, unseen_scores), (edge_map, edges, unseen_codes) = side_by_side(
        lambda fit: fit(), [score_fit, edge_fit]
    )
    look = Look(
        zoom,
        means,
        scales,
        score_map,
        scores.weights,
        scores.mean,
        edge_map,
        edges.weights,
        edges.mean,
    )
    return look, _seen(unseen_scores, unseen_codes, places.boxes[:told], zoom)


def seen_in_maps(maps: FeatureMaps, places: Places, zoom: float) -> list[Floats]:
    """Return what the whole pictures' features show in the frames of places.

    Parameters
    ----------
    places
        Their boxes in the cells of ``maps.fine``.
    """
    fine, coarse = [], []
    for first in range(0, len(places), _PLACES_AT_ONCE):
        some = places.of(slice(first, first + _PLACES_AT_ONCE))
        frame = frames_around(some.boxes, zoom)
        centres, sides = frame.centres, frame.sides
        fine.append(_sampled(maps.fine, some.owners, centres, sides, _FINE_CELLS))
        coarse.append(_sampled(maps.coarse, some.owners, centres / 2, sides / 2, _COARSE_CELLS))
    return [np.vstack(fine), np.vstack(coarse)]


def _landmark_rows(told: int, total: int) -> Integers:
    """Choose rows that stand for all: of the places all, or some of every picture's.

    A part is left for the copies after them, which are closer to objects than places are.
    """
    copies = min(total - told, max(_LANDMARKS - told, _LANDMARKS // 5))
    places = min(told, _LANDMARKS - copies)
    spread = np.linspace(0, told - 1, places).astype(np.intp)
    return np.concatenate([spread, np.arange(told, told + copies)])


def _targets(
    places: Places, labels: Sequence[tuple[Boxes, Integers]], classes: int
) -> tuple[Floats, Boxes, NDArray[np.bool_]]:
    """Return each place's worth by class, its object's box, and whether it is near one at all."""
    worth = np.zeros((len(places), classes), np.float32)
    aims = places.boxes.copy()
    near = np.zeros(len(places), bool)
    for owner in np.unique(places.owners):
        boxes, kinds = labels[owner]
        if not len(boxes):
            continue
        members = np.flatnonzero(places.owners == owner)
        shared = overlaps(places.boxes[members], boxes)
        best = shared.argmax(axis=1)
        close = shared[np.arange(len(members)), best]
        here = close > _NEAR_OVERLAP
        rising = (close - _WORTHLESS_OVERLAP) / (_PERFECT_OVERLAP - _WORTHLESS_OVERLAP)
        worth[members[here], kinds[best[here]]] = np.clip(rising[here], 0, 1)
        aims[members[here]] = boxes[best[here]]
        near[members] = here
    return worth, aims, near


def _normalization(blocks: Sequence[Floats]) -> tuple[list[Floats], list[float]]:
    """Give every block the same weight, however many numbers it has."""
    means = [block.mean(axis=0) for block in blocks]
    spreads = [float(block.std()) + 1e-6 for block in blocks]
    widths = [block.shape[1] for block in blocks]
    return means, [1 / spread / width**0.5 for spread, width in zip(spreads, widths, strict=True)]


def _normalized(
    blocks: Sequence[Floats], means: Sequence[Floats], scales: Sequence[float]
) -> Floats:
    parts = [
        (block - mean) * np.float32(scale)
        for block, mean, scale in zip(blocks, means, scales, strict=True)
    ]
    return np.hstack(parts)


def _seen(scores: Floats, codes: Floats, boxes: Boxes, zoom: float) -> Seen:
    decoded = frames_around(boxes, zoom).decode(codes.astype(np.float64))
    return Seen(scores.astype(np.float64), decoded)


def _sampled(
    maps: NDArray[Any],
    owners: Integers,
    centres: NDArray[np.float64],
    sides: NDArray[np.float64],
    cells: int,
) -> Floats:
    """Return features of a grid of cells over each frame, the mean of points between four each."""
    points = (np.arange(cells * _POINTS) + 0.5) / (cells * _POINTS) - 0.5
    rows, columns = maps.shape[1:3]
    x = np.clip(centres[:, :1] + points * sides[:, :1] - 0.5, 0, columns - 1)
    y = np.clip(centres[:, 1:] + points * sides[:, 1:] - 0.5, 0, rows - 1)
    column = np.minimum(x.astype(np.intp), columns - 2)
    row = np.minimum(y.astype(np.intp), rows - 2)
    right = (x - column).astype(np.float32)[:, None, :, None]
    down = (y - row).astype(np.float32)[:, :, None, None]
    owner, row, column = owners[:, None, None], row[:, :, None], column[:, None, :]
    above = maps[owner, row, column] * (1 - right) + maps[owner, row, column + 1] * right
    under = maps[owner, row + 1, column] * (1 - right) + maps[owner, row + 1, column + 1] * right
    values = above * (1 - down) + under * down
    grid = values.reshape(len(owners), cells, _POINTS, cells, _POINTS, -1).mean(axis=(2, 4))
    rows_of_numbers: Floats = grid.reshape(len(owners), -1).astype(np.float32)
    return rows_of_numbers
