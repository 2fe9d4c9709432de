"""Use every processor by doing independent work side by side, each piece on one thread.

BLAS's own threads wait by spinning: on two cores that anything else used, too, a training step took
five times as long with two of them as with one (benchmarks/autolabel_round.py).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import threadpool_limits

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep NumPy's products from using threads of their own."""
    with threadpool_limits(1, "blas"):
        yield


def side_by_side(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Return ``[work(item) for item in items]``, computed in a thread per processor.

    NumPy, ONNX Runtime and Pillow let go of Python's lock while they compute.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, items))
