"""Files of a folder, read as from S3: for output that was copied to this machine."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class FolderApi:
    """The reading methods of a boto3 S3 client, which ``S3Client`` takes in place of one.

    Keys are paths below the folder; the bucket does not matter.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:  # noqa: N803
        """Return a file, or the part of it that is asked for."""
        path = self._path(Key, "GetObject")
        size = path.stat().st_size
        answer: dict[str, Any] = {"ETag": f"{path.stat().st_mtime_ns}"}
        start, end = 0, size
        asked = _RANGE.fullmatch(Range or "")
        if asked:
            start = int(asked[1])
            end = min(int(asked[2]) + 1, size) if asked[2] else size
            if start >= size:
                raise _refusal("InvalidRange", "GetObject", path)
            answer["ContentRange"] = f"bytes {start}-{end - 1}/{size}"
        return {**answer, "Body": _Body(path, start, end)}

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Return a file's size."""
        path = self._path(Key, "HeadObject")
        return {"ContentLength": path.stat().st_size, "ETag": f"{path.stat().st_mtime_ns}"}

    def _path(self, key: str, operation: str) -> Path:
        path = self._folder / key
        if not path.is_file():
            raise _refusal("NoSuchKey", operation, path)
        return path


class _Body:
    """A part of a file, read in pieces."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._path = path
        self._start = start
        self._end = end

    def read(self) -> bytes:
        """Return all of it."""
        with self._opened() as file:
            return file.read(self._end - self._start)

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        """Yield it in pieces."""
        with self._opened() as file:
            left = self._end - self._start
            while left > 0 and (chunk := file.read(min(chunk_size, left))):
                left -= len(chunk)
                yield chunk

    def _opened(self) -> BinaryIO:
        file = self._path.open("rb")
        file.seek(self._start)
        return file


def _refusal(code: str, operation: str, path: Path) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": str(path)}}, operation)
