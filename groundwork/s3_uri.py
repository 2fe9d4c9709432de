"""Addresses in S3."""

from __future__ import annotations

from dataclasses import dataclass


class S3UriFormatError(ValueError):
    """The text is not an S3 URI."""


@dataclass(frozen=True)
class S3Uri:
    """The address of an object or folder: ``s3://bucket/key``."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> S3Uri:
        """Read an S3 URI; a trailing slash of a folder is dropped.

        Raises
        ------
        S3UriFormatError
            If it is not of the form ``s3://bucket/key``.
        """
        scheme, separator, rest = text.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme.lower() != "s3" or not separator or not bucket:
            raise S3UriFormatError(f"not an S3 URI: {text!r}; write s3://<bucket>/<key>")
        return cls(bucket, key.rstrip("/"))

    def child(self, path: str) -> S3Uri:
        """Return the address of something in this folder."""
        return S3Uri(self.bucket, f"{self.key}/{path}" if self.key else path)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"
