"""The S3 adapter's assumptions hold in S3, here the emulator's."""

import pytest

from groundwork.s3_client import (
    PART_BYTES,
    S3Client,
    S3ExistsError,
    S3NotFoundError,
    S3Range,
    S3Uri,
)
from tests.support.labeling_service import BUCKET, LabelingService


@pytest.fixture
def files(service: LabelingService) -> S3Client:
    return S3Client(service.emulator("s3"))


def test_files_of_any_size_are_written_and_read_back(files: S3Client) -> None:
    large = b"0123456789abcdef" * (PART_BYTES // 16 + 5)
    for name, data in (("empty", b""), ("small", b"abc"), ("large", large)):
        uri = S3Uri(BUCKET, f"adapter/{name}")
        files.put_stream(uri, (data[at : at + 100_000] for at in range(0, len(data), 100_000)))
        assert files.get(uri) == data
        assert files.size(uri) == len(data)
        middle = len(data) // 2
        assert b"".join(files.stream(uri, start=middle)) == data[middle:]
        assert files.get_range(uri, middle, 2) == S3Range(data[middle : middle + 2], len(data))
        assert files.get_range(uri, len(data), 5) == S3Range(b"", len(data))


@pytest.mark.parametrize("size", [5, PART_BYTES + 5])
def test_an_existing_file_is_not_replaced_by_a_new_one(files: S3Client, size: int) -> None:
    uri = S3Uri(BUCKET, f"adapter/once-{size}")
    files.put_stream(uri, [b"a" * size], only_new=True)
    with pytest.raises(S3ExistsError):
        files.put_stream(uri, [b"b" * size], only_new=True)
    assert files.get_range(uri, 0, 1).data == b"a"


def test_a_missing_file_is_told_apart_from_a_refusal(files: S3Client) -> None:
    missing = S3Uri(BUCKET, "adapter/missing")
    assert not files.exists(missing)
    for use in (files.get, files.size, files.etag):
        with pytest.raises(S3NotFoundError, match="adapter/missing"):
            use(missing)
    with pytest.raises(S3NotFoundError):
        files.get_range(missing, 0, 5)


def test_a_folder_is_listed(files: S3Client) -> None:
    for name in ("b", "a", "c/d"):
        files.put(S3Uri(BUCKET, f"listed/{name}"), b"")
    found = [uri.key for uri in files.list_keys(S3Uri(BUCKET, "listed"))]
    assert found == ["listed/a", "listed/b", "listed/c/d"]
