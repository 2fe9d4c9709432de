"""Models as named arrays: no code is loaded with them, unlike with pickles."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def named(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return arrays under names that begin so."""
    return {f"{prefix}{name}": each for name, each in arrays.items()}


def below(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin so, without that beginning."""
    return {
        name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)
    }


def pack(arrays: Arrays) -> bytes:
    """Return arrays as the bytes of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez(file, **dict(arrays))  # type: ignore[arg-type]  # NumPy's stub takes bools by name
    return file.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file; pickled objects are refused."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
