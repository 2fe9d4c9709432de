"""Boxes as arrays (boxes, 4): left, top, right, bottom, in pixels of the stored picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

SMALLEST_SIDE_PIXELS = 2.0
# A frame is never more than this many times longer than wide, so that thin objects keep a ground.
_LONGEST_FRAME = 4.0
_SMALLEST_FRAMED_PIXELS = 4.0


@dataclass(frozen=True)
class Frame:
    """The regions around boxes that looks are taken at.

    Parameters
    ----------
    centres, sides
        (boxes, 2) each: x and y; width and height.
    """

    centres: Floats
    sides: Floats

    @property
    def corners(self) -> Boxes:
        """Left, top, right, bottom."""
        return np.hstack([self.centres - self.sides / 2, self.centres + self.sides / 2])

    def encode(self, boxes: Boxes) -> Floats:
        """Return boxes in units of the frames' sides, from their centres."""
        return (boxes - np.tile(self.centres, 2)) / np.tile(self.sides, 2)

    def decode(self, codes: Floats) -> Boxes:
        """Return what ``encode`` made of boxes as boxes."""
        return np.tile(self.centres, 2) + codes * np.tile(self.sides, 2)


def frames_around(boxes: Boxes, zoom: float) -> Frame:
    """Return frames around boxes, larger than they are by a factor in each direction."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST_FRAMED_PIXELS) * zoom
    longest = sides.max(axis=1, keepdims=True)
    return Frame(centres, np.maximum(sides, longest / _LONGEST_FRAME))


def overlaps(one: Boxes, other: Boxes) -> Floats:
    """Return every intersection over union (IoU): (boxes of one, boxes of the other)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(np.maximum(each[:, 2:] - each[:, :2], 0), axis=1) for each in (one, other)]
    union = areas[0][:, None] + areas[1][None] - shared
    shares: Floats = shared / np.maximum(union, 1e-9)
    return shares


def clip(boxes: Boxes, width: float, height: float) -> Boxes:
    """Return boxes cut off at the picture's edges, at least two pixels wide and high."""
    limits = np.array([width, height, width, height])
    inside = np.clip(boxes, 0, limits)
    low = np.minimum(inside[:, :2], np.maximum(limits[:2] - SMALLEST_SIDE_PIXELS, 0))
    high = np.maximum(inside[:, 2:], low + SMALLEST_SIDE_PIXELS)
    return np.hstack([low, np.minimum(high, np.maximum(limits[:2], low + 1))])


def fuse(boxes: Boxes, scores: Floats, overlap: float) -> tuple[Integers, Boxes]:
    """Merge boxes of the same object: Solovyev et al., https://arxiv.org/abs/1910.13302.

    The best box takes with it all that overlap it; where it ends up is their mean, weighted by the
    squares of their scores.

    Returns
    -------
    tuple
        Which boxes remain, best first, and where they are now.
    """
    left = np.ones(len(boxes), bool)
    kept, merged = [], []
    for best in np.argsort(-scores, kind="stable"):
        if not left[best]:
            continue
        group = left & (overlaps(boxes[best : best + 1], boxes)[0] >= overlap)
        group[best] = True
        left &= ~group
        weights = np.maximum(scores[group], 1e-3) ** 2
        kept.append(int(best))
        merged.append(weights @ boxes[group] / weights.sum())
    return np.array(kept, np.intp), np.array(merged).reshape(-1, 4)


def moved(boxes: Boxes, amount: float, random: np.random.Generator) -> Boxes:
    """Return boxes with each edge moved by a normal error of this share of the box's side."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return boxes + random.normal(0, amount, boxes.shape) * sides
