"""The image files of a data set: found by what labels call them, copied, linked or downloaded."""

import os
from enum import StrEnum
from pathlib import Path

from groundwork.images import MAXIMUM_FILE_BYTES, ImageError, read_image
from groundwork.results.labels import ImageSize
from groundwork.s3_client import S3Client, S3Error
from groundwork.s3_uri import S3Uri

_S3_SCHEME = "s3://"
_HEADER_BYTES = 256 * 1024


class ImageMode(StrEnum):
    """What becomes of image files."""

    COPY = "copy"
    LINK = "link"
    NONE = "none"


class ImageGoneError(Exception):
    """An image cannot be had; the text says which and why."""


class ImageFetcher:
    """Puts image files where a format wants them; may be used by several threads.

    Parameters
    ----------
    folder
        Where the images are on this machine, below which they have the ends of their S3 keys; None
        to download what is in S3.
    client
        How S3 is read; by default with the user's own rights, from the first image on.
    """

    def __init__(self, mode: ImageMode, folder: Path | None, client: S3Client | None) -> None:
        self._mode = mode
        self._folder = folder
        self._client = client

    def fetch(self, source: str, target: Path) -> bytes:
        """Copy, link or download an image, and return its first bytes.

        Raises
        ------
        ImageGoneError
            If that is not possible.
        """
        path = self.local_path(source)
        try:
            if path is None:
                return self._download(source, target)
            if self._mode is ImageMode.LINK:
                _link(path, target)
                with path.open("rb") as file:
                    return file.read(_HEADER_BYTES)
            # Read whole: images are small, and their first bytes are wanted anyway.
            data = path.read_bytes()
            target.write_bytes(data)
            return data[:_HEADER_BYTES]
        except FileNotFoundError as error:
            raise ImageGoneError(f"there is no {path or source}") from error
        except OSError as error:
            raise ImageGoneError(f"{path or source}: {error.strerror}") from error

    def download(self, source: str) -> bytes:
        """Return an image that is in S3.

        Raises
        ------
        ImageGoneError
            If that is not possible.
        """
        if self._client is None:
            self._client = S3Client.from_environment()
        try:
            return self._client.get_small(S3Uri.parse(source), MAXIMUM_FILE_BYTES)
        except (S3Error, ValueError) as error:
            raise ImageGoneError(str(error)) from error

    def local_path(self, source: str) -> Path | None:
        """Return where an image is on this machine; None if it has to be downloaded."""
        if self._folder is not None:
            return _below(self._folder, source.removeprefix(_S3_SCHEME))
        return None if source.lower().startswith(_S3_SCHEME) else Path(source)

    def _download(self, source: str, target: Path) -> bytes:
        if self._mode is ImageMode.LINK:
            raise ImageGoneError(f"{source} is in S3 and cannot be linked")
        if self._client is None:
            self._client = S3Client.from_environment()
        part = target.with_name(f"{target.name}.part")
        first = b""
        try:
            with part.open("wb") as file:
                for chunk in self._client.stream(S3Uri.parse(source)):
                    first = first or chunk
                    file.write(chunk)
            part.replace(target)
        except (S3Error, ValueError) as error:
            part.unlink(missing_ok=True)
            raise ImageGoneError(str(error)) from error
        return first[:_HEADER_BYTES]


class ImageIndex:
    """The image files of a data set that is brought in.

    Labels may name a file by its path below the folder, below ``images`` or a split's folder, or by
    its name alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: dict[str, Path | None] | None = None

    def path(self, name: str) -> Path | None:
        """Return an image's file; None if there is none, or several that may be meant."""
        # Labels are others' words: an image is below the folder, or there is none.
        if Path(name).is_absolute() or ".." in Path(name).parts:
            return None
        direct = self._folder / name
        if direct.is_file():
            return direct
        if self._by_name is None:
            self._by_name = {}
            for path in sorted(self._folder.rglob("*")):
                if path.is_file():
                    for end in _ends(path.relative_to(self._folder).as_posix()):
                        self._by_name[end] = None if end in self._by_name else path
        return self._by_name.get(name)

    def size(self, name: str, told: ImageSize | None, problems: list[str]) -> ImageSize:
        """Return an image's size, from its file where it is there; 0 x 0 if nobody tells it."""
        path = self.path(name)
        own = file_size(path) if path else None
        if own is None and told is None:
            problems.append(f"{name} has no size in its labels and no file that tells it")
            return ImageSize(0, 0)
        if own is not None and told is not None:
            if (own.width, own.height) != (told.width, told.height):
                problems.append(
                    f"{name} has {own.width} x {own.height} pixels, but its labels are for "
                    f"{told.width} x {told.height}; they are left as they are"
                )
                return told
            return own
        return own or told or ImageSize(0, 0)


def has_rotation(first_bytes: bytes) -> bool:
    """Tell whether an image asks to be shown rotated or mirrored, which its labels do not follow.

    See ``groundwork.images``: coordinates are those of the stored pixels.
    """
    if b"Exif" not in first_bytes and b"eXIf" not in first_bytes:
        return False
    try:
        # As if there was more of the file, which then is not decoded.
        return read_image(first_bytes, len(first_bytes) + 1).orientation != 1
    except ImageError:
        return False


def file_size(path: Path) -> ImageSize | None:
    """Return an image's size as its file tells it; None if it does not."""
    try:
        with path.open("rb") as file:
            data = file.read(_HEADER_BYTES)
            total = os.fstat(file.fileno()).st_size
            if total > len(data):
                data += file.read(MAXIMUM_FILE_BYTES)
        facts = read_image(data, total)
    except (OSError, ImageError):
        return None
    return ImageSize(facts.width, facts.height, facts.depth)


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path.resolve())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ImageGoneError(
            f"{path} cannot be hard-linked to {target}: {error.strerror}; use --images copy"
        ) from error


def _below(folder: Path, source: str) -> Path:
    """Return the file that the longest end of a key names below a folder."""
    for end in _ends(source):
        if (folder / end).is_file():
            return folder / end
    return folder / Path(source).name


def _ends(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
    return ["/".join(parts[first:]) for first in range(len(parts))]
