"""Where in a picture objects may be: a small network over the cells of its features.

A cell is 16 x 16 pixels of the network's square. What is known of it are the backbone's features of
itself and its eight neighbours at stride 16, of the stride-32 cell that it lies in, and which of
that cell's four quarters it is. From these a network with two hidden layers tells for each class
whether the cell is the centre of an object, and how far the object's edges are.

Centres are learned as heat maps (Zhou et al., "Objects as Points",
https://arxiv.org/abs/1904.07850), edges by the generalized IoU (Rezatofighi et al.,
https://arxiv.org/abs/1902.09630). It is trained in NumPy in seconds; the gradients are checked
against differences in the tests.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.boxes.geometry import Boxes, overlaps
from groundwork.autolabel.processors import side_by_side

# Single precision, except where gradients are checked.
Floats = NDArray[Any]
Integers = NDArray[np.intp]

CELL_PIXELS = 16
_HIDDEN = (96, 64)
# Edge distances start at e^1 cells, about what objects have.
_LOG_DISTANCE_START = 1.0
_LOG_DISTANCE_LIMIT = 6.0
_LOGIT_LIMIT = 30.0
_RARE_LOGIT = -3.0

# Training, as measured on synthetic photos (benchmarks/autolabel_boxes.py).
_ROUNDS_OF_EPOCHS = (4, 4, 6)
_PEAK_RATE = 1.5e-3
_WARM_UP_SHARE = 0.15
_LAST_RATE_SHARE = 1e-3
_DECAY = 1e-2
_CELLS_PER_STEP = 512
_DROPPED_SHARE = 0.15
_HEAT_WEIGHT = 2.0
_EDGE_WEIGHT = 2.0
_MOST_POSITIVE_CELLS = 40
_NEAR_CELLS = 16
_RANDOM_CELLS = 24
_HARD_CELLS = 24
_NEAR_HEAT = 0.03

# Of a picture's peaks.
_LEAST_SCORE = 0.06
_MOST_PEAKS = 24
_SAME_PLACE_OVERLAP = 0.55
_PICTURES_AT_ONCE = 8


@dataclass(frozen=True)
class FeatureMaps:
    """What the network knows of some pictures.

    Parameters
    ----------
    fine
        (pictures, rows, columns, 112) at stride 16, rows and columns even.
    coarse
        (pictures, rows / 2, columns / 2, 320) at stride 32.
    extent
        (pictures, 2): how many rows and columns the picture itself covers; the rest is padding.
    """

    fine: NDArray[Any]
    coarse: NDArray[Any]
    extent: Integers

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.fine)

    def of(self, chosen: Any) -> "FeatureMaps":
        """Return the maps of some of the pictures."""
        return FeatureMaps(self.fine[chosen], self.coarse[chosen], self.extent[chosen])


@dataclass(frozen=True)
class Objects:
    """A picture's labeled objects, boxes in cells."""

    boxes: Boxes
    classes: Integers


@dataclass(frozen=True)
class Proposals:
    """Places of one picture, best first: boxes in cells, and how sure each is."""

    boxes: Boxes
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class ProposalNetwork:
    """The trained network; every field is an array, so that it can be stored as such.

    Parameters
    ----------
    mean, scale
        By which a cell's numbers are normalized.
    """

    mean: Floats
    scale: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    last: Floats
    last_bias: Floats

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return len(self.last_bias) - 4

    def arrays(self) -> dict[str, Floats]:
        """Return the network as named arrays."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats]) -> "ProposalNetwork":
        """Return the network that ``arrays`` was made of."""
        return cls(**{each.name: arrays[each.name] for each in fields(cls)})

    def maps(self, maps: FeatureMaps) -> tuple[Floats, Floats]:
        """Return all cells' heat (pictures, rows, columns, classes) and edge distances (..., 4)."""
        hidden = _first_layer(maps, self.first * self.scale[:, None])
        hidden += self.first_bias - (self.mean * self.scale) @ self.first
        flat = np.maximum(hidden.reshape(-1, hidden.shape[-1]), 0)
        flat = np.maximum(flat @ self.second + self.second_bias, 0)
        out = (flat @ self.last + self.last_bias).reshape(*hidden.shape[:3], -1)
        return _sigmoid(out[..., :-4]), _distances(out[..., -4:])


def propose(network: ProposalNetwork, maps: FeatureMaps, most: int) -> list[Proposals]:
    """Return each picture's likeliest places, at most so many, one of those that overlap."""

    def proposed(first: int) -> list[Proposals]:
        some = maps.of(slice(first, first + _PICTURES_AT_ONCE))
        heat, distances = network.maps(some)
        peaks = _peaks(heat * _covered(some)[..., None])
        return [_places(peaks[index], distances[index], most) for index in range(len(some))]

    parts = side_by_side(proposed, range(0, len(maps), _PICTURES_AT_ONCE))
    return [places for part in parts for places in part]


def train_proposals(
    maps: FeatureMaps,
    objects: Sequence[Objects],
    classes: int,
    random: np.random.Generator,
) -> ProposalNetwork:
    """Train a network on labeled pictures.

    Parameters
    ----------
    maps, objects
        The pictures' features and what is on them, in the same order.
    classes
        How many there are; ``Objects.classes`` count from 0.
    """
    rows, columns = maps.fine.shape[1:3]
    wanted = [_targets(each, classes, rows, columns) for each in objects]
    heat = np.stack([each[0] for each in wanted])
    distances = np.stack([each[1] for each in wanted])
    weights = np.stack([each[2] for each in wanted])
    chosen = _first_cells(heat, weights, _covered(maps), random)
    cells = gather(maps, chosen)
    mean = cells.mean(axis=0)
    scale = 1 / (cells.std(axis=0) + 1e-3)
    trainer = Trainer.fresh(cells.shape[1], classes, random)
    for number, epochs in enumerate(_ROUNDS_OF_EPOCHS):
        if number:
            network = trainer.network(mean, scale)
            chosen = np.hstack([chosen, _hard_cells(network, maps, heat, weights)])
            cells = gather(maps, chosen)
        trainer.fit(
            (cells - mean) * scale,
            heat[tuple(chosen)],
            distances[tuple(chosen)],
            weights[tuple(chosen)],
            epochs=epochs,
        )
    return trainer.network(mean, scale)


def gather(maps: FeatureMaps, cells: Integers) -> Floats:
    """Return what is known of some cells: (cells, 9 x 112 + 320 + 4).

    Parameters
    ----------
    cells
        (3, cells): picture, row, column.
    """
    picture, row, column = cells
    padded = _padded(maps.fine)
    around = [
        padded[picture, row + down, column + across] for down in range(3) for across in range(3)
    ]
    coarse = maps.coarse[picture, row // 2, column // 2]
    quarter = np.eye(4, dtype=np.float32)[(row % 2) * 2 + column % 2]
    return np.hstack([*around, coarse, quarter]).astype(np.float32)


class Trainer:
    """Weights in training, by Adam with decoupled decay and a rate that rises and falls.

    https://arxiv.org/abs/1711.05101
    """

    def __init__(self, weights: list[Floats], random: np.random.Generator) -> None:
        self.weights = weights
        self._random = random
        self._means = [np.zeros_like(each) for each in weights]
        self._squares = [np.zeros_like(each) for each in weights]

    @classmethod
    def fresh(cls, inputs: int, classes: int, random: np.random.Generator) -> "Trainer":
        """Start with random weights (He et al., https://arxiv.org/abs/1502.01852)."""

        def he(rows: int, columns: int, gain: float) -> Floats:
            values = random.standard_normal((rows, columns)) * gain * np.sqrt(2 / rows)
            weights: Floats = values.astype(np.float32)
            return weights

        first, second = _HIDDEN
        last_bias = np.r_[np.full(classes, _RARE_LOGIT), np.zeros(4)].astype(np.float32)
        weights = [
            he(inputs, first, 0.7),
            np.zeros(first, np.float32),
            he(first, second, 1.0),
            np.zeros(second, np.float32),
            (random.standard_normal((second, classes + 4)) * 0.02).astype(np.float32),
            last_bias,
        ]
        return cls(weights, random)

    def network(self, mean: Floats, scale: Floats) -> ProposalNetwork:
        """Return the network as it is now."""
        return ProposalNetwork(mean, scale, *(each.copy() for each in self.weights))

    def fit(
        self, cells: Floats, heat: Floats, distances: Floats, weights: Floats, *, epochs: int
    ) -> None:
        """Learn from normalized cells.

        Parameters
        ----------
        heat, distances, weights
            (cells, classes), (cells, 4) and (cells,): how much each is a centre, how far its
            object's edges are, and how much the edges count, 0 away from objects.
        """
        batches = -(-len(cells) // _CELLS_PER_STEP)
        steps = epochs * batches
        step = 0
        for _ in range(epochs):
            order = self._random.permutation(len(cells))
            for batch in np.array_split(order, batches):
                step += 1
                _, gradients = loss_and_gradients(
                    self.weights,
                    cells[batch],
                    heat[batch],
                    distances[batch],
                    weights[batch],
                    kept=self._kept(len(batch)),
                )
                self._apply(gradients, _rate(step / steps), step)

    def _kept(self, count: int) -> Floats:
        kept = self._random.random((count, _HIDDEN[0]), np.float32) > _DROPPED_SHARE
        return kept.astype(np.float32) / np.float32(1 - _DROPPED_SHARE)

    def _apply(self, gradients: Sequence[Floats], rate: float, step: int) -> None:
        for index, gradient in enumerate(gradients):
            mean, square = self._means[index], self._squares[index]
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient * gradient - square)
            direction = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
            kept = self.weights[index] * np.float32(1 - rate * _DECAY)
            self.weights[index] = kept - np.float32(rate) * direction


def loss_and_gradients(
    weights: Sequence[Floats],
    cells: Floats,
    heat: Floats,
    distances: Floats,
    edge_weights: Floats,
    *,
    kept: Floats | None = None,
) -> tuple[float, list[Floats]]:
    """Return the loss on some cells and its gradient by each weight.

    The heat's part is a logistic loss in which a cell counts by how wrong it is, held fixed, like a
    focal loss; the edges' part is one minus the generalized IoU.

    Parameters
    ----------
    kept
        (cells, first hidden layer): what dropout leaves of the first layer's outputs.
    """
    first, first_bias, second, second_bias, last, last_bias = weights
    one = np.maximum(cells @ first + first_bias, 0)
    dropped = one if kept is None else one * kept
    two = np.maximum(dropped @ second + second_bias, 0)
    out = two @ last + last_bias

    by_out = np.zeros_like(out)
    probability = _sigmoid(out[:, :-4])
    norm = _HEAT_WEIGHT / max(float(heat.max(axis=1).sum()), 1.0)
    error = probability - heat
    emphasis = np.abs(error) * norm
    by_out[:, :-4] = error * emphasis
    logits = np.clip(out[:, :-4], -_LOGIT_LIMIT, _LOGIT_LIMIT)
    loss = float(np.sum(emphasis * (np.logaddexp(0, logits) - heat * logits)))

    rows = np.flatnonzero(edge_weights > 0)
    if len(rows):
        shares = edge_weights[rows] / edge_weights[rows].sum()
        predicted = _distances(out[rows, -4:])
        giou, by_distance = generalized_iou(predicted, distances[rows])
        loss += _EDGE_WEIGHT * float(np.sum(shares * (1 - giou)))
        by_out[rows, -4:] = -_EDGE_WEIGHT * shares[:, None] * by_distance * predicted

    by_two = (by_out @ last.T) * (two > 0)
    by_one = (by_two @ second.T) * (one > 0)
    if kept is not None:
        by_one *= kept
    return loss, [
        cells.T @ by_one,
        by_one.sum(axis=0),
        dropped.T @ by_two,
        by_two.sum(axis=0),
        two.T @ by_out,
        by_out.sum(axis=0),
    ]


def generalized_iou(predicted: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """Return the generalized IoU of boxes around the same points, and its gradient.

    Parameters
    ----------
    predicted, wanted
        (boxes, 4): distances from the point to the left, top, right and bottom edge.

    Returns
    -------
    tuple
        (boxes,) values, and (boxes, 4) derivatives by the predicted distances.
    """

    def across_and_down(distances: Floats) -> tuple[Floats, Floats]:
        return distances[:, 0] + distances[:, 2], distances[:, 1] + distances[:, 3]

    def by_distances(across: Floats, down: Floats) -> Floats:
        """Derivatives of the area of such a box: left and right grow it by its height."""
        return np.stack([down, across, down, across], axis=1)

    width, height = across_and_down(predicted)
    inner_width, inner_height = across_and_down(np.minimum(predicted, wanted))
    outer_width, outer_height = across_and_down(np.maximum(predicted, wanted))
    wanted_width, wanted_height = across_and_down(wanted)
    shared = inner_width * inner_height
    union = width * height + wanted_width * wanted_height - shared
    hull = outer_width * outer_height

    inside = predicted < wanted
    by_shared = by_distances(inner_width, inner_height) * inside
    by_union = by_distances(width, height) - by_shared
    by_hull = by_distances(outer_width, outer_height) * ~inside
    gradient = (
        by_shared / union[:, None]
        - by_union * (shared / union**2)[:, None]
        + by_union / hull[:, None]
        - by_hull * (union / hull**2)[:, None]
    )
    return shared / union - (hull - union) / hull, gradient


def _targets(objects: Objects, classes: int, rows: int, columns: int) -> tuple[Floats, ...]:
    """Return heat, edge distances and their weights for a picture's cells; small objects win."""
    heat = np.zeros((rows, columns, classes), np.float32)
    distances = np.full((rows, columns, 4), 0.05, np.float32)
    weights = np.zeros((rows, columns), np.float32)
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    sides = objects.boxes[:, 2:] - objects.boxes[:, :2]
    for index in np.argsort(-np.prod(sides, axis=1), kind="stable"):
        left, top, right, bottom = objects.boxes[index]
        centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
        side_x, side_y = np.maximum(sides[index], 0.5)
        spread_x, spread_y = max(0.16 * side_x, 0.55), max(0.16 * side_y, 0.55)
        off_x, off_y = x - centre_x, y - centre_y
        bump = np.exp(-(off_x**2) / (2 * spread_x**2) - off_y**2 / (2 * spread_y**2))
        row = min(max(int(centre_y), 0), rows - 1)
        column = min(max(int(centre_x), 0), columns - 1)
        bump[row, column] = 1
        label = objects.classes[index]
        heat[..., label] = np.maximum(heat[..., label], bump)
        near = (np.abs(off_x) <= max(0.22 * side_x, 0.71)) & (
            np.abs(off_y) <= max(0.22 * side_y, 0.71)
        )
        inside = near & (x > left) & (x < right) & (y > top) & (y < bottom)
        inside[row, column] = True
        edges = np.stack([x - left, y - top, right - x, bottom - y], axis=-1)
        distances[inside] = np.maximum(edges[inside], 0.05)
        weights[inside] = 1 / inside.sum()
    return heat, distances, weights


def _first_cells(
    heat: Floats, weights: Floats, covered: NDArray[np.bool_], random: np.random.Generator
) -> Integers:
    """Choose cells to begin with: at objects, near them, and anywhere else in the picture."""
    chosen = []
    highest = heat.max(axis=-1)
    for picture in range(len(heat)):
        at = np.argwhere(weights[picture] > 0)
        near = np.argwhere((highest[picture] > _NEAR_HEAT) & (weights[picture] == 0))
        away = np.argwhere((highest[picture] <= _NEAR_HEAT) & covered[picture])
        cells = np.vstack(
            [
                random.permutation(at)[:_MOST_POSITIVE_CELLS],
                random.permutation(near)[:_NEAR_CELLS],
                random.permutation(away)[:_RANDOM_CELLS],
            ]
        )
        chosen.append(np.column_stack([np.full(len(cells), picture), cells]))
    return np.vstack(chosen).T


def _hard_cells(
    network: ProposalNetwork, maps: FeatureMaps, heat: Floats, weights: Floats
) -> Integers:
    """Choose each picture's cells that look most like objects and are none."""
    chosen = []
    for first in range(0, len(maps), _PICTURES_AT_ONCE):
        some = slice(first, first + _PICTURES_AT_ONCE)
        found, _ = network.maps(maps.of(some))
        error = (found - heat[some]).max(axis=-1)
        error[(weights[some] > 0) | ~_covered(maps.of(some))] = -1
        flat = error.reshape(len(error), -1)
        worst = np.argpartition(-flat, _HARD_CELLS, axis=1)[:, :_HARD_CELLS]
        row, column = np.divmod(worst.ravel(), heat.shape[2])
        picture = np.repeat(np.arange(first, first + len(flat)), _HARD_CELLS)
        chosen.append(np.stack([picture, row, column]))
    return np.hstack(chosen)


def _covered(maps: FeatureMaps) -> NDArray[np.bool_]:
    """Tell which cells show the picture and not its padding."""
    rows, columns = maps.fine.shape[1:3]
    down = np.arange(rows)[None, :, None] < maps.extent[:, 0, None, None]
    across = np.arange(columns)[None, None, :] < maps.extent[:, 1, None, None]
    covered: NDArray[np.bool_] = down & across
    return covered


def _padded(fine: NDArray[Any]) -> NDArray[Any]:
    return np.pad(fine, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _first_layer(maps: FeatureMaps, weight: Floats) -> Floats:
    """Multiply every cell with the first layer's weights, as ``gather`` orders them."""
    pictures, rows, columns, channels = maps.fine.shape
    outputs = weight.shape[1]
    place = 9 * channels
    # One product for all nine neighbours, whose results are then moved to where they belong.
    neighbours = weight[:place].reshape(9, channels, outputs).transpose(1, 0, 2)
    fine = np.ascontiguousarray(maps.fine, np.float32).reshape(-1, channels)
    products = (fine @ neighbours.reshape(channels, -1)).reshape(
        pictures, rows, columns, 9, outputs
    )
    padded = np.zeros((pictures, rows + 2, columns + 2, outputs), np.float32)
    for number, (down, across) in enumerate(_neighbours()):
        # What lies further down or right adds to cells further up or left.
        up, left = 2 - down, 2 - across
        padded[:, up : up + rows, left : left + columns] += products[..., number, :]
    hidden = np.ascontiguousarray(padded[:, 1:-1, 1:-1])
    coarse_channels = maps.coarse.shape[-1]
    coarse = maps.coarse.astype(np.float32) @ weight[place : place + coarse_channels]
    quarters = weight[place + coarse_channels :].reshape(2, 2, -1)
    blocks = hidden.reshape(pictures, rows // 2, 2, columns // 2, 2, -1)
    blocks += coarse[:, :, None, :, None]
    blocks += quarters[None, None, :, None, :]
    return hidden


def _neighbours() -> Iterator[tuple[int, int]]:
    for down in range(3):
        for across in range(3):
            yield down, across


def _peaks(heat: Floats) -> Floats:
    """Return heat where no neighbour has more, and 0 elsewhere."""
    rows, columns = heat.shape[1:3]
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1), (0, 0)))
    highest = heat
    for down, across in _neighbours():
        highest = np.maximum(highest, padded[:, down : down + rows, across : across + columns])
    return np.where(heat >= highest, heat, np.float32(0))


def _places(peaks: Floats, distances: Floats, most: int) -> Proposals:
    """Return a picture's best peaks as boxes, one of those that overlap."""
    columns, classes = peaks.shape[1:]
    flat = peaks.ravel()
    best = np.argsort(-flat, kind="stable")[:_MOST_PEAKS]
    best = best[flat[best] > _LEAST_SCORE]
    row, column = np.divmod(best // classes, columns)
    left, top, right, bottom = distances[row, column].T.astype(np.float64)
    x, y = column + 0.5, row + 0.5
    boxes = np.column_stack([x - left, y - top, x + right, y + bottom])
    kept: list[int] = []
    for index in range(len(best)):
        if len(kept) == most:
            break
        if not kept or overlaps(boxes[index : index + 1], boxes[kept]).max() < _SAME_PLACE_OVERLAP:
            kept.append(index)
    return Proposals(boxes[kept], flat[best[kept]].astype(np.float64))


def _distances(out: Floats) -> Floats:
    limit = _LOG_DISTANCE_LIMIT
    distances: Floats = np.exp(np.clip(out + _LOG_DISTANCE_START, -limit, limit))
    return distances


def _sigmoid(values: Floats) -> Floats:
    negated = np.exp(-np.clip(values, -_LOGIT_LIMIT, _LOGIT_LIMIT))
    chances: Floats = (np.float32(1) / (1 + negated)).astype(np.float32)
    return chances


def _rate(progress: float) -> float:
    if progress < _WARM_UP_SHARE:
        return _PEAK_RATE * progress / _WARM_UP_SHARE
    falling = (progress - _WARM_UP_SHARE) / (1 - _WARM_UP_SHARE)
    return _PEAK_RATE * (0.5 * (1 + math.cos(math.pi * falling)) + _LAST_RATE_SHARE)
