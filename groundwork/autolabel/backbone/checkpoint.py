"""Read PyTorch's file format from before version 1.6 without PyTorch.

The file is a row of pickles (magic number, protocol, system, tensors, storage keys) and then, for
each storage, its element count and its raw values:
https://github.com/pytorch/pytorch/blob/v1.13.1/torch/serialization.py (``_legacy_save``).
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGE_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class CheckpointError(ValueError):
    """The file is not a checkpoint of the expected form; the message says what is wrong."""


@dataclass(frozen=True)
class _Storage:
    """A run of values that tensors are views of."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _View:
    """A tensor before its storage is read; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a checkpoint by name.

    Raises
    ------
    CheckpointError
        If the file is of another format, truncated, or asks for anything but tensors.
    """
    with path.open("rb") as file:
        try:
            if _Unpickler(file).load() != _MAGIC_NUMBER or _Unpickler(file).load() != _PROTOCOL:
                raise CheckpointError(f"{path} is not in PyTorch's format from before 1.6")
            system = _Unpickler(file).load()
            views: Mapping[str, _View] = _Unpickler(file).load()
            keys: list[str] = _Unpickler(file).load()
        except (pickle.UnpicklingError, EOFError) as error:
            raise CheckpointError(f"{path}: {error}") from error
        if not system["little_endian"]:
            raise CheckpointError(f"{path} was written on a big-endian machine")
        wanted = {view.storage.key: view.storage for view in views.values()}
        storages = {key: _read_storage(file, wanted[key]) for key in keys}
        if file.read(1):
            raise CheckpointError(f"{path} goes on after its last storage")
    return {name: _tensor(name, view, storages[view.storage.key]) for name, view in views.items()}


class _Unpickler(pickle.Unpickler):
    """Allows what tensors are made of and nothing else, since a pickle can run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _View(
                storage, offset, tuple(shape), tuple(strides)
            )
        if module == "torch" and name in _STORAGE_TYPES:
            return _STORAGE_TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a checkpoint")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"unknown persistent id {pid!r}")
        return _Storage(key, dtype, count)


def _read_storage(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    if count != storage.count:
        raise CheckpointError(f"storage {storage.key} has {count} values, not {storage.count}")
    data = file.read(count * np.dtype(storage.dtype).itemsize)
    values = np.frombuffer(data, storage.dtype)
    if len(values) != count:
        raise CheckpointError(f"storage {storage.key} ends after {len(values)} of {count} values")
    return values


def _tensor(name: str, view: _View, storage: NDArray[Any]) -> NDArray[Any]:
    """Copy a view out of its storage; weights that came from TensorFlow are permuted ones."""
    last = view.offset + sum(
        (size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)
    )
    if view.offset < 0 or min(view.strides, default=0) < 0 or last >= len(storage):
        raise CheckpointError(f"{name} reaches outside its storage")
    strides = [stride * storage.itemsize for stride in view.strides]
    window = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides)
    return np.ascontiguousarray(window)
