"""Files in S3, with the rights of whoever owns them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

# Multipart parts other than the last must have at least 5 MiB and there are at most 10,000:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
# The default signature here is the old one, which buckets with KMS keys refuse.
_CONFIG = Config(
    signature_version="s3v4",
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "max_attempts": 5},
    max_pool_connections=64,
)
_MISSING_CODES = {"404", "NoSuchKey", "NotFound", "NoSuchBucket"}
_DENIED_CODES = {"403", "AccessDenied", "Forbidden", "AllAccessDisabled", "InvalidAccessKeyId"}
_ROLE_SESSION_SECONDS = 3600


class S3Error(Exception):
    """S3 refused or failed an operation; the message says which, on what, and why."""


class S3NotFoundError(S3Error):
    """The object or bucket does not exist."""


class S3AccessDeniedError(S3Error):
    """The role lacks a right on the object, or may not be assumed."""


class S3ChangedError(S3Error):
    """The object is not the version that was asked for."""


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


@dataclass(frozen=True)
class S3Range:
    """Some bytes of an object, and how many it has in all."""

    data: bytes
    total_bytes: int


class S3Client:
    """S3 with explicit timeouts and retries.

    Parameters
    ----------
    api
        A boto3 S3 client, or a stand-in with the same methods.
    """

    def __init__(self, api: Any) -> None:
        self.api = api

    @classmethod
    def from_environment(cls) -> S3Client:
        """Use the function's or the user's own rights."""
        return cls(boto3.client("s3", config=_CONFIG))

    @classmethod
    def for_role(cls, role_arn: str, session_name: str) -> S3Client:
        """Use a role's rights; its credentials are kept, and renewed before they run out."""
        return cls(session_for_role(role_arn, session_name).client("s3", config=_CONFIG))

    def get(self, uri: S3Uri) -> bytes:
        """Return a whole object."""
        return b"".join(self.stream(uri))

    def get_range(self, uri: S3Uri, start: int, length: int) -> S3Range:
        """Return at most ``length`` bytes of an object from ``start`` on."""
        raise NotImplementedError

    def stream(self, uri: S3Uri, *, start: int = 0, etag: str | None = None) -> Iterator[bytes]:
        """Yield an object's bytes in pieces, resuming where a connection broke.

        Parameters
        ----------
        start
            The first byte wanted.
        etag
            The version expected; another raises S3ChangedError.
        """
        raise NotImplementedError

    def size(self, uri: S3Uri) -> int:
        """Return how many bytes an object has."""
        raise NotImplementedError

    def etag(self, uri: S3Uri) -> str:
        """Return what identifies an object's present content."""
        raise NotImplementedError

    def exists(self, uri: S3Uri) -> bool:
        """Tell whether there is such an object."""
        raise NotImplementedError

    def put(
        self,
        uri: S3Uri,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        kms_key_id: str | None = None,
    ) -> None:
        """Write an object."""
        raise NotImplementedError

    def put_stream(
        self,
        uri: S3Uri,
        chunks: Iterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        kms_key_id: str | None = None,
    ) -> None:
        """Write an object of any size in constant memory; it appears whole or not at all."""
        raise NotImplementedError

    def list_keys(self, folder: S3Uri) -> Iterator[S3Uri]:
        """Yield everything in a folder and below, in order of the keys."""
        raise NotImplementedError

    def presign_get(self, uri: S3Uri, expires_seconds: int) -> str:
        """Return a URL by which anybody who has it can read the object for a while."""
        raise NotImplementedError


def session_for_role(role_arn: str, session_name: str) -> Any:
    """Return a boto3 session with a role's rights, the same one for the same role and name."""
    raise NotImplementedError
