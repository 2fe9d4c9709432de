"""How a simulated person draws known boxes: near, not exact, sometimes not at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundwork.results.quality import Box

# Each edge is off by a normal error of this share of the box's side. With it and the misses below,
# people reach a mean IoU of about 0.87 against the truth on the sample photos.
EDGE_ERROR = 0.043
MISSED_SHARE = 0.01
SMALLEST_SIDE_PIXELS = 2

HABITS = (
    f"each edge off by a normal error of {EDGE_ERROR:.1%} of the box's side, "
    f"{MISSED_SHARE:.0%} of the boxes missed"
)


def draw(
    boxes: Sequence[Box],
    size: tuple[int, int],
    random: np.random.Generator,
    edge_error: float = EDGE_ERROR,
) -> list[Box]:
    """Return the boxes as a person would draw them, in whole pixels inside the image."""
    drawn = []
    for box in boxes:
        if random.random() < MISSED_SHARE:
            continue
        left, right = _edges(box.left, box.width, size[0], edge_error, random)
        top, bottom = _edges(box.top, box.height, size[1], edge_error, random)
        drawn.append(Box(box.label, left, top, right - left, bottom - top))
    return drawn


def bounding_box_answer(name: str, boxes: Sequence[Box], size: tuple[int, int]) -> dict[str, Any]:
    """Return boxes as the element `crowd-bounding-box` of that name answers."""
    return {
        name: {
            "boundingBoxes": [
                {
                    "label": box.label,
                    "left": box.left,
                    "top": box.top,
                    "width": box.width,
                    "height": box.height,
                }
                for box in boxes
            ],
            "inputImageProperties": {"width": size[0], "height": size[1]},
        }
    }


def _edges(
    start: float, length: float, limit: int, edge_error: float, random: np.random.Generator
) -> tuple[int, int]:
    error = random.normal(0, edge_error * length, 2)
    first = round(min(max(start + error[0], 0), limit - SMALLEST_SIDE_PIXELS))
    last = round(min(start + length + error[1], limit))
    return first, max(last, first + SMALLEST_SIDE_PIXELS)
