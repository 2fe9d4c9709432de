"""A job's cost grows with its objects as they do, and its memory does not grow with them."""

import json
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork import s3_client
from groundwork.jobs.model import JobStatus
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri
from tests.support.disk_files import DiskS3
from tests.support.job_fakes import BUCKET, Workshop, box, boxes_answer, worker

# Of each object labeled by one person: what people and the loop together do.
MOST_CALLS = {"reads": 8, "writes": 7, "get_object": 4, "put_object": 3}
_PART_BYTES = 256 * 1024
_LINE_BYTES = 1000


def calls_per_object(objects: int) -> dict[str, float]:
    """Label a job in three batches, and count what that took."""
    shop = Workshop()
    shop.add_images(1)
    picture = f"s3://{BUCKET}/photos/0000.jpg"
    lines = [json.dumps({"source-ref": picture, "number": number}) for number in range(objects)]
    shop.start(lines, batch=objects // 3)
    answer = boxes_answer(box("cat", 1, 1, 10, 10))
    shop.answer_all([worker(1), worker(2)], lambda _, task: answer)
    assert shop.job().status is JobStatus.COMPLETED
    counted = Counter(operation for operation, _ in shop.s3.calls)
    counted |= Counter(reads=len(shop.table.reads), writes=shop.table.writes)
    return {name: counted[name] / objects for name in MOST_CALLS}


def test_an_object_takes_no_more_calls_in_a_larger_job() -> None:
    small, large = calls_per_object(45), calls_per_object(135)
    assert small["writes"] > 1
    for name, most in MOST_CALLS.items():
        assert large[name] <= small[name] <= most, name


def peak_bytes(folder: Path, objects: int) -> int:
    """Create a job of that many long lines, let somebody answer, stop and publish it."""
    folder.mkdir()
    disk = DiskS3(folder)
    shop = Workshop()
    shop.files = S3Client(disk)
    assert shop.loop.engine is not None
    shop.loop.engine = replace(shop.loop.engine, files_for_job=lambda _: shop.files)
    job = shop.start([], run=False, task=None, batch=20)
    with disk.path(BUCKET, "in.manifest").open("w", encoding="utf-8") as manifest:
        for number in range(objects):
            line = {"source": f"text {number}", "note": "x" * _LINE_BYTES}
            manifest.write(json.dumps(line) + "\n")
    shop.files.put(S3Uri(BUCKET, "labels.json"), shop.s3.objects[BUCKET, "labels.json"])
    tracemalloc.start()
    try:
        shop.loop.run()
        task = shop.work.take(worker(1), job.name)
        assert task is not None
        shop.work.submit(worker(1), task.lease_id, {"text": {"value": "a"}})
        shop.stop(job.name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    ended = shop.job(job.name)
    assert ended.status is JobStatus.STOPPED
    assert ended.counters.total_objects == objects
    output = ended.output_manifest_uri
    with disk.path(output.bucket, output.key).open("rb") as published:
        assert sum(1 for _ in published) == objects
    return peak


def test_a_larger_job_takes_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "PART_BYTES", _PART_BYTES)
    monkeypatch.setattr(s3_client, "CHUNK_BYTES", _PART_BYTES // 4)
    lines_of_part = _PART_BYTES // _LINE_BYTES
    small = peak_bytes(tmp_path / "small", 4 * lines_of_part)
    large = peak_bytes(tmp_path / "large", 12 * lines_of_part)
    # What is sent, what is next, and the rest of what was read.
    assert _PART_BYTES < large < small + _PART_BYTES // 4
