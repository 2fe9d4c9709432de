"""Layers built for another platform are left out; the host's own packages serve.

On AWS a layer's compiled modules fit the function's runtime. Here functions run with this machine's
Python, so that modules compiled for another Python or processor fail to load, and the emulator
unpacks the layer anew for every worker (a second and a quarter of a gigabyte each for a large one).
A layer whose compiled modules this interpreter could not load is not unpacked.
"""

import functools
import importlib.machinery
import io
import zipfile
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from groundwork.local.hooks import wrap

# A tagged module reads `_core.cpython-312-x86_64-linux-gnu.so`; other names tell nothing.
_TAG = ".cpython-"
_LOADABLE = tuple(suffix for suffix in importlib.machinery.EXTENSION_SUFFIXES if _TAG in suffix)


def install() -> None:
    """Answer "no content" for a foreign layer."""
    wrap(lambda_svc, "_resolve_layer_zip", _own_layers_only, ("attachment",))


def _own_layers_only(original: Callable[..., bytes | None], attachment: Any) -> bytes | None:
    content = original(attachment)
    return None if content is not None and is_foreign(content) else content


@functools.lru_cache(maxsize=16)
def is_foreign(layer_zip: bytes) -> bool:
    """Tell whether a layer has Python modules compiled for another interpreter or machine."""
    with zipfile.ZipFile(io.BytesIO(layer_zip)) as layer:
        return any(_is_foreign_module(name) for name in layer.namelist())


def _is_foreign_module(name: str) -> bool:
    return _TAG in name and name.endswith((".so", ".pyd")) and not name.endswith(_LOADABLE)
