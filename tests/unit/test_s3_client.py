"""S3 is read and written so that broken connections and huge files are no trouble."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import EndpointConnectionError, ResponseStreamingError
from urllib3 import HTTPResponse

from groundwork.role_client import RoleError, job_session_name
from groundwork.s3_client import (
    PART_BYTES,
    S3AccessDeniedError,
    S3ChangedError,
    S3Client,
    S3Error,
    S3ExistsError,
    S3NotFoundError,
    S3Range,
    S3UnavailableError,
    S3UnusableError,
    S3Uri,
    S3UriFormatError,
)
from tests.support.job_fakes import MemoryS3, refusal

URI = S3Uri("bucket", "folder/file")


@pytest.fixture
def s3() -> MemoryS3:
    return MemoryS3()


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("s3://bucket/key", S3Uri("bucket", "key")),
        ("S3://bucket/a/b c/", S3Uri("bucket", "a/b c")),
        ("s3://bucket", S3Uri("bucket", "")),
    ],
)
def test_an_address_is_read(text: str, uri: S3Uri) -> None:
    assert S3Uri.parse(text) == uri


@pytest.mark.parametrize(
    "text", ["", "bucket/key", "https://bucket/key", "s3:/bucket", "s3:///key"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(S3UriFormatError, match="write s3://<bucket>/<key>"):
        S3Uri.parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("s3://[/key", "no bucket is named '\\['"),
        ("s3://my bucket/key", "names have letters, digits, dots and hyphens"),
        ("s3://bucket/" + "k" * 1_025, "has a key of 1,025 bytes; S3 takes 1,024 at most"),
        ("s3://bucket/\ud800", "has half of a surrogate pair"),
    ],
)
def test_an_address_that_s3_can_never_have_is_refused(text: str, problem: str) -> None:
    with pytest.raises(S3UriFormatError, match=problem):
        S3Uri.parse(text)


def test_what_s3_will_never_give_is_told_from_what_it_may_give_later(s3: MemoryS3) -> None:
    for code, kind in (
        ("InvalidObjectState", S3UnusableError),
        ("KMS.DisabledException", S3UnusableError),
        ("InternalError", S3UnavailableError),
        ("SlowDown", S3UnavailableError),
    ):

        def refuse(operation: str, key: str, code: str = code) -> None:
            raise refusal(code, operation)

        s3.before = refuse
        with pytest.raises(S3Error) as refused:
            S3Client(s3).get_range(URI, 0, 10)
        assert type(refused.value) is kind


def test_a_small_file_is_not_read_when_it_is_large(s3: MemoryS3) -> None:
    s3.add(str(URI), b"x" * 11)
    assert S3Client(s3).get_small(URI, 11) == b"x" * 11
    with pytest.raises(S3UnusableError, match="has 11 bytes; at most 10 are read"):
        S3Client(s3).get_small(URI, 10)


def test_an_address_in_a_folder_has_one_slash_in_between() -> None:
    assert str(S3Uri.parse("s3://bucket/out/").child("a/b")) == "s3://bucket/out/a/b"
    assert str(S3Uri.parse("s3://bucket/").child("a")) == "s3://bucket/a"


def test_a_small_file_is_written_in_one_piece_and_a_large_one_in_parts(s3: MemoryS3) -> None:
    files = S3Client(s3)
    files.put_stream(URI, [b"ab", b"", b"c"], content_type="text/plain", kms_key_id="key")
    assert files.get(URI) == b"abc"
    assert s3.written_with[URI.key] == {
        "ContentType": "text/plain",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "key",
    }
    data = b"0123456789abcdef" * (PART_BYTES // 16 * 2 + 3)
    files.put_stream(URI, (data[start : start + 70_000] for start in range(0, len(data), 70_000)))
    assert files.get(URI) == data
    assert [operation for operation, _ in s3.calls].count("upload_part") == 3


def test_a_stream_without_anything_writes_an_empty_file(s3: MemoryS3) -> None:
    S3Client(s3).put_stream(URI, [])
    assert S3Client(s3).get(URI) == b""


def test_a_large_file_whose_source_breaks_off_does_not_appear_at_all(s3: MemoryS3) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x" * (2 * PART_BYTES)
        raise RuntimeError("source is gone")

    with pytest.raises(RuntimeError, match="source is gone"):
        S3Client(s3).put_stream(URI, breaking())
    assert not S3Client(s3).exists(URI)
    assert s3.uploads == {}


@pytest.mark.parametrize("size", [10, 2 * PART_BYTES])
def test_an_existing_file_is_kept_when_only_a_new_one_is_wanted(s3: MemoryS3, size: int) -> None:
    files = S3Client(s3)
    files.put(URI, b"first", only_new=True)
    with pytest.raises(S3ExistsError):
        files.put_stream(URI, [b"x" * size], only_new=True)
    assert files.get(URI) == b"first"


def test_a_part_of_a_file_comes_with_the_whole_size(s3: MemoryS3) -> None:
    files = S3Client(s3)
    files.put(URI, b"0123456789")
    assert files.get_range(URI, 2, 3) == S3Range(b"234", 10)
    assert files.get_range(URI, 8, 50) == S3Range(b"89", 10)
    assert files.get_range(URI, 10, 5) == S3Range(b"", 10)
    files.put(URI, b"")
    assert files.get_range(URI, 0, 5) == S3Range(b"", 0)


def test_a_range_is_cut_out_of_an_answer_that_ignores_ranges() -> None:
    class Whole:
        def get_object(self, **arguments: Any) -> dict[str, Any]:
            return {"Body": io.BytesIO(b"0123456789")}

    assert S3Client(Whole()).get_range(URI, 2, 3) == S3Range(b"234", 10)


class BreakingS3(MemoryS3):
    """Connections break after some bytes, a given number of times."""

    def __init__(self, breaks: int) -> None:
        super().__init__()
        self.breaks = breaks

    def get_object(self, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:  # noqa: N803
        answer = super().get_object(Bucket, Key, Range)
        if self.breaks:
            self.breaks -= 1
            answer["Body"] = _BreakingBody(answer["Body"].read())
        return answer


class _BreakingBody:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield self._data[:3]
        raise ResponseStreamingError(error="connection reset")


def test_reading_goes_on_where_a_connection_broke() -> None:
    s3 = BreakingS3(breaks=3)
    files = S3Client(s3)
    files.put(URI, b"0123456789abcdef")
    assert b"".join(files.stream(URI)) == b"0123456789abcdef"
    s3.breaks = 1
    assert b"".join(files.stream(URI, start=7)) == b"789abcdef"


def test_a_file_that_changes_while_it_is_read_is_not_mixed() -> None:
    s3 = BreakingS3(breaks=1)
    files = S3Client(s3)
    files.put(URI, b"0123456789")
    reading = files.stream(URI)
    assert next(reading) == b"012"
    files.put(URI, b"something else")
    with pytest.raises(S3ChangedError, match="was changed while it was in use"):
        list(reading)


def test_reading_gives_up_when_nothing_comes_any_more() -> None:
    class Dead(BreakingS3):
        def get_object(self, Bucket: str, Key: str, Range: str | None = None) -> dict[str, Any]:  # noqa: N803
            answer = super().get_object(Bucket, Key, Range)
            answer["Body"] = _BreakingBody(b"")
            return answer

    s3 = Dead(breaks=0)
    S3Client(s3).put(URI, b"0123456789")
    with pytest.raises(S3Error, match="broke off at byte 0"):
        b"".join(S3Client(s3).stream(URI))


@pytest.mark.parametrize(
    ("raised", "expected", "text"),
    [
        (refusal("NoSuchBucket", "GetObject"), S3NotFoundError, "NoSuchBucket"),
        (refusal("403", "HeadObject"), S3AccessDeniedError, "without s3:ListBucket"),
        (refusal("AccessDenied", "GetObject"), S3AccessDeniedError, "AccessDenied"),
        (refusal("SlowDown", "GetObject"), S3Error, "SlowDown: refused by the test"),
        (EndpointConnectionError(endpoint_url="https://s3"), S3Error, "Could not connect"),
        (RoleError("cannot assume the job's role"), S3AccessDeniedError, "cannot assume"),
    ],
)
def test_every_error_says_what_was_attempted_and_why_it_failed(
    s3: MemoryS3, raised: Exception, expected: type[Exception], text: str
) -> None:
    def refuse(operation: str, key: str) -> None:
        raise raised

    s3.before = refuse
    with pytest.raises(expected) as told:
        S3Client(s3).get(URI)
    assert "get_object s3://bucket/folder/file: " in str(told.value)
    assert text in str(told.value)


def test_a_folder_is_listed_page_by_page(s3: MemoryS3) -> None:
    files = S3Client(s3)
    for number in range(5):
        files.put(S3Uri("bucket", f"folder/{number}"), b"")
    files.put(S3Uri("bucket", "folders/other"), b"")
    listed = [uri.key for uri in files.list_keys(S3Uri("bucket", "folder"))]
    assert listed == [f"folder/{number}" for number in range(5)]


def test_a_session_is_named_after_the_job() -> None:
    assert job_session_name("birds") == "groundwork-birds"
    assert len(job_session_name("b" * 63)) == 64


@pytest.mark.parametrize(("size", "asked"), [(0, False), (64 * 1024, False), (64 * 1024 + 1, True)])
def test_only_for_a_large_file_s3_is_asked_first_whether_it_is_welcome(
    monkeypatch: pytest.MonkeyPatch, size: int, asked: bool
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    sent = []

    def answered(request: AWSRequest, **_: Any) -> AWSResponse:
        sent.append(request.headers)
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO()))

    files = S3Client.from_environment()
    files.api.meta.events.register("before-send.s3.PutObject", answered)
    files.put(URI, bytes(size))
    [headers] = sent
    assert ("Expect" in headers) == asked
    assert headers["User-Agent"].startswith(b"groundwork ")
