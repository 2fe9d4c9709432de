"""How a job stands, from the service's answer and the job's output."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundwork.job_progress import (
    BatchState,
    WorkerState,
    expected_end,
    job_progress,
    read_batch,
)
from groundwork.jobs.work import Worker
from groundwork.results.files import FolderFiles, S3Files
from groundwork.s3_uri import S3Uri
from tests.support.job_fakes import Workshop, box, boxes_answer, worker
from tests.support.output_trees import response, write_file

CREATED = datetime(2026, 3, 1, 9, tzinfo=UTC)
COUNTERS = {"TotalLabeled": 20, "FailedNonRetryableError": 5, "Unlabeled": 75}


def test_the_end_is_expected_at_the_pace_so_far() -> None:
    now = CREATED + timedelta(hours=1)
    assert expected_end(COUNTERS, 0, CREATED, now) == now + timedelta(hours=3)
    # What people answered in the open batch counts as done.
    assert expected_end(COUNTERS, 25, CREATED, now) == now + timedelta(hours=1)


def test_without_any_work_done_no_end_is_expected() -> None:
    assert expected_end({"Unlabeled": 5}, 0, CREATED, CREATED + timedelta(hours=1)) is None


def test_a_job_that_is_over_has_no_batch_and_no_end_to_expect() -> None:
    description = {
        "LabelingJobName": "job",
        "LabelingJobStatus": "Stopped",
        "LabelCounters": COUNTERS,
        "CreationTime": CREATED,
    }
    progress = job_progress(description, BatchState(3, 5), CREATED + timedelta(hours=1))
    assert progress.is_over
    assert (progress.batch, progress.expected_end) == (None, None)
    running = description | {"LabelingJobStatus": "InProgress"}
    batch = BatchState(3, 5, workers={"private.a": WorkerState(2, 4)})
    progress = job_progress(running, batch, CREATED + timedelta(hours=1))
    assert progress.to_dict() | {"created_at": 0} == {
        "name": "job",
        "status": "InProgress",
        "failure_reason": None,
        "counters": COUNTERS,
        "created_at": 0,
        "iteration": 3,
        "tasks_open": 5,
        "workers": {"private.a": {"answered": 2, "tasks_open": 4}},
        "expected_end": "2026-03-01T13:00:00+00:00",
    }


def test_the_open_engines_output_shows_the_tasks_that_are_left() -> None:
    workshop = Workshop()
    workshop.start(workshop.add_images(3), workers=2, batch=2)
    output = S3Files(workshop.files, S3Uri("images", "out/job"))
    assert read_batch(output, 2) == BatchState(1, tasks_open=2, answered=0)

    one, two = worker(1), worker(2)

    def answer(who: Worker) -> str:
        task = workshop.work.take(who, "job")
        assert task is not None
        workshop.work.submit(who, task.lease_id, boxes_answer(box("cat", 1, 2, 3, 4)))
        return task.lease_id

    lease_id = answer(one)
    assert read_batch(output, 2) == BatchState(
        1, tasks_open=2, answered=0, workers={one.worker_id: WorkerState(1, 1)}
    )
    # A changed answer is a second file of the same worker's.
    changed = boxes_answer(box("cat", 5, 6, 7, 8))
    workshop.work.submit(one, lease_id, changed, replaces=True)
    answer(two)
    answer(two)
    assert read_batch(output, 2) == BatchState(
        1,
        tasks_open=1,
        answered=1,
        workers={one.worker_id: WorkerState(1, 1), two.worker_id: WorkerState(2, 0)},
    )


def test_ground_truths_output_shows_the_iteration_only(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    assert read_batch(files, 1) is None
    for iteration in (1, 2):
        folder = f"annotations/worker-response/iteration-{iteration}/0"
        write_file(tmp_path, f"{folder}/2026-03-01_09:00:00.json", response())
    assert read_batch(files, 1) == BatchState(2, tasks_open=None)


@pytest.mark.parametrize("closed", [True, False])
def test_a_batch_that_is_published_has_no_open_tasks(tmp_path: Path, closed: bool) -> None:
    folder = "annotations/intermediate/1"
    entries = [{"id": 0, "input": {}}, {"id": 1, "input": None}]
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    write_file(tmp_path, f"{folder}/batch.jsonl", lines)
    if closed:
        write_file(tmp_path, f"{folder}/output.manifest", "")
    tasks = read_batch(FolderFiles(tmp_path), 1)
    assert tasks == BatchState(1, tasks_open=0 if closed else 1)
