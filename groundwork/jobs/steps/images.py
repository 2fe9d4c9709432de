"""Images of a job's objects in S3, and why some cannot be labeled."""

from collections.abc import Iterator
from contextlib import contextmanager

from groundwork.images import (
    FIRST_BYTES,
    MAXIMUM_FILE_BYTES,
    MORE_BYTES,
    ImageError,
    ImageFacts,
    ImageNeedsMoreError,
    read_image,
)
from groundwork.s3_client import (
    S3AccessDeniedError,
    S3Client,
    S3NotFoundError,
    S3Range,
    S3UnusableError,
)
from groundwork.s3_uri import S3Uri, S3UriFormatError


def read_facts(files: S3Client, reference: str) -> ImageFacts:
    """Tell an image's size from as few of its bytes as do; raises ImageError."""
    with _told_as_image_errors(reference):
        uri = S3Uri.parse(reference)
        for length in (FIRST_BYTES, MORE_BYTES):
            found = files.get_range(uri, 0, length)
            try:
                return read_image(found.data, found.total_bytes)
            except ImageNeedsMoreError:
                continue
    return read_whole(files, reference)[0]


def read_whole(files: S3Client, reference: str) -> tuple[ImageFacts, bytes]:
    """Return an image's size and its file; raises ImageError."""
    found = _read(files, reference)
    return read_image(found.data, found.total_bytes), found.data


def read_file(files: S3Client, reference: str) -> bytes:
    """Return an image's file, whatever is in it; raises ImageError when it cannot be read."""
    return _read(files, reference).data


def _read(files: S3Client, reference: str) -> S3Range:
    with _told_as_image_errors(reference):
        return files.get_range(S3Uri.parse(reference), 0, MAXIMUM_FILE_BYTES)


@contextmanager
def _told_as_image_errors(reference: str) -> Iterator[None]:
    try:
        yield
    except S3NotFoundError as error:
        raise ImageError(f"there is no {reference}") from error
    except S3AccessDeniedError as error:
        raise ImageError(f"the job's role may not read {reference}: {error}") from error
    except (S3UnusableError, S3UriFormatError) as error:
        raise ImageError(str(error)) from error
