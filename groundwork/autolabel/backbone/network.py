"""Run the backbone on pictures."""

import importlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from groundwork.autolabel.processors import side_by_side

WHOLE_FILE = "whole.onnx"
CROPS_FILE = "crops.onnx"
# The package in a function's layer that tells by FOLDER where the two files are.
LAYER_PACKAGE = "groundwork_backbone"

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Memory grows with the pictures that are in the network together, speed hardly.
_WHOLE_BATCH = 4
_CROPS_BATCH = 32


@dataclass(frozen=True)
class WholeFeatures:
    """A batch of pictures as the network sees them, channels last.

    Parameters
    ----------
    stride_16
        (batch, rows, columns, 112), a cell for every 16 pixels.
    stride_32
        (batch, rows, columns, 320), a cell for every 32 pixels.
    pooled
        (batch, 1280), one vector for the whole picture.
    """

    stride_16: Floats
    stride_32: Floats
    pooled: Floats


class Backbone:
    """The frozen network.

    Parameters
    ----------
    folder
        Where ``build_backbone`` wrote its files.
    """

    def __init__(self, folder: Path) -> None:
        self._whole = _session(folder / WHOLE_FILE)
        self._crops = _session(folder / CROPS_FILE)

    @staticmethod
    @lru_cache(maxsize=1)
    def of_this_machine() -> "Backbone":
        """Use the layer's files, or in a checkout those in its build folder, made if need be."""
        if importlib.util.find_spec(LAYER_PACKAGE) is not None:
            folder = importlib.import_module(LAYER_PACKAGE).FOLDER
        else:
            from groundwork.autolabel.backbone.build import build_backbone  # noqa: PLC0415

            folder = build_backbone(Path(__file__).parents[3] / "build" / "backbone")[0].parent
        return Backbone(folder)

    def whole(self, pictures: Pixels) -> WholeFeatures:
        """Return the features of RGB pictures (batch, height, width, 3), sides multiples of 32."""
        batches = np.split(pictures, range(_WHOLE_BATCH, len(pictures), _WHOLE_BATCH))
        names = ["stride_16", "stride_32", "pooled"]
        parts = side_by_side(lambda batch: self._whole.run(names, {"pixels": batch}), batches)
        maps, coarse, pooled = (np.concatenate(each) for each in zip(*parts, strict=True))
        return WholeFeatures(maps.transpose(0, 2, 3, 1), coarse.transpose(0, 2, 3, 1), pooled)

    def crops(self, crops: Pixels) -> Floats:
        """Return one row of features for each RGB crop (batch, side, side, 3).

        The crop's features at a sixteenth of its resolution, averaged two by two: a third as many
        numbers for each 32 pixels of side, which is 3 x 3 x 112 = 1,008 for 96 pixels.
        """
        parts = [
            self._crops.run(["stride_16_halved"], {"pixels": crops[first : first + _CROPS_BATCH]})[
                0
            ]
            for first in range(0, len(crops), _CROPS_BATCH)
        ]
        rows: Floats = np.concatenate(parts)
        return rows.reshape(len(rows), -1)


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
