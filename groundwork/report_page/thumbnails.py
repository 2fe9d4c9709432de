"""Small pictures for the gallery, made side by side in processes."""

import io
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from groundwork.autolabel.pictures import PictureError, open_picture
from groundwork.datasets.image_files import ImageFetcher, ImageGoneError
from groundwork.images import MAXIMUM_FILE_BYTES

# Longest side in pixels by the number of pictures, so that the page stays below about 50 MB.
_SIDES = ((500, 512), (2_000, 320), (5_000, 240))
_SMALLEST_SIDE = 176
_QUALITY = 62
# Of WebP's methods: two thirds of the default's time for a twentieth more bytes, as measured.
_METHOD = 2
# Processes start in about the time of so many pictures.
_WORTH_PROCESSES = 64
_MOST_PROCESSES = 8
_DOWNLOADS = 16
_TOGETHER = 16


def thumbnail_side(count: int) -> int:
    """Return the longest side in pixels for a page with so many pictures."""
    return next((side for most, side in _SIDES if count <= most), _SMALLEST_SIDE)


def thumbnails(
    sources: Sequence[str],
    fetcher: ImageFetcher,
    *,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> Iterator[bytes | str]:
    """Yield each picture as a small WebP file, or a sentence that says why there is none.

    The pixels are as they are stored, which boxes are for: an EXIF orientation is not applied.

    Parameters
    ----------
    sources
        S3 URIs or paths.
    processes
        How many to use; by default all processors, where there are many pictures.
    progress
        Is told how many more are done.
    """
    side = thumbnail_side(len(sources))
    groups = [sources[start : start + _TOGETHER] for start in range(0, len(sources), _TOGETHER)]
    if processes is None:
        worth = len(sources) >= _WORTH_PROCESSES
        processes = min(_MOST_PROCESSES, os.cpu_count() or 1) if worth else 1
    with ThreadPoolExecutor(_DOWNLOADS) as downloads:

        def originals(group: Sequence[str]) -> list["Path | bytes | str"]:
            return list(downloads.map(lambda source: _original(fetcher, source), group))

        if processes == 1:
            for group in groups:
                made = _make(originals(group), side)
                progress(len(made))
                yield from made
            return
        # Not forked, since there are threads: https://docs.python.org/3/library/os.html#os.fork
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            waiting: deque[Future[list[bytes | str]]] = deque()
            for group in groups:
                waiting.append(pool.submit(_make, originals(group), side))
                # So many groups are in memory, however many pictures there are.
                if len(waiting) > 2 * processes:
                    made = waiting.popleft().result()
                    progress(len(made))
                    yield from made
            for future in waiting:
                made = future.result()
                progress(len(made))
                yield from made


def _original(fetcher: ImageFetcher, source: str) -> "Path | bytes | str":
    """Return a file that a process can read, downloaded bytes, or why there is neither."""
    path = fetcher.local_path(source)
    if path is not None:
        return path
    try:
        return fetcher.download(source)
    except ImageGoneError as error:
        return str(error)


def _make(originals: Sequence["Path | bytes | str"], side: int) -> list[bytes | str]:
    return [each if isinstance(each, str) else _thumbnail(each, side) for each in originals]


def _thumbnail(original: "Path | bytes", side: int) -> bytes | str:
    try:
        data = original if isinstance(original, bytes) else _file(original)
        out = io.BytesIO()
        picture = open_picture(data, side)
        picture.image.save(out, "WEBP", quality=_QUALITY, method=_METHOD)
        return out.getvalue()
    except FileNotFoundError:
        return f"there is no {original!s}"
    except OSError as error:
        return f"{original!s} cannot be read: {error.strerror}"
    except PictureError as error:
        return str(error) if isinstance(original, bytes) else f"{original}: {error}"


def _file(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAXIMUM_FILE_BYTES + 1)
    if len(data) > MAXIMUM_FILE_BYTES:
        raise PictureError(f"it has more than {MAXIMUM_FILE_BYTES / 1e6:.0f} MB")
    return data
