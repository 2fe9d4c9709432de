"""A whole manifest counted, on several processors when it is long."""

import gc
import multiprocessing
import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from groundwork.manifest import MAXIMUM_LINE_BYTES, ManifestError
from groundwork.results.tally import BlockCounter, ManifestTally, line_ends
from groundwork.results.truth import Truth

_BLOCK_BYTES = 4 * 1024 * 1024
# Starting a process takes about as long as counting this much.
_WORTH_PROCESSES_BYTES = 48 * 1024 * 1024
_MOST_PROCESSES = 8
# Blocks that a process of the pool has before it, so that it never waits for the next.
_AHEAD = 2


@dataclass(frozen=True)
class _Block:
    """Whole lines: the bytes, or where in a file they are, which is less to send."""

    data: bytes | None
    path: Path | None
    start: int
    size: int

    @classmethod
    def of(cls, data: bytes, start: int, path: Path | None) -> "_Block":
        return cls(None if path else data, path, start, len(data))

    def read(self) -> bytes:
        if self.path is None:
            return self.data or b""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


_counter: BlockCounter | None = None


def count_manifest(
    chunks: Iterable[bytes],
    size_bytes: int,
    *,
    path: Path | None = None,
    label_attribute: str | None = None,
    truth: Truth | None = None,
    iterations: "array[int] | None" = None,
    progress: Callable[[int], None] = lambda size: None,
    processes: int | None = None,
) -> ManifestTally:
    """Count a manifest that arrives in pieces of any size.

    Memory does not grow with the manifest. The counts do not depend on the number of processes.

    Parameters
    ----------
    size_bytes
        How long it is, to tell whether processes are worth starting.
    path
        The same manifest as a file that other processes can read, too.
    label_attribute, truth, iterations
        As for ``BlockCounter``.
    progress
        Is told, now and then, how many bytes more have been counted.
    processes
        How many to use; by default as many as there are processors, for a long manifest.

    Raises
    ------
    ManifestError
        If it has a line that goes on for longer than any line may.
    """
    if processes is None:
        worth = size_bytes >= _WORTH_PROCESSES_BYTES
        processes = min(_MOST_PROCESSES, os.cpu_count() or 1) if worth else 1
    total = ManifestTally()
    first_id = 0
    counter = BlockCounter(label_attribute, truth, iterations)
    if processes == 1:
        for block in whole_lines(chunks):
            total.merge(counter.count(block, total.lines))
            progress(len(block))
        return total
    start = 0
    waiting: deque[tuple[int, Future[ManifestTally] | ManifestTally]] = deque()
    # Not forked, since the caller may have threads: https://docs.python.org/3/library/os.html#os.fork
    with ProcessPoolExecutor(
        processes - 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(label_attribute, truth, iterations),
    ) as pool:
        in_pool = 0
        for block in whole_lines(chunks):
            # This process counts, too, and so from the beginning, while the others start.
            if in_pool < _AHEAD * (processes - 1):
                sent = _Block.of(block, start, path)
                waiting.append((len(block), pool.submit(_count_block, sent, first_id)))
                in_pool += 1
            else:
                waiting.append((len(block), counter.count(block, first_id)))
            first_id += line_ends(block)
            start += len(block)
            in_pool -= _merge_ready(total, waiting, progress)
        _merge_ready(total, waiting, progress, wait=True)
    return total


def whole_lines(chunks: Iterable[bytes], block_bytes: int = _BLOCK_BYTES) -> Iterator[bytes]:
    """Yield a file in blocks that end with a line."""
    gathered: list[bytes] = []
    size = 0
    for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size < block_bytes:
            continue
        data = b"".join(gathered)
        end = data.rfind(b"\n") + 1
        if end:
            yield data[:end]
        elif size > max(MAXIMUM_LINE_BYTES, block_bytes):
            raise ManifestError(
                f"there is a line longer than {MAXIMUM_LINE_BYTES:,} bytes: is this a manifest?"
            )
        gathered = [data[end:]]
        size -= end
    if size:
        yield b"".join(gathered)


def _merge_ready(
    total: ManifestTally,
    waiting: deque[tuple[int, Future[ManifestTally] | ManifestTally]],
    progress: Callable[[int], None],
    *,
    wait: bool = False,
) -> int:
    """Merge what is counted, in the order of the blocks; return how many came from the pool."""
    from_pool = 0
    while waiting:
        size, counted = waiting[0]
        if isinstance(counted, Future):
            if not (wait or counted.done()):
                break
            counted = counted.result()
            from_pool += 1
        waiting.popleft()
        total.merge(counted)
        progress(size)
    return from_pool


def _begin(
    label_attribute: str | None, truth: Truth | None, iterations: "array[int] | None"
) -> None:
    # Nothing here makes cycles, and there are many lists to look for them in.
    gc.disable()
    global _counter  # noqa: PLW0603 - what a process of the pool has in common for all blocks
    _counter = BlockCounter(label_attribute, truth, iterations)


def _count_block(block: "_Block", first_id: int) -> ManifestTally:
    if _counter is None:
        raise RuntimeError("the process was not begun")
    return _counter.count(block.read(), first_id)
