"""The files below a place: a folder on this machine, or a prefix in S3, read the same way."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri

_CHUNK_BYTES = 1024 * 1024


class Files(Protocol):
    """Files by their path below the place, with ``/`` between folders."""

    def address(self, path: str) -> str:
        """Return where a file is, for people."""

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes in pieces."""

    def paths(self, folder: str) -> Iterator[str]:
        """Yield the files in a folder and below it, in order; none if there is no such folder."""

    def total_bytes(self, folder: str) -> int:
        """Return how many bytes the files in a folder and below it have together."""

    def local_path(self, path: str) -> Path | None:
        """Return where a file is on this machine, if it is."""


class FolderFiles:
    """Files of a folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def address(self, path: str) -> str:
        """Return a file's path."""
        return str(self._folder / path)

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return (self._folder / path).is_file()

    def size(self, path: str) -> int:
        """Return how many bytes a file has."""
        return (self._folder / path).stat().st_size

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes in pieces."""
        with (self._folder / path).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    def paths(self, folder: str) -> Iterator[str]:
        """Yield the files in a folder and below it, in order."""
        for parent, folders, names in os.walk(self._folder / folder):
            folders.sort()
            for name in sorted(names):
                yield (Path(parent) / name).relative_to(self._folder).as_posix()

    def total_bytes(self, folder: str) -> int:
        """Return how many bytes the files in a folder and below it have together."""
        return sum(self.size(path) for path in self.paths(folder))

    def local_path(self, path: str) -> Path | None:
        """Return a file's path."""
        return self._folder / path


class S3Files:
    """Files below a prefix in S3."""

    def __init__(self, client: S3Client, place: S3Uri) -> None:
        self._client = client
        self._place = place

    def address(self, path: str) -> str:
        """Return a file's S3 URI."""
        return str(self._place.child(path) if path else self._place)

    def exists(self, path: str) -> bool:
        """Tell whether there is such an object."""
        return self._client.exists(self._place.child(path))

    def size(self, path: str) -> int:
        """Return how many bytes an object has."""
        return self._client.size(self._place.child(path))

    def stream(self, path: str) -> Iterator[bytes]:
        """Yield an object's bytes in pieces."""
        return self._client.stream(self._place.child(path))

    def paths(self, folder: str) -> Iterator[str]:
        """Yield the objects below a prefix, in order."""
        below = len(self._place.key) + 1 if self._place.key else 0
        for uri in self._client.list_keys(self._place.child(folder) if folder else self._place):
            yield uri.key[below:]

    def total_bytes(self, folder: str) -> int:
        """Return how many bytes the objects below a prefix have together."""
        place = self._place.child(folder) if folder else self._place
        return sum(size for _, size in self._client.list_sizes(place))

    def local_path(self, path: str) -> Path | None:
        """Return None, as the objects are elsewhere."""
        del path
        return None
