"""Files in S3, with the rights of whoever owns them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from urllib3.exceptions import HTTPError

from groundwork.errors import UserError
from groundwork.role_client import RoleError, session_for_role
from groundwork.s3_uri import S3Uri, S3UriFormatError
from groundwork.unavailable import UnavailableError, is_passing
from groundwork.user_agent import USER_AGENT

__all__ = [
    "S3AccessDeniedError",
    "S3ChangedError",
    "S3Client",
    "S3Error",
    "S3ExistsError",
    "S3NotFoundError",
    "S3Range",
    "S3UnavailableError",
    "S3UnusableError",
    "S3Uri",
    "S3UriFormatError",
]

# Multipart parts other than the last must have at least 5 MiB and there are at most 10,000:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
_SENT_AT_ONCE_BYTES = 64 * 1024
# The default signature here is the old one, which buckets with KMS keys refuse.
_CONFIG = Config(
    user_agent=USER_AGENT,
    signature_version="s3v4",
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "max_attempts": 5},
    max_pool_connections=64,
)
_MISSING_CODES = {"404", "NoSuchKey", "NotFound", "NoSuchBucket"}
_DENIED_CODES = {"403", "AccessDenied", "Forbidden", "AllAccessDisabled", "InvalidAccessKeyId"}
# S3 has the object, or refuses its address, and will say the same whenever it is asked: archived
# objects, keys that were disabled, buckets elsewhere.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_UNUSABLE_CODES = {
    "InvalidBucketName",
    "InvalidObjectState",
    "InvalidRequest",
    "InvalidURI",
    "KMS.DisabledException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "KeyTooLongError",
    "MethodNotAllowed",
    "PermanentRedirect",
}
_EMPTY_RANGE_CODES = {"416", "InvalidRange"}
_EXISTS_CODES = {"412", "PreconditionFailed", "ConditionalRequestConflict"}
_STREAM_ATTEMPTS = 5


class S3Error(UserError):
    """S3 refused or failed an operation; the message says which, on what, and why."""


class S3NotFoundError(S3Error):
    """The object or bucket does not exist."""


class S3AccessDeniedError(S3Error):
    """The role lacks a right on the object, or may not be assumed."""


class S3UnusableError(S3Error):
    """The object cannot be had as it is, however often it is asked for: archived, say."""


class S3ChangedError(S3Error):
    """The object is not the version that was asked for."""


class S3ExistsError(S3Error):
    """There is such an object already."""


class S3UnavailableError(S3Error, UnavailableError):
    """S3, or what gives the rights to use it, cannot answer at the moment."""


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
        return cls(_sending_at_once(boto3.client("s3", config=_CONFIG)))

    @staticmethod
    @lru_cache(maxsize=64)
    def for_role(role_arn: str, session_name: str) -> S3Client:
        """Use a role's rights; its credentials are kept, and renewed before they run out."""
        session = session_for_role(role_arn, session_name)
        return S3Client(_sending_at_once(session.client("s3", config=_CONFIG)))

    @property
    def region(self) -> str | None:
        """The region that the client is for, if it knows one."""
        region = getattr(getattr(self.api, "meta", None), "region_name", None)
        return None if region is None else str(region)

    def get(self, uri: S3Uri) -> bytes:
        """Return a whole object."""
        return b"".join(self.stream(uri))

    def get_small(self, uri: S3Uri, maximum_bytes: int) -> bytes:
        """Return a whole object; S3UnusableError if it has more bytes than that."""
        found = self.get_range(uri, 0, maximum_bytes)
        if found.total_bytes > maximum_bytes:
            raise S3UnusableError(
                f"{uri} has {found.total_bytes:,} bytes; at most {maximum_bytes:,} are read"
            )
        return found.data

    def get_range(self, uri: S3Uri, start: int, length: int) -> S3Range:
        """Return at most ``length`` bytes of an object from ``start`` on."""
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            answer = self._call("get_object", uri, Range=wanted)
            data = answer["Body"].read()
        except _EmptyRangeError:
            return S3Range(b"", self.size(uri))
        except (BotoCoreError, HTTPError) as error:
            raise S3UnavailableError(f"reading {uri} broke off: {error}") from error
        # Whoever ignores the Range header answers with everything and without Content-Range.
        _, _, total = answer.get("ContentRange", "").partition("/")
        if not total:
            return S3Range(data[start : start + length], len(data))
        return S3Range(data, int(total))

    def stream(self, uri: S3Uri, *, start: int = 0) -> Iterator[bytes]:
        """Yield an object's bytes from a position on in pieces, resuming where a connection broke.

        Raises
        ------
        S3ChangedError
            If the object was changed between the pieces.
        """
        etag = None
        position = start
        failures = 0
        while True:
            arguments = {"Range": f"bytes={position}-"} if position else {}
            try:
                answer = self._call("get_object", uri, **arguments)
            except _EmptyRangeError:
                return
            etag = etag or answer["ETag"]
            if answer["ETag"] != etag:
                raise S3ChangedError(
                    f"{uri} was changed while it was in use: its ETag is {answer['ETag']}, "
                    f"not {etag}"
                )
            try:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    if chunk:
                        position += len(chunk)
                        failures = 0
                        yield chunk
                return
            except (BotoCoreError, HTTPError, OSError) as error:
                failures += 1
                if failures == _STREAM_ATTEMPTS:
                    told = f"reading {uri} broke off at byte {position}: {error}"
                    raise S3UnavailableError(told) from error

    def size(self, uri: S3Uri) -> int:
        """Return how many bytes an object has."""
        return int(self._call("head_object", uri)["ContentLength"])

    def etag(self, uri: S3Uri) -> str:
        """Return what identifies an object's present content."""
        return str(self._call("head_object", uri)["ETag"])

    def exists(self, uri: S3Uri) -> bool:
        """Tell whether there is such an object."""
        try:
            self._call("head_object", uri)
        except S3NotFoundError:
            return False
        return True

    def put(
        self,
        uri: S3Uri,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        kms_key_id: str | None = None,
        only_new: bool = False,
    ) -> None:
        """Write an object; with ``only_new`` raise S3ExistsError rather than replace one."""
        arguments = _written_as(content_type, kms_key_id) | _if_new(only_new)
        self._call("put_object", uri, Body=data, **arguments)

    def put_stream(
        self,
        uri: S3Uri,
        chunks: Iterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        kms_key_id: str | None = None,
        only_new: bool = False,
    ) -> None:
        """Write an object of any size in constant memory; it appears whole or not at all.

        Parameters
        ----------
        kms_key_id
            The customer's key to encrypt it with.
        only_new
            Raise S3ExistsError rather than replace an object.
        """
        parts = _parts(chunks)
        ready = list(islice(parts, 2))
        if len(ready) < 2:
            data = b"".join(ready)
            self.put(uri, data, content_type=content_type, kms_key_id=kms_key_id, only_new=only_new)
            return
        arguments = _written_as(content_type, kms_key_id)
        upload_id = self._call("create_multipart_upload", uri, **arguments)["UploadId"]
        try:
            tags: list[dict[str, Any]] = []
            while ready:
                number = len(tags) + 1
                # Taken out, as a part that was sent need not be held.
                answer = self._call(
                    "upload_part", uri, UploadId=upload_id, PartNumber=number, Body=ready.pop(0)
                )
                tags.append({"PartNumber": number, "ETag": answer["ETag"]})
                ready += islice(parts, 1)
            self._call(
                "complete_multipart_upload",
                uri,
                UploadId=upload_id,
                MultipartUpload={"Parts": tags},
                **_if_new(only_new),
            )
        except BaseException:
            self._call("abort_multipart_upload", uri, UploadId=upload_id)
            raise

    def list_keys(self, folder: S3Uri) -> Iterator[S3Uri]:
        """Yield everything in a folder and below, in order of the keys."""
        for uri, _ in self.list_sizes(folder):
            yield uri

    def list_sizes(self, folder: S3Uri) -> Iterator[tuple[S3Uri, int]]:
        """Yield everything in a folder and below with its bytes, in order of the keys."""
        prefix = f"{folder.key}/" if folder.key else ""
        arguments: dict[str, Any] = {"Bucket": folder.bucket, "Prefix": prefix}
        while True:
            with _told_as(f"listing {folder}"):
                page = self.api.list_objects_v2(**arguments)
            for entry in page.get("Contents", []):
                yield S3Uri(folder.bucket, entry["Key"]), int(entry["Size"])
            if not page.get("IsTruncated"):
                return
            arguments["ContinuationToken"] = page["NextContinuationToken"]

    def presign_get(self, uri: S3Uri, expires_seconds: int) -> str:
        """Return a URL by which anybody who has it can read the object for a while.

        With a role's rights it also ends with the role's present session, in 15 to 60 minutes.
        """
        with _told_as(f"presigning {uri}"):
            url: str = self.api.generate_presigned_url(
                "get_object",
                Params={"Bucket": uri.bucket, "Key": uri.key},
                ExpiresIn=expires_seconds,
            )
        return url

    def _call(self, operation: str, uri: S3Uri, **arguments: Any) -> Any:
        with _told_as(f"{operation} {uri}"):
            return getattr(self.api, operation)(Bucket=uri.bucket, Key=uri.key, **arguments)


def _sending_at_once(api: Any) -> Any:
    """Let a client send small objects without asking first whether they are welcome.

    botocore asks before it sends a file, in a round trip of its own, and takes bytes for a file:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """

    def before_call(params: dict[str, Any], **_: Any) -> None:
        body = params["body"]
        if isinstance(body, BytesIO) and body.getbuffer().nbytes <= _SENT_AT_ONCE_BYTES:
            params["body"] = body.getvalue()

    api.meta.events.register("before-call.s3.PutObject", before_call)
    return api


class _EmptyRangeError(S3Error):
    """No byte of the object lies in the range."""


@contextmanager
def _told_as(action: str) -> Iterator[None]:
    """Turn what boto3 raises into this module's errors, saying what was attempted."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        told = f"{action}: {code}: {error.response['Error'].get('Message', '')}"
        if code in _MISSING_CODES:
            raise S3NotFoundError(told) from error
        if code in _DENIED_CODES:
            # S3 does not tell whether an object exists to whom may not list the bucket:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
            hint = "; missing objects look the same to a role without s3:ListBucket"
            raise S3AccessDeniedError(told + hint) from error
        if code in _EXISTS_CODES:
            raise S3ExistsError(told) from error
        if code in _EMPTY_RANGE_CODES:
            raise _EmptyRangeError(told) from error
        if code in _UNUSABLE_CODES:
            raise S3UnusableError(told) from error
        raise (S3UnavailableError if is_passing(error) else S3Error)(told) from error
    except UnavailableError as error:
        raise S3UnavailableError(f"{action}: {error}") from error
    except RoleError as error:
        raise S3AccessDeniedError(f"{action}: {error}") from error
    except ParamValidationError as error:
        raise S3UnusableError(f"{action}: {error}") from error
    except BotoCoreError as error:
        kind = S3UnavailableError if is_passing(error) else S3Error
        raise kind(f"{action}: {error}") from error


def _written_as(content_type: str, kms_key_id: str | None) -> dict[str, str]:
    arguments = {"ContentType": content_type}
    if kms_key_id:
        arguments |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}
    return arguments


def _if_new(only_new: bool) -> dict[str, str]:
    return {"IfNoneMatch": "*"} if only_new else {}


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            with memoryview(buffer) as view:
                part = bytes(view[:PART_BYTES])
            del buffer[:PART_BYTES]
            yield part
    if buffer:
        yield bytes(buffer)
