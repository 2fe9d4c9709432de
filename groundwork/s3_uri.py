"""Addresses in S3."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Old buckets in us-east-1 have names that no new one may have:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
_MAXIMUM_KEY_BYTES = 1024
_EXCERPT_CHARACTERS = 200


class S3UriFormatError(ValueError):
    """The text is not the address of anything that S3 can hold; the message says why."""


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
            If it is not of the form ``s3://bucket/key``, or no bucket or key may be named so.
        """
        scheme, separator, rest = text.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme.lower() != "s3" or not separator or not bucket:
            raise S3UriFormatError(f"not an S3 URI: {_shown(text)}; write s3://<bucket>/<key>")
        if not _BUCKET.fullmatch(bucket):
            raise S3UriFormatError(
                f"not an S3 URI: {_shown(text)}: no bucket is named {_shown(bucket)}; names have "
                "letters, digits, dots and hyphens"
            )
        try:
            size = len(key.encode("utf-8"))
        except UnicodeEncodeError:
            raise S3UriFormatError(
                f"not an S3 URI: {_shown(text)} has half of a surrogate pair, as no text may"
            ) from None
        if size > _MAXIMUM_KEY_BYTES:
            raise S3UriFormatError(
                f"not an S3 URI: {_shown(text)} has a key of {size:,} bytes; S3 takes "
                f"{_MAXIMUM_KEY_BYTES:,} at most"
            )
        return cls(bucket, key.rstrip("/"))

    def child(self, path: str) -> S3Uri:
        """Return the address of something in this folder."""
        return S3Uri(self.bucket, f"{self.key}/{path}" if self.key else path)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def _shown(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= _EXCERPT_CHARACTERS else f"{shown[:_EXCERPT_CHARACTERS]}…"
