"""S3 on disk, which takes no memory for what lies there: for looking at how much a step takes."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.job_fakes import refusal


class DiskS3:
    """The boto3 S3 client's methods that the loop's steps use, over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads = 0

    def path(self, bucket: str, key: str) -> Path:
        """Return where an object lies."""
        return self._folder / hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()

    def get_object(self, Bucket: str, Key: str, Range: str = "bytes=0-") -> dict[str, Any]:  # noqa: N803
        path = self.path(Bucket, Key)
        size = self._size(path, "NoSuchKey")
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", Range)
        assert found is not None
        start, end = int(found[1]), min(int(found[2] or size - 1) + 1, size)
        if size and start >= size:
            raise refusal("InvalidRange", "GetObject")
        return {
            "ETag": "as written",
            "Body": _Body(path, start, end - start),
            "ContentRange": f"bytes {start}-{end - 1}/{size}",
        }

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {
            "ContentLength": self._size(self.path(Bucket, Key), "404"),
            "ETag": "as written",
        }

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.path(Bucket, Key).write_bytes(Body)
        return {}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        self._uploads += 1
        return {"UploadId": str(self._uploads)}

    def upload_part(
        self,
        UploadId: str,  # noqa: N803
        PartNumber: int,  # noqa: N803
        Body: bytes,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        (self._folder / f"{UploadId}.{PartNumber}").write_bytes(Body)
        return {"ETag": ""}

    def complete_multipart_upload(
        self,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        UploadId: str,  # noqa: N803
        MultipartUpload: Mapping[str, Any],  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        with self.path(Bucket, Key).open("wb") as target:
            for part in MultipartUpload["Parts"]:
                target.write((self._folder / f"{UploadId}.{part['PartNumber']}").read_bytes())
        return {}

    def _size(self, path: Path, missing: str) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            raise refusal(missing, "GetObject") from None


class _Body:
    def __init__(self, path: Path, start: int, length: int) -> None:
        self._path, self._start, self._length = path, start, length

    def read(self) -> bytes:
        return b"".join(self.iter_chunks(max(1, self._length)))

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._start)
            left = self._length
            while left and (chunk := file.read(min(size, left))):
                left -= len(chunk)
                yield chunk
