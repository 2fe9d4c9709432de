"""Where a command writes a manifest: a file on this machine, or an object in S3."""

from collections.abc import Iterable
from pathlib import Path

import click

from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri, S3UriFormatError

_S3_SCHEME = "s3://"


class ManifestPlace:
    """A place that was looked at before anything is read or written.

    Parameters
    ----------
    target
        A path, or ``s3://<bucket>/<key>``.
    client
        How S3 is written; None for the user's own rights.

    Raises
    ------
    click.UsageError
        If it names no file.
    """

    def __init__(self, target: str, client: S3Client | None) -> None:
        self._target = target
        self._path = Path(target)
        self._uri: S3Uri | None = None
        self.client: S3Client | None = None
        if not target.lower().startswith(_S3_SCHEME):
            if self._path.is_dir() or target.endswith("/"):
                raise click.UsageError(f"{target} is a folder; name the manifest file in it.")
            return
        try:
            self._uri = S3Uri.parse(target)
        except S3UriFormatError as error:
            raise click.UsageError(str(error)) from error
        if not self._uri.key or target.endswith("/"):
            raise click.UsageError(
                f"{target} names no file; write s3://<bucket>/<folder>/<name>.manifest"
            )
        self.client = client or S3Client.from_environment()

    def beside(self, name: str) -> str:
        """Return the address of a file beside the manifest."""
        return str(self._path.parent / name if self._uri is None else self._uri_beside(name))

    def write(self, lines: Iterable[bytes]) -> None:
        """Write the manifest, all of it or nothing."""
        if self.client is not None and self._uri is not None:
            self.client.put_stream(self._uri, iter(lines))
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            with part.open("wb") as file:
                file.writelines(lines)
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)

    def write_beside(self, name: str, data: bytes, content_type: str) -> str:
        """Write a file beside the manifest and return its address."""
        if self.client is None or self._uri is None:
            path = self._path.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return str(path)
        uri = self._uri_beside(name)
        self.client.put(uri, data, content_type=content_type)
        return str(uri)

    def _uri_beside(self, name: str) -> S3Uri:
        if self._uri is None:
            raise ValueError(f"{self._target} is not in S3")
        folder, _, _ = self._uri.key.rpartition("/")
        return S3Uri(self._uri.bucket, folder).child(name)
